#include "cli.h"

#include "samples.h"

#include <inttypes.h>
#include <limits.h>
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
    struct cli_samples samples;
    struct cli_labels labels;
    int64_t *truth; /* one a sample; NULL: not given */
    ncl_image_options preprocess;
    ncl_tensor input, output;
    int batch;
    int channels, size[2]; /* of one input: 1 or 3, height and width */
    size_t per_image;      /* floats of one input */
    size_t classes;
    bool softmax; /* the net does not end in one */
    json_t *results;
    /* The first batch may wait for compilers: it counts only if it is alone. */
    struct timing first, rest;
    size_t classified, correct;
};

/* ---- set-up ---- */

static const struct {
    const char *name;
    ncl_preprocess mode;
} modes[] = {
    {"torchvision", NCL_PREPROCESS_TORCHVISION},
    {"keras-tf", NCL_PREPROCESS_KERAS_TF},
    {"keras-caffe", NCL_PREPROCESS_KERAS_CAFFE},
    {"keras-torch", NCL_PREPROCESS_KERAS_TORCH},
    {"none", NCL_PREPROCESS_NONE},
};
#define MODE_NAMES "torchvision, keras-tf, keras-caffe, keras-torch or none"

/* An explicit --preprocess wins over what the model's file asks for. */
static int set_mode(struct classify *c)
{
    const char *given = c->options->preprocess;
    const char *own = ncl_model_metadata(c->s.model, "nextcl.preprocess");
    const char *wanted = given ? given : own ? own : "torchvision";

    for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++)
        if (strcmp(wanted, modes[i].name) == 0) {
            c->preprocess.preprocess = modes[i].mode;
            return 0;
        }
    if (given)
        return cli_fail(NCL_ERROR_USAGE, "--preprocess: expected " MODE_NAMES ", found '%s'",
                        given);
    return cli_fail(NCL_ERROR_INPUT,
                    "%s: metadata 'nextcl.preprocess': expected " MODE_NAMES ", found '%.60s'",
                    c->options->arguments[0], own);
}

/* The net's size, else --crop, else what rows of a .npy file have, else the usual one. */
static int choose_size(struct classify *c, const ncl_io *io)
{
    const struct cli_options *o = c->options;
    const int64_t *fixed = &io->dims[io->layout == NCL_NHWC ? 1 : 2];
    int rows[2] = {0, 0};

    cli_samples_size(&c->samples, io->layout, rows);
    for (int i = 0; i < 2; i++) {
        c->size[i] = fixed[i] >= 0 ? (int)fixed[i] : o->crop ? o->crop : rows[i] ? rows[i] : 224;
        if (o->crop && o->crop != c->size[i])
            return cli_fail(NCL_ERROR_USAGE, "--crop %d: the model's size is fixed at %d", o->crop,
                            c->size[i]);
    }
    if (c->size[0] != c->size[1] && cli_samples_hold_images(&c->samples))
        return cli_fail(NCL_ERROR_INPUT,
                        "%s: input '%s' is %d x %d, of images classify makes square inputs",
                        o->arguments[0], io->name, c->size[0], c->size[1]);
    return 0;
}

static int set_preprocess(struct classify *c, const ncl_io *io)
{
    const struct cli_options *o = c->options;
    int failed;

    ncl_image_options_init(&c->preprocess);
    failed = set_mode(c);
    if (!failed)
        failed = choose_size(c, io);
    c->preprocess.layout = io->layout;
    c->preprocess.channels = c->channels;
    c->preprocess.crop = c->size[0];
    c->preprocess.resize = o->resize;
    memcpy(c->preprocess.mean, o->mean, sizeof o->mean);
    memcpy(c->preprocess.std, o->std, sizeof o->std);
    c->preprocess.has_mean = o->has_mean;
    c->preprocess.has_std = o->has_std;
    return failed;
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
    c->channels = io->rank == 4 && io->dims[channel_axis] >= 0 ? (int)io->dims[channel_axis] : 3;
    if (io->rank != 4 || (c->channels != 3 && c->channels != 1))
        return cli_fail(NCL_ERROR_INPUT, "%s: input '%s' is no batch of RGB or grey images", path,
                        io->name);
    if (c->options->batch && io->dims[0] >= 0 && io->dims[0] != c->options->batch)
        return cli_fail(NCL_ERROR_USAGE, "--batch %d: the model's batch is fixed at %lld",
                        c->options->batch, (long long)io->dims[0]);
    c->batch = io->dims[0] >= 0 ? (int)io->dims[0] : c->options->batch ? c->options->batch : 1;
    return 0;
}

/* The layer before the output's copy tells whether scores are probabilities already. Of their
 * logarithms the softmax gives the probabilities. */
static bool ends_in_softmax(const ncl_session *session)
{
    const size_t count = ncl_session_layer_count(session);
    ncl_layer layer;

    for (size_t i = count > 2 ? count - 2 : 0; i < count; i++)
        if (ncl_session_layer(session, i, &layer) == NCL_OK &&
            strcmp(layer.algorithm, "softmax") == 0 && strcmp(layer.op, "LogSoftmax") != 0)
            return true;
    return false;
}

