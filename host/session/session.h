/* Sessions: a schedule with its plans, programs, packed weights and buffers: something that runs.
 */
#ifndef NCL_SESSION_SESSION_H
#define NCL_SESSION_SESSION_H

#include "graph/schedule.h"
#include "plan/choose.h"
#include "plan/kernels.h"
#include "plan/launch.h"
#include "plan/lookup.h"

/* Processes that may compile for a session: compile.h. Where anything of this is missing there are
 * none. */
struct ncl_session_workers {
    const char *const *command; /* argv of what calls ncl_tune_worker, ends with NULL */
    const char *device;         /* "P:D" */
    const char *cache_dir;
    struct ncl_store *store; /* open there, and the device's binary cache: says what is missing */
    /* > 0: they launch all kernels but those that were measured, and one that ends, or says nothing
     * for so many seconds, over a kernel ends the making of the session with NCL_ERROR_DEVICE: this
     * process might end likewise. 0: it goes on here. */
    double patience;
};

/* How to make one. The device must outlive the session. */
struct ncl_session_config {
    const struct ncl_device *device;
    ncl_math math; /* auto: decided by the device's measured fma ratio */
    ncl_precision precision;
    int channel_block;
    bool channel_block_free;  /* nobody asked for it: a record may say another */
    ncl_progress_fn progress; /* may be NULL */
    void *user;
    /* Whose records advise, beside shipped ones, and where what is learnt is kept. NULL, or one
     * that keeps nothing: none advise, since most have to be verified first, once. */
    struct ncl_store *store;
    /* Decides in place of records which point a problem runs with; false: the planner's default.
     * NULL: records decide. The problem is a step's as its first part computes it; a point that
     * does not suit the others, or fails, gives way to the next as ever. */
    bool (*pin)(void *user, const struct ncl_problem *problem, struct ncl_point *point);
    void *pin_user;
    struct ncl_session_workers workers; /* its strings are read while the session is made */
};

/* Of a part of the schedule that is the first of its kind: others repeat it. */
struct ncl_session_part {
    int variant; /* in kernels */
    struct ncl_launch launch;
};

/* Why a point does not run. */
struct ncl_session_failure {
    struct ncl_point point;
    enum ncl_verdict verdict; /* GOOD: it does not fit this session, which says nothing of it */
    bool earlier;             /* not in this session: a tombstone of the store says so */
    bool remembered;          /* so does one now */
    char why[192];
};

/* Where tombstones leave a layer nothing to run. */
enum ncl_resort {
    NCL_RESORT_NONE,
    NCL_RESORT_SLOW, /* what took too long is better than nothing */
    NCL_RESORT_ANY /* the planner's own, whatever its tombstone says: it may have been an accident,
                      such as a full disk, and there is nothing to lose */
};

struct ncl_session_layer_state {
    struct ncl_choice choice; /* of all its parts */
    int attempt;              /* how many algorithms failed before this one */
    struct ncl_hash problems; /* of its parts: equal ones are chosen alike */
    struct ncl_advice advice; /* of records, or a pin; algo NULL: none */
    bool advised;             /* the choice is the advice */
    bool waits;               /* there is advice that no session had the time to verify yet */
    enum ncl_resort resort;
    struct ncl_session_failure *failures; /* in the order in which they came */
    size_t failure_count, failure_capacity;
    int part; /* the step's first */
    cl_mem weights, bias, scale, shift;
    char *params;
    double seconds; /* device time of the last run; 0 unless profiled */
};

struct ncl_session {
    struct ncl_session_config config;
    const struct ncl_device *device;
    struct ncl_graph *graph; /* specialised and optimised */
    struct ncl_schedule *schedule;
    struct ncl_memory_plan memory;
    struct ncl_kernels kernels;
    struct ncl_block_advice block;          /* whose record chose the channel block, if any did */
    bool on_trial;                          /* a layer runs in spite of its tombstone */
    struct ncl_compile *compile;            /* while it is made; NULL: no workers */
    size_t stage;                           /* likewise: that is worked on */
    bool packed;                            /* likewise: while programs were built */
    struct ncl_session_layer_state *layers; /* one per step */
    struct ncl_session_part *parts;         /* one per part of the schedule */
    cl_mem chunks[8];
    cl_mem weights; /* whose parts the layers' are, where the device uses host memory; or NULL */
    cl_mem *slots;  /* one per schedule slot: sub-buffer, or own buffer of an input or output */
    cl_mem *bound;  /* what launches use for a slot now: slots[i], or a caller's buffer */
    struct ncl_command_times *times; /* of the last run, profiled: parts, inputs, outputs */
    cl_mem workspace; /* of all steps, which run one after the other; NULL: none needs any */
    size_t workspace_bytes;
    size_t device_bytes;
    double create_seconds;
};

/* model stays the caller's and must outlive the session. */
ncl_status ncl_session_make(const struct ncl_session_config *config, const struct ncl_graph *model,
                            const struct ncl_dims *inputs, int input_count,
                            struct ncl_session **session);
