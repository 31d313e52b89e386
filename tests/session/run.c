#include "session/session.h"

#include "problem/oracle.h"
#include "support/fixture.h"
#include "support/suite.h"

#include <malloc.h>
#include <math.h>

/* _i: the precision. */
START_TEST(same_input_same_bits_on_every_channel_block)
{
    static const int blocks[] = {4, 8, 16};
    struct fixture f;
    struct ncl_dims dims;
    void *first = NULL;
    size_t bytes = 0;

    fixture_open(&f, FIXTURE_RESNEXT, false);
    dims = fixture_dims(&f);
    for (size_t i = 0; i < sizeof blocks / sizeof blocks[0]; i++) {
        struct ncl_session_config config = fixture_config(&f);
        struct ncl_session *session = NULL;
        ncl_tensor input, output;

        config.channel_block = blocks[i];
        config.precision = (ncl_precision)_i;
        MUST(ncl_session_make(&config, f.model->graph, &dims, 1, &session));
        input = fixture_input(session, 1);
        output = fixture_output(session);
        MUST(fixture_run(session, &input, &output));
        if (!first) {
            first = output.data;
            bytes = output.bytes;
        } else {
            ck_assert_mem_eq(first, output.data, bytes);
            free(output.data);
        }
        free(input.data);
        ncl_session_destroy(session);
    }
    free(first);
    fixture_close(&f);
}
END_TEST

/* Outputs of one input, both free()d by the caller; returns their number. */
static size_t run_both(struct fixture *f, ncl_math math, float *outputs[2])
{
    const struct ncl_dims dims = fixture_dims(f);
    size_t bytes = 0;

    for (int i = 0; i < 2; i++) {
        struct ncl_session_config config = fixture_config(f);
        struct ncl_session *session = NULL;
        ncl_tensor input, output;

        config.math = math;
        config.precision = i ? NCL_FP16 : NCL_FP32;
        MUST(ncl_session_make(&config, f->model->graph, &dims, 1, &session));
        input = fixture_input(session, 1);
        output = fixture_output(session);
        MUST(fixture_run(session, &input, &output));
        outputs[i] = output.data;
        bytes = output.bytes;
        free(input.data);
        ncl_session_destroy(session);
    }
    return bytes / sizeof(float);
}

/* 14 layers, each of whose results is rounded to 11 bits: an error of some 2^-11 of the output's
 * peak, more than a hundred times float32's. */
START_TEST(fp16_is_near_fp32)
{
    struct fixture f;
    float *outputs[2], peak = 0, error = 0;
    size_t count;

    fixture_open(&f, FIXTURE_RESNEXT, false);
    count = run_both(&f, (ncl_math)_i, outputs);
    for (size_t i = 0; i < count; i++) {
        peak = fmaxf(peak, fabsf(outputs[0][i]));
        error = fmaxf(error, fabsf(outputs[1][i] - outputs[0][i]));
    }
    ck_assert_msg(error < 4 * 0x1p-11f * peak && error > 1e-5f * peak, "%g of %g", (double)error,
                  (double)peak);
    free(outputs[0]);
    free(outputs[1]);
    fixture_close(&f);
}
END_TEST

static cl_mem make_buffer(const struct fixture *f, const ncl_tensor *tensor)
{
    cl_mem mem = NULL;

    MUST(ncl_buffer_create(&f->device, CL_MEM_READ_WRITE, tensor->bytes, &mem));
    if (tensor->data)
        MUST(ncl_buffer_write(&f->device, mem, 0, tensor->data, tensor->bytes));
    return mem;
}

static void check_device_tensors(struct fixture *f, struct ncl_session *session)
{
    ncl_tensor input = fixture_input(session, 2), output = fixture_output(session);
    ncl_tensor x = input, y = output;
    float *found = malloc(output.bytes);
    cl_event event = NULL;
    const struct ncl_session_io io = {
        .inputs = &x, .outputs = &y, .input_count = 1, .output_count = 1, .event = &event};

    MUST(fixture_run(session, &input, &output)); /* the expected bits, by host tensors */
    x.data = NULL, y.data = NULL;
    x.mem = make_buffer(f, &input), y.mem = make_buffer(f, &y);
    MUST(ncl_session_execute(session, &io));
    ck_assert_ptr_nonnull(event);
    ck_assert_int_eq(f->cl->WaitForEvents(1, &event), CL_SUCCESS);
    f->cl->ReleaseEvent(event);
    MUST(ncl_buffer_read(&f->device, y.mem, 0, found, output.bytes));
    ck_assert_mem_eq(found, output.data, output.bytes);

    /* Host tensors again, with other values, then a device input and a host output. */
    ((float *)input.data)[7] += 1;
    MUST(fixture_run(session, &input, &output));
    ck_assert(memcmp(found, output.data, output.bytes) != 0);
    MUST(fixture_run(session, &x, &output));
    ck_assert_mem_eq(found, output.data, output.bytes);
    ncl_buffer_release(&f->device, &x.mem);
    ncl_buffer_release(&f->device, &y.mem);
    free(found);
    free(input.data);
    free(output.data);
}