static int check_truth(const struct classify *c, size_t count)
{
    const char *path = c->options->truth;

    if (count != c->samples.count)
        return cli_fail(NCL_ERROR_INPUT, "--truth %s: %zu classes, expected %zu, one an image",
                        path, count, c->samples.count);
    for (size_t i = 0; i < count; i++)
        if (c->truth[i] < 0 || (uint64_t)c->truth[i] >= c->classes)
            return cli_fail(NCL_ERROR_INPUT,
                            "--truth %s: class %" PRId64 " at %zu, expected 0 to %zu", path,
                            c->truth[i], i, c->classes - 1);
    return 0;
}

static int load_truth(struct classify *c)
{
    size_t count = 0;
    ncl_status status;

    if (!c->options->truth)
        return 0;
    /* How many classes belong to a file without its rows? */
    if (c->samples.broken_count)
        return cli_fail(c->samples.broken_status, "%s", c->samples.broken);
    status = ncl_indices_load(c->s.context, c->options->truth, &c->truth, &count);
    return status == NCL_OK ? check_truth(c, count) : cli_fail_library(status);
}

/* N images by one score a class; dimensions of 1 may stand anywhere. */
static int read_classes(struct classify *c)
{
    int longer = 0;

    for (int i = 1; i < c->output.rank; i++)
        longer += c->output.dims[i] != 1;
    if (c->output.rank < 1 || c->output.dims[0] != c->batch || longer > 1)
        return cli_fail(NCL_ERROR_INPUT,
                        "%s: expected an output of one score per image and class, found %zu values "
                        "in %d dimensions for a batch of %d",
                        c->options->arguments[0], cli_elements(&c->output), c->output.rank,
                        c->batch);
    c->classes = cli_elements(&c->output) / (size_t)c->batch;
    return 0;
}

static int make_session(struct classify *c, const ncl_io *io)
{
    const int height = c->size[0], width = c->size[1];
    ncl_status status;
    int failed;

    c->per_image = (size_t)c->channels * (size_t)height * (size_t)width;
    if (io->layout == NCL_NHWC)
        c->input = (ncl_tensor){.rank = 4, .dims = {c->batch, height, width, c->channels}};
    else
        c->input = (ncl_tensor){.rank = 4, .dims = {c->batch, c->channels, height, width}};
    cli_samples_check(&c->samples, &c->input);
    c->input.bytes = (size_t)c->batch * c->per_image * sizeof(float);
    c->input.data = calloc((size_t)c->batch, c->per_image * sizeof(float));
    if (!c->input.data)
        return cli_fail(NCL_ERROR_MEMORY, "out of memory: a batch of %d images", c->batch);
    failed = cli_tune_first(c->options, &c->s, &c->input);
    if (failed)
        return failed;
    status = ncl_session_create(c->s.context, c->s.model, &c->input, 1, &c->s.session);
    if (status != NCL_OK)
        return cli_fail_model(c->options, status);
    failed = cli_make_outputs(&c->s, &c->output);
    if (!failed)
        failed = read_classes(c);
    if (failed)
        return failed;
    c->softmax = !c->options->raw && !ends_in_softmax(c->s.session);
    failed = cli_labels_load(&c->labels, c->options->labels,
                             ncl_model_metadata(c->s.model, "nextcl.labels"), c->classes);
    return failed ? failed : load_truth(c);
}

static int setup(struct classify *c)
{
    ncl_io io = {0};
    int failed =
        cli_samples_find(&c->samples, c->options->arguments + 1, c->options->argument_count - 1);

    if (!failed)
        failed = cli_open_context(c->options, NULL, NCL_MATH_AUTO, false, &c->s.context);
    if (!failed)
        cli_samples_open(&c->samples, c->s.context);
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

        if (best == c->classes)
            break;
        json_array_append_new(top, json_pack("{s:I, s:o, s:o}", "index", (json_int_t)best, "label",
                                             cli_json_text(cli_label(&c->labels, best)), "score",
                                             cli_json_number((double)scores[best])));
        scores[best] = NAN;
    }
    return top;
}

/* Names may come from a model's file: nothing in them moves the cursor. */
static void print_label(const char *label)
{
    for (; label && *label; label++)
        putchar((unsigned char)*label < ' ' || *label == 0x7f ? ' ' : *label);
}

/* "281 tabby", or "3" where a class is called so or has no name. */
static void print_class(const struct classify *c, int64_t index)
{
    const char *label = cli_label(&c->labels, (size_t)index);
    char number[32];

    snprintf(number, sizeof number, "%" PRId64, index);
    fputs(number, stdout);
    if (!label || strcmp(label, number) == 0)
        return;
    putchar(' ');
    print_label(label);
}

static void print_score(const struct classify *c, const json_t *entry, int width)
{
    const double score = json_real_value(json_object_get(entry, "score"));

    if (c->options->raw)
        printf("%*.4f", width, score);
    else
        printf("%*.2f %%", width, 100 * score);
}

