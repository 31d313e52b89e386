#include "base/thread.h"
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <unistd.h>

/* More threads than this never paid for work that one call hands out. */
#define MAX_THREADS 64

struct job {
    void (*work)(void *user, size_t index);
    void *user;
    size_t count;
    atomic_size_t next;
};

unsigned ncl_cpu_count(void)
{
    cpu_set_t set;
    long online = 0;

    CPU_ZERO(&set);
    if (sched_getaffinity(0, sizeof(set), &set) == 0 && CPU_COUNT(&set) > 0) {
        return (unsigned)CPU_COUNT(&set);
    }
    /* Machines with more than CPU_SETSIZE processors refuse the set above. */
    online = sysconf(_SC_NPROCESSORS_ONLN);
    return online > 0 ? (unsigned)online : 1;
}

static void *run(void *argument)
{
    struct job *job = argument;
    size_t index = atomic_fetch_add(&job->next, 1);

    while (index < job->count) {
        job->work(job->user, index);
        index = atomic_fetch_add(&job->next, 1);
    }
    return NULL;
}

void ncl_parallel_for(size_t count, void (*work)(void *user, size_t index), void *user)
{
    struct job job = {.work = work, .user = user, .count = count};
    pthread_t threads[MAX_THREADS];
    size_t wanted = ncl_cpu_count();
    size_t started = 0;

    wanted = wanted > MAX_THREADS ? MAX_THREADS : wanted;
    wanted = wanted > count ? count : wanted;
    while (started + 1 < wanted && pthread_create(&threads[started], NULL, run, &job) == 0) {
        started++;
    }
    run(&job);
    while (started > 0) {
        pthread_join(threads[--started], NULL);
    }
}
