/* Tuning records: what was measured of one point, on one device with one driver, for one problem.
 * Kept in the user's store (records.h), shipped and shared as JSON Lines (jsonl.h). */
#ifndef NCL_TUNEDB_RECORD_H
#define NCL_TUNEDB_RECORD_H

#include "base/memory.h"
#include "cl/caps.h"

/* How the evaluation ended. All but GOOD are tombstones: the point is not tried again on this
 * device and driver. STARTED: the process that tried it never said; it counts as crashed. */
enum ncl_verdict {
    NCL_VERDICT_GOOD,
    NCL_VERDICT_BUILD,   /* does not build, or the driver grants it too few work-items */
    NCL_VERDICT_LAUNCH,  /* the launch was refused or failed */
    NCL_VERDICT_WRONG,   /* its result is not the oracle's, or it wrote outside its output */
    NCL_VERDICT_CRASHED, /* took its process, or the device, along */
    NCL_VERDICT_TIMEOUT, /* did not come back in time, or would keep the device too long */
    NCL_VERDICT_TIME,    /* only impossible times: zero, or contradicting the wall clock */
    NCL_VERDICT_STARTED,
    NCL_VERDICT_COUNT
};
/* good build launch wrong crashed timeout time started; parse: NCL_VERDICT_COUNT if unknown. */
const char *ncl_verdict_name(enum ncl_verdict verdict);
enum ncl_verdict ncl_verdict_parse(const char *name);

/* Where a record comes from. Only MEASURED ones were verified and timed on this machine. */
enum ncl_origin {
    NCL_ORIGIN_MEASURED,
    NCL_ORIGIN_IMPORTED, /* by the user */
    NCL_ORIGIN_SHIPPED,  /* of tuning/ */
    NCL_ORIGIN_ANALYTIC, /* of tuning/, reasoned from compilers' output, never timed */
    NCL_ORIGIN_COUNT
};
const char *ncl_origin_name(enum ncl_origin origin);
enum ncl_origin ncl_origin_parse(const char *name);

/* The device as records know it. */
struct ncl_fingerprint {
    const char *platform, *device, *vendor, *driver;
    /* Devices that are programmed alike: "cpu floats16", "gpu lanes32 scalar", ... */
    const char *klass;
    int compute_units;
};
/* "cpu floats<native>", "gpu lanes<n>[ scalar][ paired]", or "other lanes<n>". */
void ncl_caps_class(const struct ncl_caps *caps, char text[64]);

/* Strings belong to whoever made the record: a ncl_record_list's arena, or the caller. */
struct ncl_record {
    struct ncl_fingerprint on;
    const char *library; /* version that measured, "0.1.0" */
    int order_version;
    const char *kernel;    /* ncl_point_kernel_hash */
    const char *problem;   /* ncl_problem_signature; "net <hash>" for what a whole session chose */
    const char *algorithm; /* "session" for the latter */
    const char *params;    /* ncl_point_params */
    enum ncl_verdict verdict;
    enum ncl_origin origin;
    double seconds; /* median of one launch; 0: not timed */
    double spread;  /* median absolute deviation of the samples, with the start's noise, seconds */
    double default_seconds; /* of the descriptor's defaults, timed in turn with this; 0: unknown */
    int samples;            /* trains of launches that the median is of */
    bool chosen;            /* the winner for this problem, device and driver */
    bool verified; /* had the oracle's bits (math fast: met its bound) on this very device and
                      driver with this kernel */
    uint64_t seed;
    int64_t utc;     /* seconds since 1970 */
    const char *why; /* of a tombstone: one line; else "" */
};

/* Zeroed: empty. */
struct ncl_record_list {
    struct ncl_arena arena;
    struct ncl_record *records;
    size_t count, capacity;
};
/* Appends a deep copy. false: out of memory. */
bool ncl_record_list_add(struct ncl_record_list *list, const struct ncl_record *record);
void ncl_record_list_free(struct ncl_record_list *list);
/* By device, driver, problem, then chosen first, good before tombstones, faster first, then by
 * algorithm and params: one order for every report and file. */
void ncl_record_list_sort(struct ncl_record_list *list);
/* Keeps of records of one point (device, driver, kernel, problem, algorithm, params) the best,
 * which is what was measured before what was not, and the newest; of several chosen ones of one
 * device, driver and problem the fastest, or, where kernels differ, the newest. Sorted afterwards.
 */
void ncl_record_list_unite(struct ncl_record_list *list);

#endif
