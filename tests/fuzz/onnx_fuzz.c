/* libFuzzer harness of the ONNX reader: any bytes give a graph or an error, and every constant of a
 * graph can be read to its end. Build with clang -fsanitize=fuzzer,address,undefined; goldens in
 * tests/data are good seeds. */
#include "import/onnx.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static volatile double sink; /* or the compiler drops the reads */

static double read_constants(const struct ncl_graph *graph)
{
    double sum = 0.0;

    for (int i = 0; i < graph->value_count; i++) {
        const struct ncl_value *value = &graph->values[i];
        const int64_t elements = ncl_value_is_constant(value) ? ncl_value_elements(value) : 0;
        for (int64_t k = 0; k < elements; k++) {
            sum += ncl_value_element(value, k);
        }
    }
    return sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ncl_onnx *model = NULL;

    if (ncl_onnx_from_memory(NULL, data, size, &model) == NCL_OK) {
        sink = read_constants(model->graph);
    }
    ncl_onnx_free(model);
    return 0;
}
