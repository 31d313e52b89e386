#include "session/session.h"

#include "support/fixture.h"
#include "support/suite.h"

START_TEST(memory_is_shared_and_counted)
{
    struct fixture f;
    struct ncl_session *session;
    size_t slots = 0, counted = 0;

    fixture_open(&f, FIXTURE_RESNEXT, false);
    session = fixture_session(&f);
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
    for (int i = 0; i < session->schedule->step_count; i++) {
        const struct ncl_session_layer_state *layer = &session->layers[i];
        const cl_mem owned[4] = {layer->weights, layer->bias, layer->scale, layer->shift};

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

int main(void)
{
    TCase *tests = tcase_create("buffers");

    tcase_add_test(tests, memory_is_shared_and_counted);
    tcase_add_test(tests, residuals_are_added_in_place);
    tcase_add_test(tests, a_tensor_beyond_the_largest_allocation_is_out_of_memory);
    return ncl_run_suite(tests, "buffers");
}
