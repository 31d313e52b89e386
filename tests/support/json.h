/* Members of reports, which must be there and of their kind. */
#ifndef NCL_TESTS_JSON_H
#define NCL_TESTS_JSON_H

#include <check.h>
#include <jansson.h>
#include <stdbool.h>

static inline const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));

    ck_assert_msg(text != NULL, "no text '%s'", key);
    return text;
}

static inline double number_of(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);

    ck_assert_msg(json_is_number(value), "no number '%s'", key);
    return json_number_value(value);
}

static inline bool flag_of(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);

    ck_assert_msg(json_is_boolean(value), "no flag '%s'", key);
    return json_is_true(value);
}

#endif
