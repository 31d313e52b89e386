/* What classify makes of pictures, end to end: nets that give the mean of each channel. */
#include "cli/cli.h"
#include "support/onnx_writer.h"

#include <math.h>

static void write_model(const char *name, struct onnx_parts *parts)
{
    struct ncl_text model = onnx_model(parts);
    char path[256];
    FILE *file;

    snprintf(path, sizeof path, "%s/%s", getenv("T"), name);
    file = fopen(path, "wb");
    ck_assert_ptr_nonnull(file);
    ck_assert_uint_eq(fwrite(model.data, 1, model.length, file), model.length);
    fclose(file);
    ncl_text_free(&model);
}

static void write_means(const char *name, bool channels_last, int channels)
{
    const int64_t first[] = {-1, channels, -1, -1, -2}, last[] = {-1, 6, 6, channels, -2};
    struct onnx_parts parts = {.opset = 13};
    struct ncl_text node = {0}, perm = {0};

    onnx_input(&parts, "x", 1, channels_last ? last : first);
    onnx_output(&parts, "y");
    pb_text(&perm, 1, "perm");
    pb_int(&perm, 20, 7);
    for (int i = 0; i < 4; i++)
        pb_int(&perm, 8, i == 0 ? 0 : i == 1 ? 3 : i - 1);
    pb_message(&node, 5, &perm);
    if (channels_last)
        onnx_node(&parts, "Transpose", "t", "x", "n", &node);
    else
        ncl_text_free(&node);
    onnx_node(&parts, "GlobalAveragePool", "g", channels_last ? "n" : "x", "m", NULL);
    onnx_node(&parts, "Flatten", "f", "m", "y", NULL);
    write_model(name, &parts);
}

/* Pictures of one colour each: red 10, green 60, blue 250; and grey 200. */
static void write_pictures(void)
{
    shell("cd \"$T\"; printf 'P3 2 1 255 10 60 250 10 60 250' >colour.ppm; "
          "printf 'P2 1 3 255 200 200 200' >grey.pgm");
    write_means("first.onnx", false, 3);
    write_means("last.onnx", true, 3);
    write_means("one.onnx", false, 1);
}

static double score(const json_t *image, size_t class)
{
    const json_t *top = json_object_get(image, "top");
    const json_t *entry;
    size_t k;

    json_array_foreach(top, k, entry)
    {
        if ((size_t)json_integer_value(json_object_get(entry, "index")) == class)
            return json_number_value(json_object_get(entry, "score"));
    }
    ck_abort_msg("class %zu is missing", class);
    return 0;
}

static void check_scores(const char *model, const char *options, const double *expected,
                         size_t classes)
{
    json_t *root;

    MUST_WORK("classify \"$T/%s\" \"$T/%s\" --raw --json %s", model,
              classes == 3 ? "colour.ppm" : "grey.pgm", options);
    root = said_json();
    for (size_t c = 0; c < classes; c++) {
        const double found = score(json_array_get(json_object_get(root, "images"), 0), c);

        ck_assert_msg(fabs(found - expected[c]) < 1e-4, "%s %s: class %zu: %g, expected %g", model,
                      options, c, found, expected[c]);
    }
    json_decref(root);
}

#define EXPECT(options, ...)                                                                       \
    do {                                                                                           \
        check_scores("first.onnx", "--crop 8 " options, (const double[]){__VA_ARGS__}, 3);         \
        check_scores("last.onnx", options, (const double[]){__VA_ARGS__}, 3);                      \
    } while (0)

START_TEST(every_mode_in_both_layouts)
{
    write_pictures();
    EXPECT("", (10 / 255. - 0.485) / 0.229, (60 / 255. - 0.456) / 0.224,
           (250 / 255. - 0.406) / 0.225);
    EXPECT("--preprocess keras-torch", (10 / 255. - 0.485) / 0.229, (60 / 255. - 0.456) / 0.224,
           (250 / 255. - 0.406) / 0.225);
    EXPECT("--preprocess keras-tf --resize 9", 10 / 127.5 - 1, 60 / 127.5 - 1, 250 / 127.5 - 1);
    EXPECT("--preprocess keras-caffe", 250 - 103.939, 60 - 116.779, 10 - 123.68);
    EXPECT("--preprocess none", 10, 60, 250);
}
END_TEST

