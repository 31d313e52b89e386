/* What the store does not take at once: another process may have it locked, as a large import does,
 * or its disk may be full. It is kept here, in order, and put before what comes next. */
#include "session/tune_parts.h"

#include "base/clock.h"
#include "tunedb/store.h"

#include <stdlib.h>
#include <string.h>

/* Seconds that a run waits at its end, all in all, for a store that is locked. */
#define PATIENCE 10.0
/* A try takes as long as the store waits for a lock, two seconds: no more often than that. */
#define PAUSE_NS UINT64_C(1000000000)

/* Of the last call, which failed: a reason of the store's may pass, what is wrong with a record or
 * a line does not. */
static bool may_pass(const struct ncl_tune_net *net)
{
    struct ncl_store *store = net->tuning->store;

    return ncl_store_is_writable(store) && ncl_store_reason(store);
}

/* Of what the store has not: is it to be tried again? tried: that was the last call. */
static bool is_late(struct ncl_tune_net *net, bool tried)
{
    if (tried && !may_pass(net))
        return false;
    if (tried)
        net->late.tried = ncl_clock_ns();
    return true;
}

static bool put_records(struct ncl_tune_net *net)
{
    struct ncl_tune_late *late = &net->late;

    for (; late->put < late->records.count; late->put++)
        if (!ncl_records_put(net->tuning->store, &late->records.records[late->put]) &&
            may_pass(net))
            return false;
    ncl_record_list_free(&late->records);
    late->put = 0;
    return true;
}

/* lines: each ends with a NUL. */
static bool write_lines(const struct ncl_tune_net *net, const struct ncl_text *lines, bool begins)
{
    struct ncl_store *store = net->tuning->store;
    const char **each;
    size_t count = 0;
    bool written;

    for (size_t at = 0; at < lines->length; at++)
        count += lines->data[at] == '\0';
    each = ncl_alloc(count + 1, sizeof *each);
    if (!each)
        return false;
    for (size_t at = 0, i = 0; i < count; at += strlen(each[i++]) + 1)
        each[i] = lines->data + at;
    written = begins ? ncl_store_journal_begin(store, net->name, each, count)
                     : ncl_store_journal_add(store, net->name, each, count);
    free(each);
    return written;
}

static bool put_lines(struct ncl_tune_net *net)
{
    struct ncl_tune_late *late = &net->late;

    if (late->lines.length && !write_lines(net, &late->lines, late->begins) && may_pass(net))
        return false;
    ncl_text_free(&late->lines);
    late->begins = false;
    return true;
}

static bool has_late(const struct ncl_tune_late *late)
{
    return late->put < late->records.count || late->lines.length;
}

static bool write_late(struct ncl_tune_net *net)
{
    const bool written = put_records(net) && put_lines(net);

    net->late.tried = written ? 0 : ncl_clock_ns();
    return written;
}

bool ncl_tune_write_late(struct ncl_tune_net *net)
{
    const struct ncl_tune_late *late = &net->late;

    if (!has_late(late))
        return true;
    return ncl_clock_ns() - late->tried >= PAUSE_NS && write_late(net);
}

void ncl_tune_put(struct ncl_tune_net *net, const struct ncl_record *record)
{
    struct ncl_store *store = net->tuning->store;
    const bool first = ncl_tune_write_late(net);

    if (first && ncl_records_put(store, record))
        return;
    if (is_late(net, first) ? !ncl_record_list_add(&net->late.records, record)
                            : ncl_store_is_writable(store))
        net->unkept++;
}

bool ncl_tune_put_lines(struct ncl_tune_net *net, const struct ncl_text *lines, bool begins)
{
    struct ncl_tune_late *late = &net->late;
    const bool first = ncl_tune_write_late(net);

    if (lines->failed)
        return false;
    if (first && write_lines(net, lines, begins))
        return true;
    if (is_late(net, first)) {
        late->begins |= begins;
        ncl_text_append(&late->lines, lines->data, lines->length);
    }
    return false;
}

/* Nothing is written: it fails as long as another process has the lock. */
static bool is_unlocked(const struct ncl_tune_net *net)
{
    return ncl_store_journal_add(net->tuning->store, "", NULL, 0);
}

bool ncl_tune_settle(struct ncl_tune_net *net)
{
    struct ncl_store *store = net->tuning->store;
    const bool usable = store && ncl_store_is_active(store);

    for (;;) {
        const uint64_t before = ncl_clock_ns();

        if (write_late(net) && (!usable || is_unlocked(net)))
            return true;
        net->late.waited += (double)(ncl_clock_ns() - before) * 1e-9;
        if (net->late.waited >= PATIENCE || !ncl_store_is_active(store))
            return false;
    }
}

void ncl_tune_drop_late(struct ncl_tune_net *net)
{
    struct ncl_tune_late *late = &net->late;
    const size_t left = late->records.count - late->put;

    if (left) {
        const char *reason = ncl_store_reason(net->tuning->store);

        ncl_note(net->tuning->log, NCL_LOG_WARNING,
                 "%zu record%s of what was measured could not be written: %s", left,
                 left == 1 ? "" : "s", reason ? reason : "the store was locked");
    }
    net->unkept += (int)left;
    ncl_record_list_free(&late->records);
    ncl_text_free(&late->lines);
    late->put = 0;
    late->begins = false;
}
