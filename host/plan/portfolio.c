#include "plan/lookup.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Of each device and driver that knows the problem: how many of its points are taken, the best
 * first. A new driver changes little: the first three are timed again. */
#define OF_THIS_DEVICE 3
#define OF_OTHERS 2
/* How far a step to a less similar device is, in the distance between shapes (a natural logarithm):
 * as far as twice the channels. */
#define DEVICE_STEP 0.7
#define OTHER_BLOCK 1.0 /* another channel block: tiles mean something else */
/* Of shapes that differ by more, sixteen times in all, a winner is as good as any other point, and
 * each costs what compiling it takes, before there is anything to use. */
#define TOO_FAR 2.78

/* What decides whether another problem's winner may be worth a try. */
struct shape_key {
    char kind[16];
    int kernel[2], stride[2];
    int x[4], y[4]; /* N C H W */
    int groups, channel_block;
};

struct candidate {
    struct ncl_point point;
    enum ncl_match match;
    bool same_problem;
    bool chosen;
    bool doubted; /* others say that it failed on this device */
    double distance, seconds;
    const struct ncl_record *record;
};

struct portfolio {
    struct ncl_store *store;
    const struct ncl_problem *p;
    const struct ncl_caps *caps;
    struct ncl_fingerprint here;
    char klass[64];
    struct ncl_text problem;
    struct shape_key key;
    struct ncl_record_list list;
    struct candidate *candidates;
    size_t count;
};

/* The numbers after `name` in a signature, which stands after a blank. */
static bool read_numbers(const char *signature, const char *name, const char *format, int *a,
                         int *b)
{
    const char *at = strstr(signature, name);

    return at && sscanf(at + strlen(name), format, a, b) == 2;
}

static bool read_shape(const char *signature, const char *name, int shape[4])
{
    const char *at = strstr(signature, name);

    return at &&
           sscanf(at + strlen(name), "%9dx%9dx%9dx%9d", &shape[0], &shape[1], &shape[2],
                  &shape[3]) == 4 &&
           shape[0] > 0 && shape[1] > 0 && shape[2] > 0 && shape[3] > 0;
}

/* Of windowed problems; false: the signature is of another kind, or none. */
static bool read_key(const char *signature, struct shape_key *key)
{
    const char *groups = strstr(signature, " g"), *block = strstr(signature, " cb");

    *key = (struct shape_key){.groups = 1};
    return sscanf(signature, "%15s", key->kind) == 1 && read_shape(signature, " x", key->x) &&
           read_shape(signature, " y", key->y) &&
           read_numbers(signature, " k", "%9dx%9d", &key->kernel[0], &key->kernel[1]) &&
           read_numbers(signature, " s", "%9dx%9d", &key->stride[0], &key->stride[1]) &&
           (!groups || (sscanf(groups, " g%9d", &key->groups) == 1 && key->groups > 0)) && block &&
           sscanf(block, " cb%9d", &key->channel_block) == 1;
}

static double apart(double a, double b)
{
    return fabs(log(a / b));
}

/* Same kernel size, stride and grouping: one group, groups of one channel, or as wide ones. */
static bool is_kin(const struct shape_key *a, const struct shape_key *b)
{
    const int width[2] = {a->x[1] / a->groups, b->x[1] / b->groups};

    return strcmp(a->kind, b->kind) == 0 && memcmp(a->kernel, b->kernel, sizeof a->kernel) == 0 &&
           memcmp(a->stride, b->stride, sizeof a->stride) == 0 &&
           (a->groups == 1 ? b->groups == 1 : b->groups > 1 && width[0] == width[1]);
}

static double shape_distance(const struct shape_key *a, const struct shape_key *b)
{
    const double pixels[2] = {(double)a->y[0] * a->y[2] * a->y[3],
                              (double)b->y[0] * b->y[2] * b->y[3]};

    return apart(a->x[1], b->x[1]) + apart(a->y[1], b->y[1]) + apart(pixels[0], pixels[1]) +
           (a->channel_block != b->channel_block ? OTHER_BLOCK : 0);
}

/* false: a tombstone of this machine says never. */
static bool ask_standing(const struct portfolio *q, struct candidate *c)
{
    struct ncl_standing standing;

    ncl_lookup_standing(q->store, q->p, q->caps, &c->point, &standing);
    c->doubted = !standing.bars && standing.verdict != NCL_VERDICT_GOOD;
    return !standing.bars;
}

