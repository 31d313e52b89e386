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

#endif
