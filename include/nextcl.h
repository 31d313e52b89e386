/* NextCL: convolutional networks on any OpenCL device.
 *
 * One context per device; models are read once, sessions bind a model to a batch and an image size.
 * Objects are opaque, belong to the caller and are freed by the function named beside their
 * creator; freeing NULL does nothing.
 *
 * Every fallible function returns a ncl_status; ncl_last_error() has the details, one line of text:
 * what, where, expected, found. Nothing here prints, exits or aborts, but that ncl_tune_worker()
 * may end its process.
 *
 * Threads: a context may be shared by threads. A model is read-only once loaded and may serve many
 * sessions. A session belongs to one thread at a time; two sessions may run at once. Callbacks run
 * on the thread that calls NextCL, and never while NextCL holds a lock; only a message of level
 * debug may come on a thread of the driver's, at any time. Processes: OpenCL does not survive
 * fork(); a child that wants NextCL calls exec first. */
#ifndef NEXTCL_H
#define NEXTCL_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define NCL_API __attribute__((visibility("default")))
#else
#define NCL_API
#endif

#define NCL_VERSION_MAJOR 0
#define NCL_VERSION_MINOR 1
#define NCL_VERSION_PATCH 0
/* Version of the canonical arithmetic: two releases with the same number give the same bits in
 * reproducible mode. */
#define NCL_ORDER_VERSION 1

/* The command line exits with these numbers. */
typedef enum ncl_status {
    NCL_OK = 0,
    NCL_ERROR_MISMATCH = 1,   /* a comparison failed */
    NCL_ERROR_USAGE = 2,      /* an argument of the call is wrong */
    NCL_ERROR_INPUT = 3,      /* a model, image or tensor is missing, broken or unsupported */
    NCL_ERROR_DEVICE = 4,     /* no such device, or its driver refused */
    NCL_ERROR_MEMORY = 5,     /* host or device memory ran out */
    NCL_ERROR_CANCELLED = 130 /* a callback asked to stop */
} ncl_status;

typedef enum ncl_log_level {
    NCL_LOG_ERROR = 0,
    NCL_LOG_WARNING = 1,
    NCL_LOG_INFO = 2,
    NCL_LOG_DEBUG = 3
} ncl_log_level;
typedef enum ncl_math { NCL_MATH_AUTO = 0, NCL_MATH_REPRODUCIBLE = 1, NCL_MATH_FAST = 2 } ncl_math;
/* How tensors between layers and convolution weights are stored; a model's inputs and outputs are
 * float32 in either case, and so are sums: an fp16 value is rounded, to nearest even, once, when it
 * is written. Values of 65520 and more become infinite. With NCL_MATH_FAST devices that have
 * cl_khr_fp16 may sum up to 16 products of a convolution in halves before they add them to a float:
 * a result is off by at most 2^-7 of the sum of its products' magnitudes. */
typedef enum ncl_precision { NCL_FP32 = 0, NCL_FP16 = 1 } ncl_precision;
typedef enum ncl_element { NCL_FLOAT32 = 0 } ncl_element;
typedef enum ncl_layout { NCL_NCHW = 0, NCL_NHWC = 1 } ncl_layout;

typedef struct ncl_context ncl_context;
typedef struct ncl_model ncl_model;
typedef struct ncl_session ncl_session;

/* OpenCL handles, as <CL/cl.h> declares them, so that this header stands without it. */
struct _cl_context;
struct _cl_device_id;
struct _cl_command_queue;
struct _cl_mem;
struct _cl_event;

typedef void (*ncl_log_fn)(void *user, ncl_log_level level, const char *message);
/* done of total steps; returning non-zero stops the work with NCL_ERROR_CANCELLED. */
typedef int (*ncl_progress_fn)(void *user, const char *stage, size_t done, size_t total);

/* How to open a context. Call ncl_options_init() first; later releases append fields. Strings are
 * copied. */
