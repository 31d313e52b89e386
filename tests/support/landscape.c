#include "support/landscape.h"

#include "base/memory.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Not Check's: the recorder runs outside of tests. */
#define REQUIRE(condition)                                                                         \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "landscape: expected %s\n", #condition);                               \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

/* ---- algorithms of a landscape: legal is what was recorded ---- */

static bool applicable(const struct ncl_problem *p, const struct ncl_caps *caps)
{
    (void)p;
    (void)caps;
    return true;
}

static bool recorded(const int *v, const struct ncl_caps *caps, int algo)
{
    const struct ncl_landscape *landscape = (const struct ncl_landscape *)caps;
    struct ncl_point point = {&landscape->algos[algo], {0}};

    memcpy(point.v, v, (size_t)point.algo->tunable_count * sizeof *v);
    return ncl_landscape_row(landscape, &point) != NULL;
}

static void defaults(int *v, const struct ncl_caps *caps, int algo)
{
    const struct ncl_landscape *landscape = (const struct ncl_landscape *)caps;

    memcpy(v, landscape->defaults[algo].v,
           (size_t)landscape->algos[algo].tunable_count * sizeof *v);
}

/* Descriptors' functions are not told which descriptor they are of. */
#define FUNCTIONS(I)                                                                               \
    static bool valid##I(const int *v, const struct ncl_problem *p, const struct ncl_caps *caps)   \
    {                                                                                              \
        (void)p;                                                                                   \
        return recorded(v, caps, I);                                                               \
    }                                                                                              \
    static void defaults##I(int *v, const struct ncl_problem *p, const struct ncl_caps *caps)      \
    {                                                                                              \
        (void)p;                                                                                   \
        defaults(v, caps, I);                                                                      \
    }
FUNCTIONS(0)
FUNCTIONS(1)
FUNCTIONS(2)
FUNCTIONS(3)
FUNCTIONS(4)

static const struct {
    bool (*valid)(const int *v, const struct ncl_problem *p, const struct ncl_caps *caps);
    void (*defaults)(int *v, const struct ncl_problem *p, const struct ncl_caps *caps);
} functions[NCL_LANDSCAPE_ALGOS] = {{valid0, defaults0},
                                    {valid1, defaults1},
                                    {valid2, defaults2},
                                    {valid3, defaults3},
                                    {valid4, defaults4}};

/* ---- reading ---- */

static void read_problem(const char *line, struct ncl_landscape *l)
{
    int c, h, w, k, y_h, y_w, kernel, stride, pad, groups, residual;

    REQUIRE(sscanf(line, "problem %d %d %d %d %d %d %d %d %d %d %d", &c, &h, &w, &k, &y_h, &y_w,
                   &kernel, &stride, &pad, &groups, &residual) == 11);
    l->problem = (struct ncl_problem){
        .kind = NCL_PROBLEM_CONV,
        .channel_block = 16,
        .finite = true,
        .x = {1, c, h, w},
        .y = {1, k, y_h, y_w},
        .x_order = NCL_BLOCKED,
        .y_order = NCL_BLOCKED,
        .epilogue = {.bias = true, .residual = residual != 0, .act = NCL_ACT_RELU},
        .of.conv = {{kernel, kernel, stride, stride, 1, 1, pad, pad, pad, pad}, groups}};
}

static void read_algorithm(char *line, struct ncl_landscape *l)
{
    const int a = l->algo_count++;
    char *save = NULL, *word;

    REQUIRE(a < NCL_LANDSCAPE_ALGOS);
    strtok_r(line, " ", &save);
    word = strtok_r(NULL, " ", &save);
    snprintf(l->algo_names[a], sizeof l->algo_names[a], "%s", word);
    l->algos[a] =
        (struct ncl_algo){.name = l->algo_names[a],
                          .kind = NCL_PROBLEM_CONV,
                          .arguments = (unsigned)strtoul(strtok_r(NULL, " ", &save), NULL, 10),
                          .tunables = l->tunables[a],
                          .applicable = applicable,
                          .valid = functions[a].valid,
                          .defaults = functions[a].defaults};
    while ((word = strtok_r(NULL, " ", &save))) {
        const int t = l->algos[a].tunable_count++;

        REQUIRE(t < NCL_MAX_TUNABLES);
        snprintf(l->tunable_names[a][t], sizeof l->tunable_names[a][t], "%s", word);
        l->tunables[a][t].name = l->tunable_names[a][t];
    }
    l->pointers[a] = &l->algos[a];
}