START_TEST(own_mean_and_std)
{
    write_pictures();
    EXPECT("--mean 0.1,0.2,0.3 --std 0.5,1,2", (10 / 255. - 0.1) / 0.5, 60 / 255. - 0.2,
           (250 / 255. - 0.3) / 2);
    EXPECT("--mean 0 --std 1 --resize 10", 10 / 255., 60 / 255., 250 / 255.);
    EXPECT("--preprocess keras-caffe --mean 1,2,3 --std 2", 249 / 2., 58 / 2., 7 / 2.);
    EXPECT("--preprocess none --mean 100", -90, -40, 150);
    MUST_FAIL(2, "--mean: expected one or three numbers",
              "classify \"$T/last.onnx\" \"$T/colour.ppm\" --mean 1,2");
    MUST_FAIL(2, "--std: expected one or three numbers",
              "classify \"$T/last.onnx\" \"$T/colour.ppm\" --std 1,");
    MUST_FAIL(2, "a std above 0", "classify \"$T/last.onnx\" \"$T/colour.ppm\" --std 1,1,0");
    MUST_FAIL(2, "crop <= resize", "classify \"$T/last.onnx\" \"$T/colour.ppm\" --resize 5");
    MUST_FAIL(2, "keras-tf", "classify \"$T/last.onnx\" \"$T/colour.ppm\" --preprocess keras");
}
END_TEST

START_TEST(nets_of_one_channel_get_grey)
{
    write_pictures();
    check_scores("one.onnx", "--crop 8", (const double[]){(200 / 255. - 0.449) / 0.226}, 1);
    check_scores("one.onnx", "--crop 8 --mean 0.5 --std 0.25",
                 (const double[]){(200 / 255. - 0.5) / 0.25}, 1);
    check_scores("one.onnx", "--crop 8 --preprocess none", (const double[]){200}, 1);
}
END_TEST

START_TEST(directories_hold_every_format)
{
    json_t *root;

    write_pictures();
    shell("mkdir -p \"$T/all\"; for i in edges_420.jpg rgb.png colours_4bit.bmp colours.gif "
          "rgb.ppm grey.pgm bits.pbm README.md make_images.py; do cp tests/data/$i \"$T/all\"; "
          "done");
    MUST_WORK("classify \"$T/last.onnx\" \"$T/all\" --json");
    root = said_json();
    ck_assert_uint_eq(json_array_size(json_object_get(root, "images")), 7);
    json_decref(root);
}
END_TEST

/* The folder's path still fits, its image's does not. */
START_TEST(an_image_whose_path_is_too_long)
{
    write_pictures();
    shell("d=$(printf '%%0250d' 0); p=$T; for i in 0 1 2 3 4 5 6 7 8 9 a b c d e f; do p=$p/$d; "
          "done; mkdir -p \"$p\"; (cd \"$p\" && : >$d.jpg) && "
          "$NEXTCL_CLI classify \"$T/last.onnx\" \"$T/grey.pgm\" \"$p\"");
    ck_assert_int_eq(said.status, 3);
    ck_assert_str_eq(said.out, "");
    ck_assert_ptr_nonnull(strstr(said.err, "too long"));
}
END_TEST

/* Whatever is wrong with one, all that can be read is classified. */
START_TEST(bad_ones_do_not_stop_the_rest)
{
    json_t *root;

    write_pictures();
    shell("head -c 900 tests/data/edges_420.jpg >\"$T/cut.jpg\"; : >\"$T/empty.png\"; "
          "printf 'P6 9 9 255\\nabc' >\"$T/short.ppm\"");
    shell("$NEXTCL_CLI classify \"$T/last.onnx\" \"$T/cut.jpg\" \"$T/missing.jpg\" "
          "\"$T/no*.png\" \"$T/colour.ppm\" \"$T/empty.png\" \"$T/short.ppm\" --json --batch 2");
    ck_assert_int_eq(said.status, 3);
    ck_assert_ptr_nonnull(strstr(said.err, "cut.jpg: cut off: expected"));
    ck_assert_ptr_nonnull(strstr(said.err, "4 more of 6"));
    ck_assert_ptr_eq(strchr(said.err, '\n'), said.err + strlen(said.err) - 1);
    root = said_json();
    ck_assert_uint_eq(json_array_size(json_object_get(root, "images")), 1);
    json_decref(root);
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("images");

    tcase_add_test(tests, every_mode_in_both_layouts);
    tcase_add_test(tests, own_mean_and_std);
    tcase_add_test(tests, nets_of_one_channel_get_grey);
    tcase_add_test(tests, directories_hold_every_format);
    tcase_add_test(tests, an_image_whose_path_is_too_long);
    tcase_add_test(tests, bad_ones_do_not_stop_the_rest);
    return cli_suite(tests, "images");
}