typedef struct ncl_options {
    size_t struct_size;
    const char *device; /* "P:D", "cpu", "gpu", part of a name, "none" (models only); NULL:
                           $NEXTCL_DEVICE, else best */
    ncl_math math;
    ncl_precision precision;
    const char *cache_dir; /* NULL: $NEXTCL_CACHE_DIR, else $XDG_CACHE_HOME/nextcl; "", or that
                              variable empty: no cache on disk */
    int channel_block;     /* 4, 8, 16; 0: the device's default, or $NEXTCL_CHANNEL_BLOCK */
    ncl_log_fn log;
    ncl_log_level log_level;
    ncl_progress_fn progress;
    void *user; /* passed to log and progress */
    /* Adopt the caller's OpenCL objects: all three or none. They are retained, not owned. The queue
     * may be out-of-order and need not profile. */
    struct _cl_context *cl_context;
    struct _cl_device_id *cl_device;
    struct _cl_command_queue *cl_queue;
    int profile; /* non-zero: an own queue records event times, for ncl_session_layer() and
                    NCL_REPORT_SESSION */
    /* argv of a program that calls ncl_tune_worker(0, 1), ending with NULL: where the driver
     * compiles kernels faster in several processes (PoCL), and the cache on disk has not seen them,
     * making a session starts one such process per CPU, at most 4, which compile at the same time
     * and end before it returns. NULL, or where they don't work: this process compiles. */
    const char *const *worker;
} ncl_options;

/* A dense tensor on the host, or in a buffer of the context's device. Never owned by NextCL unless
 * ncl_tensor_load made it (then ncl_tensor_free frees it). */
#define NCL_MAX_RANK 8
typedef struct ncl_tensor {
    void *data;          /* host memory, or NULL */
    struct _cl_mem *mem; /* device memory, or NULL; the tensor starts at byte 0 */
    size_t bytes;        /* size of data or mem that may be used */
    ncl_element element;
    int rank;
    int64_t dims[NCL_MAX_RANK]; /* outermost first, in the model's own layout */
} ncl_tensor;

/* An input or output of a model; -1 in dims: free (fixed when a session is created). rank -1: not
 * known before. */
typedef struct ncl_io {
    const char *name; /* valid as long as the model */
    ncl_element element;
    ncl_layout layout;
    int rank;
    int64_t dims[NCL_MAX_RANK];
} ncl_io;

typedef struct ncl_device_info {
    int platform_index, device_index;
    char platform[128], name[256], vendor[128], driver[128], version[128];
    int is_gpu, is_cpu;
    unsigned compute_units;
    uint64_t global_memory_bytes, max_allocation_bytes, local_memory_bytes;
    size_t max_work_group;
} ncl_device_info;

typedef struct ncl_layer {
    const char *name; /* of the node in the model whose result this layer computes; valid as long as
                         the session */
    const char *op;   /* as in the model: Conv, MaxPool, ... */
    const char *kind; /* pointwise grouped depthwise spatial stem fused dense pool other */
    const char *algorithm; /* which kernel runs it */
    const char *params;    /* its parameters, "P=6 KB=2 ..." */
    /* Where they come from: default; tuned (on this device), imported, shipped: records; fallback:
     * something better failed, see NCL_REPORT_EXPLAIN. */
    const char *source;
    double macs;      /* multiply-accumulates */
    double seconds;   /* last run's device time; 0 unless profiled */
    int chunk_images; /* images that a launch takes: the batch, or fewer where the layer runs in
                         chunks; seconds then is all its launches' */
} ncl_layer;

typedef struct ncl_session_stats {
    int launches, layers;
    double macs;
    size_t peak_device_bytes; /* weights, activations, workspaces and transfer buffers of this
                                 session */
    ncl_math math;            /* what auto chose */
    double create_seconds;
    ncl_precision precision;
} ncl_session_stats;

/* How levels 0..255 become a net's input: (level / scale - mean) / std. */
typedef enum ncl_preprocess {
    /* scale 255, ImageNet's mean and std; the shorter side resized (antialiased bilinear) */
    NCL_PREPROCESS_TORCHVISION = 0,
    /* scale 1, mean 0, std 1; both sides resized (antialiased bilinear) */
    NCL_PREPROCESS_NONE = 1,
    /* Keras: load_img(path, target_size) by nearest neighbour, both sides, then preprocess_input
     * of mode "tf": scale 255, mean 0.5, std 0.5; */
    NCL_PREPROCESS_KERAS_TF = 2,
    /* of mode "caffe": blue, green, red; scale 1, mean 103.939, 116.779, 123.68, std 1; */
    NCL_PREPROCESS_KERAS_CAFFE = 3,
    /* and of mode "torch": scale 255, ImageNet's mean and std */
    NCL_PREPROCESS_KERAS_TORCH = 4
} ncl_preprocess;

