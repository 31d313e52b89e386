#include "base/thread.h"
#include "base/log.h"
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <unistd.h>

/* More threads than this never paid for work that one call hands out. */
#define MAX_THREADS 64

struct job {
    void (*work)(void *user, size_t index);
    void *user;
    size_t count;
    atomic_size_t next;
};

struct helper {
    pthread_t thread;
    struct job *job;
    struct ncl_log_held said;
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

static void run(struct job *job)
{
    size_t index = atomic_fetch_add(&job->next, 1);

    while (index < job->count) {
        job->work(job->user, index);
        index = atomic_fetch_add(&job->next, 1);
    }
}

static void *help(void *argument)
{
    struct helper *helper = argument;

    ncl_log_hold(&helper->said);
    run(helper->job);
    return NULL;
}

static bool start(struct helper *helper, struct job *job)
{
    *helper = (struct helper){.job = job};
    return pthread_create(&helper->thread, NULL, help, helper) == 0;
}

void ncl_parallel_for(size_t count, void (*work)(void *user, size_t index), void *user)
{
    struct job job = {.work = work, .user = user, .count = count};
    struct helper helpers[MAX_THREADS];
    size_t wanted = ncl_cpu_count();
    size_t started = 0;

    wanted = wanted > MAX_THREADS ? MAX_THREADS : wanted;
    wanted = wanted > count ? count : wanted;
    while (started + 1 < wanted && start(&helpers[started], &job)) {
        started++;
    }
    run(&job);
    for (size_t i = 0; i < started; i++) {
        pthread_join(helpers[i].thread, NULL);
        ncl_log_deliver(&helpers[i].said);
    }
}
