/* Records tests/data/landscapes: landscape NAME FILE SECONDS
 *
 * Times every point of a reduced space of one problem, beside the start, and appends rows to FILE
 * until SECONDS have passed; called again, it goes on. At the end it visits the promising points
 * three times more. NAME: one of the table below. Exit
 * status 3: there is more to do. What a row costs is the time to build, run and verify its point;
 * for that to be true the driver's own kernel cache must be empty (POCL_CACHE_DIR). */
#include "session/trial.h"

#include "base/clock.h"
#include "plan/choose.h"
#include "search/measure.h"
#include "support/landscape.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Of the fastest point's time: what is no slower is visited again. */
#define PROMISING 1.3
#define VISITS 3
#define COLD_BYTES ((size_t)32 << 20)

static const struct {
    const char *name;
    int c, h, k, kernel, stride, groups;
    bool residual;
    int uses; /* in ResNeXt-50 */
} problems[] = {
    {"stem", 3, 224, 64, 7, 2, 1, false, 1},
    {"pointwise_56", 128, 56, 256, 1, 1, 1, true, 3},
    {"pointwise_28", 256, 28, 512, 1, 1, 1, true, 4},
    {"pointwise_14", 512, 14, 1024, 1, 1, 1, true, 6},
    {"pointwise_7", 1024, 7, 2048, 1, 1, 1, true, 3},
    {"pointwise_stride", 256, 56, 512, 1, 2, 1, false, 1},
    {"grouped_4", 128, 56, 128, 3, 1, 32, false, 3},
    {"grouped_8", 256, 28, 256, 3, 1, 32, false, 3},
    {"grouped_32", 1024, 7, 1024, 3, 1, 32, false, 2},
    {"dense_28", 128, 28, 128, 3, 1, 1, false, 3},
};

/* How many values of each tunable, and how far apart in its list, around the default. Algorithms
 * not named get a few points. */
static const struct {
    const char *algo;
    int counts[NCL_MAX_TUNABLES], steps[NCL_MAX_TUNABLES];
} spaces[] = {
    {"pointwise", {5, 3, 4, 4, 1, 2, 2}, {1, 1, 2, 1, 1, 2, 1}}, /* P KB PL KL WG PF PX */
    {"spatial", {4, 3, 3, 2, 1, 1, 2}, {2, 1, 2, 2, 1, 1, 1}},   /* P KB PL KL WG PF SLAB */
    {"grouped", {5, 3, 2, 2, 2}, {1, 1, 1, 1, 1}},               /* P L WALK HOLD WG */
    {"stem", {6, 4, 3, 2}, {1, 1, 1, 1}},                        /* P KB L WG */
};

static void must(ncl_status status)
{
    if (status == NCL_OK)
        return;
    fprintf(stderr, "landscape: %s\n", ncl_error_text());
    exit(1);
}

static struct ncl_problem problem_of(size_t i, const struct ncl_caps *caps)
{
    const int kernel = problems[i].kernel, stride = problems[i].stride, pad = kernel / 2;
    const int side = (problems[i].h + 2 * pad - kernel) / stride + 1;

    return (struct ncl_problem){
        .kind = NCL_PROBLEM_CONV,
        .channel_block = caps->channel_block,
        .finite = true,
        .x = {1, problems[i].c, problems[i].h, problems[i].h},
        .y = {1, problems[i].k, side, side},
        .x_order = kernel == 7 ? NCL_PLAIN : NCL_BLOCKED,
        .y_order = NCL_BLOCKED,
        .epilogue = {.bias = true, .residual = problems[i].residual, .act = NCL_ACT_RELU},
        .of.conv = {{kernel, kernel, stride, stride, 1, 1, pad, pad, pad, pad},
                    problems[i].groups}};
}

/* `count` values of the list, `step` apart, around the default. */
static void reduce(const struct ncl_tunable *tunable, int value, int count, int step,
                   struct ncl_tunable *reduced)
{
    int at = 0, from;

    while (at + 1 < tunable->count && tunable->values[at] < value)
        at++;
    from = at - (count - 1) / 2 * step;
    while (from < 0)
        from += step;
    while (from + (count - 1) * step >= tunable->count && from - step >= 0)
        from -= step;
    reduced->name = tunable->name;
    reduced->count = 0;
    for (int i = from; i < tunable->count && reduced->count < count; i += step)
        reduced->values[reduced->count++] = tunable->values[i];
}

#define MOST_ALGOS 5

struct recorder {
    FILE *file;
    struct ncl_problem problem;
    const struct ncl_caps *caps;
    const struct ncl_algo *algos[MOST_ALGOS]; /* the default choice first */
    struct ncl_tunable reduced[MOST_ALGOS][NCL_MAX_TUNABLES];
    int algo_count;
    struct ncl_evaluator evaluator;
    struct ncl_trial start;
    double start_prepare, reference, until;
    int known, seen; /* rows that the file has; points so far */
};

static double now(void)
{
    return 1e-9 * (double)ncl_clock_ns();
}

