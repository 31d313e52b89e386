/* The records of a store as its last search found them. */
#ifndef NCL_TESTS_TUNEDB_FOUND_H
#define NCL_TESTS_TUNEDB_FOUND_H

#include "place.h"

static struct ncl_record_list found; /* by the last search */

static inline void search(struct ncl_store *store, const struct ncl_record_filter *filter)
{
    ncl_record_list_free(&found);
    ck_assert_int_eq(ncl_records_find(store, filter, &found), NCL_OK);
}

static inline void search_all(struct ncl_store *store)
{
    search(store, &(struct ncl_record_filter){0});
}

/* The one record of the store. */
static inline const struct ncl_record *only(struct ncl_store *store)
{
    search_all(store);
    ck_assert_uint_eq(found.count, 1);
    return &found.records[0];
}

static inline void end(struct ncl_store *store)
{
    ncl_record_list_free(&found);
    ncl_store_close(store);
}

#endif
