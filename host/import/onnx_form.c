/* Operators whose nodes differ from one graph node of the same inputs. */
#include "import/onnx_node.h"
#include <string.h>

/* A node between the given one and its output: the output is now `after`'s, whose input 0 is new.
 */
static ncl_status append(struct ncl_onnx_reading *r, enum ncl_op op, int inputs,
                         enum ncl_dtype dtype, int *after)
{
    struct ncl_graph *graph = r->reader->graph;
    const int output = graph->nodes[r->node].outputs[0];
    int between = 0;
    ncl_status status = ncl_onnx_new_value(r->reader, r->output, &between);

    if (status == NCL_OK) {
        status = ncl_onnx_add_node(r, op, inputs, after);
    }
    if (status != NCL_OK) {
        return status;
    }
    r->reader->values[between].dtype = dtype;
    graph->nodes[r->node].outputs[0] = between;
    graph->nodes[*after].inputs[0] = between;
    graph->nodes[*after].outputs[0] = output;
    return NCL_OK;
}

static ncl_status make_shape(struct ncl_onnx_reading *r)
{
    struct ncl_graph *graph = r->reader->graph;
    struct ncl_axes starts = graph->nodes[r->node].as.axes.starts;
    struct ncl_axes ends = graph->nodes[r->node].as.axes.ends;
    int slice = 0;
    ncl_status status = NCL_OK;

    if (!ends.given && (!starts.given || starts.values[0] == 0)) {
        return NCL_OK;
    }
    status = append(r, NCL_OP_SLICE, 1, NCL_DTYPE_I64, &slice);
    if (status != NCL_OK) {
        return status;
    }
    starts.given = true;
    starts.count = 1;
    if (!ends.given) {
        ends = (struct ncl_axes){.given = true, .count = 1, .values = {INT64_MAX}};
    }
    memset(&graph->nodes[r->node].as, 0, sizeof(graph->nodes[r->node].as));
    graph->nodes[slice].as.axes.starts = starts;
    graph->nodes[slice].as.axes.ends = ends;
    return NCL_OK;
}

/* x broadcast to a shape is x times as many ones: this node makes the ones. */
static ncl_status make_expand(struct ncl_onnx_reading *r, enum ncl_dtype dtype)
{
    struct ncl_graph *graph = r->reader->graph;
    const int x = graph->nodes[r->node].inputs[0];
    int product = 0;
    ncl_status status = NCL_OK;

    if (dtype == NCL_DTYPE_UNKNOWN || dtype == NCL_DTYPE_BOOL) {
        return ncl_onnx_node_fail(r, "numbers of known type to expand", ncl_dtype_name(dtype));
    }
    status = append(r, NCL_OP_MUL, 2, dtype, &product);
    if (status != NCL_OK) {
        return status;
    }
    graph->nodes[product].inputs[1] = x;
    graph->nodes[r->node].op = NCL_OP_CONSTANT_OF_SHAPE;
    graph->nodes[r->node].inputs[0] = graph->nodes[r->node].inputs[1];
    graph->nodes[r->node].input_count = 1;
    graph->nodes[r->node].as.constant_of_shape.value = 1.0F;
    graph->nodes[r->node].as.constant_of_shape.dtype = dtype;
    return NCL_OK;
}

static ncl_status make_dropout(struct ncl_onnx_reading *r)
{
    struct ncl_node *node = &r->reader->graph->nodes[r->node];
    const int ratio = node->input_count > 1 ? node->inputs[1] : NCL_NO_VALUE;
    const int mode = node->input_count > 2 ? node->inputs[2] : NCL_NO_VALUE;

    node->input_count = 1;
    if (ratio != NCL_NO_VALUE) {
        const struct ncl_value *value = &r->reader->graph->values[ratio];
        if (value->rank > 0 || value->dtype == NCL_DTYPE_I64 || value->dtype == NCL_DTYPE_I32) {
            return ncl_onnx_node_fail(r, "ratio to be a scalar", "something else");
        }
    }
    if (mode != NCL_NO_VALUE) {
        const struct ncl_value *value = &r->reader->graph->values[mode];
        if (!ncl_value_is_constant(value) || ncl_value_elements(value) != 1 ||
            ncl_value_element(value, 0) != 0) {
            return ncl_onnx_node_fail(r, "training_mode to be the constant false",
                                      "something else");
        }
    }
    return NCL_OK;
}

