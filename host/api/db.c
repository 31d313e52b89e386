/* The user's tuning records: report, export, import, merge, clear. */
#include "api/context.h"

#include "base/file.h"
#include "session/report.h"
#include "tunedb/jsonl.h"
#include "tunedb/record_json.h"
#include "tunedb/records.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* A store for one call: the context's, or, where that has none since it was opened without a
 * device, one opened for the occasion. */
struct borrowed {
    struct ncl_store *store, *own;
    struct ncl_log log;
    char said[1024]; /* by the store opened here */
};

static void hold(void *user, ncl_log_level level, const char *message)
{
    struct borrowed *borrowed = user;

    (void)level;
    snprintf(borrowed->said, sizeof borrowed->said, "%s", message);
}

/* A store that gives nothing has been the failure itself: said once. */
static void give_back(struct ncl_context *context, struct borrowed *borrowed)
{
    const bool usable = ncl_store_path(borrowed->store) != NULL;

    ncl_store_close(borrowed->own);
    if (usable && borrowed->said[0])
        ncl_note(&context->log, NCL_LOG_WARNING, "%s", borrowed->said);
}

/* Names the store's file and why, and what that means. */
static ncl_status fail_store(struct ncl_context *context, struct ncl_store *store,
                             const char *meaning)
{
    const char *reason = ncl_store_reason(store);

    return reason ? ncl_fail(&context->log, NCL_ERROR_INPUT, "%s: %s", reason, meaning)
                  : ncl_fail(&context->log, NCL_ERROR_INPUT, "%s/nextcl.db: %s", context->cache_dir,
                             meaning);
}

static ncl_status borrow(struct ncl_context *context, struct borrowed *borrowed)
{
    ncl_status status = NCL_OK;

    *borrowed = (struct borrowed){
        .store = context->store,
        .log = {.write = hold, .user = borrowed, .level = NCL_LOG_WARNING},
    };
    if (!context->cache_dir)
        return ncl_fail(&context->log, NCL_ERROR_USAGE,
                        "tuning records: the cache is off, or neither $NEXTCL_CACHE_DIR, "
                        "$XDG_CACHE_HOME nor $HOME says where it is");
    if (!borrowed->store) {
        status = ncl_store_open(&borrowed->log, context->cache_dir, &borrowed->own);
        borrowed->store = borrowed->own;
    }
    if (status == NCL_OK && !ncl_store_path(borrowed->store)) {
        status = fail_store(context, borrowed->store, "it cannot be used");
        give_back(context, borrowed);
    }
    return status;
}

static ncl_status read_file(const struct ncl_log *log, const char *path,
                            struct ncl_record_list *list)
{
    struct ncl_file_map map;
    ncl_status status = ncl_file_map(log, path, &map);

    if (status != NCL_OK)
        return status;
    status = ncl_jsonl_read(log, path, (const char *)map.data, map.size, list);
    ncl_file_unmap(&map);
    return status;
}

static ncl_status write_file(const struct ncl_log *log, const char *path,
                             struct ncl_record_list *list)
{
    struct ncl_text text = {0};
    ncl_status status = ncl_jsonl_write(log, list, &text);
    const struct ncl_file_part part = {text.data, text.length};

    if (status == NCL_OK)
        status = ncl_file_write(log, path, &part, text.length ? 1 : 0);
    ncl_text_free(&text);
    return status;
}

static ncl_status find_all(struct ncl_context *context, const struct borrowed *borrowed,
                           struct ncl_record_list *list)
{
    const struct ncl_record_filter everything = {0};
    const ncl_status status = ncl_records_find(borrowed->store, &everything, list);

    /* It may have failed only now: an empty file must not replace a good one. */
    return status == NCL_OK && !ncl_store_path(borrowed->store)
               ? fail_store(context, borrowed->store, "it cannot be read")
               : status;
}

static ncl_status export_records(struct ncl_context *context, bool minimal, const char *path,
                                 size_t *records)
{
    struct ncl_record_list all = {0}, some = {0};
    struct ncl_record_list *list = minimal ? &some : &all;
    struct borrowed borrowed;
    ncl_status status = borrow(context, &borrowed);

    if (status != NCL_OK)
        return status;
    status = find_all(context, &borrowed, &all);
    if (status == NCL_OK && minimal)
        status = ncl_jsonl_minimal(&context->log, &all, &some);
    if (status == NCL_OK)
        status = write_file(&context->log, path, list);
    *records = list->count;
    ncl_record_list_free(&all);
    ncl_record_list_free(&some);
    give_back(context, &borrowed);
    return status;
}

static ncl_status read_files(struct ncl_context *context, const char *const *paths, size_t count,
                             struct ncl_record_list *list)
{
    ncl_status status = NCL_OK;

    for (size_t i = 0; i < count && status == NCL_OK; i++)
        status = read_file(&context->log, paths[i], list);
    return status;
}

