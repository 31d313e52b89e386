#include "session/session.h"

#include "support/fixture.h"
#include "support/suite.h"

static void read_all(const struct fixture *f, cl_mem mem, float **data, size_t *bytes)
{
    f->cl->GetMemObjectInfo(mem, CL_MEM_SIZE, sizeof *bytes, bytes, NULL);
    *data = malloc(*bytes);
    ck_assert_ptr_nonnull(*data);
    MUST(ncl_buffer_read(&f->device, mem, 0, *data, *bytes));
}

START_TEST(every_convolution_has_packed_weights_and_padded_parameters)
{
    struct fixture f;
    struct ncl_session *session;

    fixture_open(&f, "tests/data/conv_variants.onnx", false);
    session = fixture_session(&f);
    for (int i = 0; i < session->schedule->step_count; i++) {
        const struct ncl_step *step = &session->schedule->steps[i];
        const struct ncl_session_layer_state *layer = &session->layers[i];
        float *bias;
        size_t bytes;

        ck_assert_int_eq(layer->weights != NULL, step->problem.kind == NCL_PROBLEM_CONV);
        ck_assert_int_eq(layer->bias != NULL, step->bias != NULL);
        if (!layer->bias)
            continue;
        read_all(&f, layer->bias, &bias, &bytes);
        ck_assert_uint_eq(bytes % (8 * sizeof(float)), 0);
        ck_assert_mem_eq(bias, step->bias, (size_t)step->problem.y.c * sizeof(float));
        for (size_t c = (size_t)step->problem.y.c; c < bytes / sizeof(float); c++)
            ck_assert(bias[c] == 0);
        free(bias);
    }
    ncl_session_destroy(session);
    fixture_close(&f);
}
END_TEST

/* _i: the precision. */
START_TEST(packing_again_gives_the_same_bits)
{
    struct fixture f;
    struct ncl_session *session;
    float *before, *after;
    size_t bytes, again;

    fixture_open(&f, FIXTURE_RESNEXT, false);
    session = fixture_session_as(&f, (ncl_precision)_i);
    read_all(&f, session->layers[3].weights, &before, &bytes);
    MUST(ncl_session_pack_step(session, 3));
    read_all(&f, session->layers[3].weights, &after, &again);
    ck_assert_uint_eq(bytes, again);
    ck_assert_mem_eq(before, after, bytes);
    free(before);
    free(after);
    ncl_session_destroy(session);
    fixture_close(&f);
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("weights");

    tcase_add_test(tests, every_convolution_has_packed_weights_and_padded_parameters);
    tcase_add_loop_test(tests, packing_again_gives_the_same_bits, NCL_FP32, NCL_FP16 + 1);
    return ncl_run_suite(tests, "weights");
}