/* One line an image where one class is asked for; expected -1: not wrong, or not known. */
static void print_image(const struct classify *c, const char *name, const json_t *top,
                        int64_t expected)
{
    const bool one_line = c->options->top == 1 && json_array_size(top) == 1;

    fputs(name, stdout);
    if (one_line) {
        fputs(": ", stdout);
        print_class(c, json_integer_value(json_object_get(json_array_get(top, 0), "index")));
        fputs(" (", stdout);
        print_score(c, json_array_get(top, 0), 0);
        putchar(')');
    }
    if (expected >= 0) {
        fputs(one_line ? ", expected " : ": expected ", stdout);
        print_class(c, expected);
    }
    putchar('\n');
    for (size_t k = 0; !one_line && k < json_array_size(top); k++) {
        const json_t *entry = json_array_get(top, k);
        const json_int_t index = json_integer_value(json_object_get(entry, "index"));

        fputs("  ", stdout);
        print_score(c, entry, 9);
        printf("  %5lld  ", (long long)index);
        print_label(cli_label(&c->labels, (size_t)index));
        putchar('\n');
    }
}

static void record(struct classify *c, const struct cli_sample *sample, float *scores)
{
    json_t *top = top_classes(c, scores), *image;
    const json_t *best = json_object_get(json_array_get(top, 0), "index");
    const int64_t expected = c->truth ? c->truth[sample->index] : -1;
    const bool right = best && json_integer_value(best) == expected;
    char name[PATH_MAX + 32];

    if (sample->is_image)
        snprintf(name, sizeof name, "%s", sample->path);
    else
        snprintf(name, sizeof name, "%s[%zu]", sample->path, sample->row);
    if (!c->options->json)
        print_image(c, name, top, right ? -1 : expected);
    image = json_pack("{s:o, s:o}", "path", cli_json_text(name), "top", top);
    if (c->truth)
        json_object_set_new(image, "expected", json_integer(expected));
    json_array_append_new(c->results, image);
    c->classified++;
    c->correct += right;
}

/* ---- batches ---- */

/* Up to a batch of what can be read. */
static int load_batch(struct classify *c, struct cli_sample *samples)
{
    int loaded = 0;

    while (loaded < c->batch &&
           cli_samples_next(&c->samples, c->s.context, &c->preprocess, c->per_image,
                            (float *)c->input.data + (size_t)loaded * c->per_image,
                            &samples[loaded]))
        loaded++;
    return loaded;
}

static int classify_batch(struct classify *c, const struct cli_sample *samples, int loaded)
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
        record(c, &samples[i], (float *)c->output.data + (size_t)i * c->classes);
    return 0;
}

static int classify_all(struct classify *c)
{
    struct cli_sample *samples = calloc((size_t)c->batch, sizeof *samples);
    int loaded = 1;
    int failed = samples ? 0 : cli_fail(NCL_ERROR_MEMORY, "out of memory: %d samples", c->batch);

    while (!failed && loaded) {
        loaded = load_batch(c, samples);
        if (cli_interrupted())
            failed = cli_fail_interrupted();
        else if (loaded)
            failed = classify_batch(c, samples, loaded);
    }
    free(samples);
    return failed;
}

static int report(struct classify *c)
{
    const struct timing *timing = c->rest.batches ? &c->rest : &c->first;
    const double speed = timing->seconds > 0 ? (double)timing->images / timing->seconds : 0;

    if (c->options->json) {
        json_t *root = json_pack("{s:O, s:f}", "images", c->results, "images_per_s", speed);

        if (c->truth) {
            json_object_set_new(root, "correct", json_integer((json_int_t)c->correct));
            json_object_set_new(root, "accuracy",
                                json_real((double)c->correct / (double)c->classified));
        }
        cli_hint_add(c->options, &c->s, root);
        return cli_print_json(root);
    }
    if (c->truth)
        printf("accuracy %.2f %%: %zu of %zu right\n",
               100 * (double)c->correct / (double)c->classified, c->correct, c->classified);
    if (c->classified)
        printf("%zu image%s, %.1f images/s, %.2f ms per batch of %d\n", c->classified,
               c->classified == 1 ? "" : "s", speed,
               timing->seconds * 1e3 / (double)timing->batches, c->batch);
    return 0;
}

static int fail_broken(const struct cli_samples *samples)
{
    if (samples->broken_count == 1)
        return cli_fail(samples->broken_status, "%s", samples->broken);
    return cli_fail(samples->broken_status, "%s (and %zu more of %zu files failed)",
                    samples->broken, samples->broken_count - 1, samples->source_count);
}

int cli_classify(const struct cli_options *options)
{
    struct classify c = {.options = options, .results = json_array()};
    int failed = setup(&c);

    if (!failed)
        failed = classify_all(&c);
    if (!failed && c.classified)
        failed = report(&c);
    if (!failed && c.samples.broken_count)
        failed = fail_broken(&c.samples);
    if (!failed)
        cli_hint_print(options, &c.s, &c.input);
    json_decref(c.results);
    ncl_tensor_free(&c.input);
    ncl_tensor_free(&c.output);
    cli_labels_free(&c.labels);
    cli_samples_free(&c.samples);
    ncl_free(c.truth);
    cli_close(&c.s);
    return failed;
}
