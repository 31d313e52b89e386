#include "cli/cli.h"

#define SMALL "tests/data/residuals.onnx"

static double number(const json_t *object, const char *key)
{
    return json_number_value(json_object_get(object, key));
}

static size_t count_records(void)
{
    json_t *root;
    size_t count;

    MUST_WORK("db show --json");
    root = said_json();
    count = json_array_size(json_object_get(root, "records"));
    json_decref(root);
    return count;
}

START_TEST(wrong_usage)
{
    static const char *const budgets[] = {"0",   "-1",   "fast", "'60 s'", "1d", "inf",
                                          "nan", "0x10", "s",    "''",     "1e9"};

    for (size_t i = 0; i < sizeof budgets / sizeof budgets[0]; i++) {
        MUST_FAIL(2, "--budget", "tune %s --budget %s", NET, budgets[i]);
        MUST_FAIL(2, "--tune", "bench %s --tune %s", NET, budgets[i]);
    }
    MUST_FAIL(2, "MODEL", "tune");
    MUST_FAIL(2, "unexpected", "tune %s more", NET);
    MUST_FAIL(2, "--tune-seed", "tune %s --tune-seed 0", NET);
    MUST_FAIL(2, "dry run", "tune %s --dry-run --report \"$T/page.html\"", NET);
    MUST_FAIL(2, "dry run", "tune %s --dry-run --resume", NET);
    MUST_FAIL(2, "--tune", "verify %s --tune 1", NET);
    MUST_FAIL(3, "No such file", "tune %s --report \"$T/missing/page.html\"", NET);
    MUST_FAIL(3, "regular file", "tune %s --report \"$T\"", NET);
    MUST_FAIL(3, "none.onnx", "tune none.onnx");
    MUST_FAIL(4, "nosuch", "tune %s --device nosuch", NET);
}
END_TEST

START_TEST(a_dry_run_measures_nothing)
{
    static const char *const budgets[] = {"7",     "7s",   "0.5m",   "1h", "1.5",
                                          "quick", "full", "normal", ".5s"};
    json_t *root, *layers;

    use_store("dry");
    for (size_t i = 0; i < sizeof budgets / sizeof budgets[0]; i++)
        MUST_WORK("tune %s --dry-run --quiet --budget %s", NET, budgets[i]);
    ck_assert_ptr_nonnull(strstr(said.out, "nothing was measured"));
    MUST_WORK("tune %s --dry-run --json", NET);
    root = said_json();
    ck_assert(json_is_true(json_object_get(root, "dry_run")));
    ck_assert_str_eq(json_string_value(json_object_get(root, "model")), NET);
    layers = json_object_get(root, "layers");
    ck_assert_uint_gt(json_array_size(layers), 0);
    for (size_t i = 0; i < json_array_size(layers); i++)
        must_have(json_array_get(layers, i), "name kind problem uses points algorithms default");
    json_decref(root);
    ck_assert_uint_eq(count_records(), 0);
}
END_TEST

/* A page is well-formed XML but for its first line, and names no other place: nothing is loaded. */
static void check_page(const char *name)
{
    shell("python3 - \"$T/%s\" <<'END' || exit 1\n"
          "import re, sys, xml.dom.minidom\n"
          "head, rest = open(sys.argv[1], encoding='utf-8').read().split('\\n', 1)\n"
          "assert head == '<!DOCTYPE html>', head\n"
          "page = xml.dom.minidom.parseString(rest.encode())\n"
          "assert not page.getElementsByTagName('script')\n"
          "assert 'http:' not in rest and 'https:' not in rest and '@import' not in rest\n"
          "for part in 'layers convergence noise peak candidates rejects table'.split():\n"
          "    assert 'id=\"%%s\"' %% part in rest, part\n"
          "assert page.getElementsByTagName('svg')\n"
          /* What is off a scale ends where it does. */
          "noise = rest[rest.index('id=\"noise\"'):rest.index('id=\"peak\"')]\n"
          "ends = re.findall(r'd=\"M([-0-9.]+) 10(?:H([-0-9.]+)|h0)', noise)\n"
          "assert all(0 <= float(x) <= 1000 for pair in ends for x in pair if x), ends\n"
          "END\n:",
          name);
    ck_assert_msg(said.status == 0, "%s", said.err);
}

