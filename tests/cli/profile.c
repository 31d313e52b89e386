#include "cli/cli.h"

#define LAYERS 16 /* of NET */
#define RUNS 3

static double number(const json_t *object, const char *key)
{
    return json_number_value(json_object_get(object, key));
}

static const char *text(const json_t *object, const char *key)
{
    const char *found = json_string_value(json_object_get(object, key));

    return found ? found : "";
}

static json_t *trace_json(void)
{
    static char trace[1 << 20];
    json_error_t error;
    json_t *root;

    cli_read("trace.json", trace, sizeof trace);
    root = json_loads(trace, 0, &error);
    ck_assert_msg(root != NULL, "%s: %s", error.text, trace);
    return root;
}

START_TEST(every_key_is_there)
{
    json_t *root, *layers;

    MUST_WORK("profile %s --repeat %d --json --math reproducible", NET, RUNS);
    root = said_json();
    must_have(root, "model device batch precision math clock trace runs latency_ms peak_gflops "
                    "peak_gbytes_per_s layers_sum kinds layers");
    ck_assert_str_eq(text(root, "clock"), "device");
    ck_assert(json_is_null(json_object_get(root, "trace")));
    layers = json_object_get(root, "layers");
    ck_assert_uint_eq(json_array_size(layers), LAYERS);
    for (size_t i = 0; i < LAYERS; i++)
        ck_assert(number(json_array_get(layers, i), "ms") > 0);
    json_decref(root);
}
END_TEST

/* What chrome://tracing and Perfetto need of an event, and what we promise in its arguments. */
static void check_event(const json_t *event)
{
    must_have(event, "name ph pid tid args");
    if (strcmp(text(event, "ph"), "M") == 0)
        return;
    must_have(event, "cat ts dur");
    ck_assert_str_eq(text(event, "ph"), "X");
    ck_assert(number(event, "dur") >= 0);
    ck_assert(number(json_object_get(event, "args"), "run") >= 1);
}

static void check_kernel(const json_t *event, double last_end)
{
    const json_t *args = json_object_get(event, "args");

    must_have(args, "op kind algorithm params source macs input output bytes queued_us "
                    "submitted_us");
    ck_assert(number(event, "dur") > 0);
    ck_assert(number(event, "ts") + 2.1 >= last_end); /* one queue, in order */
    ck_assert(number(args, "queued_us") <= number(args, "submitted_us"));
    ck_assert(number(args, "submitted_us") <= number(event, "ts"));
    if (number(args, "macs") > 0)
        ck_assert_double_eq_tol(number(args, "gflops"),
                                2e-3 * number(args, "macs") / number(event, "dur"),
                                1e-3 * number(args, "gflops"));
    ck_assert_uint_eq(json_array_size(json_object_get(args, "input")), 4);
    ck_assert(number(args, "bytes") > 0);
}

/* Counts the events of a category; each of them follows the one before. */
static int count_events(const json_t *root, const char *category)
{
    const json_t *events = json_object_get(root, "traceEvents");
    double end = 0;
    int count = 0;

    for (size_t i = 0; i < json_array_size(events); i++) {
        const json_t *event = json_array_get(events, i);

        if (strcmp(text(event, "cat"), category) != 0)
            continue;
        if (strcmp(category, "kernel") == 0)
            check_kernel(event, end);
        end = number(event, "ts") + number(event, "dur");
        count++;
    }
    return count;
}

START_TEST(the_timeline_is_whole)
{
    json_t *root, *events;

    MUST_WORK("profile %s --repeat %d --trace \"$T/trace.json\"", NET, RUNS);
    root = trace_json();
    must_have(json_object_get(root, "otherData"), "version model device clock "
                                                  "device_row_shift_uncertainty_us");
    events = json_object_get(root, "traceEvents");
    for (size_t i = 0; i < json_array_size(events); i++)
        check_event(json_array_get(events, i));
    ck_assert_int_eq(count_events(root, "run"), RUNS);
    ck_assert_int_eq(count_events(root, "kernel"), RUNS * LAYERS);
    ck_assert_int_eq(count_events(root, "transfer"), RUNS * 2);
    ck_assert_int_eq(count_events(root, "enqueue"), RUNS * (LAYERS + 2));
    json_decref(root);
    shell("ls \"$T\"/trace.json.*");
    ck_assert_msg(said.status != 0, "left behind: %s", said.out);
}
END_TEST

