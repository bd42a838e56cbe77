/* Who owns a folder. The lock is one of the open file description (F_OFD_SETLK): it ends with the process
 * however that dies, and another database in the same process is kept out as well. The file holds the
 * owner's number and name, for the message that the next one gets.
 *
 * The file stays when a database is closed, except where it was made only to look into a folder that
 * may be no database at all. Removing it is safe because whoever got a lock checks afterwards that the
 * file it locked still has the name. */
#define _GNU_SOURCE
#include "port/posix/storage.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char lock_name[] = "lock";
enum {
    TRIES_MAX = 100, /* somebody would have to remove the file as often, between two of our calls */
    OWNER_MAX = 64,  /* bytes of "number name\n" */
    LOCK_OPEN = O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK,
};

static int try_lock(int descriptor, short type) {
    struct flock lock = {.l_type = type, .l_whence = SEEK_SET};
    int done;
    do {
        done = fcntl(descriptor, F_OFD_SETLK, &lock);
    } while (done != 0 && errno == EINTR);
    return done == 0 ? 0 : errno;
}

static bool still_has_its_name(const gt_posix_storage *storage, int descriptor) {
    struct stat ours, named;
    return fstat(descriptor, &ours) == 0 && fstatat(storage->folder, lock_name, &named, AT_SYMLINK_NOFOLLOW) == 0 &&
           ours.st_dev == named.st_dev && ours.st_ino == named.st_ino;
}

/* The lock file's descriptor, or -1 with errno. */
static int open_lock_file(const gt_posix_storage *storage, bool *made) {
    *made = false;
    int descriptor = openat(storage->folder, lock_name, O_RDWR | LOCK_OPEN);
    if (descriptor < 0 && storage->read_only && (errno == EACCES || errno == EPERM || errno == EROFS)) {
        descriptor = openat(storage->folder, lock_name, O_RDONLY | LOCK_OPEN);
    }
    if (descriptor < 0 && errno == ENOENT) {
        descriptor = openat(storage->folder, lock_name, O_RDWR | O_CREAT | O_EXCL | LOCK_OPEN, 0644);
        *made = descriptor >= 0;
    }
    return descriptor;
}

static goat_status fail_busy(int descriptor, goat_io_result *result) {
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    if (fcntl(descriptor, F_OFD_GETLK, &lock) == 0 && lock.l_type == F_RDLCK) {
        return gt_port_result_fail(result, GOAT_BUSY, "another process is reading it");
    }
    char text[OWNER_MAX + 1];
    ssize_t len = pread(descriptor, text, OWNER_MAX, 0);
    text[len > 0 ? len : 0] = 0;
    char *name = NULL;
    long process = strtol(text, &name, 10);
    if (process <= 0 || *name != ' ') {
        return gt_port_result_fail(result, GOAT_BUSY, "owned by another process");
    }
    name++;
    name[strcspn(name, "\n")] = 0;
    return gt_port_result_fail(result, GOAT_BUSY, "owned by process %ld (%s)", process, name);
}

/* The text is only for people: that it cannot be written on a full disk does not matter. */
static void write_owner(int descriptor) {
    char text[OWNER_MAX];
    int len = snprintf(text, sizeof text, "%ld %.40s\n", (long)getpid(), program_invocation_short_name);
    if (ftruncate(descriptor, 0) == 0 && pwrite(descriptor, text, (size_t)len, 0) != len) {
        (void)!ftruncate(descriptor, 0);
    }
}

static goat_status take(gt_posix_storage *storage, gt_posix_operation *operation, bool create) {
    for (int tries = 0; tries < TRIES_MAX; tries++) {
        bool made;
        int descriptor = open_lock_file(storage, &made);
        if (descriptor < 0 && errno == EEXIST) {
            continue; /* made by somebody between our two looks */
        }
        if (descriptor < 0 && storage->read_only && (errno == EACCES || errno == EPERM || errno == EROFS)) {
            return GOAT_OK; /* there is no lock file and there can be none: nobody writes here */
        }
        if (descriptor < 0) {
            return gt_posix_fail(&operation->result, errno, "open the lock file of", storage->path);
        }
        int error = try_lock(descriptor, storage->read_only ? F_RDLCK : F_WRLCK);
        if (error == 0 && still_has_its_name(storage, descriptor)) {
            storage->lock = descriptor;
            storage->remove_lock = made && !create;
            return GOAT_OK;
        }
        goat_status status = GOAT_OK;
        if (error == EAGAIN || error == EACCES) {
            status = fail_busy(descriptor, &operation->result);
        } else if (error != 0) {
            status = gt_posix_fail(&operation->result, error, "lock", storage->path);
        }
        close(descriptor);
        if (status != GOAT_OK) {
            return status;
        }
    }
    return gt_port_result_fail(&operation->result, GOAT_BUSY, "its lock file is replaced all the time");
}

goat_status gt_posix_lock(gt_posix_storage *storage, gt_posix_operation *operation) {
    goat_io_result *result = &operation->result;
    if (storage->folder >= 0) {
        return gt_port_result_fail(result, GOAT_MISUSE, "%s is locked already", storage->path);
    }
    storage->read_only = (operation->request.flags & GOAT_IO_READ_ONLY) != 0;
    bool create = (operation->request.flags & GOAT_IO_CREATE) != 0 && !storage->read_only;
    int error = gt_posix_open_folder(&storage->alloc, storage->path, create, &storage->folder);
    if (error != 0) {
        storage->folder = -1;
        return gt_posix_fail(result, error, "open", storage->path);
    }
    goat_status status = take(storage, operation, create);
    if (status != GOAT_OK) {
        gt_posix_unlock(storage);
        return status;
    }
    if (!storage->read_only) {
        write_owner(storage->lock);
        gt_posix_remove_temporaries(storage);
    }
    return GOAT_OK;
}

void gt_posix_unlock(gt_posix_storage *storage) {
    if (storage->lock >= 0) {
        /* Other readers may hold the file as well; then the last of them removes it. */
        if (storage->remove_lock && try_lock(storage->lock, F_WRLCK) == 0) {
            unlinkat(storage->folder, lock_name, 0);
        } else if (!storage->read_only) {
            (void)!ftruncate(storage->lock, 0);
        }
        close(storage->lock);
    }
    if (storage->folder >= 0) {
        close(storage->folder);
    }
    storage->lock = -1;
    storage->folder = -1;
    storage->remove_lock = false;
}
