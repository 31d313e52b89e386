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

/* Nothing that is waited for, or that never ends. */
START_TEST(labels_are_text_files)
{
    static const struct {
        const char *file, *said;
    } wrong[] = {{"$T/fifo", "fifo: expected a text file"},
                 {"$T", "expected a text file"},
                 {"/dev/zero", "/dev/zero: expected a text file"},
                 {"$T/huge", "huge: expected a text file of at most"},
                 {"$T/nul", "nul: expected text, found a NUL byte"}};

    shell(
        "mkfifo \"$T/fifo\"; truncate -s 17M \"$T/huge\"; printf 'a\\000b\\nc\\nd\\n' >\"$T/nul\"");
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        MUST_FAIL(3, wrong[i].said,
                  "classify tests/data/digits.onnx tests/data/digit_0_8.png --labels \"%s\"",
                  wrong[i].file);
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
    MUST_FAIL(3, "RGB or grey", "classify tests/data/split_groups.onnx tests/data/cat.jpg");
    MUST_FAIL(3, "square", "classify %s tests/data/cat.jpg", NET);
    MUST_FAIL(3, "one score per image and class", "classify tests/net/map.onnx tests/data/cat.jpg");
    MUST_FAIL(2, "--batch 3: the model's batch is fixed at 1",
              "classify tests/data/auto_pad.onnx tests/data/cat.jpg --batch 3");
    MUST_FAIL(2, "--preprocess", "classify %s tests/data/cat.jpg --preprocess magic", ZOO);
    MUST_FAIL(2, "crop", "classify %s tests/data/cat.jpg --crop 64 --resize 32", ZOO);
}
END_TEST

#define DIGITS "tests/data/digits.onnx"
#define DIGITS_X "tests/data/digits_x.npy"
#define DIGITS_Y "tests/data/digits_y.npy"

static int top_index(const json_t *root, size_t image)
{
    const json_t *entry = json_array_get(json_object_get(root, "images"), image);

    return (int)json_integer_value(
        json_object_get(json_array_get(json_object_get(entry, "top"), 0), "index"));
}

START_TEST(rows_of_a_tensor_are_images)
{
    json_t *root, *images;

    /* The ninth held-out digit, as a picture, as a row, and in a row again. */
    MUST_WORK("classify " DIGITS " tests/data/digit_0_8.png " DIGITS_X " --batch 7 --json "
              "--math reproducible");
    root = said_json();
    images = json_object_get(root, "images");
    ck_assert_uint_eq(json_array_size(images), 361);
    ck_assert_str_eq(json_string_value(json_object_get(json_array_get(images, 9), "path")),
                     DIGITS_X "[8]");
    ck_assert(json_equal(json_object_get(json_array_get(images, 0), "top"),
                         json_object_get(json_array_get(images, 9), "top")));
    ck_assert_int_eq(top_index(root, 0), 0);
    ck_assert_ptr_null(json_object_get(root, "accuracy"));
    ck_assert_ptr_null(json_object_get(json_array_get(images, 9), "expected"));
    json_decref(root);
    /* Rows need not be square, and fix a free size. */
    MUST_WORK("classify tests/data/resnext_unfolded.onnx tests/data/resnext_unfolded.input.npy "
              "--batch 2");
    ck_assert_ptr_nonnull(strstr(said.out, "input.npy[1]"));
    MUST_FAIL(3, "40 x 36",
              "classify tests/data/resnext_unfolded.onnx tests/data/resnext_unfolded.input.npy "
              "tests/data/cat.jpg");
    MUST_WORK("classify %s %s --top 1", NET, NET_INPUT);
}
END_TEST

