/* Whole sessions timed in turn: what the winners come to inside the network. */
#include "session/tune_parts.h"

#include "base/clock.h"
#include "base/hash.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MIN_ROUNDS 3
/* Runs of a session before the other's turn. The first, which finds the caches full of the other's
 * weights, is not what a session sees that runs by itself. */
#define RUNS 3
/* So long a run has other cares than caches: its first one counts. */
#define LONG_RUN_SECONDS 0.5
/* Rounds after which a difference this many standard errors wide is believed. */
#define ENOUGH_ROUNDS 12
#define ENOUGH_ERRORS 4.0
/* Of a median, from the median absolute deviation of normal samples: 1.4826 sigma, 1.2533. */
#define MAD_TO_ERROR (1.4826 * 1.2533)

struct io {
    ncl_tensor *inputs, *outputs;
    int input_count, output_count;
};

static void free_tensors(ncl_tensor *tensors, int count)
{
    for (int i = 0; tensors && i < count; i++)
        free(tensors[i].data);
    free(tensors);
}

static void free_io(struct io *io)
{
    free_tensors(io->inputs, io->input_count);
    free_tensors(io->outputs, io->output_count);
}

static bool make_tensors(const struct ncl_session *session, bool output, int count,
                         ncl_tensor **tensors)
{
    *tensors = ncl_alloc((size_t)count + 1, sizeof **tensors);
    for (int i = 0; *tensors && i < count; i++) {
        const int slot =
            output ? ncl_session_output_slot(session, i) : ncl_session_input_slot(session, i);
        const struct ncl_slot *s = &session->schedule->slots[slot];
        ncl_tensor *tensor = &(*tensors)[i];

        *tensor = (ncl_tensor){.rank = s->rank, .bytes = ncl_session_slot_bytes(session, slot)};
        memcpy(tensor->dims, s->dims, sizeof tensor->dims);
        tensor->data = ncl_alloc(tensor->bytes, 1);
        if (!tensor->data)
            return false;
    }
    return *tensors != NULL;
}

/* Inputs of -1..1, the same for the same seed. */
static ncl_status make_io(const struct ncl_tuning *t, const struct ncl_session *session,
                          struct io *io)
{
    uint64_t state = t->options.seed;

    *io = (struct io){.input_count = session->graph->input_count,
                      .output_count = session->graph->output_count};
    if (!make_tensors(session, false, io->input_count, &io->inputs) ||
        !make_tensors(session, true, io->output_count, &io->outputs)) {
        free_io(io);
        return ncl_fail_memory(t->log, "inputs to time with");
    }
    for (int i = 0; i < io->input_count; i++) {
        float *values = io->inputs[i].data;

        for (size_t k = 0; k < io->inputs[i].bytes / sizeof(float); k++) {
            state = state * 6364136223846793005u + 1442695040888963407u;
            values[k] = (float)(state >> 40) * 0x1p-23f - 1.0f;
        }
    }
    return NCL_OK;
}

/* ---- statistics ---- */

