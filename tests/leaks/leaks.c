/* Does LeakSanitizer do its work at the end of a program that used OpenCL? leaks BLOCK.so [plant]
 *
 * Threads that live to the end each use thread-local storage of a library opened at run time, as a
 * driver's workers do. Among so many blocks some lie 16 bytes into a page: where sanitizers of GCC
 * up to 13 and clang up to 16, when they watch __tls_get_addr, take what lies before the block for
 * its address and size, and LeakSanitizer then crashes. Each block holds the only pointer to some
 * memory, which is no leak; "plant" adds one. */
#include "base/memory.h"
#include "nextcl.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

#define THREADS 600 /* blocks lie 16 bytes or a multiple apart: 256 places in a page */

static void **(*block_slot)(void);
static pthread_barrier_t all_ready;

static void *work(void *unused)
{
    *block_slot() = ncl_alloc(1, 24);
    pthread_barrier_wait(&all_ready);
    for (;;)
        pause();
    return unused;
}

static int start_threads(const char *path)
{
    void *library = dlopen(path, RTLD_NOW);

    if (!library)
        return fprintf(stderr, "%s\n", dlerror()), 1;
    *(void **)&block_slot = dlsym(library, "block_slot");
    if (!block_slot || pthread_barrier_init(&all_ready, NULL, THREADS + 1) != 0)
        return fprintf(stderr, "%s: no block_slot\n", path), 1;
    for (int i = 0; i < THREADS; i++) {
        pthread_t thread;
        if (pthread_create(&thread, NULL, work, NULL) != 0)
            return fprintf(stderr, "thread %d did not start\n", i), 1;
    }
    pthread_barrier_wait(&all_ready);
    return 0;
}

/* A pointer that an optimizer keeps, and loses here. */
static void plant(void)
{
    void *volatile lost = ncl_alloc(1, 4321);

    lost = NULL;
    (void)lost;
}

int main(int argc, char **argv)
{
    ncl_context *context = NULL;

    if (argc < 2)
        return 2;
    if (ncl_open(NULL, &context) != NCL_OK)
        return fprintf(stderr, "%s\n", ncl_last_error()), 1;
    if (start_threads(argv[1]) != 0)
        return 1;
    if (argc > 2)
        plant();
    ncl_close(context);
    puts("end");
    return 0;
}
