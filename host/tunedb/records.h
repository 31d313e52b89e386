/* Records in the user's store. One row per device, driver, kernel, problem, algorithm and params; a
 * later measurement replaces the earlier one. Written at once and durably: after ncl_records_put
 * returned true, kill -9 does not lose the record, nor does a power cut lose more than the last
 * few. A store that cannot be written warns once and keeps nothing; tuning goes on. */
#ifndef NCL_TUNEDB_RECORDS_H
#define NCL_TUNEDB_RECORDS_H

#include "base/text.h"
#include "tunedb/record.h"
#include "tunedb/store.h"

/* Any member NULL: whatever its value. */
struct ncl_record_filter {
    const char *platform, *device, *driver, *klass, *kernel, *problem, *algorithm, *params;
    bool good_only, chosen_only;
};
/* Finds the one row that a record of these keys has. Borrows their strings. */
struct ncl_record_filter ncl_record_row(const struct ncl_record *keys);

/* Inserts or replaces. What was MEASURED replaces any row, whatever its utc, but a STARTED record
 * no GOOD one. A record of another origin replaces one of another origin that is no newer, or any
 * such once it was verified here; what was MEASURED only if that was STARTED and this was verified
 * here. Where nothing is replaced, that is a success. A record that is put as chosen is the only
 * one; one that was chosen stays it when measured good again. false: not kept. store may be NULL.
 */
bool ncl_records_put(struct ncl_store *store, const struct ncl_record *record);
/* Several in one transaction: all or none. */
bool ncl_records_put_all(struct ncl_store *store, const struct ncl_record *records, size_t count);
/* The same, and no power cut loses them: waits for the disk. */
bool ncl_records_put_synced(struct ncl_store *store, const struct ncl_record *records,
                            size_t count);
/* The same; *changed: how many were inserted or replaced what was there. */
bool ncl_records_put_counted(struct ncl_store *store, const struct ncl_record *records,
                             size_t count, size_t *changed);
/* Makes the record of these keys the only chosen one of its device, driver and problem, in one
 * transaction. NULL algorithm: none is. false: there is no such GOOD record, and nothing changed.
 */
bool ncl_records_choose(struct ncl_store *store, const struct ncl_record *keys);
/* Changes nothing but verdict and why of the record of these keys, whatever its origin and utc: an
 * imported record that is tried for the first time is STARTED and stays an import. What is not GOOD
 * is no longer verified; nor chosen, unless STARTED. false: there is no such record, why is too
 * long (255 bytes), or the store failed; nothing changed. */
bool ncl_records_mark(struct ncl_store *store, const struct ncl_record *keys,
                      enum ncl_verdict verdict, const char *why);
/* Appends what matches, sorted in itself; rows that no record can have are passed over. NCL_OK with
 * nothing where there is no store to read; NCL_ERROR_INPUT where reading failed. */
ncl_status ncl_records_find(struct ncl_store *store, const struct ncl_record_filter *filter,
                            struct ncl_record_list *list);
/* Rows, those that ncl_records_find passes over too. */
size_t ncl_records_count(struct ncl_store *store);
/* Deletes what matches; *deleted may be NULL. */
bool ncl_records_delete(struct ncl_store *store, const struct ncl_record_filter *filter,
                        size_t *deleted);

/* Small notes of the store's own, such as a hint that was given once. false: not there. */
bool ncl_store_note_get(struct ncl_store *store, const char *key, struct ncl_text *value);
bool ncl_store_note_put(struct ncl_store *store, const char *key, const char *value);
bool ncl_store_notes_clear(struct ncl_store *store);

/* Journals of tuning runs, as durable as records: lines in the order in which they were added, in
 * one transaction each time. A line has no newline; read gives each one. A run's name has at most
 * 256 bytes. */
bool ncl_store_journal_add(struct ncl_store *store, const char *run, const char *const *lines,
                           size_t count);
/* The same, in the place of what the run's journal held. */
bool ncl_store_journal_begin(struct ncl_store *store, const char *run, const char *const *lines,
                             size_t count);
/* false: none there. */
bool ncl_store_journal_read(struct ncl_store *store, const char *run, struct ncl_text *lines);
bool ncl_store_journal_clear(struct ncl_store *store, const char *run); /* NULL: all runs' */

#endif