/* The image is resized, then a square is cut from its middle. Later releases append fields. */
typedef struct ncl_image_options {
    size_t struct_size;
    ncl_preprocess preprocess;
    int resize; /* the shorter side, or both; 0: torchvision's crop * 256 / 224, else crop */
    int crop;   /* side of the square, at most resize; 0: 224 */
    /* Replace the mode's when has_mean, has_std: in the order of the net's channels. */
    float mean[3], std[3];
    int has_mean, has_std;
    ncl_layout layout; /* of the result */
    /* 3 or 0: RGB; 1: grey (0.299 R + 0.587 G + 0.114 B), with the average of the three means and
     * stds. */
    int channels;
} ncl_image_options;

typedef enum ncl_report_kind {
    NCL_REPORT_DEVICES = 0, /* object: NULL */
    NCL_REPORT_INSPECT = 1, /* object: a ncl_model; free dims become batch 1, 3 channels, 224 pixels
                             */
    NCL_REPORT_SESSION = 2, /* object: a ncl_session */
    NCL_REPORT_INSPECT_AT = 3, /* object: a ncl_inspection */
    NCL_REPORT_DB = 4,         /* object: NULL; the user's tuning records */
    NCL_REPORT_EXPLAIN = 5,    /* object: a ncl_session; why each layer runs what it runs */
    /* object: a ncl_session; how many of its layers tuning never looked at, what it usually saves,
     * and whether nobody was told yet (first), of this device and net */
    NCL_REPORT_TUNING = 6,
    NCL_REPORT_HINT = 7 /* the same, and somebody is told now: true once for every device and net */
} ncl_report_kind;

/* A model at given shapes of its inputs, in the model's order; only rank and dims are read. */
typedef struct ncl_inspection {
    const ncl_model *model;
    const ncl_tensor *inputs;
    size_t input_count;
} ncl_inspection;

typedef enum ncl_effort {
    NCL_EFFORT_NORMAL = 0, /* budget_seconds, 0: 60 */
    NCL_EFFORT_QUICK = 1,  /* at most 10 s: what is known of this and similar devices */
    NCL_EFFORT_FULL = 2    /* 300 points of every problem: a yardstick, takes an hour or more */
} ncl_effort;

/* Whole-network figures are sums over layers of measured launches, seconds per inference. */
typedef struct ncl_tune_progress {
    const char *layer;               /* that was worked on last; "" before the first */
    size_t layer_index, layer_count; /* among the distinct problems */
    double elapsed, budget;          /* seconds; budget 0: none */
    double default_seconds, best_seconds;
    size_t trials, rejected;
    double seconds_left; /* of the budget, or of a fixed sample by what its points took so far; 0:
                            not known yet, or the budget is used up */
} ncl_tune_progress;
/* Non-zero stops: what was measured is kept. */
typedef int (*ncl_tune_fn)(void *user, const ncl_tune_progress *progress);

/* Zero but for struct_size is a good choice. Later releases append fields. */
typedef struct ncl_tune_options {
    size_t struct_size; /* sizeof(ncl_tune_options) */
    ncl_effort effort;
    double budget_seconds; /* for the whole network; at most a year */
    uint64_t seed;         /* 0: 1 */
    int resume;            /* go on with an interrupted run of the same model and seed */
    int from_worst;        /* start from deliberately bad parameters, knowing nothing: a test of the
                              tuner */
    int dry_run;           /* report what would be tuned, measure nothing */
    /* argv of a program that calls ncl_tune_worker(0, 1), ending with NULL: candidates run there,
     * and a crash or a hang costs only them. NULL: in this process; a candidate that takes the
     * process along is passed over by the next run. */
    const char *const *worker;
    ncl_tune_fn progress;
    void *user;
    double patience_seconds; /* for building and first running a candidate in a worker, which is
                                given up for good after that; 0: 35; at most a
                                year */
} ncl_tune_options;

typedef enum ncl_db_action {
    NCL_DB_EXPORT = 0, /* all records of the store to paths[0], as JSON Lines */
    NCL_DB_MINIMAL =
        1,             /* the same of what a file of tuning/ holds: winners that beat their defaults
                        */
    NCL_DB_IMPORT = 2, /* from all paths into the store: verified when first used; what was measured
                          here stays */
    NCL_DB_MERGE = 3,  /* paths[1..] and what paths[0] holds already into paths[0], sorted, of each
                          point the newest; leaves the store alone */
    NCL_DB_CLEAR = 4   /* forget all records, journals of tuning and hints given; no paths */
} ncl_db_action;

