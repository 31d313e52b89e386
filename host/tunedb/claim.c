#include "tunedb/claim.h"
#include "base/hash.h"
#include "base/text.h"
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#ifdef F_OFD_SETLK
/* A byte of the store's lock file per name, locked for this open file alone: locks of the whole
 * process would be lost as soon as any other part of it closes the file. */
static bool lock_byte(int file, const char *name)
{
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_len = 1};

    lock.l_start = (off_t)(ncl_hash_bytes(name, strlen(name)).low >> 2);
    return fcntl(file, F_OFD_SETLK, &lock) == 0;
}
#else
static bool lock_byte(int file, const char *name)
{
    (void)file;
    (void)name;
    return true;
}
#endif

bool ncl_store_claim(struct ncl_store *store, const char *name, int *claim)
{
    const char *path = store != NULL ? ncl_store_path(store) : NULL;
    struct ncl_text file = {0};

    *claim = -1;
    if (path == NULL) {
        return true;
    }
    ncl_text_add(&file, "%s.lock", path);
    if (!file.failed) {
        *claim = open(file.data, O_RDWR | O_CREAT | O_CLOEXEC | O_NONBLOCK, 0600);
    }
    ncl_text_free(&file);
    if (*claim < 0 || lock_byte(*claim, name)) {
        return true;
    }
    close(*claim);
    *claim = -1;
    return false;
}

void ncl_store_unclaim(int claim)
{
    if (claim >= 0) {
        close(claim);
    }
}
