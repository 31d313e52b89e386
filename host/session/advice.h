/* What records say to sessions. */
#ifndef NCL_SESSION_ADVICE_H
#define NCL_SESSION_ADVICE_H

#include "session/session.h"

/* The problem of a record about a whole session: "net " and a hash of the signatures of all steps,
 * each at the device's own channel block, single precision and without math fast, so that every
 * session of one model and shapes has the same. */
#define NCL_NET_KEY 48
ncl_status ncl_session_net_key(const struct ncl_schedule *schedule, const struct ncl_caps *caps,
                               char key[NCL_NET_KEY]);

/* advice.c: the channel block that records chose for the network of the session's schedule;
 * `block`, the device's own, where none did. */
int ncl_session_advised_block(struct ncl_session *session, int block);
/* Sets every step's advice: of the pin, or of records, verified first where they are not yet. */
ncl_status ncl_session_advise(struct ncl_session *session);
/* The same for one step, without verifying. */
void ncl_session_look_up(struct ncl_session *session, int step);
/* All parts of a step read the same packed weights: may one point compute all of them? */
bool ncl_session_suits(const struct ncl_session *session, int step, const struct ncl_point *point);
/* Which step's parts have the same problems as this one's: the first such. */
int ncl_session_first_like(const struct ncl_session *session, int step);

/* advice_verify.c: has the advice of all steps verified, as far as there is time: what is wrong is
 * remembered, and the step takes the next advice there is. */
ncl_status ncl_session_verify_advice(struct ncl_session *session);

/* failures.c: notes why the step's choice does not run. false: out of memory. */
bool ncl_session_note_failure(struct ncl_session *session, int step, const struct ncl_point *point,
                              enum ncl_verdict verdict, const char *why);
/* Does a tombstone of this verdict keep the planner's own choices from running? What was started
 * and never ended may have been killed for any reason, by the user too, and a point without a clock
 * still computes: neither does. */
bool ncl_session_forbids(enum ncl_verdict verdict, enum ncl_resort resort);
/* Has the point failed in this session, or does a tombstone forbid it? The latter is noted. */
bool ncl_session_is_barred(struct ncl_session *session, int step, const struct ncl_point *point);
/* Another choice of the step works: what failed before it was to blame, and gets tombstones. */
void ncl_session_remember(struct ncl_session *session, int step);
/* Says so where the step's choice has a tombstone: it was the last resort. */
void ncl_session_put_on_trial(struct ncl_session *session, int step);
/* Everything ran: what did so in spite of its tombstone loses it. */
void ncl_session_acquit(struct ncl_session *session);

#endif
