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
    ck_assert_str_eq(json_string_value(json_object_get(root, "precision")), "fp32");
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

/* What is reported of a device; decref it. */
static json_t *describe(struct ncl_caps caps)
{
    struct ncl_device_entry entry = {.caps = caps};
    const struct ncl_device_list list = {.entries = &entry, .count = 1};
    char *json;
    json_t *root, *device;

    MUST(ncl_devices_report(NULL, &list, &json));
    root = parse(json);
    device = json_incref(json_array_get(json_object_get(root, "devices"), 0));
    json_decref(root);
    return device;
}

static void expect_tuning(struct ncl_caps caps, const char *wanted)
{
    json_t *device = describe(caps);

    ck_assert_str_eq(json_string_value(json_object_get(device, "tuning")), wanted);
    json_decref(device);
}

/* Of GPUs like GCN 5 there is tuning/gpu-gfx906.jsonl, of that with 63 lanes nothing. */
START_TEST(devices_say_what_is_shipped)
{
    struct ncl_caps caps = {.type = NCL_DEVICE_GPU, .lanes = 64, .scalar_registers = true};

    expect_tuning(caps, "10 shipped (10 reasoned for its class)");
    caps.lanes = 63;
    expect_tuning(caps, "none shipped");
}
END_TEST

/* Drivers' own: no UTF-8, or what would act on a terminal. */
START_TEST(devices_of_any_name)
{
    json_t *device =
        describe((struct ncl_caps){.name = "n\377", .platform = "p\303\274", .driver = "d\033[m"});

    ck_assert_str_eq(json_string_value(json_object_get(device, "name")), "n?");
    ck_assert_str_eq(json_string_value(json_object_get(device, "platform")), "p\303\274");
    ck_assert_str_eq(json_string_value(json_object_get(device, "driver")), "d?[m");
    json_decref(device);
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("report");

    tcase_add_test(tests, session_and_devices);
    tcase_add_test(tests, devices_say_what_is_shipped);
    tcase_add_test(tests, devices_of_any_name);
    return ncl_run_suite(tests, "report");
}
