/* What the tuner knows when it begins, and the journal that lets it go on. */
#include "session/tune_parts.h"

#include "base/version.h"
#include "plan/lookup.h"
#include "tunedb/claim.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* ---- what is known ---- */

static bool add_note(struct ncl_search_note **notes, size_t *count, size_t *capacity,
                     const struct ncl_search_note *note)
{
    if (!ncl_grow((void **)notes, capacity, *count, sizeof **notes))
        return false;
    (*notes)[(*count)++] = *note;
    return true;
}

bool ncl_tune_is_dead(const struct ncl_tune_net *net, int task, const struct ncl_point *point)
{
    for (size_t i = 0; i < net->known_count; i++)
        if (net->known[i].task == task && net->known[i].verdict != NCL_VERDICT_GOOD &&
            ncl_point_equal(&net->known[i].point, point))
            return true;
    return false;
}

const struct ncl_point *ncl_tune_first_seed(const struct ncl_tune_net *net, int task)
{
    const struct ncl_task *t = &net->tasks[task];

    for (int i = 0; i < t->seed_count; i++)
        if (!ncl_tune_is_dead(net, task, &t->seeds[i]))
            return ncl_point_equal(&t->seeds[i], &t->start) ? NULL : &t->seeds[i];
    return NULL;
}

ncl_status ncl_tune_avoid(struct ncl_tune_net *net, const struct ncl_search_note *note)
{
    struct ncl_search_note kept = *note;

    kept.why = ncl_arena_text(&net->arena, note->why, strlen(note->why));
    if (kept.why && add_note(&net->known, &net->known_count, &net->known_capacity, &kept))
        return NCL_OK;
    return ncl_fail_memory(net->tuning->log, "a point that failed");
}

static int task_named(const struct ncl_tune_net *net, const char *problem)
{
    for (int i = 0; i < net->count; i++)
        if (strcmp(net->layers[i].problem, problem) == 0)
            return i;
    return -1;
}

/* A trial that began in a process which was killed. In a worker it did no harm, so that its tuner
 * must have been killed for another reason: it may be tried again by another worker, unless it
 * seems to take the machine along. */
static bool is_innocent(const struct ncl_tuning *t, const struct ncl_record *record)
{
    return record->verdict == NCL_VERDICT_STARTED && t->options.worker &&
           !ncl_tune_is_deadly(t, record->why);
}

/* false: the record says nothing about any of the network's points. */
static bool note_of(const struct ncl_tune_net *net, const struct ncl_record *record,
                    struct ncl_search_note *note)
{
    const struct ncl_tuning *t = net->tuning;
    char hash[NCL_HASH_TEXT];

    *note = (struct ncl_search_note){.task = task_named(net, record->problem),
                                     .verdict = record->verdict,
                                     .seconds = record->seconds,
                                     .spread = record->spread,
                                     .start_seconds = record->default_seconds,
                                     .samples = record->samples};
    if (note->task < 0 || is_innocent(t, record) || record->origin != NCL_ORIGIN_MEASURED ||
        !ncl_point_parse(record->algorithm, record->params, &note->point))
        return false;
    ncl_point_kernel_hash(note->point.algo, hash);
    if (strcmp(hash, record->kernel) != 0 ||
        !ncl_algo_legal(note->point.algo, note->point.v, &net->tasks[note->task].problem,
                        &t->device.caps))
        return false;
    return note->verdict != NCL_VERDICT_GOOD || (record->verified && !t->options.from_worst);
}

/* started: of these only what never ended. */
static ncl_status recall_known(struct ncl_tune_net *net, bool started)
{
    const struct ncl_caps *caps = &net->tuning->device.caps;
    const struct ncl_record_filter filter = {
        .platform = caps->platform, .device = caps->name, .driver = caps->driver};
    struct ncl_record_list list = {0};
    ncl_status status = ncl_records_find(net->tuning->store, &filter, &list);

    for (size_t i = 0; status == NCL_OK && i < list.count; i++) {
        struct ncl_search_note note;

        if ((started && list.records[i].verdict != NCL_VERDICT_STARTED) ||
            !note_of(net, &list.records[i], &note))
            continue;
        note.why = ncl_arena_text(&net->arena, list.records[i].why, strlen(list.records[i].why));
        if (!add_note(&net->known, &net->known_count, &net->known_capacity, &note))
            status = ncl_fail_memory(net->tuning->log, "what earlier runs measured");
    }
    ncl_record_list_free(&list);
    return status;
}

