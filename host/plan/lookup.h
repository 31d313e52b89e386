/* What tuning records advise for a problem: the user's store first, then what is shipped. */
#ifndef NCL_PLAN_LOOKUP_H
#define NCL_PLAN_LOOKUP_H

#include "plan/point.h"
#include "tunedb/jsonl.h"
#include "tunedb/records.h"

/* How close a record's device is, best first. Each step validates against this device's limits. */
enum ncl_match {
    NCL_MATCH_EXACT,        /* device and driver */
    NCL_MATCH_DRIVER,       /* same device, another driver */
    NCL_MATCH_ARCHITECTURE, /* same platform, vendor, class and compute units, another name */
    NCL_MATCH_VENDOR,       /* same vendor and class */
    NCL_MATCH_CLASS,
    NCL_MATCH_NONE
};

struct ncl_advice {
    struct ncl_point point;
    enum ncl_match match;
    enum ncl_origin origin;
    bool kept;     /* by the user's store: not shipped */
    bool verified; /* on this device and driver, with this kernel: may run as it is */
    double seconds, default_seconds; /* as recorded, 0: unknown */
};

const char *ncl_match_name(enum ncl_match match); /* "exact", "driver", ... */
enum ncl_match ncl_match_of(const struct ncl_fingerprint *record,
                            const struct ncl_fingerprint *here);
/* The point that a record is about; false: it names none of this release's, or its kernel was
 * another one. */
bool ncl_record_point(const struct ncl_record *record, struct ncl_point *point);
/* A record about the point on the device of caps, with nothing measured yet: its strings live in
 * `keys`. false: out of memory. Free the keys in any case. */
struct ncl_record_keys {
    char klass[64], kernel[NCL_HASH_TEXT];
    struct ncl_text problem, params;
};
bool ncl_record_about(const struct ncl_problem *p, const struct ncl_caps *caps,
                      const struct ncl_point *point, struct ncl_record_keys *keys,
                      struct ncl_record *record);
void ncl_record_keys_free(struct ncl_record_keys *keys);

/* Why a record's first use is STARTED: written when it begins, read where it never ended. The
 * second one that was interrupted bars the point. */
#define NCL_FIRST_USE "its first use was interrupted"
#define NCL_SECOND_USE "its first use was interrupted twice"
/* Why a GOOD record of a first use is no winner. */
#define NCL_FIRST_USE_LOST "slower than the default at its first use here"

/* Is the record a tombstone that keeps its point from running? Those of other machines are hearsay:
 * they never do. */
bool ncl_record_bars(const struct ncl_record *record);
/* Was the point timed here by a tuner? */
bool ncl_record_is_tuned(const struct ncl_record *record);
/* Was it found slower than the default at its first use here? */
bool ncl_record_lost(const struct ncl_record *record);

/* The device of caps as records name it. klass: room for the class's text. */
void ncl_fingerprint_of(const struct ncl_caps *caps, char klass[64], struct ncl_fingerprint *on);

/* The best advice for the problem; false: none. Records of other kernels (hash), illegal points and
 * points that a tombstone bars on this device and driver are passed over. store may be NULL. */
bool ncl_lookup(const struct ncl_log *log, struct ncl_store *store, const struct ncl_problem *p,
                const struct ncl_caps *caps, struct ncl_advice *advice);
/* The channel block that records of this very device, whatever its driver, advise for a whole
 * session, see ncl_session_net_key. Nothing verifies them, and other devices or kernels have other
 * best blocks. false: none does. */
struct ncl_block_question {
    const char *net;
    const char *kernels; /* hash of all of them; NULL: of whichever */
    bool measured_only;  /* on this machine */
};
struct ncl_block_advice {
    int block;
    enum ncl_match match;
    enum ncl_origin origin;
};
bool ncl_lookup_block(const struct ncl_log *log, struct ncl_store *store,
                      const struct ncl_caps *caps, const struct ncl_block_question *question,
                      struct ncl_block_advice *advice);
/* Is a point that was measured here chosen for the problem? */
bool ncl_lookup_has_winner(struct ncl_store *store, const struct ncl_problem *p,
                           const struct ncl_caps *caps);
/* What is known of the point on this device and driver. */
struct ncl_standing {
    bool verified;
    bool bars;                /* see ncl_record_bars */
    enum ncl_verdict verdict; /* GOOD: no tombstone */
    enum ncl_origin origin;   /* whose */
    char why[192];
};
void ncl_lookup_standing(struct ncl_store *store, const struct ncl_problem *p,
                         const struct ncl_caps *caps, const struct ncl_point *point,
                         struct ncl_standing *standing);
/* Has the point a tombstone on this device and driver that bars it? Then why says (of bytes, may be
 * NULL). */
bool ncl_lookup_is_dead(struct ncl_store *store, const struct ncl_problem *p,
                        const struct ncl_caps *caps, const struct ncl_point *point, char *why,
                        size_t bytes);
/* Up to `room` legal points to try first: best of this device (other drivers: their first three),
 * of nearer devices before farther ones, then winners of the nearest shapes of the same kind (same
 * kernel size, stride and grouping; channels and pixels by log distance). Last come those of which
 * others say that they failed. Returns how many. */
int ncl_portfolio(const struct ncl_log *log, struct ncl_store *store, const struct ncl_problem *p,
                  const struct ncl_caps *caps, struct ncl_point *points, int room);

#endif
