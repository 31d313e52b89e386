#include "cli/cli.h"

#define LAYERS 16 /* of NET */

static const char *text(const json_t *object, const char *key)
{
    const char *found = json_string_value(json_object_get(object, key));

    return found ? found : "";
}

/* The layers that are explained. */
static json_t *explain(const char *layer)
{
    json_t *root, *layers;

    MUST_WORK("explain %s %s --json", NET, layer);
    root = said_json();
    layers = json_incref(json_object_get(root, "layers"));
    ck_assert(json_is_array(layers));
    json_decref(root);
    return layers;
}

START_TEST(every_key_is_there)
{
    json_t *layers;

    use_store("keys");
    layers = explain("");
    ck_assert_uint_eq(json_array_size(layers), LAYERS);
    for (size_t i = 0; i < LAYERS; i++) {
        const json_t *layer = json_array_get(layers, i);

        must_have(layer, "index name op kind algorithm params source ms runner_up");
        ck_assert_int_eq(json_integer_value(json_object_get(layer, "index")), (json_int_t)i);
        ck_assert(json_number_value(json_object_get(layer, "ms")) > 0);
        ck_assert_str_eq(text(layer, "source"), "default");
    }
    json_decref(layers);
}
END_TEST

START_TEST(one_layer)
{
    json_t *layers = explain("3"), *same, *parts;
    char name[256];

    ck_assert_uint_eq(json_array_size(layers), 1);
    snprintf(name, sizeof name, "%s", text(json_array_get(layers, 0), "name"));
    same = explain(name);
    ck_assert_uint_eq(json_array_size(same), 1);
    ck_assert_str_eq(text(json_array_get(same, 0), "name"), name);
    parts = explain("CONV2");
    ck_assert_uint_gt(json_array_size(parts), 1);
    for (size_t i = 0; i < json_array_size(parts); i++)
        ck_assert_ptr_nonnull(strstr(text(json_array_get(parts, i), "name"), "conv2"));
    MUST_WORK("explain %s 3", NET);
    ck_assert_ptr_nonnull(strstr(said.out, name));
    ck_assert_ptr_nonnull(strstr(said.out, "runs  "));
    MUST_WORK("explain %s", NET);
    ck_assert_ptr_nonnull(strstr(said.out, "default"));
    json_decref(layers);
    json_decref(same);
    json_decref(parts);
}
END_TEST

START_TEST(no_such_layer)
{
    MUST_FAIL(2, "conv2", "explain %s blocks.0/cnov2", NET);
    MUST_FAIL(2, "up to 15", "explain %s 16", NET);
    MUST_FAIL(2, "up to 15", "explain %s 99999999999999999999", NET);
    MUST_FAIL(2, "such as", "explain %s zzz", NET);
    MUST_FAIL(2, "unexpected", "explain %s 1 2", NET);
    MUST_FAIL(2, "MODEL", "explain");
    MUST_FAIL(3, "none.onnx", "explain none.onnx");
}
END_TEST

/* What tuning found is what runs, and it is said to be so. */
START_TEST(after_tuning)
{
    json_t *layers;
    size_t tuned = 0;

    use_store("tuned");
    MUST_WORK("tune %s --budget 3s --quiet", NET);
    layers = explain("");
    for (size_t i = 0; i < json_array_size(layers); i++) {
        const json_t *layer = json_array_get(layers, i);

        if (strcmp(text(layer, "source"), "tuned") == 0) {
            must_have(layer, "record_ms default_ms origin");
            tuned++;
        }
    }
    ck_assert_uint_gt(tuned, 0);
    json_decref(layers);
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("explain");

    tcase_add_test(tests, every_key_is_there);
    tcase_add_test(tests, one_layer);
    tcase_add_test(tests, no_such_layer);
    tcase_add_test(tests, after_tuning);
    return cli_suite(tests, "explain");
}