/* The dashed line stands where the last problem was first measured, and only if all were. */
static void check_dashed_line(const char *name)
{
    shell("python3 - \"$T/%s\" \"$T/report.json\" <<'END' || exit 1\n"
          "import json, re, sys\n"
          "page, report = open(sys.argv[1]).read(), json.load(open(sys.argv[2]))\n"
          "curves = [layer['convergence'] for layer in report['layers']]\n"
          "lines = re.findall(r'dasharray=\"4 4\" d=\"M([0-9.]+) 0V', page)\n"
          "whole = max([report['search_seconds']] + [c[-1][0] for c in curves if c])\n"
          "wanted = ['%%.1f' %% (1000 * max(c[0][0] for c in curves) / whole)] if all(curves) "
          "else []\n"
          "assert lines == wanted, (lines, wanted)\n"
          "assert all(curves) != ('problems were measured' in page)\n"
          "END\n:",
          name);
    ck_assert_msg(said.status == 0, "%s", said.err);
}

START_TEST(results_and_a_page)
{
    json_t *root, *layers;

    use_store("results");
    MUST_WORK("tune %s --budget 3s --quiet --json --report \"$T/page.html\" "
              ">\"$T/report.json\" && cat \"$T/report.json\"",
              NET);
    root = said_json();
    must_have(root, "model device driver math precision batch effort seed elapsed trials rejected "
                    "rejects default_ms tuned_ms saved_ms verdict layers");
    ck_assert(number(root, "trials") > 0);
    ck_assert(json_is_true(json_object_get(root, "worker")));
    layers = json_object_get(root, "layers");
    for (size_t i = 0; i < json_array_size(layers); i++)
        must_have(json_array_get(layers, i),
                  "name names kind problem uses default best saved_ms tried rejects convergence");
    json_decref(root);
    check_page("page.html");
    check_dashed_line("page.html");
    ck_assert_uint_gt(count_records(), 0);
    shell("ls \"$T\"/page.html.*");
    ck_assert_msg(said.status != 0, "left behind: %s", said.out);
}
END_TEST

START_TEST(any_name_will_do)
{
    use_store("names");
    shell("cp %s \"$T/<script>&\\\"'.onnx\"", SMALL);
    ck_assert_int_eq(said.status, 0);
    /* Bad starts are slower than any scale. */
    MUST_WORK("tune \"$T/<script>&\\\"'.onnx\" --budget 1s --from-worst --quiet "
              "--report \"$T/names.html\"");
    check_page("names.html");
}
END_TEST

START_TEST(a_failure_leaves_the_page)
{
    shell("echo before >\"$T/old.html\"");
    MUST_FAIL(4, "nosuch", "tune %s --device nosuch --report \"$T/old.html\"", NET);
    MUST_FAIL(3, "none.onnx", "tune none.onnx --report \"$T/old.html\"");
    shell("cat \"$T/old.html\"");
    ck_assert_str_eq(said.out, "before\n");
}
END_TEST

/* Plain lines on stderr where it is no terminal, none with --quiet. */
START_TEST(progress)
{
    use_store("progress");
    shell("$NEXTCL_CLI tune %s --budget 7s", NET);
    ck_assert_int_eq(said.status, 0);
    ck_assert_msg(strstr(said.err, "nextcl: tune: ") != NULL, "%s", said.err);
    ck_assert_ptr_null(strchr(said.err, '\r'));
    ck_assert_ptr_nonnull(strstr(said.out, "verdict"));
}
END_TEST

/* ---- what to type next ---- */

/* The rest of the line that proposes `nextcl COMMAND `, without its comment. */
static void proposed(const char *command, char *text, size_t size)
{
    char start[32];
    const char *at;

    snprintf(start, sizeof start, "nextcl %s ", command);
    at = strstr(said.out, start);
    ck_assert_msg(at != NULL, "%s", said.out);
    snprintf(text, size, "%.*s", (int)strcspn(at + 7, "#\n"), at + 7);
}