START_TEST(host_and_device_tensors_agree)
{
    struct fixture f;
    struct ncl_session *session;

    fixture_open(&f, FIXTURE_RESNEXT, false);
    session = fixture_session(&f);
    check_device_tensors(&f, session);
    ncl_session_destroy(session);
    fixture_close(&f);
}
END_TEST

/* The fixture's device again, with a queue that keeps no order. */
static bool adopt_out_of_order(const struct fixture *f, struct ncl_device *adopted)
{
    cl_int code = CL_SUCCESS;
    cl_command_queue queue = f->cl->CreateCommandQueue(
        f->device.context, f->device.id, CL_QUEUE_OUT_OF_ORDER_EXEC_MODE_ENABLE, &code);

    if (code)
        return false;
    MUST(ncl_device_adopt(&f->log, f->cl, f->device.context, f->device.id, queue, adopted));
    f->cl->ReleaseCommandQueue(queue);
    ck_assert(!adopted->in_order);
    return true;
}

START_TEST(out_of_order_queues_are_kept_in_order)
{
    struct fixture f;
    struct ncl_device adopted;
    struct ncl_session *session = NULL, *plain;
    struct ncl_session_config config;
    struct ncl_dims dims;
    ncl_tensor input, output, expected;

    fixture_open(&f, FIXTURE_RESNEXT, false);
    plain = fixture_session(&f);
    config = fixture_config(&f);
    dims = fixture_dims(&f);
    if (adopt_out_of_order(&f, &adopted)) {
        config.device = &adopted;
        MUST(ncl_session_make(&config, f.model->graph, &dims, 1, &session));
        input = fixture_input(session, 3);
        output = fixture_output(session);
        expected = fixture_output(session);
        MUST(fixture_run(plain, &input, &expected));
        for (int i = 0; i < 5; i++) {
            memset(output.data, 0, output.bytes);
            MUST(fixture_run(session, &input, &output));
            ck_assert_mem_eq(expected.data, output.data, output.bytes);
        }
        check_device_tensors(&f, session);
        free(input.data);
        free(output.data);
        free(expected.data);
        ncl_session_destroy(session);
        ncl_device_close(&adopted);
    }
    ncl_session_destroy(plain);
    fixture_close(&f);
}
END_TEST

/* What plain C makes of the graph's last layers is oracle business; here special numbers must come
 * through the whole net: NaN as NaN everywhere it can reach, and nothing must hang or fail. _i: the
 * precision. */
START_TEST(special_numbers_come_through)
{
    static const float specials[] = {NAN, INFINITY, -INFINITY, 3e38f, -3e38f};
    struct fixture f;
    struct ncl_session *session;
    ncl_tensor input, output;

    fixture_open(&f, FIXTURE_RESNEXT, false);
    session = fixture_session_as(&f, (ncl_precision)_i);
    input = fixture_input(session, 4);
    output = fixture_output(session);
    for (size_t i = 0; i < sizeof specials / sizeof specials[0]; i++) {
        float *x = input.data;
        const float *y = output.data;
        const size_t classes = output.bytes / sizeof(float) / 2;
        const float before = x[100];

        x[100] = specials[i]; /* in the first image only */
        MUST(fixture_run(session, &input, &output));
        for (size_t k = 0; k < classes; k++) {
            ck_assert(!isnan(specials[i]) || isnan(y[k]));
            ck_assert_msg(isfinite(y[classes + k]), "the other image: %g", (double)y[classes + k]);
            ck_assert(memcmp(&y[k], &(float){ncl_canonical(y[k])}, sizeof(float)) == 0);
        }
        MUST(ncl_session_verify(session, &input, 1, NULL));
        x[100] = before;
    }
    free(input.data);
    free(output.data);
    ncl_session_destroy(session);
    fixture_close(&f);
}
END_TEST

START_TEST(wrong_tensors_are_told_apart)
{
    struct fixture f;
    struct ncl_session *session;
    struct ncl_session_io io;
    ncl_tensor input, output, bad;
    cl_event event = NULL;

    fixture_open(&f, FIXTURE_RESIDUALS, false);
    session = fixture_session(&f);
    input = fixture_input(session, 5);
    output = fixture_output(session);
    bad = input, bad.rank = 3;
    ck_assert_int_eq(fixture_run(session, &bad, &output), NCL_ERROR_INPUT);
    bad = input, bad.dims[0]++;
    ck_assert_int_eq(fixture_run(session, &bad, &output), NCL_ERROR_INPUT);
    ck_assert_ptr_nonnull(strstr(ncl_error_text(), "dimension 0"));
    bad = input, bad.bytes--;
    ck_assert_int_eq(fixture_run(session, &bad, &output), NCL_ERROR_USAGE);
    bad = input, bad.data = NULL;
    ck_assert_int_eq(fixture_run(session, &bad, &output), NCL_ERROR_USAGE);
    bad = input, bad.element = (ncl_element)7;
    ck_assert_int_eq(fixture_run(session, &bad, &output), NCL_ERROR_USAGE);
    bad = output, bad.bytes = 0;
    ck_assert_int_eq(fixture_run(session, &input, &bad), NCL_ERROR_USAGE);
    io = (struct ncl_session_io){
        .inputs = &input, .outputs = &output, .input_count = 1, .output_count = 0};
    ck_assert_int_eq(ncl_session_execute(session, &io), NCL_ERROR_USAGE);
    io.output_count = 1, io.event = &event; /* host tensors and an event do not go together */
    ck_assert_int_eq(ncl_session_execute(session, &io), NCL_ERROR_USAGE);
    ck_assert_ptr_null(event);
    MUST(fixture_run(session, &input, &output));
    free(input.data);
    free(output.data);
    ncl_session_destroy(session);
    fixture_close(&f);
}
END_TEST