/* Values ascend and are those that occur. */
static void add_value(struct ncl_tunable *tunable, int value)
{
    int at = 0;

    while (at < tunable->count && tunable->values[at] < value)
        at++;
    if (at < tunable->count && tunable->values[at] == value)
        return;
    REQUIRE(tunable->count < NCL_MAX_VALUES);
    memmove(&tunable->values[at + 1], &tunable->values[at],
            (size_t)(tunable->count - at) * sizeof *tunable->values);
    tunable->values[at] = value;
    tunable->count++;
}

/* "NUMBER V...": returns the algorithm's number. */
static int read_point(char **line, struct ncl_landscape *l, struct ncl_point *point)
{
    const int a = (int)strtol(*line, line, 10);

    REQUIRE(a < l->algo_count);
    *point = (struct ncl_point){.algo = &l->algos[a]};
    for (int t = 0; t < point->algo->tunable_count; t++) {
        char *end = NULL;

        point->v[t] = (int)strtol(*line, &end, 10);
        REQUIRE(end != *line);
        *line = end;
    }
    return a;
}

/* What follows the point: "PREPARE_MS LAUNCH_US SPREAD_US" or "PREPARE_MS VERDICT". */
static void read_figures(const char *line, struct ncl_landscape_row *row)
{
    char word[32];

    REQUIRE(sscanf(line, "%lf %31s %lf", &row->prepare, word, &row->spread) >= 2);
    row->prepare *= 1e-3;
    row->spread *= 1e-6;
    row->seconds = 1e-6 * strtod(word, NULL);
    row->verdict = row->seconds > 0 ? NCL_VERDICT_GOOD : ncl_verdict_parse(word);
    REQUIRE(row->verdict < NCL_VERDICT_COUNT);
}

static void read_row(char *line, struct ncl_landscape *l)
{
    struct ncl_landscape_row row = {.visits = 0};
    const int a = read_point(&line, l, &row.point);

    for (int t = 0; t < row.point.algo->tunable_count; t++)
        add_value(&l->tunables[a][t], row.point.v[t]);
    read_figures(line, &row);
    REQUIRE(ncl_grow((void **)&l->rows, &l->capacity, l->count, sizeof *l->rows));
    l->rows[l->count++] = row;
}

static void read_again(char *line, struct ncl_landscape *l)
{
    struct ncl_landscape_row visit = {.visits = 0}, *row;

    read_point(&line, l, &visit.point);
    read_figures(line, &visit);
    row = (struct ncl_landscape_row *)ncl_landscape_row(l, &visit.point);
    REQUIRE(row);
    REQUIRE(visit.verdict == NCL_VERDICT_GOOD);
    if (!row->visits++)
        row->seconds = row->spread = 0;
    row->seconds += (visit.seconds - row->seconds) / row->visits;
    row->spread += (visit.spread - row->spread) / row->visits;
}