START_TEST(the_truth_gives_the_accuracy)
{
    json_t *root;
    double accuracy;

    MUST_WORK("classify " DIGITS " " DIGITS_X " --truth " DIGITS_Y " --batch 60 --json");
    root = said_json();
    must_have(root, "images images_per_s accuracy correct");
    must_have(json_array_get(json_object_get(root, "images"), 0), "path top expected");
    accuracy = json_number_value(json_object_get(root, "accuracy"));
    ck_assert(accuracy >= 0.98 && accuracy <= 1);
    ck_assert_int_eq((int)json_integer_value(json_object_get(root, "correct")),
                     (int)(accuracy * 360 + 0.5));
    json_decref(root);
    MUST_WORK("classify " DIGITS " " DIGITS_X " --truth " DIGITS_Y " --batch 60 --top 1");
    ck_assert_ptr_nonnull(strstr(said.out, DIGITS_X "[8]: 0 ("));
    ck_assert_ptr_nonnull(strstr(said.out, "%), expected "));
    ck_assert_ptr_nonnull(strstr(said.out, "of 360 right\n360 images, "));
    MUST_FAIL(3, "360 classes, expected 1, one an image",
              "classify " DIGITS " tests/data/digit_0_8.png --truth " DIGITS_Y);
    MUST_FAIL(3, "'<i8', '<i4' or '|u1'", "classify " DIGITS " " DIGITS_X " --truth " DIGITS_X);
    /* A class that the net does not have: one byte of the first index. */
    shell("cp " DIGITS_Y " \"$T/y.npy\"; "
          "printf '\\012' | dd of=\"$T/y.npy\" bs=1 seek=128 conv=notrunc 2>/dev/null");
    MUST_FAIL(3, "class 10 at 0, expected 0 to 9",
              "classify " DIGITS " " DIGITS_X " --truth \"$T/y.npy\"");
}
END_TEST

START_TEST(tensors_that_do_not_fit)
{
    MUST_FAIL(3, "rows of 3 x 40 x 36, expected 1 x 8 x 8", "classify " DIGITS " " NET_INPUT);
    MUST_FAIL(3, "none.npy", "classify " DIGITS " none.npy");
    MUST_FAIL(3, "rank 2, expected 4", "classify " DIGITS " tests/data/digits.expected.npy");
    MUST_FAIL(3, "rank 2, expected 4",
              "classify " DIGITS " tests/data/digits.expected.npy " DIGITS_X " --truth " DIGITS_Y);
    /* The rest goes on. */
    shell("$NEXTCL_CLI classify " DIGITS " tests/data/digits.expected.npy tests/data/digit_0_8.png "
          "--json");
    ck_assert_int_eq(said.status, 3);
    ck_assert_ptr_nonnull(strstr(said.err, "rank 2"));
    ck_assert_ptr_nonnull(strstr(said.out, "digit_0_8.png"));
}
END_TEST

/* Appends to a copy of a model: fields of a protocol buffer may come in any order. */
#define PREPROCESS_MAGIC "\\162\\032\\012\\021nextcl.preprocess\\022\\005magic"
#define PREPROCESS_NONE "\\162\\031\\012\\021nextcl.preprocess\\022\\004none"
#define TWO_LABELS "\\162\\024\\012\\015nextcl.labels\\022\\003a\\nb"
#define CLASSES "tests/net/classes.onnx"

START_TEST(a_model_names_its_preprocessing)
{
    json_t *flag, *own;

    shell("cat " CLASSES " >\"$T/own.onnx\"; printf '" PREPROCESS_NONE "' >>\"$T/own.onnx\"");
    MUST_WORK("classify \"$T/own.onnx\" tests/data/cat.jpg --json --math reproducible");
    own = said_json();
    MUST_WORK("classify " CLASSES " tests/data/cat.jpg --preprocess none --json "
              "--math reproducible");
    flag = said_json();
    ck_assert(json_equal(json_object_get(own, "images"), json_object_get(flag, "images")));
    json_decref(own);
    json_decref(flag);
    MUST_WORK("classify \"$T/own.onnx\" tests/data/cat.jpg --preprocess torchvision --json "
              "--math reproducible");
    own = said_json();
    MUST_WORK("classify " CLASSES " tests/data/cat.jpg --json --math reproducible");
    flag = said_json();
    ck_assert(json_equal(json_object_get(own, "images"), json_object_get(flag, "images")));
    json_decref(own);
    json_decref(flag);
}
END_TEST