START_TEST(a_buffer_that_is_too_small_is_refused)
{
    struct fixture f;
    struct ncl_session *session;
    ncl_tensor input, output, small;

    fixture_open(&f, FIXTURE_RESIDUALS, false);
    session = fixture_session(&f);
    input = fixture_input(session, 5);
    output = fixture_output(session);
    small = output, small.data = NULL;
    MUST(ncl_buffer_create(&f.device, CL_MEM_READ_WRITE, output.bytes / 2, &small.mem));
    ck_assert_int_eq(fixture_run(session, &input, &small), NCL_ERROR_USAGE);
    ck_assert_ptr_nonnull(strstr(ncl_error_text(), "bytes"));
    ncl_buffer_release(&f.device, &small.mem);
    free(input.data);
    free(output.data);
    ncl_session_destroy(session);
    fixture_close(&f);
}
END_TEST

START_TEST(profiled_runs_carry_times)
{
    struct fixture f;
    struct ncl_session *session;
    ncl_tensor input, output;
    double sum = 0;

    fixture_open(&f, FIXTURE_RESNEXT, true);
    session = fixture_session(&f);
    input = fixture_input(session, 6);
    output = fixture_output(session);
    MUST(fixture_run(session, &input, &output));
    for (int i = 0; i < session->schedule->step_count; i++)
        sum += session->layers[i].seconds;
    ck_assert(!f.device.profiling || sum > 0);
    free(input.data);
    free(output.data);
    ncl_session_destroy(session);
    fixture_close(&f);
}
END_TEST

/* Bytes in use on the heap, of drivers too; what a compiler freed hides a leak from the resident
 * size. 0 under sanitizers, which look for leaks themselves. */
static long heap_bytes(void)
{
    const struct mallinfo2 info = mallinfo2();

    return (long)(info.uordblks + info.hblkhd);
}

/* Of `device`, which the fixture's model is run on. */
static void check_growth(const struct fixture *f, const struct ncl_device *device)
{
    struct ncl_session_config config = fixture_config(f);
    const struct ncl_dims dims = fixture_dims(f);
    struct ncl_session *session = NULL;
    ncl_tensor input, output;
    long before = 0;

    config.device = device;
    MUST(ncl_session_make(&config, f->model->graph, &dims, 1, &session));
    input = fixture_input(session, 7);
    output = fixture_output(session);
    for (int i = 0; i < 400; i++) {
        MUST(fixture_run(session, &input, &output));
        if (i == 100)
            before = heap_bytes();
    }
    /* A leaked event a run would be some 60 KiB. */
    ck_assert_int_lt(heap_bytes() - before, 16384);
    free(input.data);
    free(output.data);
    ncl_session_destroy(session);
}

/* Queues in order, in order with a profile, and out of order keep events differently. */
START_TEST(repeated_runs_do_not_grow)
{
    struct fixture f;
    struct ncl_device adopted;

    fixture_open(&f, FIXTURE_RESNEXT, true);
    check_growth(&f, &f.device);
    if (adopt_out_of_order(&f, &adopted)) {
        check_growth(&f, &adopted);
        ncl_device_close(&adopted);
    }
    fixture_close(&f);
    fixture_open(&f, FIXTURE_RESNEXT, false);
    check_growth(&f, &f.device);
    fixture_close(&f);
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("run");

    tcase_add_loop_test(tests, same_input_same_bits_on_every_channel_block, NCL_FP32, NCL_FP16 + 1);
    tcase_add_loop_test(tests, fp16_is_near_fp32, NCL_MATH_REPRODUCIBLE, NCL_MATH_FAST + 1);
    tcase_add_test(tests, host_and_device_tensors_agree);
    tcase_add_test(tests, out_of_order_queues_are_kept_in_order);
    tcase_add_loop_test(tests, special_numbers_come_through, NCL_FP32, NCL_FP16 + 1);
    tcase_add_test(tests, wrong_tensors_are_told_apart);
    tcase_add_test(tests, a_buffer_that_is_too_small_is_refused);
    tcase_add_test(tests, profiled_runs_carry_times);
    tcase_add_test(tests, repeated_runs_do_not_grow);
    return ncl_run_suite(tests, "run");
}
