/* What the parts of the ONNX reader share while a file is read. */
#ifndef NCL_IMPORT_ONNX_READER_H
#define NCL_IMPORT_ONNX_READER_H

#include "import/onnx.h"
#include "import/onnx_wire.h"

enum ncl_onnx_origin {
    NCL_ONNX_NOWHERE,
    NCL_ONNX_CONSTANT,
    NCL_ONNX_INPUT,
    NCL_ONNX_NODE,
    NCL_ONNX_DROPPED /* a second output, which nobody may read */
};

/* Beside each value of the graph. */
struct ncl_onnx_value {
    uint64_t hash;
    enum ncl_onnx_origin origin;
    enum ncl_dtype dtype; /* as far as the file's order of nodes tells */
    bool used, output;
};

struct ncl_onnx_reader {
    const struct ncl_log *log;
    struct ncl_onnx *model;
    struct ncl_graph *graph; /* model->graph */
    char *directory;         /* the model's own, resolved; NULL: in memory */
    int64_t opset;
    struct ncl_onnx_value *values;
    size_t value_capacity;
    int *buckets; /* open addressing: value index + 1, or 0 */
    size_t bucket_count;
    char **map_paths; /* resolved; of model->maps but the first */
    size_t map_path_capacity;
};

/* ---- onnx_values.c ---- */
/* The value of that name, made if need be. */
ncl_status ncl_onnx_value(struct ncl_onnx_reader *reader, struct ncl_span name, int *index);
/* The same, and its origin: a second one is an error. */
ncl_status ncl_onnx_define(struct ncl_onnx_reader *reader, struct ncl_span name,
                           enum ncl_onnx_origin origin, int *index);
/* A value without a name. */
ncl_status ncl_onnx_new_value(struct ncl_onnx_reader *reader, struct ncl_span like, int *index);
ncl_status ncl_onnx_check_dropped(const struct ncl_onnx_reader *reader);
void ncl_onnx_values_free(struct ncl_onnx_reader *reader);

/* ---- onnx_tensor.c ---- */
/* TensorProto's data_type to ours; NCL_DTYPE_UNKNOWN for those not supported. */
enum ncl_dtype ncl_onnx_dtype(int64_t type);
const char *ncl_onnx_type_name(int64_t type);
/* A whole TensorProto: its name; type, dims and data into *value. where: for errors. */
ncl_status ncl_onnx_tensor(struct ncl_onnx_reader *reader, const struct ncl_wire *wire,
                           const char *where, struct ncl_value *value);

/* ---- onnx_external.c ---- */
struct ncl_onnx_external {
    struct ncl_span location, offset, length;
};
ncl_status ncl_onnx_external(struct ncl_onnx_reader *reader, const struct ncl_onnx_external *source,
                             const char *where, struct ncl_span *data);
void ncl_onnx_external_free(struct ncl_onnx_reader *reader);

/* ---- onnx_metadata.c ---- */
/* A StringStringEntryProto of the model's metadata_props; kept if its key is ours. */
ncl_status ncl_onnx_property(struct ncl_onnx_reader *reader, const struct ncl_wire *wire);

/* ---- onnx_graph.c ---- */
ncl_status ncl_onnx_graph(struct ncl_onnx_reader *reader, const struct ncl_wire *wire);

/* ---- onnx_node.c ---- */
bool ncl_onnx_is_default_domain(struct ncl_span domain);
ncl_status ncl_onnx_node(struct ncl_onnx_reader *reader, const struct ncl_wire *wire);

#endif