static ncl_status recall_seeds(struct ncl_tune_net *net)
{
    const struct ncl_tuning *t = net->tuning;

    for (int i = 0; i < net->count && !t->options.from_worst; i++) {
        struct ncl_point *seeds = ncl_arena_alloc(&net->arena, NCL_TUNE_SEEDS, sizeof *seeds);

        if (!seeds)
            return ncl_fail_memory(t->log, "points to try first");
        net->tasks[i].seed_count = ncl_portfolio(t->log, t->store, &net->tasks[i].problem,
                                                 &t->device.caps, seeds, NCL_TUNE_SEEDS);
        net->tasks[i].seeds = seeds;
    }
    return NCL_OK;
}

/* ---- the journal of a run, for resuming it ---- */

/* Seconds: for a resumed run to come to its end in, where its budget is used up. */
#define LEAST_BUDGET 1.0

/* Tuners of one network at a time: each has a journal of its own. */
#define NAMES 8

/* Of all that a run must share with an interrupted one to be its continuation, however long. */
static void write_name(const struct ncl_tune_net *net, int number, struct ncl_text *name)
{
    const struct ncl_tuning *t = net->tuning;
    struct ncl_text all = {0};
    char kernels[NCL_HASH_TEXT], hash[NCL_HASH_TEXT];

    ncl_kernels_hash(kernels);
    ncl_text_add(&all,
                 "tune %s cb%d %s %s seed%" PRIu64 " effort%d%s library %s kernels %s on %s, %s, "
                 "driver %s",
                 net->key, net->channel_block, net->precision == NCL_FP16 ? "fp16" : "fp32",
                 t->session.math == NCL_MATH_FAST ? "fast" : "reproducible", t->options.seed,
                 (int)t->options.effort, t->options.from_worst ? " from worst" : "",
                 NCL_VERSION_TEXT, kernels, t->device.caps.platform, t->device.caps.name,
                 t->device.caps.driver);
    if (number > 0)
        ncl_text_add(&all, ", beside %d others", number);
    if (!all.failed) {
        ncl_hash_text(ncl_hash_bytes(all.data, all.length), hash);
        ncl_text_add(name, "tune %s", hash);
    }
    name->failed |= all.failed;
    ncl_text_free(&all);
}

static bool has_journal(const struct ncl_tune_net *net, const char *name)
{
    struct ncl_text lines = {0};
    const bool has = ncl_store_journal_read(net->tuning->store, name, &lines);

    ncl_text_free(&lines);
    return has;
}

/* Takes the first name that no living run has; interrupted: and that an interrupted one left. */
static ncl_status take_name(struct ncl_tune_net *net, bool interrupted)
{
    for (int i = 0; i < NAMES && !net->name; i++) {
        struct ncl_text text = {0};
        bool wanted;

        write_name(net, i, &text);
        wanted = !text.failed && (!interrupted || has_journal(net, text.data));
        if (wanted && ncl_store_claim(net->tuning->store, text.data, &net->claim))
            net->name = ncl_arena_text(&net->arena, text.data, text.length);
        ncl_text_free(&text);
    }
    if (net->name || interrupted)
        return NCL_OK;
    return ncl_fail(net->tuning->log, NCL_ERROR_USAGE,
                    "%d others tune this network on this device already: there is no journal for "
                    "another one",
                    NAMES);
}

void ncl_tune_give_name_back(struct ncl_tune_net *net)
{
    if (net->name)
        ncl_store_unclaim(net->claim);
    net->name = NULL;
}

static void gather_line(struct ncl_text *text, char what, const struct ncl_search_note *note)
{
    const struct ncl_tune_line line = {what, *note};

    ncl_tune_write_line(&line, text);
    ncl_text_append(text, "", 1); /* ends the line */
}

static void add_line(struct ncl_tune_net *net, char what, const struct ncl_search_note *note)
{
    struct ncl_text text = {0};

    gather_line(&text, what, note);
    ncl_tune_put_lines(net, &text, false);
    ncl_text_free(&text);
}

