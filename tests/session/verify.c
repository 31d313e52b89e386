#include "session/session.h"

#include "support/fault.h"
#include "support/fixture.h"
#include "support/suite.h"

#include <jansson.h>

/* The layer counts the launches of the process; sessions here launch once per step. */
static long launches;

/* Leaves out launch `step` of one verification: it must be found, and its layer named. */
static void check_skip(struct ncl_session *session, const ncl_tensor *input, int step)
{
    const int count = session->schedule->step_count;
    const char *name = session->schedule->steps[step].name;
    char quoted[256];
    char *json = NULL;
    json_t *root;

    fault_set("NCL_LAYER_SKIP", launches + step + 1);
    launches += count;
    ck_assert_msg(ncl_session_verify(session, input, 1, &json) == NCL_ERROR_MISMATCH,
                  "step %d of %d (%s) left out: nothing noticed", step, count, name);
    unsetenv("NCL_LAYER_SKIP");
    snprintf(quoted, sizeof quoted, "layer '%s' ", name);
    ck_assert_msg(strstr(ncl_error_text(), quoted) != NULL, "step %d: '%s' lacks %s", step,
                  ncl_error_text(), quoted);
    root = json_loads(json, 0, NULL);
    ck_assert(json_is_false(json_object_get(root, "identical")));
    for (int i = 0; i <= step; i++) {
        const json_t *layer = json_array_get(json_object_get(root, "layers"), (size_t)i);

        ck_assert_int_eq(json_integer_value(json_object_get(layer, "differing")) != 0, i == step);
    }
    json_decref(root);
    free(json);
}

static void check_model(const char *path, ncl_precision precision)
{
    struct fixture f;
    struct ncl_session *session;
    ncl_tensor input;

    fixture_open(&f, path, false);
    session = fixture_session_as(&f, precision);
    input = fixture_input(session, 1);
    for (int i = 0; i < session->schedule->step_count; i++)
        check_skip(session, &input, i);
    launches += session->schedule->step_count;
    MUST(ncl_session_verify(session, &input, 1, NULL));
    free(input.data);
    ncl_session_destroy(session);
    fixture_close(&f);
}

START_TEST(any_launch_left_out_is_found)
{
    check_model(FIXTURE_RESNEXT, NCL_FP32);
    check_model(FIXTURE_RESNEXT, NCL_FP16);
    check_model(FIXTURE_RESIDUALS, NCL_FP32);
    check_model("tests/data/split_groups.onnx", NCL_FP32);
    check_model("tests/data/split_groups.onnx", NCL_FP16);
    check_model("tests/data/opset7.onnx", NCL_FP32);
    check_model("tests/data/opset7.onnx", NCL_FP16);
}
END_TEST

START_TEST(nan_inputs_do_not_hide_a_launch_left_out)
{
    struct fixture f;
    struct ncl_session *session;
    ncl_tensor input;

    fixture_open(&f, FIXTURE_RESNEXT, false);
    session = fixture_session(&f);
    input = fixture_input(session, 1);
    memset(input.data, 0xff, input.bytes);
    check_skip(session, &input, 0);
    check_skip(session, &input, session->schedule->step_count - 1);
    free(input.data);
    ncl_session_destroy(session);
    fixture_close(&f);
}
END_TEST

/* Flips the sign of the first number (of halves: the second) of a buffer of layer `step`, which
 * must be found. */
static void check_flipped(struct fixture *f, struct ncl_session *session, cl_mem mem, int step)
{
    ncl_tensor input = fixture_input(session, 1);
    float value;

    MUST(ncl_buffer_read(&f->device, mem, 0, &value, sizeof value));
    value = -value;
    MUST(ncl_buffer_write(&f->device, mem, 0, &value, sizeof value));
    launches += session->schedule->step_count;
    ck_assert_int_eq(ncl_session_verify(session, &input, 1, NULL), NCL_ERROR_MISMATCH);
    ck_assert_ptr_nonnull(strstr(ncl_error_text(), session->schedule->steps[step].name));
    value = -value;
    MUST(ncl_buffer_write(&f->device, mem, 0, &value, sizeof value));
    free(input.data);
}

