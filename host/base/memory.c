#include "base/memory.h"
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define ALIGNMENT 64
/* No block of a sane program is larger; sizes from hostile files are, and overcommitting systems
 * might grant them. */
#define LARGEST (SIZE_MAX >> (sizeof(size_t) > 4 ? 24 : 1))
#define ARENA_ALIGNMENT 16
#define ARENA_FIRST_BLOCK ((size_t)4096)
#define ARENA_LARGEST_BLOCK ((size_t)1 << 20)

struct ncl_arena_block {
    _Alignas(ARENA_ALIGNMENT) struct ncl_arena_block *next;
    size_t used, capacity; /* bytes after this header */
};

bool ncl_multiply(size_t a, size_t b, size_t *product)
{
    if (b != 0 && a > SIZE_MAX / b) {
        return false;
    }
    *product = a * b;
    return true;
}

void *ncl_alloc(size_t count, size_t size)
{
    size_t bytes = 0;

    if (!ncl_multiply(count, size, &bytes) || bytes > LARGEST) {
        return NULL;
    }
    /* Never calloc(0): its NULL would look like memory running out. */
    return calloc(bytes == 0 ? 1 : bytes, 1);
}

void *ncl_alloc_aligned(size_t count, size_t size)
{
    size_t bytes = 0;
    void *memory = NULL;

    if (!ncl_multiply(count, size, &bytes) || bytes > LARGEST) {
        return NULL;
    }
    bytes = bytes == 0 ? ALIGNMENT : ncl_round_up(bytes, ALIGNMENT);
    if (posix_memalign(&memory, ALIGNMENT, bytes) != 0) {
        return NULL;
    }
    return memset(memory, 0, bytes);
}

/* The kernel gives large pages to whole aligned stretches alone, and maps anywhere: one stretch
 * more is asked for, and what lies before and behind the aligned block is given back. */
void *ncl_pages_alloc(size_t bytes)
{
    const size_t whole = bytes <= LARGEST ? ncl_round_up(bytes, NCL_PAGES_ALIGN) : 0;
    const size_t asked = whole + NCL_PAGES_ALIGN;
    char *start = MAP_FAILED;
    size_t before = 0;

    if (whole != 0) {
        start =
            mmap(NULL, asked, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, (off_t)0);
    }
    if (start == MAP_FAILED) {
        return NULL;
    }
    before = (NCL_PAGES_ALIGN - (uintptr_t)start % NCL_PAGES_ALIGN) % NCL_PAGES_ALIGN;
    if (before != 0) {
        munmap(start, before);
    }
    munmap(start + before + whole, asked - before - whole);
#ifdef MADV_HUGEPAGE
    madvise(start + before, whole, MADV_HUGEPAGE); /* a wish: small pages do as well */
#endif
    return start + before;
}

void ncl_pages_free(void *pages, size_t bytes)
{
    if (pages != NULL) {
        munmap(pages, ncl_round_up(bytes, NCL_PAGES_ALIGN));
    }
}

char *ncl_strdup(const char *text)
{
    const size_t bytes = strlen(text) + 1;
    char *copy = malloc(bytes);

    return copy == NULL ? NULL : memcpy(copy, text, bytes);
}

bool ncl_grow(void **array, size_t *capacity, size_t count, size_t element_size)
{
    size_t wanted = *capacity < 4 ? 8 : 0;
    size_t bytes = 0;
    char *grown = NULL;

    if (count < *capacity) {
        return true;
    }
    if (wanted == 0 && !ncl_multiply(*capacity, 2, &wanted)) {
        return false;
    }
    if (wanted <= count || !ncl_multiply(wanted, element_size, &bytes)) {
        return false;
    }
    grown = realloc(*array, bytes);
    if (grown == NULL) {
        return false;
    }
    memset(grown + *capacity * element_size, 0, bytes - *capacity * element_size);
    *array = grown;
    *capacity = wanted;
    return true;
}

static bool add_block(struct ncl_arena *arena, size_t bytes)
{
    size_t capacity = ARENA_FIRST_BLOCK;
    struct ncl_arena_block *block = NULL;

    if (arena->blocks != NULL) {
        capacity = arena->blocks->capacity < ARENA_LARGEST_BLOCK / 2 ? arena->blocks->capacity * 2
                                                                     : ARENA_LARGEST_BLOCK;
    }
    if (capacity < bytes) {
        capacity = bytes;
    }
    block = ncl_alloc(sizeof(*block) + capacity, 1);
    if (block == NULL) {
        return false;
    }
    block->next = arena->blocks;
    block->capacity = capacity;
    arena->blocks = block;
    return true;
}

void *ncl_arena_alloc(struct ncl_arena *arena, size_t count, size_t size)
{
    struct ncl_arena_block *block = arena->blocks;
    size_t bytes = 0;
    void *memory = NULL;

    if (!ncl_multiply(count, size, &bytes) || bytes > LARGEST) {
        return NULL;
    }
    bytes = bytes == 0 ? ARENA_ALIGNMENT : ncl_round_up(bytes, ARENA_ALIGNMENT);
    if (block == NULL || bytes > block->capacity - block->used) {
        if (!add_block(arena, bytes)) {
            return NULL;
        }
        block = arena->blocks;
    }
    memory = (char *)(block + 1) + block->used;
    block->used += bytes;
    return memory;
}

char *ncl_arena_text(struct ncl_arena *arena, const char *text, size_t length)
{
    char *copy = length == SIZE_MAX ? NULL : ncl_arena_alloc(arena, length + 1, 1);

    if (copy != NULL && length > 0) {
        memcpy(copy, text, length);
    }
    return copy;
}

void ncl_arena_free(struct ncl_arena *arena)
{
    while (arena->blocks != NULL) {
        struct ncl_arena_block *next = arena->blocks->next;
        free(arena->blocks);
        arena->blocks = next;
    }
}
