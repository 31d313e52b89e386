#include "cli/cli.h"
#include "support/onnx_writer.h"

#define UNFOLDED "tests/data/resnext_unfolded.onnx" /* free batch and image size */

START_TEST(json_keys)
{
    json_t *root;

    MUST_WORK("inspect %s --json", NET);
    root = said_json();
    must_have(root, "layers launches macs parameters arena_bytes precision inputs outputs passes "
                    "memory graph_before graph_after convolutions convolutions_optimised");
    must_have(json_array_get(json_object_get(root, "layers"), 0), "name op kind macs");
    must_have(json_object_get(root, "memory"), "chunks tensors");
    json_decref(root);
}
END_TEST

START_TEST(fp16_halves_what_is_between_layers)
{
    double bytes[2];

    for (int i = 0; i < 2; i++) {
        json_t *root;

        MUST_WORK("inspect zoo:resnet18 --json --precision %s", i ? "fp16" : "fp32");
        root = said_json();
        bytes[i] = json_number_value(json_object_get(root, "arena_bytes"));
        ck_assert_str_eq(json_string_value(json_object_get(root, "precision")),
                         i ? "fp16" : "fp32");
        json_decref(root);
    }
    ck_assert_msg(bytes[0] == 2 * bytes[1], "%g and %g", bytes[0], bytes[1]);
}
END_TEST

START_TEST(needs_no_device)
{
    shell("NEXTCL_OPENCL_LIBRARY=/none.so NEXTCL_DEVICE=nosuch $NEXTCL_CLI inspect %s", NET);
    ck_assert_msg(said.status == 0, "%s", said.err);
    ck_assert_ptr_nonnull(strstr(said.out, "16 launches"));
    ck_assert_ptr_nonnull(strstr(said.out, "output  output 2x10"));
}
END_TEST

START_TEST(the_main_networks_size)
{
    json_t *root;
    double macs;

    MUST_WORK("inspect zoo:resnext50_32x4d --json");
    root = said_json();
    macs = json_number_value(json_object_get(root, "macs"));
    ck_assert(json_integer_value(json_object_get(root, "launches")) <= 62);
    ck_assert_int_eq(json_integer_value(json_object_get(root, "convolutions")), 53);
    ck_assert_msg(macs > 4.2e9 && macs < 4.3e9, "%g", macs);
    json_decref(root);
}
END_TEST

static void must_say(const char *line)
{
    ck_assert_msg(strstr(said.out, line) != NULL, "'%s' is not in\n%s", line, said.out);
}

START_TEST(words_of_the_net)
{
    MUST_WORK("inspect %s", UNFOLDED);
    must_say("input   input ?x3x?x?, here 1x3x224x224\n");
    must_say("graph   41 nodes, 12 of them convolutions; after passes 16 and 12\n");
    must_say("  group recovery: nothing to do\n");
    must_say("  batch norm: 12 folded into convolutions, 0 left\n");
    must_say("  fuse: 3 additions, 10 activations\n");
    must_say("1x3x224x224 -> 1x16x112x112     7x7 s2");
    must_say("3x3 s2 g8");
    must_say("1 allocation for ");
    MUST_WORK("inspect tests/data/split_groups.onnx");
    must_say("  group recovery: 4 convolutions -> 1\n");
    MUST_WORK("inspect tests/data/residuals.onnx");
    must_say("  batch norm: 1 addition, 1 multiplication: 2 folded into convolutions, 0 left\n");
}
END_TEST

START_TEST(batch_and_size)
{
    MUST_WORK("inspect %s --batch 3 --size 64", UNFOLDED);
    must_say("here 3x3x64x64\n");
    must_say("output  output 3x10\n");
    MUST_WORK("inspect zoo:resnet18 --size 65");
    must_say("1x3x65x65 -> 1x64x33x33");
    MUST_FAIL(2, "--batch 3: the model's batch is fixed at 2", "inspect %s --batch 3", NET);
    MUST_FAIL(2, "--size", "inspect %s --size 0", UNFOLDED);
    MUST_FAIL(3, "zoo:resnet18: ", "inspect zoo:resnet18 --size 40000");
}
END_TEST

START_TEST(nodes_before_and_after)
{
    MUST_WORK("inspect %s", UNFOLDED);
    ck_assert_ptr_null(strstr(said.out, "BatchNormalization"));
    shell("$NEXTCL_CLI inspect %s --verbose", UNFOLDED);
    ck_assert_int_eq(said.status, 0);
    must_say("nodes before passes\n");
    must_say("BatchNormalization");
    ck_assert_ptr_null(strstr(strstr(said.out, "nodes after passes\n"), "BatchNormalization"));
    must_say("(in place)");
}
END_TEST