/* Proposals are of the same net, shape and device, and a shell takes them as they are. */
START_TEST(proposals_name_the_same_net)
{
    char tune[1024], explain[1024];

    use_store("proposals");
    MUST_WORK("tune zoo:resnet18 --classes 7 --seed 2 --size 32 --batch 2 --device 0:0 "
              "--math reproducible --precision fp32 --channel-block 8 --tune-seed 3 --budget 1s "
              "--quiet");
    proposed("tune", tune, sizeof tune);
    proposed("explain", explain, sizeof explain);
    ck_assert_msg(strstr(tune, "tune zoo:resnet18 --seed 2 --classes 7 --batch 2 --size 32 "
                               "--device 0:0 --channel-block 8 --math reproducible "
                               "--precision fp32 --tune-seed 3 --") == tune,
                  "%s", tune);
    ck_assert_str_eq(explain, "explain zoo:resnet18 --seed 2 --classes 7 --batch 2 --size 32 "
                              "--device 0:0 --channel-block 8 --math reproducible "
                              "--precision fp32   ");
    /* What was not given is not said, and names are quoted. */
    shell("cp " SMALL " \"$T/it's a \\$net\"");
    MUST_WORK("tune \"$T/it's a \\$net\" --budget 1s --quiet");
    proposed("explain", explain, sizeof explain);
    ck_assert_ptr_nonnull(strstr(explain, "it'\\''s a $net'   "));
    shell("$NEXTCL_CLI %s --json", explain);
    ck_assert_msg(said.status == 0, "%s", said.err);
}
END_TEST

/* Nothing is said to be used where no layer got another point. */
START_TEST(no_winner_no_use)
{
    const char *table, *end;
    bool found = false;

    use_store("no_winner");
    MUST_WORK("tune %s --budget 1s --channel-block 8 --quiet", NET);
    table = strstr(said.out, "algorithm and parameters");
    end = strstr(said.out, "all launches");
    ck_assert(table && end);
    for (const char *at = table; (at = strstr(at, " -> ")) && at < end; at++)
        found = true;
    ck_assert_msg(!strstr(said.out, "from now on") == !found, "%s", said.out);
    ck_assert_msg(!strstr(said.out, "no winner") == found, "%s", said.out);
}
END_TEST

/* ---- Ctrl-C ---- */

/* Processes that were started with this mark, the worker among them. */
#define MARK "NCL_TEST_MARK=\"$T\" "
#define MARKED "! grep -slz \"NCL_TEST_MARK=$T\" /proc/[0-9]*/environ"

/* To its whole group, as a terminal does, after so many seconds. */
static void interrupt_after(double seconds)
{
    json_t *root;

    shell(MARK "timeout --preserve-status -s INT %.2f $NEXTCL_CLI tune %s --budget "
               "60s --quiet --json --tune-seed 5",
          seconds, NET);
    ck_assert_msg(said.status == 130, "after %.2f: %d %s", seconds, said.status, said.err);
    ck_assert_str_eq(said.err, "nextcl: interrupted\n");
    if (said.out[0]) {
        root = said_json();
        ck_assert(json_is_true(json_object_get(root, "cancelled")));
        json_decref(root);
    }
    shell(MARKED);
    ck_assert_msg(said.status == 0, "still there: %s", said.out);
}

START_TEST(interrupted)
{
    size_t before = 0;

    use_store("interrupted");
    srand(1);
    for (int i = 0; i < 4; i++) {
        size_t now;

        interrupt_after(0.2 + 3.0 * rand() / RAND_MAX);
        now = count_records();
        ck_assert_uint_ge(now, before);
        before = now;
    }
    MUST_WORK("tune %s --budget 3s --quiet --json --tune-seed 5 --resume", NET);
    ck_assert_uint_ge(count_records(), before);
}
END_TEST

