#include "session/session.h"

#include "support/fixture.h"
#include "support/suite.h"
#include "zoo/zoo.h"

/* _i: the precision. */
START_TEST(memory_is_shared_and_counted)
{
    struct fixture f;
    struct ncl_session *session;
    size_t slots = 0, counted = 0, shared = 0;

    fixture_open(&f, FIXTURE_RESNEXT, false);
    session = fixture_session_as(&f, (ncl_precision)_i);
    for (int i = 0; i < session->schedule->slot_count; i++) {
        if (session->memory.slots[i].chunk >= 0)
            slots += session->memory.slots[i].bytes;
        else
            counted += ncl_session_slot_bytes(session, i);
    }
    ck_assert_uint_lt(session->memory.total_bytes, slots / 2);
    for (int i = 0; i < session->memory.chunk_count; i++) {
        size_t bytes = 0;

        f.cl->GetMemObjectInfo(session->chunks[i], CL_MEM_SIZE, sizeof bytes, &bytes, NULL);
        ck_assert_uint_eq(bytes, session->memory.chunk_bytes[i]);
        counted += bytes;
    }
    if (session->weights)
        f.cl->GetMemObjectInfo(session->weights, CL_MEM_SIZE, sizeof shared, &shared, NULL);
    counted += shared;
    for (int i = 0; i < session->schedule->step_count; i++) {
        const struct ncl_session_layer_state *layer = &session->layers[i];
        const cl_mem owned[4] = {shared ? NULL : layer->weights, layer->bias, layer->scale,
                                 layer->shift};

        for (int k = 0; k < 4; k++) {
            size_t bytes = 0;

            if (owned[k])
                f.cl->GetMemObjectInfo(owned[k], CL_MEM_SIZE, sizeof bytes, &bytes, NULL);
            counted += bytes;
        }
    }
    ck_assert_uint_eq(session->device_bytes, counted);
    ncl_session_destroy(session);
    fixture_close(&f);
}
END_TEST

/* All but the caller's tensors and what belongs to channels. */
START_TEST(halves_take_half_the_memory)
{
    struct fixture f;
    struct ncl_session *single, *half;
    size_t bytes[2];

    fixture_open(&f, FIXTURE_RESNEXT, false);
    single = fixture_session(&f);
    half = fixture_session_as(&f, NCL_FP16);
    ck_assert_uint_le(half->memory.total_bytes,
                      single->memory.total_bytes / 2 +
                          f.device.caps.base_align * (size_t)half->schedule->slot_count);
    for (int i = 0; i < half->schedule->step_count; i++) {
        if (!half->layers[i].weights)
            continue;
        f.cl->GetMemObjectInfo(single->layers[i].weights, CL_MEM_SIZE, sizeof bytes[0], &bytes[0],
                               NULL);
        f.cl->GetMemObjectInfo(half->layers[i].weights, CL_MEM_SIZE, sizeof bytes[1], &bytes[1],
                               NULL);
        ck_assert_uint_eq(bytes[0], 2 * bytes[1]);
    }
    for (int i = 0; i < 2; i++) {
        const int slot = i ? ncl_session_output_slot(half, 0) : ncl_session_input_slot(half, 0);

        ck_assert_uint_eq(ncl_session_slot_bytes(half, slot), ncl_session_slot_bytes(single, slot));
    }
    ck_assert_uint_lt(half->device_bytes, single->device_bytes);
    ncl_session_destroy(single);
    ncl_session_destroy(half);
    fixture_close(&f);
}
END_TEST

START_TEST(residuals_are_added_in_place)
{
    struct fixture f;
    struct ncl_session *session;
    int in_place = 0;

    fixture_open(&f, FIXTURE_RESNEXT, false);
    session = fixture_session(&f);
    for (int i = 0; i < session->schedule->slot_count; i++)
        in_place += session->memory.slots[i].alias >= 0;
    ck_assert_int_ge(in_place, 1);
    ncl_session_destroy(session);
    fixture_close(&f);
}
END_TEST

START_TEST(a_tensor_beyond_the_largest_allocation_is_out_of_memory)
{
    struct fixture f;
    struct ncl_session *session = NULL;
    struct ncl_session_config config;
    struct ncl_dims dims;

    fixture_open(&f, FIXTURE_RESNEXT, false);
    config = fixture_config(&f);
    dims = fixture_dims(&f);
    f.device.caps.max_allocation = 4096;
    ck_assert_int_eq(ncl_session_make(&config, f.model->graph, &dims, 1, &session),
                     NCL_ERROR_MEMORY);
    ck_assert_ptr_null(session);
    fixture_close(&f);
}
END_TEST

/* ResNet-18's 3x3 layers take Winograd's algorithms, whose stages share one workspace. */
START_TEST(one_workspace_serves_all_steps)
{
    struct fixture f;
    struct ncl_session_config config;
    const struct ncl_dims dims = {.rank = 4, .dims = {1, 3, 96, 96}};
    struct ncl_graph *model = NULL;
    struct ncl_session *session = NULL;
    ncl_tensor input;
    size_t most = 0;
    int users = 0;

    fixture_open(&f, FIXTURE_RESIDUALS, true);
    config = fixture_config(&f);
    config.math = NCL_MATH_FAST;
    MUST(ncl_zoo_build(NULL, "resnet18", 1, 10, &model));
    MUST(ncl_session_make(&config, model, &dims, 1, &session));
    for (int i = 0; i < session->schedule->step_count; i++) {
        const struct ncl_choice *choice = &session->layers[i].choice;
        const size_t bytes =
            sizeof(float) * ncl_algo_workspace(choice->point.algo, choice->point.v,
                                               &session->schedule->steps[i].problem);

        most = bytes > most ? bytes : most;
        users += bytes > 0;
    }
    ck_assert_int_ge(users, 2);
    ck_assert_uint_eq(session->workspace_bytes, most);
    input = fixture_input(session, 5);
    MUST(ncl_session_verify(session, &input, 1, NULL));
    free(input.data);
    ncl_session_destroy(session);
    ncl_graph_free(model);
    fixture_close(&f);
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("buffers");

    tcase_add_test(tests, one_workspace_serves_all_steps);
    tcase_add_loop_test(tests, memory_is_shared_and_counted, NCL_FP32, NCL_FP16 + 1);
    tcase_add_test(tests, halves_take_half_the_memory);
    tcase_add_test(tests, residuals_are_added_in_place);
    tcase_add_test(tests, a_tensor_beyond_the_largest_allocation_is_out_of_memory);
    return ncl_run_suite(tests, "buffers");
}
