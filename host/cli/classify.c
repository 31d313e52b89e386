#include "cli.h"

#include "images.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Time spent in the network, and the images that it classified. */
struct timing {
    double seconds;
    size_t images, batches;
};

struct classify {
    const struct cli_options *options;
    struct cli_session s;
    struct cli_images images;
    struct cli_labels labels;
    ncl_image_options preprocess;
    ncl_tensor input, output;
    int batch;
    size_t per_image; /* floats of one input */
    size_t classes;
    bool softmax; /* the net does not end in one */
    json_t *results;
    /* The first batch may wait for compilers: it counts only if it is alone. */
    struct timing first, rest;
    size_t classified;
    char broken[1024]; /* what is wrong with the first broken image, "" if none is */
    ncl_status broken_status;
    size_t broken_count;
};

/* ---- set-up ---- */

static int set_preprocess(struct classify *c, const ncl_io *io)
{
    const struct cli_options *o = c->options;
    const char *mode = o->preprocess ? o->preprocess : "torchvision";
    const int side_axis = io->layout == NCL_NHWC ? 1 : 2;
    const int64_t height = io->dims[side_axis], width = io->dims[side_axis + 1];

    ncl_image_options_init(&c->preprocess);
    c->preprocess.layout = io->layout;
    if (strcmp(mode, "none") == 0)
        c->preprocess.preprocess = NCL_PREPROCESS_NONE;
    else if (strcmp(mode, "torchvision") != 0)
        return cli_fail(NCL_ERROR_USAGE, "--preprocess: expected torchvision or none, found '%s'",
                        mode);
    if (height >= 0 && width >= 0 && height != width)
        return cli_fail(NCL_ERROR_INPUT,
                        "%s: input '%s' is %lld x %lld, classify takes square inputs",
                        o->arguments[0], io->name, (long long)width, (long long)height);
    c->preprocess.crop = o->crop ? o->crop : height > 0 ? (int)height : 224;
    if (height >= 0 && c->preprocess.crop != height)
        return cli_fail(NCL_ERROR_USAGE, "--crop %d: the model's size is fixed at %lld", o->crop,
                        (long long)height);
    c->preprocess.resize = o->resize;
    memcpy(c->preprocess.mean, o->mean, sizeof o->mean);
    memcpy(c->preprocess.std, o->std, sizeof o->std);
    c->preprocess.has_mean = o->has_mean;
    c->preprocess.has_std = o->has_std;
    return 0;
}

static int check_model(struct classify *c, ncl_io *io)
{
    const char *path = c->options->arguments[0];
    int channel_axis;

    if (ncl_model_input_count(c->s.model) != 1 || ncl_model_output_count(c->s.model) != 1)
        return cli_fail(NCL_ERROR_INPUT, "%s: %zu inputs and %zu outputs, classify takes one each",
                        path, ncl_model_input_count(c->s.model),
                        ncl_model_output_count(c->s.model));
    ncl_model_input(c->s.model, 0, io);
    channel_axis = io->layout == NCL_NHWC ? 3 : 1;
    if (io->rank != 4 || (io->dims[channel_axis] >= 0 && io->dims[channel_axis] != 3))
        return cli_fail(NCL_ERROR_INPUT, "%s: input '%s' is no batch of RGB images", path,
                        io->name);
    if (c->options->batch && io->dims[0] >= 0 && io->dims[0] != c->options->batch)
        return cli_fail(NCL_ERROR_USAGE, "--batch %d: the model's batch is fixed at %lld",
                        c->options->batch, (long long)io->dims[0]);
    c->batch = io->dims[0] >= 0 ? (int)io->dims[0] : c->options->batch ? c->options->batch : 1;
    return 0;
}

