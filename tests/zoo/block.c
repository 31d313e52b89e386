/* Blocks that cannot be: every style refuses them by name, with both numbers and the fix. */
#include "support/suite.h"
#include "zoo/builder.h"
#include <stdlib.h>
#include <string.h>

static const struct {
    const struct ncl_style *style;
    const char *name;
} styles[] = {
    {&ncl_style_torch, "layer2.0"},
    {&ncl_style_preact, "layer3.1"},
    {&ncl_style_keras, "conv3_block1"},
    {&ncl_style_keras_late, "conv4_block2"},
};
#define STYLES ((int)(sizeof(styles) / sizeof(*styles)))

/* Builds one block behind 64 channels of 224 x 224. line: NULL, or what its failure says. */
static void build(int style, struct ncl_block block, const char *line)
{
    struct ncl_builder b = {.style = styles[style].style, .seed = 1};
    struct ncl_flow x = {0};
    int nodes = 0;

    block.name = styles[style].name;
    ck_assert_int_eq(ncl_graph_create(NULL, &b.graph), NCL_OK);
    x = ncl_build_conv(&b, "", "stem", ncl_build_input(&b, NCL_NCHW), ncl_conv_layer(64, 3, 1, 1));
    x = b.style->add(&b, &block, x);
    if (line == NULL) {
        ck_assert_msg(b.status == NCL_OK, "%s", ncl_error_text());
        ck_assert_int_eq(x.channels, block.channels);
        ck_assert_int_eq(x.side, 224 / block.stride);
    } else {
        ck_assert_int_eq(b.status, NCL_ERROR_INPUT);
        ck_assert_msg(strstr(ncl_error_text(), line) != NULL, "'%s' lacks '%s'", ncl_error_text(),
                      line);
        ck_assert_ptr_eq(strstr(ncl_error_text(), "block '"), ncl_error_text());
        ck_assert_ptr_nonnull(strstr(ncl_error_text(), block.name));
        /* The failure sticks, and the net does not grow. */
        nodes = b.graph->node_count;
        block.width = 64;
        block.groups = 1;
        b.style->add(&b, &block, x);
        ck_assert_int_eq(b.status, NCL_ERROR_INPUT);
        ck_assert_int_eq(b.graph->node_count, nodes);
    }
    free(b.pieces);
    ncl_graph_free(b.graph);
}

static const struct ncl_block right = {
    .bottleneck = true, .width = 128, .channels = 256, .groups = 32, .stride = 2, .project = true};

START_TEST(right_blocks_are_built)
{
    struct ncl_block block = right;

    build(_i, block, NULL);
    block.stride = 1;
    build(_i, block, NULL);
    block.channels = 64;
    block.project = false;
    build(_i, block, NULL);
}
END_TEST

START_TEST(width_divides_into_groups)
{
    struct ncl_block block = right;

    block.width = 130;
    build(_i, block,
          "': 130 channels in 32 groups, expected a multiple of the groups; likely fix: "
          "128 or 160 channels, or 26 groups");
    block.width = 16;
    build(_i, block, "': 16 channels in 32 groups");
    block.groups = 0;
    build(_i, block, "': 16 channels in 0 groups");
}
END_TEST

START_TEST(shortcut_has_the_main_paths_shape)
{
    struct ncl_block block = right;

    block.project = false;
    build(_i, block,
          "' at 224 pixels: the main path has 256 channels of 112x112, the shortcut 64 channels of "
          "224x224, expected the same; likely fix: a 1x1 convolution to 256 channels with stride 2 "
          "on the shortcut");
    block.stride = 1;
    build(_i, block,
          "256 channels of 224x224, the shortcut 64 channels of 224x224, expected the "
          "same; likely fix: a 1x1 convolution to 256 channels on the shortcut");
    block.stride = 2;
    block.channels = 64;
    build(_i, block, "64 channels of 112x112, the shortcut 64 channels of 224x224");
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("block");

    tcase_add_loop_test(tests, right_blocks_are_built, 0, STYLES);
    tcase_add_loop_test(tests, width_divides_into_groups, 0, STYLES);
    tcase_add_loop_test(tests, shortcut_has_the_main_paths_shape, 0, STYLES);
    return ncl_run_suite(tests, "zoo/block");
}
