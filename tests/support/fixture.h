/* A device, a model of tests/data and sessions on them. */
#ifndef NCL_TESTS_FIXTURE_H
#define NCL_TESTS_FIXTURE_H

#include "base/memory.h"
#include "import/onnx.h"
#include "session/session.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIXTURE_RESNEXT "tests/data/resnext_unfolded.onnx" /* free batch and image size */
#define FIXTURE_RESIDUALS "tests/data/residuals.onnx"

struct fixture {
    const struct ncl_cl *cl;
    struct ncl_device_list list;
    struct ncl_device device;
    struct ncl_onnx *model;
    struct ncl_log log; /* of the device: `note` holds its last line */
    char note[1024];
};

#define MUST(call) ck_assert_msg((call) == NCL_OK, "%s", ncl_error_text())

static inline void fixture_note(void *user, ncl_log_level level, const char *message)
{
    struct fixture *f = user;

    if (level <= NCL_LOG_WARNING)
        snprintf(f->note, sizeof f->note, "%s", message);
}

static inline void fixture_open(struct fixture *f, const char *path, bool profile)
{
    const struct ncl_device_entry *entry = NULL;

    *f = (struct fixture){.log = {fixture_note, f, NCL_LOG_DEBUG}};
    MUST(ncl_cl_load(NULL, &f->cl));
    MUST(ncl_device_list(NULL, f->cl, &f->list));
    MUST(ncl_device_choose(NULL, &f->list, getenv("NCL_CHECK_DEVICE"), &entry));
    MUST(ncl_device_open(&f->log, f->cl, entry, profile, &f->device));
    MUST(ncl_onnx_load(NULL, path, &f->model));
}

static inline void fixture_close(struct fixture *f)
{
    ncl_onnx_free(f->model);
    ncl_device_close(&f->device);
    ncl_device_list_free(&f->list);
}

/* The model's own dims, free ones small: batch 2, images of 24 x 20. */
static inline struct ncl_dims fixture_dims(const struct fixture *f)
{
    static const int64_t usual[4] = {2, 3, 24, 20};
    const struct ncl_graph *graph = f->model->graph;
    const struct ncl_value *value = &graph->values[graph->inputs[0]];
    struct ncl_dims dims = {.rank = value->rank};

    for (int i = 0; i < dims.rank; i++)
        dims.dims[i] = value->dims[i] > 0 ? value->dims[i] : usual[i];
    return dims;
}

static inline struct ncl_session_config fixture_config(const struct fixture *f)
{
    return (struct ncl_session_config){
        .device = &f->device, .math = NCL_MATH_REPRODUCIBLE, .channel_block = 8};
}

static inline struct ncl_session *fixture_session_as(const struct fixture *f,
                                                     ncl_precision precision)
{
    struct ncl_session_config config = fixture_config(f);
    const struct ncl_dims dims = fixture_dims(f);
    struct ncl_session *session = NULL;

    config.precision = precision;
    MUST(ncl_session_make(&config, f->model->graph, &dims, 1, &session));
    return session;
}

static inline struct ncl_session *fixture_session(const struct fixture *f)
{
    return fixture_session_as(f, NCL_FP32);
}

/* A host tensor of the slot's shape; free its data. */
static inline ncl_tensor fixture_tensor(const struct ncl_session *session, int slot)
{
    const struct ncl_slot *s = &session->schedule->slots[slot];
    ncl_tensor tensor = {.rank = s->rank, .bytes = ncl_session_slot_bytes(session, slot)};

    memcpy(tensor.dims, s->dims, sizeof tensor.dims);
    tensor.data = ncl_alloc(tensor.bytes, 1);
    ck_assert_ptr_nonnull(tensor.data);
    return tensor;
}

static inline ncl_tensor fixture_output(const struct ncl_session *session)
{
    return fixture_tensor(session, ncl_session_output_slot(session, 0));
}

static inline ncl_tensor fixture_input(const struct ncl_session *session, unsigned seed)
{
    ncl_tensor tensor = fixture_tensor(session, ncl_session_input_slot(session, 0));
    float *values = tensor.data;

    for (size_t i = 0; i < tensor.bytes / sizeof(float); i++) {
        seed = seed * 1664525u + 1013904223u;
        values[i] = (float)(seed >> 8) * 0x1p-23f - 1.0f;
    }
    return tensor;
}

static inline ncl_status fixture_run(struct ncl_session *session, const ncl_tensor *input,
                                     const ncl_tensor *output)
{
    const struct ncl_session_io io = {
        .inputs = input, .outputs = output, .input_count = 1, .output_count = 1};

    return ncl_session_execute(session, &io);
}

#endif