/* What another machine found is a hint: it was not verified here. */
static ncl_status keep_imported(struct ncl_context *context, struct ncl_record_list *list,
                                size_t *changed)
{
    struct borrowed borrowed;
    ncl_status status = borrow(context, &borrowed);

    if (status != NCL_OK)
        return status;
    ncl_record_list_unite(list);
    for (size_t i = 0; i < list->count; i++) {
        list->records[i].verified = false;
        if (list->records[i].origin != NCL_ORIGIN_ANALYTIC)
            list->records[i].origin = NCL_ORIGIN_IMPORTED;
    }
    if (!ncl_records_put_counted(borrowed.store, list->records, list->count, changed))
        status = fail_store(context, borrowed.store, "no record was imported");
    else if (*changed < list->count)
        ncl_note(&context->log, NCL_LOG_WARNING,
                 "%zu of %zu records were not imported: what was measured or verified here, or is "
                 "newer, stays",
                 list->count - *changed, list->count);
    give_back(context, &borrowed);
    return status;
}

static ncl_status import_records(struct ncl_context *context, const char *const *paths,
                                 size_t count, size_t *records)
{
    struct ncl_record_list list = {0};
    ncl_status status = read_files(context, paths, count, &list);

    if (status == NCL_OK)
        status = keep_imported(context, &list, records);
    ncl_record_list_free(&list);
    return status;
}

static ncl_status merge_files(struct ncl_context *context, const char *const *paths, size_t count,
                              size_t *records)
{
    const size_t first = access(paths[0], F_OK) == 0 ? 0 : 1;
    struct ncl_record_list list = {0};
    ncl_status status = read_files(context, paths + first, count - first, &list);

    if (status == NCL_OK) {
        ncl_record_list_unite(&list);
        status = write_file(&context->log, paths[0], &list);
    }
    *records = list.count;
    ncl_record_list_free(&list);
    return status;
}

static ncl_status clear_records(struct ncl_context *context, size_t *records)
{
    const struct ncl_record_filter everything = {0};
    struct borrowed borrowed;
    ncl_status status = borrow(context, &borrowed);

    if (status != NCL_OK)
        return status;
    if (!ncl_records_delete(borrowed.store, &everything, records) ||
        !ncl_store_journal_clear(borrowed.store, NULL) || !ncl_store_notes_clear(borrowed.store))
        status = fail_store(context, borrowed.store, "not all was deleted");
    give_back(context, &borrowed);
    return status;
}

static ncl_status check_paths(ncl_db_action action, const char *const *paths, size_t count)
{
    static const size_t least[] = {1, 1, 1, 2, 0}, most[] = {1, 1, SIZE_MAX, SIZE_MAX, 0};

    if ((unsigned)action > NCL_DB_CLEAR)
        return ncl_fail(NULL, NCL_ERROR_USAGE, "ncl_db: unknown action %d", (int)action);
    if (count < least[action] || count > most[action])
        return ncl_fail(NULL, NCL_ERROR_USAGE, "ncl_db: action %d with %zu paths, expected %s",
                        (int)action, count,
                        action == NCL_DB_CLEAR    ? "none"
                        : action == NCL_DB_MERGE  ? "at least 2"
                        : action == NCL_DB_IMPORT ? "at least 1"
                                                  : "1");
    for (size_t i = 0; i < count; i++)
        if (!paths || !paths[i])
            return ncl_fail_null("ncl_db");
    return NCL_OK;
}

ncl_status ncl_db(ncl_context *context, ncl_db_action action, const char *const *paths,
                  size_t path_count, size_t *records)
{
    size_t count = 0;
    ncl_status status;

    if (records)
        *records = 0;
    if (!context)
        return ncl_fail_null("ncl_db");
    status = check_paths(action, paths, path_count);
    if (status == NCL_OK) {
        switch (action) {
        case NCL_DB_EXPORT:
        case NCL_DB_MINIMAL:
            status = export_records(context, action == NCL_DB_MINIMAL, paths[0], &count);
            break;
        case NCL_DB_IMPORT:
            status = import_records(context, paths, path_count, &count);
            break;
        case NCL_DB_MERGE:
            status = merge_files(context, paths, path_count, &count);
            break;
        case NCL_DB_CLEAR:
            status = clear_records(context, &count);
            break;
        }
    }
    if (records && status == NCL_OK)
        *records = count;
    return status;
}

/* NULL: memory ran out. */
static json_t *describe(struct ncl_store *store, const struct ncl_record_list *list)
{
    const size_t rows = ncl_records_count(store);
    const char *path = ncl_store_path(store);
    json_t *records = json_array();
    int failed = records == NULL;

    for (size_t i = 0; i < list->count && !failed; i++)
        failed = json_array_append_new(records, ncl_record_json(&list->records[i], true));
    if (failed) {
        json_decref(records);
        return NULL;
    }
    return json_pack("{s:o, s:o, s:I}", "path", path ? ncl_json_text(path) : json_null(), "records",
                     records, "passed_over",
                     (json_int_t)(rows > list->count ? rows - list->count : 0));
}

ncl_status ncl_db_report(struct ncl_context *context, char **json)
{
    struct ncl_record_list list = {0};
    struct borrowed borrowed;
    ncl_status status = borrow(context, &borrowed);

    if (status != NCL_OK)
        return status;
    status = find_all(context, &borrowed, &list);
    if (status == NCL_OK)
        status = ncl_report_dump(&context->log, describe(borrowed.store, &list), json);
    ncl_record_list_free(&list);
    give_back(context, &borrowed);
    return status;
}
