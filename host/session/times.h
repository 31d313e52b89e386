/* When the commands of a profiled session's last run were enqueued, and when they ran. */
#ifndef NCL_SESSION_TIMES_H
#define NCL_SESSION_TIMES_H

#include "session/session.h"

#include <jansson.h>

struct ncl_command_times {
    cl_event first;                   /* of a step of several launches, else NULL */
    cl_event event;                   /* of the last launch; NULL: no such command */
    uint64_t host[2];                 /* ncl_clock_ns before and after enqueueing it */
    uint64_t device[NCL_EVENT_TIMES]; /* of the device's own clock, if known */
    bool known;
};

/* Commands are numbered: one per part of the schedule, then one per input, then one per output. */
int ncl_times_count(const struct ncl_session *session);
/* event may be NULL; it stays the caller's. A step's `first` was set by whoever enqueued it. */
void ncl_times_note(struct ncl_session *session, int command, uint64_t before, cl_event event);
/* Reads the times of a run that is finished, layers' seconds among them. */
void ncl_times_collect(struct ncl_session *session);
void ncl_times_forget(struct ncl_session *session);

/* "device": every launch of the last run has times, each after those before it; "broken": some has
 * not, so that no time is to be believed; "none": there is nothing to read times from. */
const char *ncl_times_clock(const struct ncl_session *session);

/* New objects; NULL: memory ran out. Of a step: input and output shapes (NCHW), bytes that it reads
 * and writes at least; and of every command, where known: host_ns [before, after enqueueing],
 * device_ns [queued, submitted, started, ended], or null. A step in chunks of the batch has null
 * and besides chunk_images, which a launch takes at most, and chunks: the same of each,
 * first_image, macs.
 */
json_t *ncl_times_json(const struct ncl_session *session, int step);
json_t *ncl_transfers_json(const struct ncl_session *session);

#endif
