#include "cli/cli.h"

static double number(const json_t *object, const char *key)
{
    return json_number_value(json_object_get(object, key));
}

START_TEST(every_key_is_there)
{
    json_t *root, *latency, *layers;

    MUST_WORK("bench %s --repeat 3 --warmup 1 --layers --json --math reproducible", NET);
    root = said_json();
    must_have(root, "model device batch precision math load_s first_result_s latency_ms "
                    "images_per_s gflops peak_gflops peak_device_bytes peak_host_bytes launches "
                    "layers peak_gbytes_per_s kinds layers_sum");
    latency = json_object_get(root, "latency_ms");
    must_have(latency, "min median p95 max");
    ck_assert(number(latency, "min") > 0 && number(latency, "min") <= number(latency, "median"));
    ck_assert(number(latency, "median") <= number(latency, "p95"));
    ck_assert(number(latency, "p95") <= number(latency, "max"));
    ck_assert(number(root, "batch") == 2);
    ck_assert(number(root, "first_result_s") > number(root, "load_s"));
    ck_assert(number(root, "peak_host_bytes") > 1e6);
    ck_assert_str_eq(json_string_value(json_object_get(root, "math")), "reproducible");
    ck_assert_str_eq(json_string_value(json_object_get(root, "precision")), "fp32");
    layers = json_object_get(root, "layers");
    ck_assert_uint_eq(json_array_size(layers), (size_t)number(root, "launches"));
    for (size_t i = 0; i < json_array_size(layers); i++)
        must_have(json_array_get(layers, i), "name op kind algorithm params source macs ms gflops "
                                             "share peak_share gbytes_per_s");
    json_decref(root);
}
END_TEST

START_TEST(fp16_is_said)
{
    json_t *root;

    MUST_WORK("bench %s --repeat 2 --warmup 1 --json --precision fp16", NET);
    root = said_json();
    ck_assert_str_eq(json_string_value(json_object_get(root, "precision")), "fp16");
    json_decref(root);
    MUST_WORK("bench %s --repeat 2 --warmup 1 --precision fp16", NET);
    ck_assert_ptr_nonnull(strstr(said.out, ", fp16, math "));
}
END_TEST

/* Totals are those of the layers, whatever the device's speed. */
START_TEST(kinds_and_sum_are_the_layers)
{
    json_t *root, *layers, *kinds, *sum;
    double ms = 0, kinds_ms = 0, macs = 0, kinds_macs = 0, share = 0, count = 0;

    MUST_WORK("bench %s --repeat 5 --layers --json", NET);
    root = said_json();
    layers = json_object_get(root, "layers");
    kinds = json_object_get(root, "kinds");
    sum = json_object_get(root, "layers_sum");
    for (size_t i = 0; i < json_array_size(layers); i++) {
        ms += number(json_array_get(layers, i), "ms");
        macs += number(json_array_get(layers, i), "macs");
        share += number(json_array_get(layers, i), "share");
    }
    for (size_t i = 0; i < json_array_size(kinds); i++) {
        const json_t *kind = json_array_get(kinds, i);

        must_have(kind, "kind layers ms share macs gflops peak_share");
        kinds_ms += number(kind, "ms");
        kinds_macs += number(kind, "macs");
        count += number(kind, "layers");
        ck_assert(i == 0 || number(kind, "ms") <= number(json_array_get(kinds, i - 1), "ms"));
    }
    ck_assert_double_eq_tol(share, 1, 1e-6);
    ck_assert_double_eq_tol(kinds_ms, ms, 1e-6 * ms);
    ck_assert_double_eq_tol(kinds_macs, macs, 0.5);
    ck_assert(count == (double)json_array_size(layers));
    must_have(sum, "ms latency_ms ratio agree");
    ck_assert(number(sum, "ms") > 0);
    ck_assert_double_eq_tol(number(sum, "ratio"), number(sum, "ms") / number(sum, "latency_ms"),
                            1e-6);
    ck_assert(json_is_true(json_object_get(sum, "agree")) ==
              (number(sum, "ratio") >= 0.9 && number(sum, "ratio") <= 1.1));
    ck_assert(number(root, "peak_gbytes_per_s") > 0);
    json_decref(root);
}
END_TEST

START_TEST(text_for_people)
{
    MUST_WORK("bench %s --repeat 2 --layers", NET);
    ck_assert_ptr_nonnull(strstr(said.out, "latency "));
    ck_assert_ptr_nonnull(strstr(said.out, "16 launches"));
    ck_assert_ptr_nonnull(strstr(said.out, "/fc/Gemm"));
    ck_assert_ptr_nonnull(strstr(said.out, "of the median latency: "));
    ck_assert_ptr_nonnull(strstr(said.out, "GB/s copied"));
    ck_assert_ptr_null(strstr(said.out, "nan"));
}
END_TEST

START_TEST(batches)
{
    json_t *root;

    MUST_WORK("bench tests/data/shape_arithmetic.onnx --batch 5 --repeat 1 --json");
    root = said_json();
    ck_assert(number(root, "batch") == 5);
    json_decref(root);
    MUST_FAIL(2, "--batch 3: the model's batch is fixed at 2", "bench %s --batch 3", NET);
    MUST_WORK("bench %s --batch 2 --repeat 1", NET);
    /* Beyond any tensor's size, and far beyond memory. */
    MUST_FAIL(3, "elements", "bench tests/data/shape_arithmetic.onnx --batch 2000000000");
}
END_TEST

/* JSON has '?' for what is no UTF-8; the text is the path itself. */
START_TEST(models_of_any_name)
{
    json_t *root;

    shell("cp %s \"$T/$(printf 'n\\377.onnx')\"", NET);
    MUST_WORK("bench \"$T/$(printf 'n\\377.onnx')\" --repeat 1 --json");
    root = said_json();
    ck_assert_ptr_nonnull(strstr(json_string_value(json_object_get(root, "model")), "/n?.onnx"));
    json_decref(root);
    MUST_WORK("bench \"$T/$(printf 'n\\377.onnx')\" --repeat 1");
    ck_assert_ptr_nonnull(strstr(said.out, "/n\377.onnx on "));
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("bench");

    tcase_add_test(tests, every_key_is_there);
    tcase_add_test(tests, fp16_is_said);
    tcase_add_test(tests, kinds_and_sum_are_the_layers);
    tcase_add_test(tests, text_for_people);
    tcase_add_test(tests, batches);
    tcase_add_test(tests, models_of_any_name);
    return cli_suite(tests, "bench");
}
