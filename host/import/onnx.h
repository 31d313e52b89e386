/* ONNX files.
 *
 * What is read: IR of any version, operator sets 7 and later of the default domain, dense tensors
 * of FLOAT, DOUBLE, INT32, INT64 and BOOL, inputs of FLOAT. Control flow, functions, sparse and
 * quantised tensors are refused by name. Tensor data stays where it is in the file; the rest costs
 * memory in proportion to the file, and nothing recurses, whatever the file holds.
 *
 * Beyond the operators of graph.h: Constant becomes a constant, Dropout an Identity, CastLike a
 * Cast, and Expand a product with a ConstantOfShape of ones (the same numbers). Only the first
 * output of an operator is available. */
#ifndef NCL_IMPORT_ONNX_H
#define NCL_IMPORT_ONNX_H

#include "base/file.h"
#include "graph/graph.h"

/* One of metadata_props whose key begins with "nextcl.". The strings are the graph's. */
#define NCL_ONNX_MAX_PROPERTIES 16
struct ncl_onnx_property {
    const char *key, *value;
};

/* A graph and the mappings its constants point into: the model's own and those of its external
 * data. Read-only once loaded. */
struct ncl_onnx {
    struct ncl_graph *graph;
    struct ncl_file_map *maps;
    int map_count;
    size_t map_capacity;
    struct ncl_onnx_property properties[NCL_ONNX_MAX_PROPERTIES];
    int property_count;
};

/* The files must not change while the model lives. External data is looked for in the model's own
 * directory, where it must really be: no absolute path, no "..", no symbolic link leading out.
 * NCL_ERROR_INPUT with path, node or tensor, expected and found; NCL_ERROR_MEMORY. *model is NULL
 * on failure. Any thread; free with ncl_onnx_free. */
ncl_status ncl_onnx_load(const struct ncl_log *log, const char *path, struct ncl_onnx **model);
/* The same from memory, which must outlive the model. External data is an error. */
ncl_status ncl_onnx_from_memory(const struct ncl_log *log, const void *data, size_t bytes,
                                struct ncl_onnx **model);
void ncl_onnx_free(struct ncl_onnx *model);
/* The value of a property; NULL: the file has none of that key. */
const char *ncl_onnx_metadata(const struct ncl_onnx *model, const char *key);

#endif