static ncl_status make_cast(struct ncl_onnx_reading *r)
{
    struct ncl_node *node = &r->reader->graph->nodes[r->node];

    node->as.cast.to = r->reader->values[node->inputs[1]].dtype;
    node->input_count = 1;
    return node->as.cast.to != NCL_DTYPE_UNKNOWN
               ? NCL_OK
               : ncl_onnx_node_fail(r, "a second input of known element type", "none");
}

/* Sizes that are an attribute become the second input, as they are from operator set 13 on. */
static ncl_status add_sizes(struct ncl_onnx_reading *r, const struct ncl_value *sizes)
{
    struct ncl_graph *graph = r->reader->graph;
    struct ncl_value *kept = NULL;
    const char *own = NULL;
    int index = NCL_NO_VALUE;
    ncl_status status = ncl_onnx_new_value(r->reader, r->output, &index);

    if (status != NCL_OK) {
        return status;
    }
    kept = &graph->values[index];
    own = kept->name;
    *kept = *sizes;
    kept->name = own;
    for (int i = r->node; i < r->node + r->parts; i++) {
        int *inputs = ncl_arena_alloc(&graph->arena, 2, sizeof(*inputs));
        if (inputs == NULL) {
            return ncl_fail_memory(r->reader->log, "an ONNX model");
        }
        inputs[0] = graph->nodes[r->node].inputs[0];
        inputs[1] = index;
        graph->nodes[i].inputs = inputs;
        graph->nodes[i].input_count = 2;
    }
    return NCL_OK;
}

/* Every part's node after the first one's. */
static ncl_status make_split(struct ncl_onnx_reading *r)
{
    struct ncl_graph *graph = r->reader->graph;
    struct ncl_node *first = &graph->nodes[r->node];

    first->as.split.parts = r->parts;
    for (int i = 1; i < r->parts; i++) {
        struct ncl_node *node = &graph->nodes[r->node + i];
        memcpy(node->inputs, first->inputs, (size_t)first->input_count * sizeof(*node->inputs));
        node->as = first->as;
        node->as.split.part = i;
        r->reader->values[node->outputs[0]].dtype = r->reader->values[first->inputs[0]].dtype;
    }
    return r->sizes.data == NULL ? NCL_OK : add_sizes(r, &r->sizes);
}

ncl_status ncl_onnx_apply_form(struct ncl_onnx_reading *r)
{
    const struct ncl_node *node = &r->reader->graph->nodes[r->node];
    const int output = node->outputs[0];
    enum ncl_dtype dtype = r->reader->values[node->inputs[0]].dtype;
    ncl_status status = NCL_OK;

    switch (r->op->form) {
    case NCL_ONNX_SHAPE:
        dtype = NCL_DTYPE_I64;
        status = make_shape(r);
        break;
    case NCL_ONNX_EXPAND:
        status = make_expand(r, dtype);
        break;
    case NCL_ONNX_DROPOUT:
        status = make_dropout(r);
        break;
    case NCL_ONNX_CAST_LIKE:
        status = make_cast(r);
        dtype = node->as.cast.to;
        break;
    case NCL_ONNX_SPLIT:
        status = make_split(r);
        break;
    case NCL_ONNX_CONSTANT_FILL:
        dtype = node->as.constant_of_shape.dtype;
        break;
    default:
        dtype = node->op == NCL_OP_CAST ? node->as.cast.to : dtype;
        break;
    }
    r->reader->values[output].dtype = dtype;
    return status;
}