/* ---- library ---- */
NCL_API const char *ncl_version(void);
NCL_API const char *ncl_status_string(ncl_status status);
/* The calling thread's last failure, "" if none. Valid until the thread's next call into NextCL. */
NCL_API const char *ncl_last_error(void);
/* Frees what a function documents as "free with ncl_free". */
NCL_API void ncl_free(void *memory);

/* ---- context ---- */
NCL_API void ncl_options_init(ncl_options *options);
/* options may be NULL. Free with ncl_close, after every model and session made from it. */
NCL_API ncl_status ncl_open(const ncl_options *options, ncl_context **context);
NCL_API void ncl_close(ncl_context *context);
/* Devices that the context could have opened, in the order of their indices. */
NCL_API ncl_status ncl_device_count(ncl_context *context, size_t *count);
NCL_API ncl_status ncl_device_get(ncl_context *context, size_t index, ncl_device_info *info);
/* The open device; NCL_ERROR_DEVICE if it was opened as "none". */
NCL_API ncl_status ncl_context_device(ncl_context *context, ncl_device_info *info);

/* ---- models ---- */
/* Reads an ONNX file. Tensor data stays in the file mapping: the file must not change while the
 * model lives. */
NCL_API ncl_status ncl_model_load(ncl_context *context, const char *path, ncl_model **model);
/* The same from memory, which must outlive the model. External data is not reachable this way. */
NCL_API ncl_status ncl_model_from_memory(ncl_context *context, const void *data, size_t bytes,
                                         ncl_model **model);
/* A built-in architecture with seeded random weights whose logits stay finite and spread. classes
 * 0: 1000. */
NCL_API ncl_status ncl_model_zoo(ncl_context *context, const char *name, uint64_t seed, int classes,
                                 ncl_model **model);
NCL_API void ncl_model_free(ncl_model *model);
NCL_API size_t ncl_model_input_count(const ncl_model *model);
NCL_API size_t ncl_model_output_count(const ncl_model *model);
NCL_API ncl_status ncl_model_input(const ncl_model *model, size_t index, ncl_io *io);
NCL_API ncl_status ncl_model_output(const ncl_model *model, size_t index, ncl_io *io);
/* What the model's file says of itself under a key that begins with "nextcl." (metadata_props of
 * ONNX), such as "nextcl.labels", class names one a line; NULL: nothing. Not checked: the file may
 * say anything. Valid as long as the model. */
NCL_API const char *ncl_model_metadata(const ncl_model *model, const char *key);

/* ---- sessions ---- */
/* Shapes of the inputs, in the model's order, fix every free dimension; only rank and dims are
 * read. Plans, builds programs, packs weights, allocates: seconds on a cold cache. The model must
 * outlive the session. Free with ncl_session_free. */
NCL_API ncl_status ncl_session_create(ncl_context *context, const ncl_model *model,
                                      const ncl_tensor *inputs, size_t input_count,
                                      ncl_session **session);
NCL_API void ncl_session_free(ncl_session *session);
/* Concrete shape of an output, dense, in the model's layout. */
NCL_API ncl_status ncl_session_output(const ncl_session *session, size_t index, ncl_io *io);
/* Host tensors in, host tensors out; returns when the outputs are there. */
NCL_API ncl_status ncl_session_run(ncl_session *session, const ncl_tensor *inputs,
                                   size_t input_count, const ncl_tensor *outputs,
                                   size_t output_count);
/* Device tensors of the context: enqueues after wait_list, returns at once; *event (if not NULL)
 * completes with the outputs and is the caller's to release. One enqueue of a session at a time:
 * wait for the event before the next. */
NCL_API ncl_status ncl_session_enqueue(ncl_session *session, const ncl_tensor *inputs,
                                       size_t input_count, const ncl_tensor *outputs,
                                       size_t output_count, unsigned wait_count,
                                       struct _cl_event *const *wait_list,
                                       struct _cl_event **event);
NCL_API ncl_status ncl_session_statistics(const ncl_session *session, ncl_session_stats *stats);
/* The fma peak of the session's device in its math mode, 1e9 operations a second; measures for some
 * 50 ms. */
NCL_API ncl_status ncl_session_peak_gflops(const ncl_session *session, double *gflops);
/* The memory bandwidth of the session's device, 1e9 bytes a second, read and written bytes counted;
 * measures for some 100 ms, with up to 512 MiB of device memory. */
