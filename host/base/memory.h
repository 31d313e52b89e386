/* Host memory: overflow-checked, zeroed; NULL when it runs out. */
#ifndef NCL_BASE_MEMORY_H
#define NCL_BASE_MEMORY_H

#include <stdbool.h>
#include <stddef.h>

void *ncl_alloc(size_t count, size_t size);         /* free() */
void *ncl_alloc_aligned(size_t count, size_t size); /* 64-byte aligned, free() */
/* Memory of the system's own, for blocks of megabytes: zeroed, at a multiple of NCL_PAGES_ALIGN, in
 * pages of that size where the system has them to give. Unread pages take no memory. */
#define NCL_PAGES_ALIGN ((size_t)2 << 20)
void *ncl_pages_alloc(size_t bytes);
void ncl_pages_free(void *pages, size_t bytes); /* bytes as they were allocated */
char *ncl_strdup(const char *text);             /* free() */
/* Makes room for one more element in a growing array: doubles *capacity. false: out of memory, the
 * array is as it was. */
bool ncl_grow(void **array, size_t *capacity, size_t count, size_t element_size);

/* Many small objects with one lifetime. Not thread-safe. A zeroed struct is an empty arena. */
struct ncl_arena {
    struct ncl_arena_block *blocks;
};
void *ncl_arena_alloc(struct ncl_arena *arena, size_t count,
                      size_t size); /* 16-byte aligned, zero */
char *ncl_arena_text(struct ncl_arena *arena, const char *text, size_t length); /* adds the NUL */
void ncl_arena_free(struct ncl_arena *arena);

/* Products of sizes that may come from a hostile file. false: overflow, *product untouched. */
bool ncl_multiply(size_t a, size_t b, size_t *product);

static inline size_t ncl_ceil_div(size_t a, size_t b)
{
    return (a + b - 1) / b;
}

static inline size_t ncl_round_up(size_t a, size_t b)
{
    return ncl_ceil_div(a, b) * b;
}

#endif
