/* A library with thread-local storage, which the dynamic linker allocates for each thread at its
 * first use, by malloc. Aligned by 16 at most, so that the block starts where malloc says. */
__attribute__((visibility("default"))) void **block_slot(void);

static _Thread_local void *slot;

void **block_slot(void)
{
    return &slot;
}