/* _i: the precision. */
START_TEST(a_wrong_number_is_found)
{
    struct fixture f;
    struct ncl_session *session;

    fixture_open(&f, FIXTURE_RESNEXT, false);
    session = fixture_session_as(&f, (ncl_precision)_i);
    check_flipped(&f, session, session->layers[5].weights, 5);
    check_flipped(&f, session, session->layers[14].bias, 14); /* of one class: one value an image */
    ncl_session_destroy(session);
    fixture_close(&f);
}
END_TEST

/* _i: the precision. */
START_TEST(fast_mode_is_held_to_a_bound)
{
    struct fixture f;
    struct ncl_session *session = NULL;
    struct ncl_session_config config;
    struct ncl_dims dims;
    ncl_tensor input;
    char *json = NULL;

    fixture_open(&f, FIXTURE_RESNEXT, false);
    config = fixture_config(&f);
    config.math = NCL_MATH_FAST;
    config.precision = (ncl_precision)_i;
    dims = fixture_dims(&f);
    MUST(ncl_session_make(&config, f.model->graph, &dims, 1, &session));
    input = fixture_input(session, 1);
    launches += session->schedule->step_count;
    MUST(ncl_session_verify(session, &input, 1, &json));
    ck_assert_ptr_nonnull(strstr(json, "\"fast\""));
    ck_assert_ptr_nonnull(strstr(json, config.precision == NCL_FP16 ? "\"fp16\"" : "\"fp32\""));
    free(json);
    free(input.data);
    ncl_session_destroy(session);
    fixture_close(&f);
}
END_TEST

START_TEST(wrong_inputs_are_refused)
{
    struct fixture f;
    struct ncl_session *session;
    ncl_tensor input, bad;

    fixture_open(&f, FIXTURE_RESIDUALS, false);
    session = fixture_session(&f);
    input = fixture_input(session, 1);
    ck_assert_int_eq(ncl_session_verify(session, &input, 0, NULL), NCL_ERROR_USAGE);
    bad = input, bad.data = NULL;
    ck_assert_int_eq(ncl_session_verify(session, &bad, 1, NULL), NCL_ERROR_USAGE);
    bad = input, bad.bytes--;
    ck_assert_int_eq(ncl_session_verify(session, &bad, 1, NULL), NCL_ERROR_USAGE);
    bad = input, bad.element = (ncl_element)9;
    ck_assert_int_eq(ncl_session_verify(session, &bad, 1, NULL), NCL_ERROR_USAGE);
    bad = input, bad.rank--;
    ck_assert_int_eq(ncl_session_verify(session, &bad, 1, NULL), NCL_ERROR_INPUT);
    bad = input, bad.dims[2]++; /* as many bytes, but of another image */
    ck_assert_int_eq(ncl_session_verify(session, &bad, 1, NULL), NCL_ERROR_INPUT);
    ck_assert_ptr_nonnull(strstr(ncl_error_text(), "dimension 2"));
    free(input.data);
    ncl_session_destroy(session);
    fixture_close(&f);
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("verify");

    if (!fault_layer_load()) {
        puts("$NEXTCL_BUILD/tests/layer_fault.so is missing");
        return 1;
    }
    tcase_add_test(tests, any_launch_left_out_is_found);
    tcase_add_test(tests, nan_inputs_do_not_hide_a_launch_left_out);
    tcase_add_loop_test(tests, a_wrong_number_is_found, NCL_FP32, NCL_FP16 + 1);
    tcase_add_loop_test(tests, fast_mode_is_held_to_a_bound, NCL_FP32, NCL_FP16 + 1);
    tcase_add_test(tests, wrong_inputs_are_refused);
    return ncl_run_suite(tests, "verify");
}
