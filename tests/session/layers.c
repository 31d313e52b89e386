#include "session/session.h"

#include "support/fault.h"
#include "support/fixture.h"
#include "support/suite.h"

/* Launches of this process so far, as the layer counts them. */
static long launches;

/* Fails the launch of one step: the next algorithm takes over with the same bits, or, where there
 * is none, the run fails and names the layer. Returns whether another took over. */
static bool fail_launch(struct fixture *f, struct ncl_session *session, int step,
                        const ncl_tensor *input, const ncl_tensor *expected)
{
    const struct ncl_step *s = &session->schedule->steps[step];
    ncl_tensor output = fixture_output(session);
    ncl_status status;
    bool replaced;

    f->note[0] = 0;
    fault_set("NCL_LAYER_FAIL_ENQUEUE", launches + step + 1);
    status = fixture_run(session, input, &output);
    unsetenv("NCL_LAYER_FAIL_ENQUEUE");
    replaced = status == NCL_OK;
    launches += replaced ? session->schedule->step_count + 1 : step + 1;
    if (replaced) {
        ck_assert_str_eq(session->layers[step].choice.source, "fallback");
        ck_assert_int_eq(session->layers[step].attempt, 1);
        ck_assert_mem_eq(output.data, expected->data, expected->bytes);
        ck_assert_msg(strstr(f->note, "falling back") && strstr(f->note, s->name), "'%s'", f->note);
    } else {
        ck_assert_int_eq(status, NCL_ERROR_DEVICE);
        ck_assert_ptr_nonnull(strstr(ncl_error_text(), s->name));
        ck_assert_ptr_nonnull(strstr(ncl_error_text(), "CL_OUT_OF_RESOURCES"));
    }
    free(output.data);
    return replaced;
}

START_TEST(a_launch_that_fails_falls_back)
{
    struct fixture f;
    struct ncl_session *session;
    ncl_tensor input, output;
    int replaced = 0, convolutions = 0;

    fixture_open(&f, FIXTURE_RESNEXT, false);
    session = fixture_session(&f);
    input = fixture_input(session, 1);
    output = fixture_output(session);
    MUST(fixture_run(session, &input, &output));
    launches += session->schedule->step_count;
    for (int i = 0; i < session->schedule->step_count; i++) {
        const bool convolution = session->schedule->steps[i].problem.kind == NCL_PROBLEM_CONV;

        replaced += fail_launch(&f, session, i, &input, &output);
        convolutions += convolution;
    }
    ck_assert_int_ge(replaced, convolutions);
    free(input.data);
    free(output.data);
    ncl_session_destroy(session);
    fixture_close(&f);
}
END_TEST

START_TEST(an_error_of_memory_does_not_fall_back)
{
    struct fixture f;
    struct ncl_session *session;
    ncl_tensor input, output;

    fixture_open(&f, FIXTURE_RESNEXT, false);
    session = fixture_session(&f);
    input = fixture_input(session, 1);
    output = fixture_output(session);
    fault_set("NCL_LAYER_CODE", CL_MEM_OBJECT_ALLOCATION_FAILURE);
    fault_set("NCL_LAYER_FAIL_ENQUEUE", launches + 3);
    ck_assert_int_eq(fixture_run(session, &input, &output), NCL_ERROR_MEMORY);
    unsetenv("NCL_LAYER_FAIL_ENQUEUE");
    unsetenv("NCL_LAYER_CODE");
    launches += 3;
    ck_assert_ptr_nonnull(strstr(ncl_error_text(), session->schedule->steps[2].name));
    ck_assert_int_eq(session->layers[2].attempt, 0);
    MUST(fixture_run(session, &input, &output)); /* and the session is still good */
    launches += session->schedule->step_count;
    free(input.data);
    free(output.data);
    ncl_session_destroy(session);
    fixture_close(&f);
}
END_TEST

START_TEST(a_build_that_fails_once_is_tried_again)
{
    struct fixture f;
    struct ncl_session *session;
    ncl_tensor input;

    fixture_open(&f, FIXTURE_RESIDUALS, false);
    f.device.caps.programs = 1;
    fault_set("NCL_LAYER_FAIL_BUILD", 1);
    session = fixture_session(&f);
    unsetenv("NCL_LAYER_FAIL_BUILD");
    input = fixture_input(session, 1);
    launches += session->schedule->step_count;
    MUST(ncl_session_verify(session, &input, 1, NULL));
    for (int i = 0; i < session->schedule->step_count; i++)
        ck_assert_int_eq(session->layers[i].attempt, 0);
    free(input.data);
    ncl_session_destroy(session);
    fixture_close(&f);
}
END_TEST

