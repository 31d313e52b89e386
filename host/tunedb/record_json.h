/* A record as a JSON object: for files (jsonl.h) and reports. */
#ifndef NCL_TUNEDB_RECORD_JSON_H
#define NCL_TUNEDB_RECORD_JSON_H

#include "tunedb/record.h"
#include <jansson.h>

#define NCL_JSON_DIGITS JSON_REAL_PRECISION(6) /* of times: no clock is better */

/* Keys in documented order. report: all of them, with the record's own origin; else without those
 * that have their default value. NULL: memory ran out. */
json_t *ncl_record_json(const struct ncl_record *record, bool report);
#define NCL_FLAW_BYTES 320
/* The record in an object of a file. Its texts are those of `object`. What is wrong with it, as a
 * line in `flaw`: member, expected, found; "": nothing. Unknown keys are ignored. */
void ncl_record_from_json(const json_t *object, struct ncl_record *record,
                          char flaw[NCL_FLAW_BYTES]);
/* Drivers put any bytes into names, users into paths: what is no UTF-8, or would act on a terminal,
 * becomes '?'. NULL: memory ran out. */
json_t *ncl_json_text(const char *text);
/* "KEY: expected RULE, found VALUE" */
void ncl_json_flaw(char flaw[NCL_FLAW_BYTES], const char *key, const char *rule,
                   const json_t *value);

#endif
