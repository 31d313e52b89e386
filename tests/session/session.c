#include "session/session.h"

#include "support/fixture.h"
#include "support/suite.h"

START_TEST(makes_what_the_schedule_says)
{
    struct fixture f;
    struct ncl_session *session;

    fixture_open(&f, FIXTURE_RESNEXT, false);
    session = fixture_session(&f);
    ck_assert_int_eq(session->schedule->step_count, 16);
    for (int i = 0; i < session->schedule->step_count; i++) {
        ck_assert_int_eq(session->schedule->steps[i].problem.channel_block, 8);
        ck_assert(!session->schedule->steps[i].problem.fast);
        ck_assert_str_eq(session->layers[i].choice.source, "default");
        ck_assert_ptr_nonnull(session->layers[i].params);
    }
    ck_assert(session->create_seconds > 0);
    ck_assert_uint_eq(ncl_session_slot_bytes(session, ncl_session_input_slot(session, 0)),
                      2 * 3 * 24 * 20 * sizeof(float));
    ck_assert_int_eq(ncl_session_input_slot(session, 1), -1);
    ck_assert_int_eq(ncl_session_output_slot(session, 1), -1);
    ncl_session_destroy(session);
    ncl_session_destroy(NULL);
    fixture_close(&f);
}
END_TEST

START_TEST(refuses_what_the_model_cannot_take)
{
    struct fixture f;
    struct ncl_session *session = (struct ncl_session *)&f;
    struct ncl_session_config config;
    struct ncl_dims dims;

    fixture_open(&f, FIXTURE_RESNEXT, false);
    config = fixture_config(&f);
    dims = fixture_dims(&f);
    dims.dims[1] = 4;
    ck_assert_int_eq(ncl_session_make(&config, f.model->graph, &dims, 1, &session),
                     NCL_ERROR_INPUT);
    ck_assert_ptr_null(session);
    dims.dims[1] = 3;
    dims.dims[0] = 0;
    ck_assert_int_eq(ncl_session_make(&config, f.model->graph, &dims, 1, &session),
                     NCL_ERROR_INPUT);
    dims.dims[0] = INT64_MAX;
    ck_assert_int_eq(ncl_session_make(&config, f.model->graph, &dims, 1, &session),
                     NCL_ERROR_INPUT);
    dims.dims[0] = 1;
    dims.rank = 3;
    ck_assert_int_eq(ncl_session_make(&config, f.model->graph, &dims, 1, &session),
                     NCL_ERROR_INPUT);
    ck_assert_ptr_null(session);
    fixture_close(&f);
}
END_TEST

static int calls_before_stop;

static int stop_later(void *user, const char *stage, size_t done, size_t total)
{
    (void)user;
    ck_assert_ptr_nonnull(stage);
    ck_assert_uint_le(done, total);
    return calls_before_stop-- == 0;
}

START_TEST(stops_when_the_callback_says_so)
{
    struct fixture f;
    struct ncl_session *session = NULL;
    struct ncl_session_config config;
    struct ncl_dims dims;
    int stages = 0;

    fixture_open(&f, FIXTURE_RESIDUALS, false);
    config = fixture_config(&f);
    dims = fixture_dims(&f);
    config.progress = stop_later;
    for (;; stages++) {
        ncl_status status;

        calls_before_stop = stages;
        status = ncl_session_make(&config, f.model->graph, &dims, 1, &session);
        if (status == NCL_OK)
            break;
        ck_assert_int_eq(status, NCL_ERROR_CANCELLED);
        ck_assert_ptr_null(session);
        ck_assert_int_lt(stages, 20);
    }
    ck_assert_int_ge(stages, 5);
    ncl_session_destroy(session);
    fixture_close(&f);
}
END_TEST

/* The cache of binaries keeps the ratio of mad's time to fma's, in thousandths. */
static ncl_status recall_ratio(void *self, const char *key, void **data, size_t *bytes)
{
    if (strncmp(key, "ratio ", 6) != 0)
        return NCL_ERROR_INPUT;
    *data = ncl_strdup(self);
    *bytes = strlen(self);
    return NCL_OK;
}

static void forget(void *self, const char *key, const void *data, size_t bytes)
{
    (void)self;
    (void)key;
    (void)data;
    (void)bytes;
}

static ncl_math math_at(struct fixture *f, char *ratio)
{
    struct ncl_session_config config = fixture_config(f);
    const struct ncl_dims dims = fixture_dims(f);
    struct ncl_session *session = NULL;
    ncl_math math;

    config.math = NCL_MATH_AUTO;
    f->device.binaries = (struct ncl_binary_cache){ratio, recall_ratio, forget};
    MUST(ncl_session_make(&config, f->model->graph, &dims, 1, &session));
    math = session->config.math;
    for (int i = 0; i < session->schedule->step_count; i++)
        ck_assert_int_eq(session->schedule->steps[i].problem.fast, math == NCL_MATH_FAST);
    ncl_session_destroy(session);
    return math;
}

START_TEST(auto_is_decided_by_the_measured_ratio)
{
    struct fixture f;
    char native[] = "900", half[] = "500", emulated[] = "490";

    fixture_open(&f, FIXTURE_RESIDUALS, false);
    ck_assert_int_eq(math_at(&f, native), NCL_MATH_REPRODUCIBLE);
    ck_assert_int_eq(math_at(&f, half), NCL_MATH_REPRODUCIBLE);
    ck_assert_int_eq(math_at(&f, emulated), NCL_MATH_FAST);
    fixture_close(&f);
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("session");

    tcase_add_test(tests, makes_what_the_schedule_says);
    tcase_add_test(tests, refuses_what_the_model_cannot_take);
    tcase_add_test(tests, stops_when_the_callback_says_so);
    tcase_add_test(tests, auto_is_decided_by_the_measured_ratio);
    return ncl_run_suite(tests, "session");
}
