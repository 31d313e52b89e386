/* What the reader keeps of a file's metadata_props, and which it refuses. */
#include "import/onnx_check.h"

enum { MODEL_METADATA = 14 };

static void add_bytes(struct onnx_parts *parts, const char *key, const void *value, size_t bytes)
{
    struct ncl_text entry = {0};

    pb_text(&entry, 1, key);
    pb_bytes(&entry, 2, value, bytes);
    pb_message(&parts->model, MODEL_METADATA, &entry);
}

static void add(struct onnx_parts *parts, const char *key, const char *value)
{
    add_bytes(parts, key, value, strlen(value));
}

static struct onnx_parts small_net(void)
{
    struct onnx_parts parts = image_parts(13);

    onnx_node(&parts, "Relu", "n", "x", "y", NULL);
    return parts;
}

START_TEST(our_keys_are_kept)
{
    struct onnx_parts parts = small_net();
    struct ncl_text entry = {0}, file = {0};
    struct ncl_onnx *model = NULL;

    add(&parts, "nextcl.labels", "cat\ndog");
    add_bytes(&parts, "author", "\0\xff", 2); /* another's: whatever it holds */
    pb_text(&entry, 1, "nextcl.empty");
    pb_message(&parts.model, MODEL_METADATA, &entry);
    add(&parts, "nextcl", "no prefix of ours");
    file = onnx_model(&parts);
    ck_assert_msg(ncl_onnx_from_memory(NULL, file.data, file.length, &model) == NCL_OK, "%s",
                  ncl_error_text());
    ck_assert_str_eq(ncl_onnx_metadata(model, "nextcl.labels"), "cat\ndog");
    ck_assert_str_eq(ncl_onnx_metadata(model, "nextcl.empty"), "");
    ck_assert_ptr_null(ncl_onnx_metadata(model, "nextcl.label"));
    ck_assert_ptr_null(ncl_onnx_metadata(model, "nextcl"));
    ck_assert_ptr_null(ncl_onnx_metadata(model, "author"));
    ncl_onnx_free(model);
    ncl_text_free(&file);
}
END_TEST

static void twice(struct onnx_parts *parts)
{
    add(parts, "nextcl.labels", "a");
    add(parts, "nextcl.labels", "b");
}

static void a_nul(struct onnx_parts *parts)
{
    add_bytes(parts, "nextcl.labels", "a\0b", 3);
}

static void a_nul_in_the_key(struct onnx_parts *parts)
{
    struct ncl_text entry = {0};

    pb_bytes(&entry, 1, "nextcl.\0x", 9);
    pb_message(&parts->model, MODEL_METADATA, &entry);
}

static void a_long_key(struct onnx_parts *parts)
{
    char key[66] = "nextcl.";

    memset(key + 7, 'k', 58);
    add(parts, key, "a");
}

static void a_long_value(struct onnx_parts *parts)
{
    const size_t bytes = (1 << 20) + 1;
    char *value = malloc(bytes);

    ck_assert_ptr_nonnull(value);
    memset(value, 'v', bytes);
    add_bytes(parts, "nextcl.labels", value, bytes);
    free(value);
}

static void many(struct onnx_parts *parts)
{
    for (int i = 0; i <= NCL_ONNX_MAX_PROPERTIES; i++) {
        const char key[] = {'n', 'e', 'x', 't', 'c', 'l', '.', (char)('a' + i), '\0'};
        add(parts, key, "");
    }
}

static void a_number(struct onnx_parts *parts)
{
    pb_int(&parts->model, MODEL_METADATA, 1);
}

static void a_numeric_value(struct onnx_parts *parts)
{
    struct ncl_text entry = {0};

    pb_text(&entry, 1, "author");
    pb_int(&entry, 2, 1);
    pb_message(&parts->model, MODEL_METADATA, &entry);
}

static void a_cut_entry(struct onnx_parts *parts)
{
    pb_bytes(&parts->model, MODEL_METADATA, "\x0a\x20nextcl.labels", 15);
}

static const struct {
    void (*add)(struct onnx_parts *parts);
    const char *expected;
} refused[] = {
    {twice, "metadata 'nextcl.labels': expected once, found twice"},
    {a_nul, "metadata 'nextcl.labels': expected at most 1048576 bytes, none of them NUL, found 3"},
    {a_nul_in_the_key, "expected a key of at most 64 bytes, none of them NUL, found 9"},
    {a_long_key, "expected a key of at most 64 bytes, none of them NUL, found 65"},
    {a_long_value, "expected at most 1048576 bytes, none of them NUL, found 1048577"},
    {many, "metadata: expected at most 16 keys of NextCL's"},
    {a_number, "not a valid ONNX file"},
    {a_numeric_value, "not a valid ONNX file"},
    {a_cut_entry, "not a valid ONNX file"},
};

START_TEST(broken_metadata_is_refused)
{
    struct onnx_parts parts = small_net();

    refused[_i].add(&parts);
    expect_model_error(&parts, refused[_i].expected);
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("metadata");

    tcase_add_test(tests, our_keys_are_kept);
    tcase_add_loop_test(tests, broken_metadata_is_refused, 0, COUNT(refused));
    return ncl_run_suite(tests, "import/onnx_metadata");
}