static int count(const char *text, const char *part)
{
    int found = 0;

    for (const char *at = strstr(text, part); at; at = strstr(at + 1, part))
        found++;
    return found;
}

/* Brackets outside of strings that nothing closes. */
static int open_brackets(const char *text)
{
    bool quoted = false;
    int open = 0;

    for (; *text; text++) {
        if (quoted && *text == '\\' && text[1])
            text++;
        else if (*text == '"')
            quoted = !quoted;
        else if (!quoted)
            open += (*text == '{' || *text == '[') - (*text == '}' || *text == ']');
    }
    return quoted ? -1 : open;
}

/* Graphviz reads it, where it is installed. */
static void must_draw(const char *model)
{
    MUST_WORK("inspect %s --dot", model);
    ck_assert_int_eq(strncmp(said.out, "digraph ", 8), 0);
    ck_assert_str_eq(said.out + strlen(said.out) - 2, "}\n");
    ck_assert_int_eq(open_brackets(said.out), 0);
    shell("$NEXTCL_CLI inspect %s --dot >\"$T/net.dot\" && "
          "if command -v dot >/dev/null; then dot -Tsvg \"$T/net.dot\"; fi",
          model);
    ck_assert_msg(said.status == 0 && !said.err[0], "%s", said.err);
}

START_TEST(a_drawing)
{
    must_draw(NET);
    must_draw("tests/data/split_groups.onnx");
    must_draw("tests/data/residuals.onnx");
    must_draw("zoo:resnext50_32x4d");
    MUST_WORK("inspect zoo:resnet18 --dot");
    /* 8 residual additions, one frame a block, shapes at every edge but none without. */
    ck_assert_int_eq(count(said.out, "style=dashed"), 8);
    ck_assert_int_eq(count(said.out, "label=\"layer2.0\""), count(said.out, "cluster layer2.0"));
    ck_assert_int_eq(count(said.out, "shape=ellipse"), 2);
    must_say("label=\"3x224x224\"");
    must_say("stem 7x7 s2, relu");
}
END_TEST

/* A model whose names would break out of a drawing, or of a terminal's line. */
static void write_hostile_model(void)
{
    static const int64_t dims[] = {1, 3, 8, 8, -2};
    static const char long_name[] =
        "/a.0/bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb\xe6\xbc\xa2/Sigmoid";
    struct onnx_parts parts = {.opset = 13};
    struct ncl_text model;
    char path[256];
    FILE *file;

    onnx_input(&parts, "x\"];", 1, dims);
    onnx_output(&parts, "y\\");
    onnx_node(&parts, "Sigmoid", "n\"] \\ \x1b[31m\n{", "x\"];", "a", NULL);
    onnx_node(&parts, "Sigmoid", "", "a", "b", NULL);
    onnx_node(&parts, "Sigmoid", long_name, "b", "y\\", NULL);
    model = onnx_model(&parts);
    snprintf(path, sizeof path, "%s/hostile.onnx", getenv("T"));
    file = fopen(path, "wb");
    ck_assert_ptr_nonnull(file);
    ck_assert_uint_eq(fwrite(model.data, 1, model.length, file), model.length);
    fclose(file);
    ncl_text_free(&model);
}

START_TEST(names_stay_names)
{
    write_hostile_model();
    must_draw("\"$T/hostile.onnx\"");
    for (int i = 0; i < 2; i++) {
        MUST_WORK("inspect \"$T/hostile.onnx\" %s", i ? "--dot" : "");
        ck_assert_ptr_null(strchr(said.out, 0x1b));
        must_say("n");
    }
    MUST_WORK("inspect \"$T/hostile.onnx\" --json");
    json_decref(said_json());
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("inspect");

    tcase_set_timeout(tests, 60); /* Graphviz with sanitizers beside it */
    tcase_add_test(tests, json_keys);
    tcase_add_test(tests, fp16_halves_what_is_between_layers);
    tcase_add_test(tests, needs_no_device);
    tcase_add_test(tests, the_main_networks_size);
    tcase_add_test(tests, words_of_the_net);
    tcase_add_test(tests, batch_and_size);
    tcase_add_test(tests, nodes_before_and_after);
    tcase_add_test(tests, a_drawing);
    tcase_add_test(tests, names_stay_names);
    return cli_suite(tests, "inspect");
}
