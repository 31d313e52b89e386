/* What the public handles hold. */
#ifndef NCL_API_CONTEXT_H
#define NCL_API_CONTEXT_H

#include "cl/device.h"
#include "graph/graph.h"
#include "session/session.h"

#include <pthread.h>

struct ncl_store;
struct ncl_onnx;

struct ncl_context {
    struct ncl_log log;
    ncl_options options;     /* its strings are not kept */
    const struct ncl_cl *cl; /* NULL: opened as "none" */
    pthread_mutex_t lock;    /* of the two below, which never change once devices are listed */
    struct ncl_device_list list;
    bool listed;
    bool has_device;
    struct ncl_device device;
    int device_index;        /* in list; -1: adopted */
    char device_text[32];    /* "P:D"; "": adopted */
    char **worker;           /* argv, NULL: none */
    char *cache_dir;         /* NULL: the cache is off, or there is no place for it */
    struct ncl_store *store; /* NULL: without a cache, or without a device */
    int channel_block;
    bool channel_block_free; /* the device's own: nobody asked for it */
};

struct ncl_model {
    struct ncl_context *context;
    struct ncl_onnx *onnx; /* one of the two owns the graph */
    struct ncl_graph *built;
    const struct ncl_graph *graph;
};

/* NCL_ERROR_USAGE for `function`, which got a NULL that it cannot do without. */
ncl_status ncl_fail_null(const char *function);
/* NCL_ERROR_USAGE unless a caller's struct_size is that of this release, or of the first one, whose
 * struct ended where `first` says: no other size is whole members. */
ncl_status ncl_check_size(const struct ncl_log *log, const char *what, size_t given, size_t first,
                          size_t now);
/* Shapes of all of the model's inputs; *result: free with free(). */
ncl_status ncl_input_dims(const struct ncl_context *context, const ncl_model *model,
                          const ncl_tensor *inputs, size_t count, struct ncl_dims **result);
/* Who compiles for the context's sessions; its strings are the context's. */
struct ncl_session_workers ncl_context_workers(const struct ncl_context *context);
/* Lists devices once, whoever asks: context->list may be read from then on. */
ncl_status ncl_context_list(struct ncl_context *context);
/* NCL_REPORT_DB. */
ncl_status ncl_db_report(struct ncl_context *context, char **json);

#endif