/* Making a session fails while the layer has this fault, and leaves nothing behind. */
static void refuse(const char *fault, long value, ncl_status status)
{
    struct fixture f;
    struct ncl_session_config config;
    struct ncl_session *session = NULL;
    struct ncl_dims dims;

    fixture_open(&f, FIXTURE_RESIDUALS, false);
    config = fixture_config(&f);
    dims = fixture_dims(&f);
    fault_set(fault, value);
    ck_assert_int_eq(ncl_session_make(&config, f.model->graph, &dims, 1, &session), status);
    unsetenv(fault);
    ck_assert_ptr_null(session);
    fixture_close(&f);
}

START_TEST(a_refused_buffer_is_out_of_memory)
{
    refuse("NCL_LAYER_MAX_ALLOC", 64, NCL_ERROR_MEMORY);
}
END_TEST

/* Everything but `direct` refuses work-groups that the driver does not grant. */
START_TEST(a_smaller_work_group_than_asked_for_falls_back)
{
    struct fixture f;
    struct ncl_session *session;
    ncl_tensor input;

    fixture_open(&f, FIXTURE_RESIDUALS, false);
    fault_set("NCL_LAYER_KERNEL_WORK_GROUP", 1);
    session = fixture_session(&f);
    input = fixture_input(session, 1);
    MUST(ncl_session_verify(session, &input, 1, NULL));
    unsetenv("NCL_LAYER_KERNEL_WORK_GROUP");
    free(input.data);
    ncl_session_destroy(session);
    fixture_close(&f);
}
END_TEST

/* Whatever was allocated and packed for it while it was built. */
START_TEST(a_kernel_that_never_builds_is_replaced)
{
    struct fixture f;
    struct ncl_session *session;
    ncl_tensor input;
    int replaced = 0;

    fixture_open(&f, FIXTURE_RESIDUALS, false);
    setenv("NCL_LAYER_SOURCE", "FN(ncl_pointwise", 1);
    fault_set("NCL_LAYER_FAIL_BUILD", 0);
    session = fixture_session(&f);
    unsetenv("NCL_LAYER_FAIL_BUILD");
    unsetenv("NCL_LAYER_SOURCE");
    for (int i = 0; i < session->schedule->step_count; i++) {
        const struct ncl_choice *choice = &session->layers[i].choice;

        ck_assert_ptr_null(strstr(choice->point.algo->name, "pointwise"));
        replaced += strcmp(choice->source, "fallback") == 0;
    }
    ck_assert_int_gt(replaced, 0);
    ck_assert(!session->packed);
    input = fixture_input(session, 1);
    MUST(ncl_session_verify(session, &input, 1, NULL));
    free(input.data);
    ncl_session_destroy(session);
    fixture_close(&f);
}
END_TEST

/* A compiler without disk space fails for all: its words are what helps. */
START_TEST(where_nothing_builds_the_first_reason_is_given)
{
    refuse("NCL_LAYER_FAIL_BUILD", 0, NCL_ERROR_DEVICE);
    ck_assert_msg(strstr(ncl_error_text(), "CL_BUILD_PROGRAM_FAILURE"), "'%s'", ncl_error_text());
    ck_assert_ptr_nonnull(strstr(ncl_error_text(), "layer '"));
    ck_assert_ptr_null(strstr(ncl_error_text(), "no further"));
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("layers");

    if (!fault_layer_load()) {
        puts("$NEXTCL_BUILD/tests/layer_fault.so is missing");
        return 1;
    }
    tcase_add_test(tests, a_build_that_fails_once_is_tried_again);
    tcase_add_test(tests, a_launch_that_fails_falls_back);
    tcase_add_test(tests, an_error_of_memory_does_not_fall_back);
    tcase_add_test(tests, a_refused_buffer_is_out_of_memory);
    tcase_add_test(tests, a_smaller_work_group_than_asked_for_falls_back);
    tcase_add_test(tests, where_nothing_builds_the_first_reason_is_given);
    tcase_add_test(tests, a_kernel_that_never_builds_is_replaced);
    return ncl_run_suite(tests, "layers");
}
