/* Reading a model that must be refused. */
#ifndef NCL_TESTS_IMPORT_ONNX_CHECK_H
#define NCL_TESTS_IMPORT_ONNX_CHECK_H

#include "import/onnx.h"
#include "support/onnx_writer.h"
#include "support/suite.h"
#include <stdlib.h>
#include <string.h>

#define COUNT(array) ((int)(sizeof(array) / sizeof(*(array))))
#define DIMS(...) ((const int64_t[]){__VA_ARGS__, -2})
#define HUGE_INT ((int64_t)1 << 62)

static inline void expect_error(const void *data, size_t bytes, const char *expected)
{
    struct ncl_onnx *model = NULL;
    /* On the heap and no longer than it is, so that a sanitizer sees every step too far. */
    char *copy = malloc(bytes + 1);

    ck_assert_ptr_nonnull(copy);
    memcpy(copy + 1, data, bytes);
    ck_assert_msg(ncl_onnx_from_memory(NULL, copy + 1, bytes, &model) == NCL_ERROR_INPUT,
                  "expected '%s'", expected);
    ck_assert_ptr_null(model);
    ck_assert_msg(strstr(ncl_error_text(), expected) != NULL, "expected '%s' in '%s'", expected,
                  ncl_error_text());
    ck_assert_ptr_null(strchr(ncl_error_text(), '\n'));
    free(copy);
}

static inline void expect_model_error(struct onnx_parts *parts, const char *expected)
{
    struct ncl_text file = onnx_model(parts);

    expect_error(file.data, file.length, expected);
    ncl_text_free(&file);
}

static inline struct onnx_parts image_parts(int64_t opset)
{
    struct onnx_parts parts = {.opset = opset};

    onnx_input(&parts, "x", 1, DIMS(-1, 3, 8, 8));
    onnx_output(&parts, "y");
    return parts;
}

#endif
