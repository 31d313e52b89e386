#include "session/session.h"

#include "support/fault.h"
#include "support/fixture.h"
#include "support/suite.h"

#include <jansson.h>

/* Launches of this process so far, as the layer counts them. */
static long launches;

static struct ncl_session *session_of(struct fixture *f, int batch, int channel_block,
                                      uint64_t cache)
{
    struct ncl_session_config config = fixture_config(f);
    struct ncl_dims dims = fixture_dims(f);
    struct ncl_session *session = NULL;

    f->device.caps.cache_bytes = cache;
    config.channel_block = channel_block;
    dims.dims[0] = batch;
    MUST(ncl_session_make(&config, f->model->graph, &dims, 1, &session));
    return session;
}

static ncl_tensor result_of(struct ncl_session *session, const ncl_tensor *input)
{
    const ncl_tensor output = fixture_output(session);

    memset(output.data, 0xff, output.bytes);
    launches += session->schedule->part_count;
    MUST(fixture_run(session, input, &output));
    return output;
}

/* A chunked session twice against the whole one's result. Returns its loops. */
static int compare(struct fixture *f, int batch, int channel_block, uint64_t cache,
                   const ncl_tensor *input, const ncl_tensor *expected)
{
    struct ncl_session *session = session_of(f, batch, channel_block, cache);
    const int loops = session->schedule->loop_count;

    for (int run = 0; loops > 0 && run < 2; run++) {
        ncl_tensor output = result_of(session, input);

        ck_assert_msg(memcmp(output.data, expected->data, output.bytes) == 0,
                      "batch %d, %d channels per block, cache of %llu: other bits", batch,
                      channel_block, (unsigned long long)cache);
        free(output.data);
    }
    ncl_session_destroy(session);
    return loops;
}

/* Caches for everything between nothing and the whole batch. */
#define SMALLEST_CACHE 8192
#define LARGEST_CACHE (4 << 20)

static void compare_all(struct fixture *f, int batch, int channel_block)
{
    struct ncl_session *whole = session_of(f, batch, channel_block, 0);
    ncl_tensor input = fixture_input(whole, 1), expected;
    int deepest = 0;

    ck_assert_int_eq(whole->schedule->loop_count, 0);
    ck_assert_int_eq(whole->schedule->part_count, whole->schedule->step_count);
    expected = result_of(whole, &input);
    for (uint64_t cache = SMALLEST_CACHE; cache <= LARGEST_CACHE; cache *= 2) {
        const int loops = compare(f, batch, channel_block, cache, &input, &expected);

        deepest = loops > deepest ? loops : deepest;
    }
    if (ncl_caps_is_cpu_like(&f->device.caps))
        ck_assert_int_eq(deepest > 0, batch > 1);
    else
        ck_assert_int_eq(deepest, 0);
    free(input.data);
    free(expected.data);
    ncl_session_destroy(whole);
}

START_TEST(bits_are_those_of_the_whole_batch)
{
    static const int batches[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 16};
    struct fixture f;

    fixture_open(&f, FIXTURE_RESNEXT, false);
    for (size_t i = 0; i < sizeof batches / sizeof batches[0]; i++)
        compare_all(&f, batches[i], 8);
    compare_all(&f, 7, 4);
    compare_all(&f, 6, 16);
    fixture_close(&f);
}
END_TEST

/* A session of several chunks, of more than one size; NULL where the device takes none. */
static struct ncl_session *chunked(struct fixture *f)
{
    for (uint64_t cache = SMALLEST_CACHE; cache <= LARGEST_CACHE; cache *= 2) {
        struct ncl_session *session = session_of(f, 7, 8, cache);

        if (session->schedule->loop_count > 0)
            return session;
        ncl_session_destroy(session);
    }
    return NULL;
}

/* Weights are packed, and memory is held, once per layer; chunks make the arena smaller. */
START_TEST(chunks_share_what_a_layer_has)
{
    struct fixture f;
    struct ncl_session *session, *whole;
    int kernels = 0;

    fixture_open(&f, FIXTURE_RESNEXT, false);
    session = chunked(&f);
    whole = session_of(&f, 7, 8, 0);
    for (int i = 0; session && i < session->schedule->part_count; i++) {
        const struct ncl_part *part = &session->schedule->parts[i];

        ck_assert_int_le(part->same, i);
        ck_assert_int_eq(session->schedule->parts[part->same].step, part->step);
        kernels += session->parts[i].launch.algo != NULL;
        ck_assert((session->parts[i].launch.algo != NULL) == (part->same == i));
    }
    if (session) {
        ck_assert_int_gt(session->schedule->part_count, session->schedule->step_count);
        ck_assert_int_lt(kernels, session->schedule->part_count);
        ck_assert_uint_lt(session->memory.total_bytes, whole->memory.total_bytes);
        ck_assert_uint_le(session->device_bytes, whole->device_bytes);
    }
    ncl_session_destroy(session);
    ncl_session_destroy(whole);
    fixture_close(&f);
}
END_TEST