/* What the search begins with: the whole budget, its starts, seeds and what it knows. */
static void gather_beginning(const struct ncl_tune_net *net, struct ncl_text *text)
{
    const struct ncl_search_note budget = {.seconds = net->tuning->options.budget_seconds};

    gather_line(text, 'h', &budget);
    for (int i = 0; i < net->count; i++) {
        struct ncl_search_note note = {
            .task = i, .point = net->tasks[i].start, .seconds = net->layers[i].standard_seconds};

        gather_line(text, 'w', &note);
        for (int k = 0; k < net->tasks[i].seed_count; k++) {
            note = (struct ncl_search_note){.task = i, .point = net->tasks[i].seeds[k]};
            gather_line(text, 's', &note);
        }
    }
    for (size_t i = 0; i < net->known_count; i++)
        gather_line(text, 'k', &net->known[i]);
}

static void begin_journal(struct ncl_tune_net *net)
{
    struct ncl_store *store = net->tuning->store;
    struct ncl_text text = {0};

    gather_beginning(net, &text);
    if (!ncl_tune_put_lines(net, &text, true) && ncl_store_is_writable(store)) {
        const char *reason = ncl_store_reason(store);

        ncl_note(net->tuning->log, NCL_LOG_WARNING,
                 "this run cannot be resumed so far, its journal could not be begun: %s",
                 reason             ? reason
                 : net->late.begins ? "the store was locked"
                                    : "memory ran out");
        if (!net->late.begins)
            ncl_store_journal_clear(store, net->name); /* nothing is to follow another's lines */
    }
    ncl_text_free(&text);
}

static ncl_status add_event(struct ncl_tune_net *net, const struct ncl_search_note *note)
{
    const double before = net->event_count ? net->events[net->event_count - 1].at : 0;
    struct ncl_tune_event *event;

    if (!ncl_grow((void **)&net->events, &net->event_capacity, net->event_count,
                  sizeof *net->events))
        return ncl_fail_memory(net->tuning->log, "a measurement");
    event = &net->events[net->event_count++];
    *event = (struct ncl_tune_event){*note, before + note->cost};
    event->note.why =
        ncl_arena_text(&net->arena, note->why ? note->why : "", note->why ? strlen(note->why) : 0);
    return event->note.why ? NCL_OK : ncl_fail_memory(net->tuning->log, "a measurement");
}

/* Lets notes of an interrupted run count as this one's. */
static ncl_status replay(struct ncl_tune_net *net)
{
    ncl_status status = NCL_OK;

    for (size_t i = 0; status == NCL_OK && i < net->resumed_count; i++)
        status = add_event(net, &net->resumed[i]);
    return status;
}

ncl_status ncl_tune_begin(struct ncl_tune_net *net)
{
    const ncl_status status = net->name ? NCL_OK : take_name(net, false);

    if (status != NCL_OK)
        return status;
    if (!net->resumed_count) {
        begin_journal(net);
        net->budget_known = false; /* of a run that had measured nothing */
    }
    net->journalled = true;
    return replay(net);
}

double ncl_tune_spent(const struct ncl_tune_net *net)
{
    return net->event_count ? net->events[net->event_count - 1].at : 0;
}

void ncl_tune_set_budget(struct ncl_tune_net *net, double seconds)
{
    const struct ncl_search_note budget = {.cost = seconds > 0 ? seconds + ncl_tune_spent(net) : 0};

    if (net->budget_known)
        return;
    net->search_budget = budget.cost;
    net->budget_known = true;
    add_line(net, 'b', &budget);
    if (net->resumed_count) { /* with another budget than the interrupted run's */
        const struct ncl_search_note whole = {.seconds = net->tuning->options.budget_seconds +
                                                         net->resumed_seconds};

        add_line(net, 'h', &whole);
    }
}

static bool take_seed(struct ncl_tune_net *net, const struct ncl_search_note *note)
{
    struct ncl_task *task = &net->tasks[note->task];
    struct ncl_point *seeds = (struct ncl_point *)task->seeds;

    if (!seeds)
        seeds = ncl_arena_alloc(&net->arena, NCL_TUNE_SEEDS, sizeof *seeds);
    task->seeds = seeds;
    if (!seeds || task->seed_count >= NCL_TUNE_SEEDS)
        return false;
    seeds[task->seed_count++] = note->point;
    return true;
}