static int compare(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

/* Sorts the values. */
static double median(double *values, int count)
{
    qsort(values, (size_t)count, sizeof *values, compare);
    return count % 2 ? values[count / 2] : (values[count / 2 - 1] + values[count / 2]) / 2;
}

/* Leaves deviations in values. */
static double median_and_spread(double *values, int count, double *spread)
{
    const double middle = median(values, count);

    for (int i = 0; i < count; i++)
        values[i] = fabs(values[i] - middle);
    *spread = median(values, count);
    return middle;
}

/* ---- timing ---- */

struct timing {
    struct ncl_tune_net *net;
    struct ncl_session *const *sessions;
    int session_count, rounds, room;
    double *wall;    /* [2][room] */
    double *inside;  /* [2][tasks][room]; of all launches of a problem, 0: unknown */
    double *scratch; /* [room] */
    uint64_t bits;   /* hash of the first run's outputs; 0: nothing has run */
    bool differs;    /* some later run's were others */
};

static double *inside_of(const struct timing *m, int which, int task)
{
    return m->inside + ((size_t)which * (size_t)m->net->count + (size_t)task) * (size_t)m->room;
}

/* A session of another block or precision has other problems. */
static bool is_of_net(const struct timing *m, int which)
{
    return m->sessions[which]->config.channel_block == m->net->channel_block &&
           m->sessions[which]->config.precision == m->net->precision;
}

static void note_inside(const struct timing *m, int which)
{
    const struct ncl_session *session = m->sessions[which];

    if (!is_of_net(m, which))
        return;
    for (int i = 0; i < m->net->count; i++)
        inside_of(m, which, i)[m->rounds] = 0;
    for (int i = 0; i < session->schedule->step_count; i++)
        if (m->net->task_of_step[i] >= 0)
            inside_of(m, which, m->net->task_of_step[i])[m->rounds] += session->layers[i].seconds;
}

/* Where all points compute the same bits, each run must repeat the first one's, whichever session's
 * it is: a kernel whose result is right only now and then would pass any single check. */
static void compare_outputs(struct timing *m, const struct io *io)
{
    uint64_t bits = 0;

    if (m->net->tuning->session.math != NCL_MATH_REPRODUCIBLE)
        return;
    for (int i = 0; i < io->output_count; i++)
        bits = bits * 31 + ncl_hash_bytes(io->outputs[i].data, io->outputs[i].bytes).low;
    if (!m->bits)
        m->bits = bits;
    m->differs |= bits != m->bits;
}

static ncl_status run_once(struct timing *m, const struct io *io, int which, double *seconds)
{
    const struct ncl_session_io run = {.inputs = io->inputs,
                                       .outputs = io->outputs,
                                       .input_count = (size_t)io->input_count,
                                       .output_count = (size_t)io->output_count};
    const uint64_t begin = ncl_clock_ns();
    const ncl_status status = ncl_session_execute(m->sessions[which], &run);

    *seconds = (double)(ncl_clock_ns() - begin) * 1e-9;
    if (status == NCL_OK)
        compare_outputs(m, io);
    return status;
}

/* The faster of a turn's runs but the first is the sample; one long run is. */
static ncl_status take_turn(struct timing *m, const struct io *io, int which)
{
    double *sample = m->wall + (size_t)which * (size_t)m->room + m->rounds;
    ncl_status status = NCL_OK;

    *sample = 0;
    for (int i = 0; status == NCL_OK && i < RUNS; i++) {
        double seconds = 0;

        status = run_once(m, io, which, &seconds);
        if (status != NCL_OK || (i == 0 && seconds < LONG_RUN_SECONDS) ||
            (*sample > 0 && seconds >= *sample))
            continue;
        *sample = seconds;
        note_inside(m, which);
        if (seconds >= LONG_RUN_SECONDS)
            break;
    }
    return status;
}

/* Median of the differences of two rows, first minus second, and its standard error. */
static double difference(const struct timing *m, const double *first, const double *second,
                         double *error)
{
    double spread, middle;

    for (int i = 0; i < m->rounds; i++)
        m->scratch[i] = first[i] - second[i];
    middle = median_and_spread(m->scratch, m->rounds, &spread);
    *error = spread * MAD_TO_ERROR / sqrt((double)m->rounds);
    return middle;
}

static bool is_decided(const struct timing *m)
{
    double gain, error;

    if (m->session_count < 2 || m->rounds < ENOUGH_ROUNDS)
        return false;
    gain = difference(m, m->wall, m->wall + m->room, &error);
    return fabs(gain) > ENOUGH_ERRORS * error;
}

/* In turn, the order changing from round to round, so that drift and the other's caches weigh on
 * both alike. */
static ncl_status run_rounds(struct timing *m, const struct io *io, double seconds)
{
    struct ncl_tuning *t = m->net->tuning;
    const double end = ncl_tune_elapsed(t) + seconds;
    ncl_status status = NCL_OK;

    for (int i = 0; status == NCL_OK && i < m->session_count; i++)
        status = take_turn(m, io, i); /* warms up */
    while (status == NCL_OK && m->rounds < m->room &&
           (m->rounds < MIN_ROUNDS || (ncl_tune_elapsed(t) < end && !is_decided(m)))) {
        for (int i = 0; status == NCL_OK && i < m->session_count; i++)
            status = take_turn(m, io, (i + m->rounds) % m->session_count);
        m->rounds++;
        if (status == NCL_OK)
            status = ncl_tune_tell(t);
    }
    return status;
}

/* What a problem's launches take inside the network, and whether its winner loses there by more
 * than the noise. */
static void judge_inside(struct timing *m, struct ncl_tune_pair *pair)
{
    const bool both = m->session_count > 1 && is_of_net(m, 1);

    for (int i = 0; i < m->net->count && is_of_net(m, 0); i++) {
        struct ncl_tune_layer *layer = &m->net->layers[i];
        const double uses = m->net->tasks[i].uses;
        double error = 0, spread;
        const double gain =
            both ? difference(m, inside_of(m, 0, i), inside_of(m, 1, i), &error) : 0;

        pair->loses[i] = gain < -2 * error;
        for (int k = 0; k < (both ? 2 : 1); k++)
            layer->inside[k] = median_and_spread(inside_of(m, k, i), m->rounds, &spread) / uses;
    }
}

static void sum_up(struct timing *m, struct ncl_tune_pair *pair)
{
    judge_inside(m, pair);
    pair->rounds = m->rounds;
    pair->differs = m->differs;
    if (m->session_count > 1)
        pair->gain = difference(m, m->wall, m->wall + m->room, &pair->error);
    for (int k = 0; k < m->session_count; k++)
        pair->median[k] =
            median_and_spread(m->wall + (size_t)k * (size_t)m->room, m->rounds, &pair->spread[k]);
}

ncl_status ncl_tune_time_pair(struct ncl_tune_net *net, struct ncl_session *const sessions[2],
                              double seconds, int rounds, struct ncl_tune_pair *pair)
{
    const int room = rounds > MIN_ROUNDS ? rounds : MIN_ROUNDS;
    struct timing m = {.net = net, .sessions = sessions, .room = room};
    struct io io = {0};
    ncl_status status = NCL_OK;

    m.session_count = sessions[1] ? 2 : 1;
    m.wall = ncl_alloc(2 * (size_t)room, sizeof *m.wall);
    m.inside = ncl_alloc(2 * (size_t)room * (size_t)(net->count + 1), sizeof *m.inside);
    m.scratch = ncl_alloc((size_t)room, sizeof *m.scratch);
    pair->loses = ncl_arena_alloc(&net->arena, (size_t)net->count + 1, sizeof *pair->loses);
    if (!m.wall || !m.inside || !m.scratch || !pair->loses)
        status = ncl_fail_memory(net->tuning->log, "times");
    if (status == NCL_OK)
        status = make_io(net->tuning, sessions[0], &io);
    if (status == NCL_OK)
        status = run_rounds(&m, &io, seconds);
    if (status == NCL_OK && m.differs && m.session_count == 1)
        status = ncl_fail(net->tuning->log, NCL_ERROR_MISMATCH,
                          "the same kernels gave other outputs for the same input in another run: "
                          "the device or its driver is at fault");
    if (status == NCL_OK)
        sum_up(&m, pair);
    free_io(&io);
    free(m.wall);
    free(m.inside);
    free(m.scratch);
    return status;
}

/* First step that a verification found to differ; -1: none is named. */
static int first_bad(const char *json)
{
    json_t *root = json ? json_loads(json, 0, NULL) : NULL;
    json_t *layers = json_object_get(root, "layers"), *layer;
    size_t i;
    int bad = -1;

    json_array_foreach(layers, i, layer) if (bad < 0 && json_integer_value(json_object_get(
                                                            layer, "differing")) > 0) bad = (int)i;
    json_decref(root);
    return bad;
}

ncl_status ncl_tune_verify(struct ncl_tune_net *net, struct ncl_session *session, int *bad)
{
    const uint64_t begin = ncl_clock_ns();
    char *json = NULL;
    struct io io = {0};
    ncl_status status = make_io(net->tuning, session, &io);

    *bad = -1;
    if (status != NCL_OK)
        return status;
    status = ncl_session_verify(session, io.inputs, (size_t)io.input_count, &json);
    if (status == NCL_ERROR_MISMATCH)
        *bad = first_bad(json);
    free(json);
    free_io(&io);
    net->tuning->verify_seconds = (double)(ncl_clock_ns() - begin) * 1e-9;
    return status;
}