static void read_line(char *line, struct ncl_landscape *l)
{
    struct ncl_point point;
    char *rest = strchr(line, ' ');

    if (strncmp(line, "problem", 7) == 0) {
        read_problem(line, l);
    } else if (strncmp(line, "uses", 4) == 0) {
        l->uses = (int)strtol(rest, NULL, 10);
    } else if (strncmp(line, "algorithm", 9) == 0) {
        read_algorithm(line, l);
    } else if (strncmp(line, "start", 5) == 0) {
        read_point(&rest, l, &l->start);
        l->defaults[0] = l->start;
    } else if (strncmp(line, "defaults", 8) == 0) {
        const int a = read_point(&rest, l, &point);

        l->defaults[a] = point;
    } else if (strncmp(line, "again", 5) == 0) {
        read_again(rest, l);
    } else if (line[0] >= '0' && line[0] <= '9') {
        read_row(line, l);
    }
}

/* ---- kernels: rows that differ in arguments only ---- */

static bool same_kernel(const struct ncl_point *a, const struct ncl_point *b)
{
    if (a->algo != b->algo)
        return false;
    for (int t = 0; t < a->algo->tunable_count; t++)
        if (!(a->algo->arguments >> t & 1) && a->v[t] != b->v[t])
            return false;
    return true;
}

/* The costliest row of a kernel was recorded with its build, the others without. */
static void find_kernels(struct ncl_landscape *l)
{
    for (size_t i = 0; i < l->count; i++) {
        struct ncl_landscape_row *row = &l->rows[i];

        row->kernel = (int)i;
        row->build = row->again = row->prepare;
        for (size_t j = 0; j < l->count; j++) {
            if (!same_kernel(&l->rows[j].point, &row->point))
                continue;
            row->kernel = (int)j < row->kernel ? (int)j : row->kernel;
            row->build = fmax(row->build, l->rows[j].prepare);
            row->again = fmin(row->again, l->rows[j].prepare);
        }
    }
}

void ncl_landscape_load(const char *path, struct ncl_landscape *landscape)
{
    FILE *file = fopen(path, "r");
    const char *base = strrchr(path, '/');
    char line[256];

    REQUIRE(file != NULL);
    *landscape = (struct ncl_landscape){.caps = {.name = "recorded"}, .uses = 1};
    snprintf(landscape->name, sizeof landscape->name, "%s", base ? base + 1 : path);
    while (fgets(line, sizeof line, file)) {
        line[strcspn(line, "\n")] = 0;
        read_line(line, landscape);
    }
    fclose(file);
    REQUIRE(landscape->start.algo);
    REQUIRE(ncl_landscape_row(landscape, &landscape->start));
    find_kernels(landscape);
}

void ncl_landscape_free(struct ncl_landscape *landscape)
{
    free(landscape->rows);
    landscape->rows = NULL;
}

const struct ncl_landscape_row *ncl_landscape_row(const struct ncl_landscape *landscape,
                                                  const struct ncl_point *point)
{
    for (size_t i = 0; i < landscape->count; i++)
        if (ncl_point_equal(&landscape->rows[i].point, point))
            return &landscape->rows[i];
    return NULL;
}

double ncl_landscape_optimum(const struct ncl_landscape *landscape)
{
    double best = 0;

    for (size_t i = 0; i < landscape->count; i++) {
        const struct ncl_landscape_row *row = &landscape->rows[i];

        if (row->verdict == NCL_VERDICT_GOOD && (best <= 0 || row->seconds < best))
            best = row->seconds;
    }
    return best;
}

const struct ncl_point *ncl_landscape_worst(const struct ncl_landscape *landscape)
{
    const struct ncl_landscape_row *worst = NULL;

    for (size_t i = 0; i < landscape->count; i++) {
        const struct ncl_landscape_row *row = &landscape->rows[i];

        if (row->verdict == NCL_VERDICT_GOOD && (!worst || row->seconds > worst->seconds))
            worst = row;
    }
    return &worst->point;
}

void ncl_landscape_task(const struct ncl_landscape *landscape, struct ncl_task *task)
{
    *task = (struct ncl_task){.problem = landscape->problem,
                              .caps = &landscape->caps,
                              .name = landscape->name,
                              .uses = landscape->uses,
                              .algos = landscape->pointers,
                              .algo_count = landscape->algo_count,
                              .start = landscape->start};
}
