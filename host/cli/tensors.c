#include "cli.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#define USUAL_SIDE 224

size_t cli_elements(const ncl_tensor *tensor)
{
    size_t count = 1;

    for (int i = 0; i < tensor->rank; i++)
        count *= (size_t)tensor->dims[i];
    return count;
}

void cli_free_tensors(ncl_tensor *tensors, size_t count)
{
    for (size_t i = 0; i < count; i++)
        ncl_tensor_free(&tensors[i]);
}

/* The file given for an input: by name, else by position among the unnamed ones. */
static const struct cli_file *file_for(const struct cli_options *options, const char *name,
                                       size_t index)
{
    size_t position = 0;

    for (int i = 0; i < options->input_count; i++)
        if (options->inputs[i].name && strcmp(options->inputs[i].name, name) == 0)
            return &options->inputs[i];
    for (int i = 0; i < options->input_count; i++)
        if (!options->inputs[i].name && position++ == index)
            return &options->inputs[i];
    return NULL;
}

static int check_names(const struct cli_options *options, const struct cli_session *session)
{
    const size_t count = ncl_model_input_count(session->model);

    for (int i = 0; i < options->input_count; i++) {
        bool known = options->inputs[i].name == NULL;

        for (size_t k = 0; !known && k < count; k++) {
            ncl_io io;

            known = ncl_model_input(session->model, k, &io) == NCL_OK &&
                    strcmp(io.name, options->inputs[i].name) == 0;
        }
        if (!known)
            return cli_fail(NCL_ERROR_USAGE, "--input %s=...: the model has no input of this name",
                            options->inputs[i].name);
    }
    if ((size_t)options->input_count != count)
        return cli_fail(NCL_ERROR_USAGE, "%d --input given, the model has %zu inputs",
                        options->input_count, count);
    return 0;
}

static int check_shape(const ncl_io *io, const char *path, const ncl_tensor *tensor)
{
    if (tensor->rank != io->rank)
        return cli_fail(NCL_ERROR_INPUT, "%s: rank %d, expected %d for input '%s'", path,
                        tensor->rank, io->rank, io->name);
    for (int i = 0; i < io->rank; i++)
        if (io->dims[i] >= 0 && io->dims[i] != tensor->dims[i])
            return cli_fail(NCL_ERROR_INPUT,
                            "%s: dimension %d is %lld, expected %lld for input '%s'", path, i,
                            (long long)tensor->dims[i], (long long)io->dims[i], io->name);
    return 0;
}

int cli_load_inputs(const struct cli_options *options, const struct cli_session *session,
                    ncl_tensor *tensors)
{
    int failed = check_names(options, session);

    for (size_t i = 0; !failed && i < ncl_model_input_count(session->model); i++) {
        const struct cli_file *file;
        ncl_status status;
        ncl_io io;

        ncl_model_input(session->model, i, &io);
        file = file_for(options, io.name, i);
        if (!file)
            return cli_fail(NCL_ERROR_USAGE, "--input %s=x.npy is missing", io.name);
        status = ncl_tensor_load(session->context, file->path, &tensors[i]);
        failed =
            status == NCL_OK ? check_shape(&io, file->path, &tensors[i]) : cli_fail_library(status);
    }
    return failed;
}

/* splitmix64: small, and the same numbers everywhere. */
static float next_uniform(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15u;

    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    z ^= z >> 31;
    return (float)(z >> 40) * 0x1p-23f - 1.0f;
}

/* No tensor of the library's is larger. */
#define MAX_ELEMENTS INT_MAX

static int count_elements(const char *name, const ncl_tensor *tensor, size_t *elements)
{
    double count = 1;

    for (int i = 0; i < tensor->rank; i++)
        count *= (double)tensor->dims[i];
    if (count < 1 || count > MAX_ELEMENTS)
        return cli_fail(NCL_ERROR_INPUT, "'%s': %.0f elements, expected 1 to %d", name, count,
                        MAX_ELEMENTS);
    *elements = (size_t)count;
    return 0;
}

static int make_tensor(const char *name, ncl_tensor *tensor)
{
    size_t count = 0;
    const int failed = count_elements(name, tensor, &count);

    if (failed)
        return failed;
    tensor->bytes = count * sizeof(float);
    tensor->data = calloc(count, sizeof(float));
    return tensor->data
               ? 0
               : cli_fail(NCL_ERROR_MEMORY, "out of memory: a tensor of %zu elements", count);
}

static int choose_dims(const ncl_io *io, int batch, int side, ncl_tensor *tensor)
{
    if (batch && io->rank && io->dims[0] >= 0 && io->dims[0] != batch)
        return cli_fail(NCL_ERROR_USAGE, "--batch %d: the model's batch is fixed at %lld", batch,
                        (long long)io->dims[0]);
    tensor->rank = io->rank;
    for (int i = 0; i < io->rank; i++) {
        const int channel_axis = io->layout == NCL_NHWC ? 3 : 1;
        const int64_t usual = i == 0                               ? (batch ? batch : 1)
                              : i == channel_axis && io->rank == 4 ? 3
                              : side                               ? side
                                                                   : USUAL_SIDE;

        tensor->dims[i] = io->dims[i] >= 0 ? io->dims[i] : usual;
    }
    return 0;
}

int cli_input_dims(const struct cli_options *options, const struct cli_session *session, int batch,
                   ncl_tensor *tensors)
{
    int failed = 0;

    for (size_t i = 0; !failed && i < ncl_model_input_count(session->model); i++) {
        ncl_io io;

        ncl_model_input(session->model, i, &io);
        failed = choose_dims(&io, batch, options->size, &tensors[i]);
    }
    return failed;
}

int cli_random_inputs(const struct cli_options *options, const struct cli_session *session,
                      int batch, ncl_tensor *tensors)
{
    uint64_t state = (uint64_t)options->seed;
    int failed = cli_input_dims(options, session, batch, tensors);

    for (size_t i = 0; !failed && i < ncl_model_input_count(session->model); i++) {
        ncl_io io;

        ncl_model_input(session->model, i, &io);
        failed = make_tensor(io.name, &tensors[i]);
        for (size_t k = 0; !failed && k < cli_elements(&tensors[i]); k++)
            ((float *)tensors[i].data)[k] = next_uniform(&state);
    }
    return failed;
}

int cli_make_outputs(const struct cli_session *session, ncl_tensor *tensors)
{
    int failed = 0;

    for (size_t i = 0; !failed && i < ncl_model_output_count(session->model); i++) {
        ncl_io io;
        const ncl_status status = ncl_session_output(session->session, i, &io);

        if (status != NCL_OK)
            return cli_fail_library(status);
        tensors[i] = (ncl_tensor){.element = io.element, .rank = io.rank};
        memcpy(tensors[i].dims, io.dims, sizeof io.dims);
        failed = make_tensor(io.name, &tensors[i]);
    }
    return failed;
}
