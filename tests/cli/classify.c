#include "cli/cli.h"

/* Any photograph, any size. */
#define ZOO "zoo:resnet18"

START_TEST(top_classes_as_json)
{
    json_t *root, *image, *top;
    double before = 1, sum = 0;

    MUST_WORK("classify %s tests/data/cat.jpg tests/data/rgb.png --top 4 --json --crop 64", ZOO);
    root = said_json();
    must_have(root, "images images_per_s");
    ck_assert_uint_eq(json_array_size(json_object_get(root, "images")), 2);
    image = json_array_get(json_object_get(root, "images"), 0);
    ck_assert_str_eq(json_string_value(json_object_get(image, "path")), "tests/data/cat.jpg");
    top = json_object_get(image, "top");
    ck_assert_uint_eq(json_array_size(top), 4);
    for (size_t i = 0; i < json_array_size(top); i++) {
        const json_t *entry = json_array_get(top, i);
        const double score = json_number_value(json_object_get(entry, "score"));

        must_have(entry, "index label score");
        ck_assert(json_is_string(json_object_get(entry, "label")));
        ck_assert(score <= before && score > 0);
        before = score;
        sum += score;
    }
    ck_assert(sum <= 1.000001);
    json_decref(root);
}
END_TEST

START_TEST(raw_scores_and_own_labels)
{
    json_t *root, *top;

    shell("for i in 0 1 2 3 4 5 6; do echo class $i; done >\"$T/names\"");
    MUST_WORK("classify %s tests/data/cat.jpg --classes 7 --crop 64 --raw --json --top 99 "
              "--labels \"$T/names\"",
              ZOO);
    root = said_json();
    top = json_object_get(json_array_get(json_object_get(root, "images"), 0), "top");
    ck_assert_uint_eq(json_array_size(top), 7);
    for (size_t i = 0; i < 7; i++) {
        char label[32];

        snprintf(label, sizeof label, "class %d",
                 (int)json_integer_value(json_object_get(json_array_get(top, i), "index")));
        ck_assert_str_eq(json_string_value(json_object_get(json_array_get(top, i), "label")),
                         label);
    }
    json_decref(root);
    MUST_FAIL(3, "7 names, expected 5",
              "classify %s tests/data/cat.jpg --classes 5 --crop 64 --labels \"$T/names\"", ZOO);
    MUST_FAIL(3, "none.txt",
              "classify %s tests/data/cat.jpg --classes 5 --crop 64 --labels none.txt", ZOO);
}
END_TEST

START_TEST(a_batch_gives_what_single_images_give)
{
    json_t *one, *three;

    MUST_WORK("classify %s tests/data/cat.jpg --crop 64 --math reproducible --json", ZOO);
    one = said_json();
    MUST_WORK("classify %s tests/data/rgb.png tests/data/cat.jpg --batch 3 --crop 64 "
              "--math reproducible --json",
              ZOO);
    three = said_json();
    ck_assert(json_equal(json_array_get(json_object_get(one, "images"), 0),
                         json_array_get(json_object_get(three, "images"), 1)));
    json_decref(one);
    json_decref(three);
}
END_TEST

START_TEST(folders_and_patterns)
{
    json_t *root, *images;

    shell("mkdir -p \"$T/photos\"; cp tests/data/cat.jpg \"$T/photos/b.JPG\"; "
          "cp tests/data/rgb.png \"$T/photos/a.png\"; echo no >\"$T/photos/notes.txt\"; "
          "mkdir -p \"$T/none\"");
    MUST_WORK("classify %s \"$T/photos\" --crop 64 --json", ZOO);
    root = said_json();
    images = json_object_get(root, "images");
    ck_assert_uint_eq(json_array_size(images), 2);
    ck_assert_ptr_nonnull(
        strstr(json_string_value(json_object_get(json_array_get(images, 0), "path")), "a.png"));
    json_decref(root);
    MUST_WORK("classify %s \"$T/photos/*.png\" --crop 64", ZOO);
    ck_assert_ptr_nonnull(strstr(said.out, "a.png"));
    ck_assert_ptr_nonnull(strstr(said.out, "1 image, "));
    MUST_FAIL(3, "no .jpg", "classify %s \"$T/none\"", ZOO);
    MUST_FAIL(3, "missing.jpg", "classify %s missing.jpg", ZOO);
}
END_TEST

START_TEST(broken_images_are_named_and_the_rest_goes_on)
{
    shell("head -c 9000 tests/data/cat.jpg >\"$T/cut.jpg\"; echo text >\"$T/text.png\"");
    MUST_FAIL(3, "cut.jpg", "classify %s \"$T/cut.jpg\" --crop 64", ZOO);
    MUST_FAIL(3, "1 more of 2", "classify %s \"$T/cut.jpg\" \"$T/text.png\" --crop 64", ZOO);
    shell("$NEXTCL_CLI classify %s \"$T/cut.jpg\" tests/data/cat.jpg --crop 64 --json", ZOO);
    ck_assert_int_eq(said.status, 3);
    ck_assert_ptr_nonnull(strstr(said.err, "cut.jpg"));
    ck_assert_ptr_nonnull(strstr(said.out, "cat.jpg"));
    json_decref(said_json());
}
END_TEST

START_TEST(models_that_classify_nothing)
{
    MUST_FAIL(3, "RGB", "classify tests/data/residuals.onnx tests/data/cat.jpg");
    MUST_FAIL(3, "square", "classify %s tests/data/cat.jpg", NET);
    MUST_FAIL(2, "--batch 3: the model's batch is fixed at 1",
              "classify tests/data/auto_pad.onnx tests/data/cat.jpg --batch 3");
    MUST_FAIL(2, "--preprocess", "classify %s tests/data/cat.jpg --preprocess magic", ZOO);
    MUST_FAIL(2, "crop", "classify %s tests/data/cat.jpg --crop 64 --resize 32", ZOO);
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("classify");

    tcase_add_test(tests, top_classes_as_json);
    tcase_add_test(tests, raw_scores_and_own_labels);
    tcase_add_test(tests, a_batch_gives_what_single_images_give);
    tcase_add_test(tests, folders_and_patterns);
    tcase_add_test(tests, broken_images_are_named_and_the_rest_goes_on);
    tcase_add_test(tests, models_that_classify_nothing);
    return cli_suite(tests, "classify");
}
