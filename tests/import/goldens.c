/* Every golden model loads, and its tensors fit its declared input. */
#include "import/npy.h"
#include "import/onnx.h"
#include "support/suite.h"
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void check_tensor(const char *model, const char *suffix, const struct ncl_value *value)
{
    const int stem = (int)strlen(model) - 5; /* without ".onnx" */
    char path[256];
    ncl_tensor tensor;

    snprintf(path, sizeof(path), "%.*s%s", stem, model, suffix);
    ck_assert_msg(ncl_npy_load(NULL, path, &tensor) == NCL_OK, "%s", ncl_error_text());
    for (int i = 0; value != NULL && i < value->rank; i++) {
        ck_assert_int_eq(tensor.rank, value->rank);
        ck_assert(value->dims[i] == -1 || value->dims[i] == tensor.dims[i]);
    }
    free(tensor.data);
}

START_TEST(goldens_load)
{
    glob_t found;

    ck_assert_int_eq(glob("tests/data/*.onnx", 0, NULL, &found), 0);
    ck_assert_uint_ge(found.gl_pathc, 9);
    for (size_t i = 0; i < found.gl_pathc; i++) {
        const char *path = found.gl_pathv[i];
        /* The trained net's inputs have names of their own. */
        const char *input = strstr(path, "/digits.onnx") != NULL ? "_x.npy" : ".input.npy";
        struct ncl_onnx *model = NULL;
        ck_assert_msg(ncl_onnx_load(NULL, path, &model) == NCL_OK, "%s", ncl_error_text());
        check_tensor(path, input, &model->graph->values[model->graph->inputs[0]]);
        check_tensor(path, ".expected.npy", NULL);
        ncl_onnx_free(model);
    }
    globfree(&found);
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("goldens");

    tcase_add_test(tests, goldens_load);
    return ncl_run_suite(tests, "import/goldens");
}