void ncl_session_destroy(struct ncl_session *session);
/* Reports the stage that is worked on once more; NCL_ERROR_CANCELLED: it is to stop. */
ncl_status ncl_session_progress(const struct ncl_session *session);
/* What all problems of a session's schedule share; config->math is not auto. */
void ncl_session_set_schedule(const struct ncl_session_config *config, int channel_block,
                              struct ncl_schedule *schedule);
/* What a session on the device makes of the math wanted: auto is decided by the measured ratio. */
ncl_status ncl_session_math(const struct ncl_device *device, ncl_math wanted, ncl_math *math);

/* The slot of a graph input or output; -1: none. */
int ncl_session_input_slot(const struct ncl_session *session, int input);
int ncl_session_output_slot(const struct ncl_session *session, int output);
size_t ncl_session_slot_bytes(const struct ncl_session *session, int slot);
/* A step's problem as its first part computes it: all parts' weights are packed alike. */
const struct ncl_problem *ncl_session_problem(const struct ncl_session *session, int step);
/* Is the part a launch of its own, of this step? */
bool ncl_session_is_launch(const struct ncl_session *session, int part, int step);

/* ---- making: one file per part ---- */
/* weights.c: packs weights, uploads biases, scales and shifts of every step. */
ncl_status ncl_session_pack_weights(struct ncl_session *session);
/* The same for one step whose algorithm changed. */
ncl_status ncl_session_pack_step(struct ncl_session *session, int step);
/* buffers.c: arena, slots. */
ncl_status ncl_session_allocate(struct ncl_session *session);
/* What that and ncl_session_pack_weights made; they may be called again. */
void ncl_session_release_buffers(struct ncl_session *session);
/* prepare.c: ncl_session_build_kernels, with the help of other processes, and on CPUs the two
 * above at the same time. */
ncl_status ncl_session_prepare(struct ncl_session *session);
/* layers.c: chooses algorithms, builds kernels, binds launches; falls back where one fails. */
ncl_status ncl_session_choose(struct ncl_session *session);
ncl_status ncl_session_build_kernels(struct ncl_session *session);
ncl_status ncl_session_bind(struct ncl_session *session);
/* Replaces the algorithm of a step that failed as the verdict says, in the words of the thread's
 * last error, by the next that applies, rebuilt and rebound; logs why. */
ncl_status ncl_session_fall_back(struct ncl_session *session, int step, enum ncl_verdict verdict);

/* ---- running ---- */
/* Host and device tensors may be mixed. Without event the call returns when everything is done;
 * host tensors then are read and written before it returns. With event all tensors must be device
 * tensors. */
struct ncl_session_io {
    const ncl_tensor *inputs, *outputs;
    size_t input_count, output_count;
    cl_uint wait_count;
    const cl_event *waits;
    cl_event *event;
};
ncl_status ncl_session_execute(struct ncl_session *session, const struct ncl_session_io *io);
/* Is the tensor, the caller's input or output (what) of this index, as the slot needs it? */
ncl_status ncl_session_check_tensor(const struct ncl_session *session, const ncl_tensor *tensor,
                                    int slot, const char *what, size_t index);
/* Enqueues one part, falling back where the launch fails. first, event: ncl_launch_enqueue. */
ncl_status ncl_session_enqueue_part(struct ncl_session *session, int part, cl_uint wait_count,
                                    const cl_event *waits, cl_event *first, cl_event *event);

/* Points the launches that read or write a slot to `buffer`, which becomes bound[slot]. */
ncl_status ncl_session_rebind(struct ncl_session *session, int slot, cl_mem buffer);

/* verify.c, report.c: see include/nextcl.h */
ncl_status ncl_session_verify(struct ncl_session *session, const ncl_tensor *inputs,
                              size_t input_count, char **json);
ncl_status ncl_session_report(const struct ncl_session *session, char **json);
/* hint.c: {layers, untuned, gain, first}; give: who asks tells the user, so that no one is next. */
ncl_status ncl_session_hint(const struct ncl_session *session, bool give, char **json);
/* explain.c: which point each layer runs, why, what else was tried, what failed before it. Times
 * are milliseconds: ms of the last run, if profiled; the others of records. */
ncl_status ncl_session_explain(const struct ncl_session *session, char **json);
/* inspect.c: the graph before and after its passes, its schedule and memory plan. inputs NULL: free
 * dims become batch 1, 3 channels and 224 pixels. caps: limits of the device it is planned for, or
 * NULL. */
ncl_status ncl_graph_report(const struct ncl_graph *model, const struct ncl_dims *inputs,
                            int input_count, const struct ncl_caps *caps, int channel_block,
                            ncl_precision precision, char **json);
const char *ncl_precision_name(ncl_precision precision); /* as reports have it */
ncl_status ncl_devices_report(const struct ncl_log *log, const struct ncl_device_list *list,
                              char **json);

#endif