START_TEST(metadata_that_make_no_sense)
{
    shell("cat " CLASSES " >\"$T/magic.onnx\"; printf '" PREPROCESS_MAGIC "' >>\"$T/magic.onnx\"");
    MUST_FAIL(3, "metadata 'nextcl.preprocess': expected torchvision",
              "classify \"$T/magic.onnx\" tests/data/cat.jpg");
    MUST_WORK("classify \"$T/magic.onnx\" tests/data/cat.jpg --preprocess torchvision");
    shell("cat " CLASSES " >\"$T/two.onnx\"; printf '" TWO_LABELS "' >>\"$T/two.onnx\"");
    MUST_FAIL(3, "metadata 'nextcl.labels': 2 names, expected 1000",
              "classify \"$T/two.onnx\" tests/data/cat.jpg");
    shell("seq 1000 >\"$T/thousand\"");
    MUST_WORK("classify \"$T/two.onnx\" tests/data/cat.jpg --labels \"$T/thousand\"");
    shell("cat \"$T/two.onnx\" >\"$T/twice.onnx\"; printf '" TWO_LABELS "' >>\"$T/twice.onnx\"");
    MUST_FAIL(3, "metadata 'nextcl.labels': expected once",
              "classify \"$T/twice.onnx\" tests/data/cat.jpg");
}
END_TEST

START_TEST(names_in_any_encoding)
{
    json_t *root, *image;

    shell("printf 'caf\\351\\033[2J\\n' >\"$T/names\"; mkdir \"$T/named\"; "
          "cp tests/data/rgb.png \"$T/named/$(printf '\\351').png\"");
    MUST_WORK("classify %s \"$T/named\" --classes 1 --crop 64 --labels \"$T/names\" --json", ZOO);
    root = said_json();
    image = json_array_get(json_object_get(root, "images"), 0);
    ck_assert_ptr_nonnull(strstr(json_string_value(json_object_get(image, "path")), "/?.png"));
    ck_assert_str_eq(json_string_value(json_object_get(
                         json_array_get(json_object_get(image, "top"), 0), "label")),
                     "caf?\033[2J");
    json_decref(root);
    MUST_WORK("classify %s tests/data/rgb.png --classes 1 --crop 64 --labels \"$T/names\"", ZOO);
    ck_assert_ptr_nonnull(strstr(said.out, "caf\351 [2J"));
}
END_TEST

START_TEST(probabilities_are_not_made_twice)
{
    json_t *raw, *root;

    /* opset7's net ends in a softmax. */
    MUST_WORK("classify tests/data/opset7.onnx tests/data/opset7.input.npy --raw --json --batch 3");
    raw = said_json();
    MUST_WORK("classify tests/data/opset7.onnx tests/data/opset7.input.npy --json --batch 3");
    root = said_json();
    ck_assert(json_equal(json_object_get(raw, "images"), json_object_get(root, "images")));
    json_decref(raw);
    json_decref(root);
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("classify");

    tcase_add_test(tests, top_classes_as_json);
    tcase_add_test(tests, raw_scores_and_own_labels);
    tcase_add_test(tests, labels_are_text_files);
    tcase_add_test(tests, a_batch_gives_what_single_images_give);
    tcase_add_test(tests, folders_and_patterns);
    tcase_add_test(tests, broken_images_are_named_and_the_rest_goes_on);
    tcase_add_test(tests, models_that_classify_nothing);
    tcase_add_test(tests, rows_of_a_tensor_are_images);
    tcase_add_test(tests, the_truth_gives_the_accuracy);
    tcase_add_test(tests, tensors_that_do_not_fit);
    tcase_add_test(tests, a_model_names_its_preprocessing);
    tcase_add_test(tests, metadata_that_make_no_sense);
    tcase_add_test(tests, names_in_any_encoding);
    tcase_add_test(tests, probabilities_are_not_made_twice);
    return cli_suite(tests, "classify");
}
