#ifndef NCL_BASE_THREAD_H
#define NCL_BASE_THREAD_H

#include <stddef.h>

/* Processors this process may run on, at least 1. */
unsigned ncl_cpu_count(void);
/* Calls work(user, 0..count-1), each once, on up to ncl_cpu_count() threads, the caller among them;
 * returns when all are done. work must not fail: it keeps its result in user. What other threads
 * log is said by the caller, when they are done. Falls back to fewer threads when none can be
 * started. */
void ncl_parallel_for(size_t count, void (*work)(void *user, size_t index), void *user);

#endif