/* Points of the problem itself that were timed, reasoned ones, and winners of its kin. */
static void consider(struct portfolio *q, const struct ncl_record *record)
{
    struct candidate c = {.record = record,
                          .match = ncl_match_of(&record->on, &q->here),
                          .same_problem = strcmp(record->problem, q->problem.data) == 0,
                          .chosen = record->chosen,
                          .seconds = record->seconds};
    struct shape_key key;

    if (record->verdict != NCL_VERDICT_GOOD || c.match == NCL_MATCH_NONE ||
        !(record->chosen || record->samples > 0 || record->origin == NCL_ORIGIN_ANALYTIC))
        return;
    if (!c.same_problem) {
        if (!record->chosen || !q->key.kind[0] || !read_key(record->problem, &key) ||
            !is_kin(&q->key, &key))
            return;
        c.distance = shape_distance(&q->key, &key);
        if (c.distance > TOO_FAR)
            return;
        c.distance += DEVICE_STEP * (double)c.match;
    }
    if (ncl_record_point(record, &c.point) && ncl_point_legal(&c.point, q->p, q->caps))
        q->candidates[q->count++] = c;
}

static int compare_texts(const struct ncl_record *a, const struct ncl_record *b)
{
    const int platform = strcmp(a->on.platform, b->on.platform);
    const int device = strcmp(a->on.device, b->on.device);

    if (platform || device)
        return platform ? platform : device;
    return strcmp(a->on.driver, b->on.driver);
}

/* The problem's own before those of others; nearer devices first and each one's together, its
 * winner, then its faster points; others by distance. Ties end in text: one order everywhere. */
static int compare(const void *left, const void *right)
{
    const struct candidate *a = left, *b = right;
    int order;

    if (a->same_problem != b->same_problem)
        return a->same_problem ? -1 : 1;
    if (!a->same_problem && a->distance != b->distance)
        return a->distance < b->distance ? -1 : 1;
    if (a->match != b->match)
        return a->match < b->match ? -1 : 1;
    order = compare_texts(a->record, b->record);
    if (order)
        return order;
    if (a->chosen != b->chosen)
        return a->chosen ? -1 : 1;
    if (a->seconds != b->seconds)
        return a->seconds < b->seconds ? -1 : 1;
    order = strcmp(a->record->algorithm, b->record->algorithm);
    return order ? order : strcmp(a->record->params, b->record->params);
}

static bool has(const struct ncl_point *points, int count, const struct ncl_point *point)
{
    for (int i = 0; i < count; i++)
        if (ncl_point_equal(&points[i], point))
            return true;
    return false;
}

static int take(const struct portfolio *q, struct ncl_point *points, int room)
{
    int count = 0, of_device = 0;

    for (size_t i = 0; i < q->count && count < room; i++) {
        struct candidate *c = &q->candidates[i];
        const int most = c->match <= NCL_MATCH_DRIVER ? OF_THIS_DEVICE : OF_OTHERS;

        if (i > 0 && compare_texts(c->record, q->candidates[i - 1].record))
            of_device = 0;
        if ((c->same_problem && of_device >= most) || has(points, count, &c->point) ||
            !ask_standing(q, c) || c->doubted)
            continue;
        points[count++] = c->point;
        of_device++;
    }
    for (size_t i = 0; i < q->count && count < room; i++)
        if (q->candidates[i].doubted && !has(points, count, &q->candidates[i].point))
            points[count++] = q->candidates[i].point;
    return count;
}

/* All records that may matter: of the problem, and every winner. */
static ncl_status gather(const struct ncl_log *log, struct portfolio *q)
{
    const struct ncl_record_filter own = {.problem = q->problem.data, .good_only = true};
    const struct ncl_record_filter winners = {.good_only = true, .chosen_only = true};
    ncl_status status = ncl_records_find(q->store, &own, &q->list);

    if (status == NCL_OK)
        status = ncl_records_find(q->store, &winners, &q->list);
    if (status == NCL_OK)
        status = ncl_shipped_find(log, NULL, &q->list);
    if (status == NCL_OK)
        q->candidates = ncl_alloc(q->list.count + 1, sizeof *q->candidates);
    return q->candidates ? status : NCL_ERROR_MEMORY;
}

int ncl_portfolio(const struct ncl_log *log, struct ncl_store *store, const struct ncl_problem *p,
                  const struct ncl_caps *caps, struct ncl_point *points, int room)
{
    struct portfolio q = {.store = store, .p = p, .caps = caps};
    int count = 0;

    ncl_fingerprint_of(caps, q.klass, &q.here);
    ncl_problem_signature(p, &q.problem);
    if (!q.problem.failed && gather(log, &q) == NCL_OK) {
        if (!read_key(q.problem.data, &q.key))
            q.key.kind[0] = 0; /* only its own records speak for it */
        for (size_t i = 0; i < q.list.count; i++)
            consider(&q, &q.list.records[i]);
        qsort(q.candidates, q.count, sizeof *q.candidates, compare);
        count = take(&q, points, room);
    }
    free(q.candidates);
    ncl_record_list_free(&q.list);
    ncl_text_free(&q.problem);
    return count;
}