/* The layer before the output's copy tells whether scores are probabilities already. */
static bool ends_in_softmax(const ncl_session *session)
{
    const size_t count = ncl_session_layer_count(session);
    ncl_layer layer;

    for (size_t i = count > 2 ? count - 2 : 0; i < count; i++)
        if (ncl_session_layer(session, i, &layer) == NCL_OK &&
            strcmp(layer.algorithm, "softmax") == 0)
            return true;
    return false;
}

static int make_session(struct classify *c, const ncl_io *io)
{
    const int side = c->preprocess.crop;
    ncl_status status;
    int failed;

    c->per_image = 3 * (size_t)side * (size_t)side;
    c->input = (ncl_tensor){.rank = 4, .dims = {c->batch, 3, side, side}};
    if (io->layout == NCL_NHWC)
        c->input.dims[1] = side, c->input.dims[3] = 3;
    c->input.bytes = (size_t)c->batch * c->per_image * sizeof(float);
    c->input.data = calloc((size_t)c->batch, c->per_image * sizeof(float));
    if (!c->input.data)
        return cli_fail(NCL_ERROR_MEMORY, "out of memory: a batch of %d images", c->batch);
    status = ncl_session_create(c->s.context, c->s.model, &c->input, 1, &c->s.session);
    if (status != NCL_OK)
        return cli_fail_library(status);
    failed = cli_make_outputs(&c->s, &c->output);
    if (failed)
        return failed;
    c->classes = cli_elements(&c->output) / (size_t)c->batch;
    c->softmax = !c->options->raw && !ends_in_softmax(c->s.session);
    return cli_labels_load(&c->labels, c->options->labels, c->classes);
}

static int setup(struct classify *c)
{
    ncl_io io;
    int failed =
        cli_images_find(&c->images, c->options->arguments + 1, c->options->argument_count - 1);

    if (!failed)
        failed = cli_open_context(c->options, NULL, NCL_MATH_AUTO, false, &c->s.context);
    if (!failed)
        failed = cli_open_model(c->options, c->s.context, &c->s.model);
    if (!failed)
        failed = check_model(c, &io);
    if (!failed)
        failed = set_preprocess(c, &io);
    return failed ? failed : make_session(c, &io);
}

/* ---- results ---- */

static void to_probabilities(float *scores, size_t count)
{
    double sum = 0;
    float peak = scores[0];

    for (size_t i = 1; i < count; i++)
        peak = scores[i] > peak ? scores[i] : peak;
    for (size_t i = 0; i < count; i++)
        sum += exp((double)scores[i] - (double)peak);
    for (size_t i = 0; i < count; i++)
        scores[i] = (float)(exp((double)scores[i] - (double)peak) / sum);
}

/* Index of the largest score not taken yet; taken ones are NaN. */
static size_t take_best(float *scores, size_t count)
{
    size_t best = count;

    for (size_t i = 0; i < count; i++)
        if (!isnan(scores[i]) && (best == count || scores[i] > scores[best]))
            best = i;
    return best;
}

static json_t *top_classes(struct classify *c, float *scores)
{
    json_t *top = json_array();

    if (c->softmax)
        to_probabilities(scores, c->classes);
    for (int k = 0; k < c->options->top; k++) {
        const size_t best = take_best(scores, c->classes);
        const char *label;

        if (best == c->classes)
            break;
        label = cli_label(&c->labels, best);
        json_array_append_new(top,
                              json_pack("{s:I, s:s?, s:o}", "index", (json_int_t)best, "label",
                                        label, "score", cli_json_number((double)scores[best])));
        scores[best] = NAN;
    }
    return top;
}

static void print_image(const struct classify *c, const char *path, const json_t *top)
{
    printf("%s\n", path);
    for (size_t k = 0; k < json_array_size(top); k++) {
        const json_t *entry = json_array_get(top, k);
        const char *label = json_string_value(json_object_get(entry, "label"));
        const double score = json_real_value(json_object_get(entry, "score"));

        printf("  %9.*f%s  %5lld  %s\n", c->options->raw ? 4 : 2,
               c->options->raw ? score : 100 * score, c->options->raw ? "" : " %",
               (long long)json_integer_value(json_object_get(entry, "index")), label ? label : "");
    }
}