/* ---- what is recorded ---- */

static void reduce_algo(struct recorder *r, int a)
{
    const struct ncl_algo *algo = r->algos[a];
    int v[NCL_MAX_TUNABLES];

    algo->defaults(v, &r->problem, r->caps);
    for (int i = 0; i < algo->tunable_count; i++)
        reduce(&algo->tunables[i], v[i], i < 3 ? 2 : 1, 1, &r->reduced[a][i]);
    for (size_t s = 0; a == 0 && s < sizeof spaces / sizeof *spaces; s++)
        for (int i = 0; strcmp(spaces[s].algo, algo->name) == 0 && i < algo->tunable_count; i++)
            reduce(&algo->tunables[i], v[i], spaces[s].counts[i], spaces[s].steps[i],
                   &r->reduced[a][i]);
}

static void find_algos(struct recorder *r)
{
    struct ncl_choice choice;

    while (r->algo_count < MOST_ALGOS &&
           ncl_choose(NULL, &r->problem, r->caps, r->algo_count, &choice) == NCL_OK) {
        r->algos[r->algo_count] = choice.point.algo;
        reduce_algo(r, r->algo_count++);
    }
    if (!r->algo_count)
        must(NCL_ERROR_DEVICE);
    must(ncl_choose(NULL, &r->problem, r->caps, 0, &choice));
    r->start = (struct ncl_trial){.point = choice.point};
}

/* ---- the file ---- */

static void write_values(struct recorder *r, const struct ncl_algo *algo, const int *v)
{
    for (int i = 0; i < algo->tunable_count; i++)
        fprintf(r->file, " %d", v[i]);
}

static void write_head(struct recorder *r, size_t index)
{
    const struct ncl_problem *p = &r->problem;
    const struct ncl_window *w = &p->of.conv.window;

    fprintf(r->file, "# %s, %u units, %s\n", r->caps->name, r->caps->compute_units,
            r->caps->driver);
    fprintf(r->file, "problem %d %d %d %d %d %d %d %d %d %d %d\nuses %d\n", p->x.c, p->x.h, p->x.w,
            p->y.c, p->y.h, p->y.w, w->kernel_h, w->stride_h, w->pad_top, p->of.conv.groups,
            p->epilogue.residual, problems[index].uses);
    for (int a = 0; a < r->algo_count; a++) {
        fprintf(r->file, "algorithm %s %u", r->algos[a]->name, r->algos[a]->arguments);
        for (int i = 0; i < r->algos[a]->tunable_count; i++)
            fprintf(r->file, " %s", r->algos[a]->tunables[i].name);
        fprintf(r->file, "\n");
    }
    for (int a = 0; a < r->algo_count; a++) {
        int v[NCL_MAX_TUNABLES];

        r->algos[a]->defaults(v, p, r->caps);
        fprintf(r->file, a ? "defaults %d" : "start 0", a);
        write_values(r, r->algos[a], v);
        fprintf(r->file, "\n");
    }
    fprintf(r->file, "reference %.1f\n", 1e6 * r->reference);
}

/* Rows and reference of a file that was begun; false: there is none. */
static bool read_begun(struct recorder *r, const char *path)
{
    FILE *file = fopen(path, "r");
    char line[256];

    while (file && fgets(line, sizeof line, file)) {
        if (sscanf(line, "reference %lf", &r->reference) == 1)
            r->reference *= 1e-6;
        r->known += line[0] >= '0' && line[0] <= '9';
    }
    if (file)
        fclose(file);
    return file != NULL;
}

/* ---- recording ---- */

/* One visit of a point; prefix: what its row begins with. */
static void visit(struct recorder *r, const char *prefix, int a, const struct ncl_point *point)
{
    const struct ncl_evaluator *evaluator = &r->evaluator;
    const bool is_start = ncl_point_equal(point, &r->start.point);
    const struct ncl_gauge gauge = {
        .evaluator = evaluator, .yard = &r->start, .reference = r->reference};
    struct ncl_trial trial = {.point = *point};
    struct ncl_measured measured = {0};
    double prepared = now();

    must(evaluator->prepare(evaluator->self, &trial, 1));
    prepared = is_start ? r->start_prepare : now() - prepared;
    if (trial.verdict == NCL_VERDICT_GOOD)
        must(ncl_measure(&gauge, &trial, &measured));
    fprintf(r->file, "%s%d", prefix, a);
    write_values(r, point->algo, point->v);
    if (trial.verdict == NCL_VERDICT_GOOD)
        fprintf(r->file, " %.0f %.1f %.1f\n", 1e3 * prepared, 1e6 * measured.seconds,
                1e6 * measured.spread);
    else
        fprintf(r->file, " %.0f %s\n", 1e3 * prepared, ncl_verdict_name(trial.verdict));
    if (!is_start)
        evaluator->forget(evaluator->self, &trial);
}