NCL_API ncl_status ncl_session_peak_gbytes(const ncl_session *session, double *gbytes_per_s);
NCL_API size_t ncl_session_layer_count(const ncl_session *session);
NCL_API ncl_status ncl_session_layer(const ncl_session *session, size_t index, ncl_layer *layer);
/* Runs the inputs, host tensors of the session's shapes, once, layer by layer, and compares every
 * layer's device result with the host oracle: bit for bit in reproducible mode; in fast mode within
 * 1e-3 of the layer's largest value, 2^-10 more in fp16, and 2^-7 more where products are summed in
 * halves. NCL_ERROR_MISMATCH names the first layer that differs. *json (if not NULL): the findings
 * per layer; free with ncl_free. */
NCL_API ncl_status ncl_verify(ncl_session *session, const ncl_tensor *inputs, size_t input_count,
                              char **json);

/* ---- tuning ---- */
/* Tries algorithms and parameters for the layers of the model at these input shapes, on the
 * context's device, and keeps the verified winners in the cache: sessions created afterwards use
 * them. Bits do not change in reproducible mode. *json (if not NULL): the report, also when
 * cancelled (NCL_ERROR_CANCELLED, everything measured is kept); free with ncl_free. */
NCL_API ncl_status ncl_tune(ncl_context *context, const ncl_model *model, const ncl_tensor *inputs,
                            size_t input_count, const ncl_tune_options *options, char **json);
/* The whole of a worker: serves the tuner or the session that started it, through two file
 * descriptors, until that is done or gone. Prints nothing; 0 and 1 lead to /dev/null from then on,
 * so that a driver's prints do not get between. Where that is gone in the middle of work, or
 * closing the device then takes ten seconds, it kills its process (SIGKILL): a driver may hang. */
NCL_API ncl_status ncl_tune_worker(int in, int out);
/* The user's tuning records; needs no device. *records (if not NULL): how many were written to the
 * file, changed the store, or were forgotten; 0 after a failure. A file is written whole or not at
 * all; a file that is not as tuning/README.md says changes nothing. NCL_ERROR_USAGE: paths that do
 * not suit the action, or the cache is off; NCL_ERROR_INPUT: a file that is missing, not as it must
 * be, or cannot be written, or a store that cannot be read or written: ncl_last_error says why.
 * Threads: any. */
NCL_API ncl_status ncl_db(ncl_context *context, ncl_db_action action, const char *const *paths,
                          size_t path_count, size_t *records);

/* ---- reports ---- */
/* JSON text about an object, its keys in nextcl(1) under JSON; free with ncl_free. */
NCL_API ncl_status ncl_report(ncl_context *context, ncl_report_kind kind, const void *object,
                              char **json);

/* ---- tensors and images ---- */
/* Reads a little-endian float32 C-order .npy file. Free with ncl_tensor_free. */
NCL_API ncl_status ncl_tensor_load(ncl_context *context, const char *path, ncl_tensor *tensor);
/* Writes a .npy file whole or not at all. */
NCL_API ncl_status ncl_tensor_save(ncl_context *context, const char *path,
                                   const ncl_tensor *tensor);
NCL_API void ncl_tensor_free(ncl_tensor *tensor);
/* Reads class indices: a little-endian .npy file of int64, int32 or uint8 and one dimension. Free
 * *indices with ncl_free. */
NCL_API ncl_status ncl_indices_load(ncl_context *context, const char *path, int64_t **indices,
                                    size_t *count);
NCL_API void ncl_image_options_init(ncl_image_options *options);
/* Decodes a JPEG, PNG, BMP, GIF (its first frame) or PBM/PGM/PPM file, turns it upright as EXIF
 * says, resizes, crops and normalises into channels * crop * crop floats. Pixels are those of
 * Pillow with torchvision or Keras: alpha is dropped, 16-bit grey clipped at 255. A damaged or cut
 * file is NCL_ERROR_INPUT even where a part could be shown. options may be NULL. Threads: any. */
NCL_API ncl_status ncl_image_load(ncl_context *context, const char *path,
                                  const ncl_image_options *options, float *pixels);
/* ImageNet's class names, 0..999; NULL outside. */
NCL_API const char *ncl_imagenet_label(int index);

#ifdef __cplusplus
}
#endif
#endif