/* Kernels of a run lie between the run's own start and end, on the host's clock. */
START_TEST(the_devices_row_lies_within_the_runs)
{
    json_t *root, *events;
    double start = 0, end = 0, doubt;

    MUST_WORK("profile %s --repeat %d --trace \"$T/trace.json\"", NET, RUNS);
    root = trace_json();
    doubt = number(json_object_get(root, "otherData"), "device_row_shift_uncertainty_us");
    events = json_object_get(root, "traceEvents");
    for (size_t i = 0; i < json_array_size(events); i++) {
        const json_t *event = json_array_get(events, i);
        const double ts = number(event, "ts"), last = ts + number(event, "dur");

        if (strcmp(text(event, "cat"), "run") == 0) {
            start = ts;
            end = last;
        } else if (strcmp(text(event, "cat"), "kernel") == 0) {
            ck_assert_msg(ts >= start - doubt && last <= end + doubt + 50,
                          "%s: %f to %f, run: %f to %f, doubt %f", text(event, "name"), ts, last,
                          start, end, doubt);
        }
    }
    json_decref(root);
}
END_TEST

/* A clock that lies is named, and its times are nowhere. */
static void check_clock(const char *fault, const char *line)
{
    json_t *root;

    shell("OPENCL_LAYERS=$NEXTCL_BUILD/tests/layer_fault.so NCL_LAYER_CLOCK=%s "
          "$NEXTCL_CLI profile %s --repeat 2 --trace \"$T/trace.json\"",
          fault, NET);
    ck_assert_msg(said.status == 0 && strstr(said.out, line), "status %d: %s%s", said.status,
                  said.err, said.out);
    root = trace_json();
    ck_assert_int_eq(count_events(root, "kernel"), 0);
    ck_assert_int_eq(count_events(root, "enqueue"), 2 * (LAYERS + 2));
    json_decref(root);
    shell("OPENCL_LAYERS=$NEXTCL_BUILD/tests/layer_fault.so NCL_LAYER_CLOCK=%s "
          "$NEXTCL_CLI profile %s --repeat 2 --json",
          fault, NET);
    root = said_json();
    ck_assert_str_eq(text(root, "clock"), "broken");
    ck_assert(number(json_object_get(root, "layers_sum"), "ms") == 0);
    json_decref(root);
}

START_TEST(a_broken_clock_is_not_believed)
{
    check_clock("zero", "clock     broken");
    check_clock("backwards", "clock     broken");
    check_clock("none", "clock     broken");
}
END_TEST

START_TEST(a_file_that_cannot_be_written)
{
    MUST_FAIL(3, "No such file", "profile %s --trace \"$T/missing/trace.json\"", NET);
    MUST_FAIL(3, "regular file", "profile %s --trace \"$T\"", NET);
    MUST_FAIL(2, "--trace: expected a value", "profile %s --trace", NET);
    /* A file that grew too large leaves what was there. The limit is above all that PoCL writes. */
    shell("echo before >\"$T/trace.json\"; ulimit -f 4000; "
          "$NEXTCL_CLI profile %s --repeat 800 --trace \"$T/trace.json\" 2>\"$T/why\"; "
          "status=$?; cat \"$T/trace.json\"; ls \"$T\"/trace.json*; exit $status",
          NET);
    ck_assert_int_eq(said.status, 3);
    ck_assert_ptr_nonnull(strstr(said.out, "before\n"));
    ck_assert_ptr_null(strstr(said.out, ".tmp"));
}
END_TEST

/* JSON has '?' for what is no UTF-8; the text and the file have the path itself. */
START_TEST(names_that_are_no_utf8)
{
    json_t *root;

    shell("cp %s \"$T/$(printf 'n\\377.onnx')\"", NET);
    MUST_WORK("profile \"$T/$(printf 'n\\377.onnx')\" --repeat 1 "
              "--trace \"$T/$(printf 't\\377.json')\" --json");
    root = said_json();
    ck_assert_ptr_nonnull(strstr(text(root, "model"), "/n?.onnx"));
    ck_assert_ptr_nonnull(strstr(text(root, "trace"), "/t?.json"));
    json_decref(root);
    MUST_WORK("profile \"$T/$(printf 'n\\377.onnx')\" --repeat 1 "
              "--trace \"$T/$(printf 't\\377.json')\"");
    ck_assert_ptr_nonnull(strstr(said.out, "/n\377.onnx on "));
    ck_assert_ptr_nonnull(strstr(said.out, "/t\377.json: open"));
    shell("mv \"$T/$(printf 't\\377.json')\" \"$T/trace.json\"");
    root = trace_json();
    ck_assert_ptr_nonnull(strstr(text(json_object_get(root, "otherData"), "model"), "/n?.onnx"));
    json_decref(root);
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("profile");

    tcase_add_test(tests, every_key_is_there);
    tcase_add_test(tests, the_timeline_is_whole);
    tcase_add_test(tests, the_devices_row_lies_within_the_runs);
    tcase_add_test(tests, a_broken_clock_is_not_believed);
    tcase_add_test(tests, a_file_that_cannot_be_written);
    tcase_add_test(tests, names_that_are_no_utf8);
    return cli_suite(tests, "profile");
}