static void record(struct recorder *r, int a, const struct ncl_point *point)
{
    if (r->seen++ < r->known || now() > r->until)
        return;
    visit(r, "", a, point);
}

/* Further visits, each round through all promising points, as long as there is time. */
static void record_again(struct recorder *r, const char *path)
{
    struct ncl_landscape l;
    double best;

    fflush(r->file);
    ncl_landscape_load(path, &l);
    best = ncl_landscape_optimum(&l);
    for (int round = 0; round < VISITS; round++) {
        for (size_t i = 0; i < l.count && now() < r->until; i++) {
            const struct ncl_landscape_row *row = &l.rows[i];
            const int a = (int)(row->point.algo - l.algos);
            struct ncl_point point = row->point;

            point.algo = r->algos[a];
            if (row->seconds <= PROMISING * best && row->visits <= round)
                visit(r, "again ", a, &point);
        }
    }
    ncl_landscape_free(&l);
}

/* Arguments change fastest: rows of one kernel are neighbours. */
static void number_to_point(const struct recorder *r, int a, int number, struct ncl_point *point)
{
    for (int turn = 0; turn < 2; turn++) {
        for (int i = r->algos[a]->tunable_count - 1; i >= 0; i--) {
            const struct ncl_tunable *tunable = &r->reduced[a][i];

            if ((int)(r->algos[a]->arguments >> i & 1) == turn)
                continue;
            point->v[i] = tunable->values[number % tunable->count];
            number /= tunable->count;
        }
    }
}

static void record_algo(struct recorder *r, int a)
{
    int total = 1;

    for (int i = 0; i < r->algos[a]->tunable_count; i++)
        total *= r->reduced[a][i].count;
    for (int number = 0; number < total; number++) {
        struct ncl_point point = {.algo = r->algos[a]};

        number_to_point(r, a, number, &point);
        if (ncl_algo_legal(point.algo, point.v, &r->problem, r->caps))
            record(r, a, &point);
    }
}

/* The yardstick, ready; its time where the file does not have it. */
static void ready_start(struct recorder *r)
{
    const struct ncl_gauge gauge = {.evaluator = &r->evaluator};
    struct ncl_measured measured = {0};

    r->start_prepare = now();
    must(r->evaluator.prepare(r->evaluator.self, &r->start, 1));
    r->start_prepare = now() - r->start_prepare;
    if (r->start.verdict == NCL_VERDICT_GOOD && r->reference <= 0) {
        must(ncl_measure(&gauge, &r->start, &measured));
        r->reference = measured.seconds;
    }
    if (r->start.verdict != NCL_VERDICT_GOOD) {
        fprintf(stderr, "landscape: the start: %s\n", r->start.why);
        exit(1);
    }
}

static void open_device(struct ncl_device *device)
{
    const struct ncl_cl *cl = NULL;
    struct ncl_device_list list = {0};
    const struct ncl_device_entry *entry = NULL;

    must(ncl_cl_load(NULL, &cl));
    must(ncl_device_list(NULL, cl, &list));
    must(ncl_device_choose(NULL, &list, getenv("NCL_CHECK_DEVICE"), &entry));
    must(ncl_device_open(NULL, cl, entry, true, device));
    ncl_device_list_free(&list);
}

static size_t find_problem(const char *name)
{
    size_t i = 0;

    while (i < sizeof problems / sizeof *problems && strcmp(name, problems[i].name) != 0)
        i++;
    if (i < sizeof problems / sizeof *problems)
        return i;
    fprintf(stderr, "landscape: no problem is called %s\n", name);
    exit(2);
}

int main(int argc, char **argv)
{
    struct recorder r = {.known = 0};
    struct ncl_device device;
    struct ncl_trials *trials = NULL;
    bool begun;
    size_t index;

    if (argc != 4) {
        fprintf(stderr, "usage: landscape NAME FILE SECONDS\n");
        return 2;
    }
    index = find_problem(argv[1]);
    open_device(&device);
    r.until = now() + strtod(argv[3], NULL);
    r.caps = &device.caps;
    r.problem = problem_of(index, r.caps);
    find_algos(&r);
    must(ncl_trials_open(&(struct ncl_trials_config){.device = &device,
                                                     .problems = &r.problem,
                                                     .problem_count = 1,
                                                     .launch_limit = 1,
                                                     .cold_bytes = COLD_BYTES},
                         &trials));
    ncl_trials_evaluator(trials, &r.evaluator);
    begun = read_begun(&r, argv[2]);
    ready_start(&r);
    r.file = fopen(argv[2], "a");
    if (!r.file) {
        perror(argv[2]);
        return 1;
    }
    if (!begun)
        write_head(&r, index);
    for (int a = 0; a < r.algo_count; a++)
        record_algo(&r, a);
    if (now() < r.until)
        record_again(&r, argv[2]);
    printf("%s: %d points in all\n", argv[1], r.seen);
    fclose(r.file);
    ncl_trials_close(trials);
    ncl_device_close(&device);
    return now() > r.until ? 3 : 0;
}