/* kill -9 leaves no worker behind either, and the store opens. */
START_TEST(killed)
{
    use_store("killed");
    shell(MARK "timeout --foreground -s KILL 2 $NEXTCL_CLI tune %s --budget 60s --quiet", NET);
    ck_assert_int_eq(said.status, 137);
    shell(
        "for process in $(grep -slz \"NCL_TEST_MARK=$T\" /proc/[0-9]*/environ); do "
        "timeout 20 tail --pid=\"$(echo \"$process\" | cut -d/ -f3)\" -f /dev/null; done; " MARKED);
    ck_assert_msg(said.status == 0, "still there: %s", said.out);
    count_records();
}
END_TEST

/* ---- the others ---- */

static bool hinted(void)
{
    return strstr(said.err, "nextcl tune") != NULL;
}

START_TEST(a_hint_is_given_once)
{
    json_t *root;

    use_store("hints");
    MUST_WORK("bench %s --repeat 1 --quiet", NET);
    shell("$NEXTCL_CLI bench %s --repeat 1", NET);
    ck_assert_msg(said.status == 0 && hinted(), "%s", said.err);
    ck_assert_msg(strchr(said.err, '\n') == said.err + strlen(said.err) - 1, "%s", said.err);
    MUST_WORK("bench %s --repeat 1", NET);
    MUST_WORK("run %s --input " NET_INPUT " --output-dir \"$T/out\"", NET);
    shell("$NEXTCL_CLI bench " SMALL " --repeat 1");
    ck_assert(said.status == 0 && hinted());
    MUST_WORK("bench " SMALL " --repeat 1 --json");
    root = said_json();
    must_have(json_object_get(root, "tuning"), "layers untuned gain");
    ck_assert(number(json_object_get(root, "tuning"), "untuned") > 0);
    json_decref(root);
}
END_TEST

START_TEST(first_tune_then_run)
{
    use_store("first");
    shell("$NEXTCL_CLI run %s --input " NET_INPUT " --output-dir \"$T/plain\" --math reproducible "
          "--quiet && $NEXTCL_CLI run %s --input " NET_INPUT " --output-dir \"$T/tuned\" --tune 2 "
          "--math reproducible --quiet && cmp \"$T\"/plain/*.npy \"$T\"/tuned/*.npy",
          NET, NET);
    ck_assert_msg(said.status == 0 && !said.err[0], "%d %s%s", said.status, said.out, said.err);
    ck_assert_uint_gt(count_records(), 0);
    shell("$NEXTCL_CLI bench %s --tune 1 --repeat 2", NET);
    ck_assert_msg(said.status == 0 && strstr(said.err, "tuned for"), "%d %s", said.status,
                  said.err);
}
END_TEST

START_TEST(the_worker_is_nobodys_business)
{
    MUST_WORK("--help");
    ck_assert_ptr_null(strstr(said.out, "tune-worker"));
    ck_assert_ptr_nonnull(strstr(said.out, "  tune "));
    /* A tuner that is gone before it said anything, and what is no tuner. */
    shell("timeout 60 $NEXTCL_CLI tune-worker </dev/null >/dev/null");
    ck_assert_msg(said.status != 124 && said.status < 128, "%d", said.status);
    shell("head -c 4000 /dev/urandom | timeout 60 $NEXTCL_CLI tune-worker >/dev/null");
    ck_assert_msg(said.status != 124 && said.status < 128, "%d", said.status);
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("tune");

    tcase_add_test(tests, wrong_usage);
    tcase_add_test(tests, a_dry_run_measures_nothing);
    tcase_add_test(tests, results_and_a_page);
    tcase_add_test(tests, any_name_will_do);
    tcase_add_test(tests, a_failure_leaves_the_page);
    tcase_add_test(tests, progress);
    tcase_add_test(tests, proposals_name_the_same_net);
    tcase_add_test(tests, no_winner_no_use);
    tcase_add_test(tests, interrupted);
    tcase_add_test(tests, killed);
    tcase_add_test(tests, a_hint_is_given_once);
    tcase_add_test(tests, first_tune_then_run);
    tcase_add_test(tests, the_worker_is_nobodys_business);
    return cli_suite(tests, "tune");
}