static void record(struct classify *c, const char *path, float *scores)
{
    json_t *top = top_classes(c, scores);

    if (!c->options->json)
        print_image(c, path, top);
    json_array_append_new(c->results, json_pack("{s:s, s:o}", "path", path, "top", top));
    c->classified++;
}

/* ---- batches ---- */

static void note_broken(struct classify *c, ncl_status status)
{
    if (c->broken_count++)
        return;
    c->broken_status = status;
    snprintf(c->broken, sizeof c->broken, "%s", ncl_last_error());
}

/* Loads up to a batch of images from *next on; paths[i] is the i-th one's. Broken ones are left
 * out. */
static int load_batch(struct classify *c, size_t *next, const char **paths)
{
    int loaded = 0;

    while (loaded < c->batch && *next < c->images.count && !cli_interrupted()) {
        const char *path = c->images.paths[(*next)++];
        float *pixels = (float *)c->input.data + (size_t)loaded * c->per_image;
        const ncl_status status = ncl_image_load(c->s.context, path, &c->preprocess, pixels);

        if (status == NCL_OK)
            paths[loaded++] = path;
        else
            note_broken(c, status);
    }
    return loaded;
}

static int classify_batch(struct classify *c, const char **paths, int loaded)
{
    struct timing *timing = c->first.batches ? &c->rest : &c->first;
    const double start = cli_seconds();
    const ncl_status status = ncl_session_run(c->s.session, &c->input, 1, &c->output, 1);

    if (status != NCL_OK)
        return cli_fail_library(status);
    timing->seconds += cli_seconds() - start;
    timing->images += (size_t)loaded;
    timing->batches++;
    for (int i = 0; i < loaded; i++)
        record(c, paths[i], (float *)c->output.data + (size_t)i * c->classes);
    return 0;
}

static int classify_all(struct classify *c)
{
    const char **paths = calloc((size_t)c->batch, sizeof *paths);
    size_t next = 0;
    int failed = paths ? 0 : cli_fail(NCL_ERROR_MEMORY, "out of memory: %d paths", c->batch);

    while (!failed && next < c->images.count) {
        const int loaded = load_batch(c, &next, paths);

        if (cli_interrupted())
            failed = cli_fail_interrupted();
        else if (loaded)
            failed = classify_batch(c, paths, loaded);
    }
    free(paths);
    return failed;
}

static int report(struct classify *c)
{
    const struct timing *timing = c->rest.batches ? &c->rest : &c->first;
    const double speed = timing->seconds > 0 ? (double)timing->images / timing->seconds : 0;

    if (c->options->json)
        return cli_print_json(json_pack("{s:O, s:f}", "images", c->results, "images_per_s", speed));
    if (c->classified)
        printf("%zu image%s, %.1f images/s, %.2f ms per batch of %d\n", c->classified,
               c->classified == 1 ? "" : "s", speed,
               timing->seconds * 1e3 / (double)timing->batches, c->batch);
    return 0;
}

int cli_classify(const struct cli_options *options)
{
    struct classify c = {.options = options, .results = json_array()};
    int failed = setup(&c);

    if (!failed)
        failed = classify_all(&c);
    if (!failed && c.classified)
        failed = report(&c);
    if (!failed && c.broken_count > 1)
        failed = cli_fail(c.broken_status, "%s (and %zu more of %zu images failed)", c.broken,
                          c.broken_count - 1, c.images.count);
    else if (!failed && c.broken_count)
        failed = cli_fail(c.broken_status, "%s", c.broken);
    json_decref(c.results);
    ncl_tensor_free(&c.input);
    ncl_tensor_free(&c.output);
    cli_labels_free(&c.labels);
    cli_images_free(&c.images);
    cli_close(&c.s);
    return failed;
}
