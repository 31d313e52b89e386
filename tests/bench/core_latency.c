/* How long a cache line takes from one core to another: core_latency [SECONDS]. Prints one JSON
 * object: {"pairs": [{"cores": [a, b], "ns": one way}]}. Two threads, each on a core of its own,
 * hand a counter back and forth; the median of many short games counts: few of them are
 * interrupted, whatever else runs, and where a virtual machine's cores are moved, it says where
 * they mostly were. Exit status 1: fewer than two cores to run on. */
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define MAX_CORES 8    /* of those we may run on; their pairs are 28 */
#define EXCHANGES 2000 /* of one game: some 0.1 to 1 ms */
#define MIN_GAMES 64
#define MAX_GAMES 100000

static struct {
    _Alignas(128) atomic_int turn;
    _Alignas(128) atomic_int stop;
} shared;

static double now(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

static void stay_on(int core)
{
    cpu_set_t set;

    CPU_ZERO(&set);
    CPU_SET((size_t)core, &set);
    sched_setaffinity(0, sizeof set, &set);
}

/* Answers every odd number with the next. */
static void *answer(void *core)
{
    int seen = 0;

    stay_on(*(const int *)core);
    while (!atomic_load_explicit(&shared.stop, memory_order_relaxed)) {
        const int turn = atomic_load_explicit(&shared.turn, memory_order_acquire);

        if (turn > seen && turn % 2 == 1) {
            seen = turn + 1;
            atomic_store_explicit(&shared.turn, seen, memory_order_release);
        }
    }
    return NULL;
}

static double play(int *turn)
{
    const double start = now();

    for (int i = 0; i < EXCHANGES; i++) {
        atomic_store_explicit(&shared.turn, ++*turn, memory_order_release);
        ++*turn;
        while (atomic_load_explicit(&shared.turn, memory_order_acquire) != *turn)
            continue;
    }
    return (now() - start) / EXCHANGES / 2;
}

static int compare_doubles(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

/* Seconds; negative: no second thread could be had. */
static double one_way(int a, int b, double seconds)
{
    static double times[MAX_GAMES];
    const double end = now() + seconds;
    int turn = 0, games = 0;
    pthread_t thread;

    atomic_store(&shared.turn, 0);
    atomic_store(&shared.stop, 0);
    stay_on(a);
    if (pthread_create(&thread, NULL, answer, &b))
        return -1;
    while (games < MAX_GAMES && (games < MIN_GAMES || now() < end))
        times[games++] = play(&turn);
    atomic_store(&shared.stop, 1);
    pthread_join(thread, NULL);
    qsort(times, (size_t)games, sizeof *times, compare_doubles);
    return times[games / 2];
}

int main(int argc, char **argv)
{
    const double seconds = argc > 1 ? strtod(argv[1], NULL) : 0.2;
    int cores[MAX_CORES], count = 0;
    const char *between = "";
    cpu_set_t set;

    if (sched_getaffinity(0, sizeof set, &set))
        return 1;
    for (int core = 0; core < CPU_SETSIZE && count < MAX_CORES; core++)
        if (CPU_ISSET((size_t)core, &set))
            cores[count++] = core;
    if (count < 2) {
        fputs("core_latency: expected at least two cores to run on\n", stderr);
        return 1;
    }
    printf("{\"pairs\": [");
    for (int i = 0; i < count; i++)
        for (int j = i + 1; j < count; j++) {
            printf("%s{\"cores\": [%d, %d], \"ns\": %.1f}", between, cores[i], cores[j],
                   1e9 * one_way(cores[i], cores[j], seconds));
            between = ", ";
        }
    puts("]}");
    return 0;
}
