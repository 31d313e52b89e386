#include "cli/cli.h"

START_TEST(json_keys)
{
    json_t *root, *devices;

    MUST_WORK("devices --json");
    root = said_json();
    devices = json_object_get(root, "devices");
    ck_assert_uint_gt(json_array_size(devices), 0);
    for (size_t i = 0; i < json_array_size(devices); i++) {
        must_have(json_array_get(devices, i),
                  "index platform name type vendor driver version compute_units max_work_group "
                  "global_memory max_allocation local_memory fma_reported fp16 channel_block "
                  "workarounds tuning");
    }
    json_decref(root);
}
END_TEST

START_TEST(text_and_choice)
{
    json_t *root;
    const char *name;

    MUST_WORK("devices");
    ck_assert_ptr_nonnull(strstr(said.out, "OpenCL"));
    MUST_WORK("devices --json");
    root = said_json();
    name = json_string_value(
        json_object_get(json_array_get(json_object_get(root, "devices"), 0), "index"));
    MUST_WORK("devices --device %s", name);
    json_decref(root);
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("devices");

    tcase_add_test(tests, json_keys);
    tcase_add_test(tests, text_and_choice);
    return cli_suite(tests, "devices");
}
