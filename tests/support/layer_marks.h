/* What layer_fault.c remembers of programs: they are told apart by their source. */
#ifndef NCL_TESTS_LAYER_MARKS_H
#define NCL_TESTS_LAYER_MARKS_H

#include <CL/cl_icd.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* The programs whose source holds NCL_LAYER_SOURCE's text; a program's address may be used again,
 * so each new one is looked up. */
static pthread_mutex_t marks_lock = PTHREAD_MUTEX_INITIALIZER;
static struct mark {
    cl_program program;
    bool marked;
    uint64_t hash; /* of the source */
} marks[4096];
static size_t mark_count;

static bool source_holds(cl_uint count, const char **strings, const size_t *lengths,
                         const char *text)
{
    for (cl_uint i = 0; i < count; ++i) {
        const size_t length = lengths && lengths[i] ? lengths[i] : strlen(strings[i]);

        if (memmem(strings[i], length, text, strlen(text)))
            return true;
    }
    return false;
}

static void set_mark(cl_program program, bool marked, uint64_t hash)
{
    size_t i = 0;

    pthread_mutex_lock(&marks_lock);
    while (i < mark_count && marks[i].program != program)
        ++i;
    if (i < sizeof marks / sizeof *marks)
        marks[i] = (struct mark){program, marked, hash};
    if (i == mark_count && i < sizeof marks / sizeof *marks)
        ++mark_count;
    pthread_mutex_unlock(&marks_lock);
}

static struct mark mark_of(cl_program program)
{
    struct mark mark = {program, false, 0};

    pthread_mutex_lock(&marks_lock);
    for (size_t i = 0; i < mark_count; ++i)
        if (marks[i].program == program)
            mark = marks[i];
    pthread_mutex_unlock(&marks_lock);
    return mark;
}

#endif
