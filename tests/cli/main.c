#include "cli/cli.h"

static const char *const commands[] = {"devices", "classify", "run",  "verify",  "bench",
                                       "profile", "inspect",  "tune", "explain", "db"};
#define COMMAND_COUNT (sizeof commands / sizeof commands[0])

/* A line begins with the name. */
static bool lists(const char *help, const char *name)
{
    char line[32];

    snprintf(line, sizeof line, "\n  %s ", name);
    return strstr(help, line) != NULL;
}

START_TEST(help_for_everything)
{
    MUST_WORK("--help");
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        ck_assert_msg(lists(said.out, commands[i]), "%s is not listed", commands[i]);
    MUST_WORK("-h");
    MUST_WORK("--version");
    ck_assert_int_eq(strncmp(said.out, "nextcl ", 7), 0);
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        MUST_WORK("%s --help", commands[i]);
        ck_assert_ptr_nonnull(strstr(said.out, "usage: nextcl"));
        ck_assert_ptr_nonnull(strstr(said.out, "--device"));
        ck_assert_ptr_nonnull(strstr(said.out, "examples"));
        MUST_WORK("%s -h", commands[i]);
    }
}
END_TEST

START_TEST(wrong_usage)
{
    MUST_FAIL(2, "--help", "");
    MUST_FAIL(2, "'dance'", "dance");
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        MUST_FAIL(2, "--no-such", "%s --no-such", commands[i]);
        MUST_FAIL(2, "-x", "%s -x", commands[i]);
        MUST_FAIL(2, "--device", "%s --device", commands[i]);
        MUST_FAIL(2, "--json", "%s --json=yes", commands[i]);
        if (i > 0)
            MUST_FAIL(2, strcmp(commands[i], "db") == 0 ? "show" : "MODEL", "%s", commands[i]);
    }
    MUST_FAIL(2, "unexpected", "devices extra");
    MUST_FAIL(2, "unexpected", "inspect %s extra", NET);
    MUST_FAIL(2, "--math", "bench %s --math exact", NET);
    MUST_FAIL(2, "--precision", "bench %s --precision fp8", NET);
    MUST_FAIL(2, "--batch", "bench %s --batch 0", NET);
    MUST_FAIL(2, "--batch", "bench %s --batch -1", NET);
    MUST_FAIL(2, "--batch", "bench %s --batch ' 1'", NET);
    MUST_FAIL(2, "--repeat", "bench %s --repeat many", NET);
    MUST_FAIL(2, "--repeat", "bench %s --repeat 99999999999999999999", NET);
    MUST_FAIL(2, "channel block", "bench %s --channel-block 5", NET);
    MUST_FAIL(2, "--rtol", "verify %s --rtol small", NET);
    MUST_FAIL(2, "--mean", "classify %s tests/data/cat.jpg --mean 1,2", NET);
    MUST_FAIL(2, "weights", "bench zoo:resnet18 --weights w.pth");
}
END_TEST

START_TEST(models_that_are_none)
{
    static const char *const wrong[] = {"inspect", "bench", "verify"};

    shell("head -c 3000 %s >\"$T/short.onnx\"; : >\"$T/empty.onnx\"; "
          "head -c 5000 /dev/urandom >\"$T/random.onnx\"; cp %s \"$T/my net.pth\"",
          NET, NET);
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        MUST_FAIL(3, "none.onnx", "%s tests/data/none.onnx", wrong[i]);
        MUST_FAIL(3, "short.onnx", "%s \"$T/short.onnx\"", wrong[i]);
        MUST_FAIL(3, "empty.onnx", "%s \"$T/empty.onnx\"", wrong[i]);
        MUST_FAIL(3, "random.onnx", "%s \"$T/random.onnx\"", wrong[i]);
        MUST_FAIL(3, "tests/data", "%s tests/data", wrong[i]);
        MUST_FAIL(3, "my net.pth", "%s \"$T/my net.pth\"", wrong[i]);
        MUST_FAIL(3, "resnet50", "%s zoo:alexnet", wrong[i]);
    }
    /* A line stays a line whatever a name holds. */
    MUST_FAIL(3, "two lines", "inspect \"two\nlines\"");
}
END_TEST

