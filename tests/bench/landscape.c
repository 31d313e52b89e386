/* Records tests/data/landscapes: landscape NAME FILE
 *
 * Builds every point of a reduced space of one problem, then visits them in turn several times,
 * each beside the start. A row has the median of its visits, so that the optimum is no lucky one.
 * What preparing costs is the time to build, run and verify a point; for that to be true the
 * driver's own kernel cache must be empty (POCL_CACHE_DIR). */
#include "session/trial.h"

#include "base/clock.h"
#include "plan/choose.h"
#include "search/measure.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Of the fastest point's time: what is slower is not visited again. */
#define HOPELESS 3
#define VISITS 3
#define MOST_POINTS 300
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
    {"pointwise", {4, 3, 3, 3, 1, 2, 2}, {1, 1, 2, 2, 1, 2, 1}}, /* P KB PL KL WG PF PX */
    {"spatial", {4, 3, 2, 2, 1, 1, 2}, {1, 1, 2, 2, 1, 1, 1}},   /* P KB PL KL WG PF SLAB */
    {"grouped", {5, 3, 2, 2, 2}, {1, 1, 1, 1, 1}},               /* P L WALK HOLD WG */
    {"stem", {5, 3, 3, 2}, {1, 1, 1, 1}},                        /* P KB L WG */
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

struct row {
    int algo;
    struct ncl_trial trial;
    double prepare; /* seconds */
    double seconds[VISITS], spread[VISITS];
    int visits;
};

struct recorder {
    struct ncl_problem problem;
    const struct ncl_caps *caps;
    const struct ncl_algo *algos[MOST_ALGOS]; /* the default choice first */
    struct ncl_tunable reduced[MOST_ALGOS][NCL_MAX_TUNABLES];
    int algo_count;
    struct ncl_evaluator evaluator;
    struct ncl_point start;
    struct row rows[MOST_POINTS];
    int row_count;
    double reference;
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
    r->start = choice.point;
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

static void add_points(struct recorder *r, int a)
{
    int total = 1;

    for (int i = 0; i < r->algos[a]->tunable_count; i++)
        total *= r->reduced[a][i].count;
    for (int number = 0; number < total && r->row_count < MOST_POINTS; number++) {
        struct ncl_point point = {.algo = r->algos[a]};

        number_to_point(r, a, number, &point);
        if (ncl_algo_legal(point.algo, point.v, &r->problem, r->caps))
            r->rows[r->row_count++] = (struct row){.algo = a, .trial = {.point = point}};
    }
}

/* ---- recording ---- */

static struct row *start_row(struct recorder *r)
{
    for (int i = 0; i < r->row_count; i++)
        if (ncl_point_equal(&r->rows[i].trial.point, &r->start))
            return &r->rows[i];
    fprintf(stderr, "landscape: the start is not in its space\n");
    exit(1);
}

static void prepare_all(struct recorder *r)
{
    for (int i = 0; i < r->row_count; i++) {
        struct row *row = &r->rows[i];

        row->prepare = now();
        must(r->evaluator.prepare(r->evaluator.self, &row->trial, 1));
        row->prepare = now() - row->prepare;
    }
}

static void visit(struct recorder *r, struct row *row, struct ncl_trial *start)
{
    const bool is_start = &row->trial == start;
    const struct ncl_gauge gauge = {
        .evaluator = &r->evaluator, .yard = is_start ? NULL : start, .reference = r->reference};
    struct ncl_measured measured = {0};

    must(ncl_measure(&gauge, &row->trial, &measured));
    row->seconds[row->visits] = measured.seconds;
    row->spread[row->visits++] = measured.spread;
}

static double median(const double *values, int count)
{
    return ncl_spread_of(values, count).median;
}

/* Rounds through all points that are good and not hopeless. The start is 1 by definition. */
static void visit_all(struct recorder *r)
{
    struct row *start = start_row(r);
    double best;

    visit(r, start, &start->trial);
    r->reference = best = start->seconds[0];
    for (int round = 0; round < VISITS; round++) {
        for (int i = 0; i < r->row_count; i++) {
            struct row *row = &r->rows[i];

            if (row == start || row->trial.verdict != NCL_VERDICT_GOOD ||
                (row->visits && row->seconds[0] > HOPELESS * best))
                continue;
            visit(r, row, &start->trial);
            best = fmin(best, median(row->seconds, row->visits));
        }
    }
}

/* ---- the file ---- */

static void write_values(FILE *file, const struct ncl_algo *algo, const int *v)
{
    for (int i = 0; i < algo->tunable_count; i++)
        fprintf(file, " %d", v[i]);
}

static void write_head(const struct recorder *r, FILE *file, int uses)
{
    const struct ncl_problem *p = &r->problem;
    const struct ncl_window *w = &p->of.conv.window;

    fprintf(file, "# %s, %u units, %s\n", r->caps->name, r->caps->compute_units, r->caps->driver);
    fprintf(file, "problem %d %d %d %d %d %d %d %d %d %d %d\nuses %d\n", p->x.c, p->x.h, p->x.w,
            p->y.c, p->y.h, p->y.w, w->kernel_h, w->stride_h, w->pad_top, p->of.conv.groups,
            p->epilogue.residual, uses);
    for (int a = 0; a < r->algo_count; a++) {
        fprintf(file, "algorithm %s %u", r->algos[a]->name, r->algos[a]->arguments);
        for (int i = 0; i < r->algos[a]->tunable_count; i++)
            fprintf(file, " %s", r->algos[a]->tunables[i].name);
        fprintf(file, "\n");
    }
    for (int a = 0; a < r->algo_count; a++) {
        int v[NCL_MAX_TUNABLES];

        r->algos[a]->defaults(v, p, r->caps);
        fprintf(file, a ? "defaults %d" : "start 0", a);
        write_values(file, r->algos[a], v);
        fprintf(file, "\n");
    }
}

static void write_row(FILE *file, const struct row *row)
{
    fprintf(file, "%d", row->algo);
    write_values(file, row->trial.point.algo, row->trial.point.v);
    if (row->trial.verdict == NCL_VERDICT_GOOD)
        fprintf(file, " %.0f %.1f %.1f\n", 1e3 * row->prepare,
                1e6 * median(row->seconds, row->visits), 1e6 * median(row->spread, row->visits));
    else
        fprintf(file, " %.0f %s\n", 1e3 * row->prepare, ncl_verdict_name(row->trial.verdict));
}

static int write_file(const struct recorder *r, const char *path, int uses)
{
    FILE *file = fopen(path, "w");
    int failed;

    if (!file) {
        perror(path);
        return 1;
    }
    write_head(r, file, uses);
    for (int i = 0; i < r->row_count; i++)
        write_row(file, &r->rows[i]);
    failed = ferror(file);
    return fclose(file) || failed;
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
    static struct recorder r;
    struct ncl_device device;
    struct ncl_trials *trials = NULL;
    size_t index;
    int status;

    if (argc != 3) {
        fprintf(stderr, "usage: landscape NAME FILE\n");
        return 2;
    }
    index = find_problem(argv[1]);
    open_device(&device);
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
    for (int a = 0; a < r.algo_count; a++)
        add_points(&r, a);
    prepare_all(&r);
    visit_all(&r);
    status = write_file(&r, argv[2], problems[index].uses);
    printf("%s: %d points\n", argv[1], r.row_count);
    ncl_trials_close(trials);
    ncl_device_close(&device);
    return status;
}
