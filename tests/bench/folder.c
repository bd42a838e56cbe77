/* Folders that a measurement makes and takes away again. */
#define _GNU_SOURCE
#include "bench.h"

#include <ftw.h>

static int remove_entry(const char *path, const struct stat *status, int type, struct FTW *walk) {
    (void)status;
    (void)type;
    (void)walk;
    return remove(path);
}

void remove_folder(const char *folder) { nftw(folder, remove_entry, 16, FTW_DEPTH | FTW_PHYS); }

void join(char *out, size_t size, const char *folder, const char *name) { snprintf(out, size, "%s/%s", folder, name); }