START_TEST(devices_that_are_none)
{
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        const char *rest = strcmp(commands[i], "devices") == 0 ? "" : NET;

        if (strcmp(commands[i], "inspect") == 0 || strcmp(commands[i], "db") == 0)
            continue; /* need no device */
        if (strcmp(commands[i], "classify") == 0)
            rest = NET " tests/data/cat.jpg";
        if (strcmp(commands[i], "run") == 0)
            rest = NET " --input " NET_INPUT " --output-dir \"$T/never\"";
        MUST_FAIL(4, "nosuch", "%s %s --device nosuch", commands[i], rest);
    }
    shell("NEXTCL_DEVICE=nosuch $NEXTCL_CLI bench %s", NET);
    ck_assert_int_eq(said.status, 4);
    shell("NEXTCL_OPENCL_LIBRARY=/none.so $NEXTCL_CLI devices");
    ck_assert_int_eq(said.status, 4);
    shell("test ! -e \"$T/never\"");
    ck_assert_int_eq(said.status, 0);
}
END_TEST

START_TEST(results_that_cannot_be_written)
{
    shell("$NEXTCL_CLI devices >&-");
    ck_assert_int_eq(said.status, 3);
    ck_assert_ptr_nonnull(strstr(said.err, "stdout"));
    shell("$NEXTCL_CLI inspect %s --json >/dev/full", NET);
    ck_assert_int_eq(said.status, 3);
    ck_assert_ptr_nonnull(strstr(said.err, "stdout"));
    /* A model opened in the place of a closed stdout must not be written into. */
    shell("cp %s \"$T/net.onnx\"; $NEXTCL_CLI inspect \"$T/net.onnx\" >&- 2>&-; "
          "cmp %s \"$T/net.onnx\"",
          NET, NET);
    ck_assert_int_eq(said.status, 0);
}
END_TEST

/* A cache is a convenience, whose loss is said in a line. PoCL keeps its own; that one stays as the
 * environment has it. */
START_TEST(any_cache_directory_will_do)
{
    shell("echo file >\"$T/file\"; mkdir -p \"$T/fresh\"; mkdir -p \"$T/foreign\"; "
          "head -c 4000 /dev/urandom >\"$T/foreign/nextcl.db\"");
    for (int i = 0; i < 5; i++) {
        static const char *const caches[][2] = {{"$T/file", "no cache on disk"},
                                                {"$T/fresh", ""},
                                                {"$T/foreign", "nextcl.db.bad-"},
                                                {"/proc/none/cache", "no cache on disk"},
                                                {"", ""}};
        const char *wanted = caches[i][1];

        shell("NEXTCL_CACHE_DIR=\"%s\" $NEXTCL_CLI bench tests/data/residuals.onnx --repeat 1 "
              "--json",
              caches[i][0]);
        ck_assert_msg(said.status == 0 && !said.err[0] == !wanted[0] && strstr(said.err, wanted),
                      "%s: %d %s", caches[i][0], said.status, said.err);
        json_decref(said_json());
    }
}
END_TEST

/* PoCL's compiler may complain first, when the signal ends the linker it waits for. */
static bool ends_with_interrupted(void)
{
    const char *line = strstr(said.err, "nextcl: ");

    return line && strcmp(line, "nextcl: interrupted\n") == 0;
}

/* To the command alone, once: by default the whole process group gets the signal as well. */
#define INTERRUPT "timeout --foreground --preserve-status -s INT 2 "

START_TEST(interrupted)
{
    shell(INTERRUPT "$NEXTCL_CLI bench %s --repeat 100000000", NET);
    ck_assert_msg(said.status == 130, "%d %s", said.status, said.err);
    ck_assert_str_eq(said.out, "");
    ck_assert_msg(ends_with_interrupted(), "%s", said.err);
    shell(INTERRUPT "$NEXTCL_CLI verify zoo:resnet152 --batch 16");
    ck_assert_msg(said.status == 130, "%d %s", said.status, said.err);
    ck_assert_msg(ends_with_interrupted(), "%s", said.err);
}
END_TEST

START_TEST(verbose_logs_and_quiet_does_not)
{
    shell("$NEXTCL_CLI bench %s --repeat 1 --verbose", NET);
    ck_assert_int_eq(said.status, 0);
    ck_assert_ptr_nonnull(strstr(said.err, "nextcl: info: "));
    MUST_WORK("bench %s --repeat 1 --quiet", NET);
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("main");

    tcase_add_test(tests, help_for_everything);
    tcase_add_test(tests, wrong_usage);
    tcase_add_test(tests, models_that_are_none);
    tcase_add_test(tests, devices_that_are_none);
    tcase_add_test(tests, results_that_cannot_be_written);
    tcase_add_test(tests, any_cache_directory_will_do);
    tcase_add_test(tests, interrupted);
    tcase_add_test(tests, verbose_logs_and_quiet_does_not);
    return cli_suite(tests, "main");
}
