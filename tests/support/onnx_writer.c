#include "support/onnx_writer.h"
#include <string.h>

enum { VARINT = 0, LENGTH = 2, FIXED32 = 5 };

static void put_varint(struct ncl_text *message, uint64_t value)
{
    do {
        const char byte = (char)((value & 0x7f) | (value > 0x7f ? 0x80 : 0));
        ncl_text_append(message, &byte, 1);
        value >>= 7;
    } while (value != 0);
}

void pb_int(struct ncl_text *message, unsigned field, int64_t value)
{
    put_varint(message, field << 3 | VARINT);
    put_varint(message, (uint64_t)value);
}

void pb_float(struct ncl_text *message, unsigned field, float value)
{
    put_varint(message, field << 3 | FIXED32);
    ncl_text_append(message, (const char *)&value, sizeof(value));
}

void pb_bytes(struct ncl_text *message, unsigned field, const void *data, size_t bytes)
{
    put_varint(message, field << 3 | LENGTH);
    put_varint(message, bytes);
    ncl_text_append(message, data, bytes);
}

void pb_text(struct ncl_text *message, unsigned field, const char *text)
{
    pb_bytes(message, field, text, strlen(text));
}

void pb_message(struct ncl_text *message, unsigned field, struct ncl_text *inner)
{
    pb_bytes(message, field, inner->data == NULL ? "" : inner->data, inner->length);
    ncl_text_free(inner);
}

static struct ncl_text attribute(const char *name, int type)
{
    struct ncl_text message = {0};

    pb_text(&message, 1, name);
    pb_int(&message, 20, type);
    return message;
}

void onnx_int(struct ncl_text *node, const char *name, int64_t value)
{
    struct ncl_text message = attribute(name, 2);

    pb_int(&message, 3, value);
    pb_message(node, 5, &message);
}

void onnx_float(struct ncl_text *node, const char *name, float value)
{
    struct ncl_text message = attribute(name, 1);

    pb_float(&message, 2, value);
    pb_message(node, 5, &message);
}

void onnx_string(struct ncl_text *node, const char *name, const char *value)
{
    struct ncl_text message = attribute(name, 3);

    pb_text(&message, 4, value);
    pb_message(node, 5, &message);
}

void onnx_ints(struct ncl_text *node, const char *name, int count, int64_t value)
{
    struct ncl_text message = attribute(name, 7);

    for (int i = 0; i < count; i++) {
        pb_int(&message, 8, value);
    }
    pb_message(node, 5, &message);
}

void onnx_tensor(struct ncl_text *node, const char *name, struct ncl_text *tensor)
{
    struct ncl_text message = attribute(name, 4);

    pb_message(&message, 5, tensor);
    pb_message(node, 5, &message);
}

void onnx_zeroes(struct ncl_text *tensor, const char *name, int64_t type, const int64_t *dims,
                 size_t bytes)
{
    static const char zeroes[4096];

    for (int i = 0; dims[i] != -2; i++) {
        pb_int(tensor, 1, dims[i]);
    }
    pb_int(tensor, 2, type);
    pb_text(tensor, 8, name);
    pb_bytes(tensor, 9, zeroes, bytes <= sizeof(zeroes) ? bytes : sizeof(zeroes));
}

static void add_names(struct ncl_text *node, unsigned field, const char *names)
{
    while (*names != '\0') {
        const size_t length = strcspn(names, " ");
        pb_bytes(node, field, names, length == 1 && *names == '-' ? 0 : length);
        names += length;
        names += strspn(names, " ");
    }
}

void onnx_node(struct onnx_parts *parts, const char *op, const char *name, const char *inputs,
               const char *outputs, struct ncl_text *node)
{
    struct ncl_text bare = {0};
    struct ncl_text *message = node == NULL ? &bare : node;

    add_names(message, 1, inputs);
    add_names(message, 2, outputs);
    pb_text(message, 3, name);
    pb_text(message, 4, op);
    pb_message(&parts->nodes, 1, message);
}

void onnx_input(struct onnx_parts *parts, const char *name, int64_t type, const int64_t *dims)
{
    struct ncl_text info = {0};
    struct ncl_text value_type = {0};
    struct ncl_text tensor = {0};
    struct ncl_text shape = {0};

    for (int i = 0; dims[i] != -2; i++) {
        struct ncl_text dim = {0};
        if (dims[i] == -1) {
            pb_text(&dim, 2, "n");
        } else {
            pb_int(&dim, 1, dims[i]);
        }
        pb_message(&shape, 1, &dim);
    }
    pb_int(&tensor, 1, type);
    pb_message(&tensor, 2, &shape);
    pb_message(&value_type, 1, &tensor);
    pb_text(&info, 1, name);
    pb_message(&info, 2, &value_type);
    pb_message(&parts->inputs, 11, &info);
}

void onnx_output(struct onnx_parts *parts, const char *name)
{
    struct ncl_text info = {0};

    pb_text(&info, 1, name);
    pb_message(&parts->outputs, 12, &info);
}

void onnx_initializer(struct onnx_parts *parts, struct ncl_text *tensor)
{
    pb_message(&parts->initializers, 5, tensor);
}

struct ncl_text onnx_model(struct onnx_parts *parts)
{
    struct ncl_text *graph = &parts->nodes;
    struct ncl_text *rest[] = {&parts->initializers, &parts->inputs, &parts->outputs};
    struct ncl_text model = {0};
    struct ncl_text opset = {0};

    for (size_t i = 0; i < sizeof(rest) / sizeof(*rest); i++) {
        ncl_text_append(graph, rest[i]->data == NULL ? "" : rest[i]->data, rest[i]->length);
        ncl_text_free(rest[i]);
    }
    pb_int(&model, 1, 8);
    pb_message(&model, 7, graph);
    if (parts->opset != 0) {
        pb_text(&opset, 1, "");
        pb_int(&opset, 2, parts->opset);
        pb_message(&model, 8, &opset);
    }
    ncl_text_append(&model, parts->model.data == NULL ? "" : parts->model.data,
                    parts->model.length);
    ncl_text_free(&parts->model);
    return model;
}
