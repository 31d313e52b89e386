/* The members of a record as a table: keys of JSON, columns of the store, in documented order;
 * internal to tunedb. */
#ifndef NCL_TUNEDB_FIELDS_H
#define NCL_TUNEDB_FIELDS_H

#include "tunedb/record.h"

#define NCL_LONGEST_LAUNCH 1e6 /* seconds */

enum ncl_field_kind {
    NCL_FIELD_TEXT,
    NCL_FIELD_INT,
    NCL_FIELD_REAL,
    NCL_FIELD_FLAG,
    NCL_FIELD_VERDICT,
    NCL_FIELD_ORIGIN,
    NCL_FIELD_SEED,
    NCL_FIELD_UTC
};

struct ncl_field {
    const char *name;
    enum ncl_field_kind kind;
    size_t offset;
    size_t most; /* bytes of a text */
};

#define NCL_FIELD_COUNT 23
extern const struct ncl_field ncl_fields[NCL_FIELD_COUNT];

/* The member of the field's type: const char *, int, double, bool, enum, uint64_t or int64_t. */
static inline void *ncl_field_of(struct ncl_record *record, const struct ncl_field *field)
{
    return (char *)record + field->offset;
}
static inline const char *ncl_field_text(const struct ncl_record *record,
                                         const struct ncl_field *field)
{
    return *(const char *const *)((const char *)record + field->offset);
}

/* What is wrong with a record that came from outside, in words; NULL: nothing. */
const char *ncl_record_flaw(const struct ncl_record *record);
/* As ncl_record_list_sort does, records[first..]. */
void ncl_record_list_sort_from(struct ncl_record_list *list, size_t first);
/* 0: of one device, driver and problem. */
int ncl_record_compare_problems(const struct ncl_record *a, const struct ncl_record *b);
/* 0: one record takes the other's place. */
int ncl_record_compare_points(const struct ncl_record *a, const struct ncl_record *b);

#endif
