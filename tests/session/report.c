#include "session/session.h"

#include "support/fixture.h"
#include "support/suite.h"

#include <jansson.h>

static json_t *parse(char *json)
{
    json_t *root = json_loads(json, 0, NULL);

    ck_assert_ptr_nonnull(root);
    free(json);
    return root;
}

static double number(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);

    ck_assert_msg(json_is_number(value), "%s", key);
    return json_number_value(value);
}

START_TEST(inspection_needs_no_device)
{
    struct ncl_onnx *model;
    char *json;
    json_t *root, *layers;
    double macs = 0;

    MUST(ncl_onnx_load(NULL, "tests/data/resnext_folded.onnx", &model));
    MUST(ncl_graph_report(model->graph, NULL, 8, &json));
    root = parse(json);
    layers = json_object_get(root, "layers");
    ck_assert_uint_eq(json_array_size(layers), (size_t)number(root, "launches"));
    for (size_t i = 0; i < json_array_size(layers); i++)
        macs += number(json_array_get(layers, i), "macs");
    ck_assert(macs > 1e6 && macs == number(root, "macs"));
    ck_assert(number(root, "parameters") > 1000 && number(root, "arena_bytes") > 0);
    ck_assert(number(root, "nodes_optimised") < number(root, "nodes"));
    /* Shapes of outputs are known even where the file does not tell them. */
    ck_assert_uint_eq(json_array_size(json_object_get(
                          json_array_get(json_object_get(root, "outputs"), 0), "shape")),
                      2);
    json_decref(root);
    ncl_onnx_free(model);
}
END_TEST

START_TEST(session_and_devices)
{
    static const char *const keys[] = {"name", "op", "kind", "algorithm", "params", "source"};
    struct fixture f;
    struct ncl_session *session;
    char *json;
    json_t *root, *list;

    fixture_open(&f, FIXTURE_RESIDUALS, false);
    session = fixture_session(&f);
    MUST(ncl_session_report(session, &json));
    root = parse(json);
    list = json_object_get(root, "layers");
    ck_assert_uint_eq(json_array_size(list), (size_t)session->schedule->step_count);
    for (size_t i = 0; i < json_array_size(list); i++)
        for (size_t k = 0; k < sizeof keys / sizeof keys[0]; k++)
            ck_assert(json_is_string(json_object_get(json_array_get(list, i), keys[k])));
    json_decref(root);
    MUST(ncl_devices_report(NULL, &f.list, &json));
    root = parse(json);
    list = json_object_get(root, "devices");
    ck_assert_uint_eq(json_array_size(list), f.list.count);
    ck_assert_str_eq(json_string_value(json_object_get(json_array_get(list, 0), "name")),
                     f.list.entries[0].caps.name);
    json_decref(root);
    ncl_session_destroy(session);
    fixture_close(&f);
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("report");

    tcase_add_test(tests, inspection_needs_no_device);
    tcase_add_test(tests, session_and_devices);
    return ncl_run_suite(tests, "report");
}