static bool take_line(struct ncl_tune_net *net, const struct ncl_tune_line *line)
{
    const bool about_budget = line->what == 'h' || line->what == 'b';
    struct ncl_search_note note = line->note;

    if (note.task < 0 || note.task >= net->count || (!about_budget && !note.point.algo))
        return false;
    note.why = ncl_arena_text(&net->arena, note.why, strlen(note.why));
    switch (line->what) {
    case 'h':
        net->whole_budget = note.seconds;
        return true;
    case 'b':
        net->search_budget = note.cost;
        net->budget_known = true;
        return true;
    case 'w':
        net->recalled_starts++;
        net->tasks[note.task].start = note.point;
        net->layers[note.task].standard_seconds = note.seconds;
        return true;
    case 's':
        return take_seed(net, &note);
    case 'k':
        return add_note(&net->known, &net->known_count, &net->known_capacity, &note);
    case 'n':
        net->resumed_seconds += note.cost;
        return add_note(&net->resumed, &net->resumed_count, &net->resumed_capacity, &note);
    default:
        return false;
    }
}

static bool read_journal(struct ncl_tune_net *net, char *lines)
{
    char *end;

    for (char *at = lines; *at; at = end) {
        struct ncl_tune_line line;

        end = strchr(at, '\n');
        if (!end)
            return false;
        *end++ = 0;
        if (!ncl_tune_read_line(at, &line) || !take_line(net, &line))
            return false;
    }
    return net->recalled_starts == net->count;
}

/* A run with a budget of its own takes that long; else the interrupted one's is what there is. */
static void go_on_with_budget(struct ncl_tune_net *net)
{
    struct ncl_tuning *t = net->tuning;
    const double rest = net->whole_budget - net->resumed_seconds;

    if (t->budget_given && t->options.budget_seconds != net->whole_budget)
        net->budget_known = false;
    else if (net->whole_budget > 0)
        t->options.budget_seconds = rest > LEAST_BUDGET ? rest : LEAST_BUDGET;
}

/* false: there is no interrupted run, or its journal is not to be understood. */
static bool recall_journal(struct ncl_tune_net *net)
{
    struct ncl_text lines = {0};
    bool good = take_name(net, true) == NCL_OK && net->name &&
                ncl_store_journal_read(net->tuning->store, net->name, &lines) && lines.data &&
                !lines.failed && read_journal(net, lines.data);

    ncl_text_free(&lines);
    if (good)
        go_on_with_budget(net);
    else
        ncl_note(
            net->tuning->log, NCL_LOG_WARNING,
            "there is no interrupted run of this network, seed and effort on this device to go "
            "on with: a new one begins");
    return good;
}

/* A journal that did not read must leave nothing behind. */
static void forget_journal(struct ncl_tune_net *net)
{
    ncl_tune_give_name_back(net);
    net->known_count = net->resumed_count = 0;
    net->recalled_starts = 0;
    net->resumed_seconds = net->search_budget = net->whole_budget = 0;
    net->budget_known = false;
    for (int i = 0; i < net->count; i++) {
        net->tasks[i].seeds = NULL;
        net->tasks[i].seed_count = 0;
        net->tasks[i].start = net->layers[i].standard;
    }
}

/* Linux's word for it. */
static void read_boot(struct ncl_tuning *t)
{
    FILE *file = t->boot[0] ? NULL : fopen("/proc/sys/kernel/random/boot_id", "re");

    if (file && !fgets(t->boot, sizeof t->boot, file))
        t->boot[0] = '\0';
    if (file)
        fclose(file);
    t->boot[strcspn(t->boot, "\n")] = '\0';
}

/* A resumed run knows what it did when it began, and what seems to have ended it. */
ncl_status ncl_tune_recall(struct ncl_tune_net *net)
{
    ncl_status status;

    read_boot(net->tuning);
    if (net->tuning->options.resume && recall_journal(net))
        return recall_known(net, true);
    forget_journal(net);
    status = recall_seeds(net);
    return status == NCL_OK ? recall_known(net, false) : status;
}

ncl_status ncl_tune_remember(struct ncl_tune_net *net, const struct ncl_search_note *note)
{
    ncl_tune_record(net, note);
    add_line(net, 'n', note);
    return add_event(net, note);
}

void ncl_tune_end_journal(const struct ncl_tune_net *net)
{
    if (net->journalled)
        ncl_store_journal_clear(net->tuning->store, net->name);
}