/* Leaves out one part of a verification: its layer is named, and it alone differs. */
static void check_skip(struct ncl_session *session, const ncl_tensor *input, int part)
{
    const int step = session->schedule->parts[part].step;
    char *json = NULL;
    json_t *root;

    fault_set("NCL_LAYER_SKIP", launches + part + 1);
    launches += session->schedule->part_count;
    ck_assert_msg(ncl_session_verify(session, input, 1, &json) == NCL_ERROR_MISMATCH,
                  "part %d left out: nothing noticed", part);
    unsetenv("NCL_LAYER_SKIP");
    ck_assert_ptr_nonnull(strstr(ncl_error_text(), session->schedule->steps[step].name));
    root = json_loads(json, 0, NULL);
    for (int i = 0; i <= step; i++) {
        const json_t *layer = json_array_get(json_object_get(root, "layers"), (size_t)i);

        ck_assert_int_eq(json_integer_value(json_object_get(layer, "differing")) != 0, i == step);
    }
    json_decref(root);
    free(json);
}

START_TEST(every_part_is_verified)
{
    struct fixture f;
    struct ncl_session *session;
    ncl_tensor input;

    fixture_open(&f, FIXTURE_RESNEXT, false);
    session = chunked(&f);
    if (session) {
        input = fixture_input(session, 1);
        launches += session->schedule->part_count;
        MUST(ncl_session_verify(session, &input, 1, NULL));
        for (int i = 0; i < session->schedule->part_count; i++)
            check_skip(session, &input, i);
        free(input.data);
        ncl_session_destroy(session);
    }
    fixture_close(&f);
}
END_TEST

START_TEST(a_part_that_fails_falls_back)
{
    struct fixture f;
    struct ncl_session *session;
    ncl_tensor input, expected, output;

    fixture_open(&f, FIXTURE_RESNEXT, false);
    session = chunked(&f);
    if (session) {
        const int part = session->schedule->step_count;

        input = fixture_input(session, 1);
        expected = result_of(session, &input);
        fault_set("NCL_LAYER_FAIL_ENQUEUE", launches + part + 1);
        launches++;
        output = result_of(session, &input);
        unsetenv("NCL_LAYER_FAIL_ENQUEUE");
        ck_assert_int_eq(session->layers[session->schedule->parts[part].step].attempt, 1);
        ck_assert_mem_eq(output.data, expected.data, output.bytes);
        free(input.data);
        free(output.data);
        free(expected.data);
        ncl_session_destroy(session);
    }
    fixture_close(&f);
}
END_TEST

/* A layer's time is that of its chunks together, each of which is reported. */
START_TEST(times_are_summed)
{
    struct fixture f;
    struct ncl_session *session;
    ncl_tensor input, output;
    char *text = NULL;
    json_t *root, *layer;
    const json_t *chunks;
    size_t images = 0;
    double ns = 0;

    fixture_open(&f, FIXTURE_RESNEXT, true);
    session = chunked(&f);
    if (session) {
        input = fixture_input(session, 1);
        output = result_of(session, &input);
        MUST(ncl_session_report(session, &text));
        root = json_loads(text, 0, NULL);
        layer = json_array_get(json_object_get(root, "layers"), 0);
        chunks = json_object_get(layer, "chunks");
        ck_assert_uint_gt(json_array_size(chunks), 1);
        ck_assert(json_is_null(json_object_get(layer, "device_ns")));
        for (size_t i = 0; i < json_array_size(chunks); i++) {
            const json_t *chunk = json_array_get(chunks, i);
            const json_t *device = json_object_get(chunk, "device_ns");

            ck_assert_uint_eq((size_t)json_integer_value(json_object_get(chunk, "first_image")),
                              images);
            images +=
                (size_t)json_integer_value(json_array_get(json_object_get(chunk, "output"), 0));
            ns += (double)(json_integer_value(json_array_get(device, 3)) -
                           json_integer_value(json_array_get(device, 2)));
        }
        ck_assert_uint_eq(images, 7);
        ck_assert_double_eq_tol(session->layers[0].seconds, ns * 1e-9, 1e-9);
        json_decref(root);
        free(text);
        free(input.data);
        free(output.data);
        ncl_session_destroy(session);
    }
    fixture_close(&f);
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("chunk");

    if (!fault_layer_load()) {
        puts("$NEXTCL_BUILD/tests/layer_fault.so is missing");
        return 1;
    }
    tcase_add_test(tests, bits_are_those_of_the_whole_batch);
    tcase_add_test(tests, chunks_share_what_a_layer_has);
    tcase_add_test(tests, every_part_is_verified);
    tcase_add_test(tests, a_part_that_fails_falls_back);
    tcase_add_test(tests, times_are_summed);
    return ncl_run_suite(tests, "chunk");
}
