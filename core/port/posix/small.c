/* Whole small files: reading, replacing at one stroke, removing. A reader sees the old bytes or the new
 * ones, and after a loss of power as well: the new ones are on the disk before they get the name. */
#define _GNU_SOURCE
#include "port/posix/storage.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    MODE = 0644,
    MODE_SECRET = 0600,
    OTHERS = 077,
    WRITE_MAX = 1 << 30, /* more at a time is cut short by Linux anyway */
};

int gt_posix_write_all(int descriptor, const uint8_t *data, size_t len, uint64_t offset) {
    while (len != 0) {
        ssize_t written = pwrite(descriptor, data, len < WRITE_MAX ? len : WRITE_MAX, (off_t)offset);
        if (written < 0 && errno == EINTR) {
            continue;
        }
        if (written <= 0) {
            return written < 0 ? errno : EIO;
        }
        data += written;
        len -= (size_t)written;
        offset += (uint64_t)written;
    }
    return 0;
}

/* ---- Reading --------------------------------------------------------------------------------- */

static goat_status fail_too_large(goat_io_result *result, const char *name, uint64_t limit) {
    return gt_port_result_fail(result, GOAT_TOO_LARGE, "%s is larger than %llu bytes", name, (unsigned long long)limit);
}

static goat_status check_small_file(gt_posix_operation *operation, const struct stat *info) {
    if (!S_ISREG(info->st_mode)) {
        return gt_port_result_fail(&operation->result, GOAT_IO, "%s is not a file", operation->name);
    }
    if ((operation->request.flags & GOAT_IO_SECRET) != 0 && (info->st_mode & OTHERS) != 0) {
        return gt_port_result_fail(&operation->result, GOAT_BAD_KEY, "%s is open to others (mode %04o): chmod 600 it",
                                   operation->name, (unsigned)info->st_mode & 07777u);
    }
    uint64_t limit = operation->request.length;
    if (limit != 0 && (uint64_t)info->st_size > limit) {
        return fail_too_large(&operation->result, operation->name, limit);
    }
    return GOAT_OK;
}

/* As many bytes as the file had when it was looked at; nobody else writes to it. */
static goat_status read_bytes(gt_posix_storage *storage, gt_posix_operation *operation, int descriptor, size_t size) {
    goat_io_result *result = &operation->result;
    operation->given = gt_new(&storage->alloc, size == 0 ? 1 : size, 1);
    if (operation->given == NULL) {
        return gt_posix_fail(result, ENOMEM, "read", operation->name);
    }
    size_t len = 0;
    while (len < size) {
        ssize_t got = pread(descriptor, operation->given + len, size - len, (off_t)len);
        if (got < 0 && errno != EINTR) {
            return gt_posix_fail(result, errno, "read", operation->name);
        }
        if (got == 0) {
            break;
        }
        len += got > 0 ? (size_t)got : 0;
    }
    result->data = len == 0 ? NULL : operation->given;
    result->data_len = len;
    result->length = len;
    return GOAT_OK;
}

goat_status gt_posix_read(gt_posix_storage *storage, gt_posix_operation *operation) {
    /* Not blocking: somebody may have put a pipe there. */
    int descriptor = openat(storage->folder, operation->name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (descriptor < 0) {
        return gt_posix_fail(&operation->result, errno, "read", operation->name);
    }
    struct stat info;
    goat_status status;
    if (fstat(descriptor, &info) != 0) {
        status = gt_posix_fail(&operation->result, errno, "read", operation->name);
    } else {
        status = check_small_file(operation, &info);
    }
    if (status == GOAT_OK && (uint64_t)info.st_size > SIZE_MAX) {
        status = fail_too_large(&operation->result, operation->name, SIZE_MAX);
    }
    if (status == GOAT_OK) {
        status = read_bytes(storage, operation, descriptor, (size_t)info.st_size);
    }
    close(descriptor);
    return status;
}

/* ---- Replacing ------------------------------------------------------------------------------- */

static int write_aside(int parent, const char *temporary, const goat_io_request *request) {
    bool secret = (request->flags & GOAT_IO_SECRET) != 0;
    int descriptor = openat(parent, temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, secret ? MODE_SECRET : MODE);
    if (descriptor < 0) {
        return errno;
    }
    int error = gt_posix_write_all(descriptor, request->data, request->data_len, 0);
    if (error == 0 && fsync(descriptor) != 0) {
        error = errno;
    }
    if (close(descriptor) != 0 && error == 0 && errno != EINTR) {
        error = errno;
    }
    return error;
}

/* Gives the file its name if nobody has it. */
static int name_new(int parent, const char *temporary, const char *base) {
    if (renameat2(parent, temporary, parent, base, RENAME_NOREPLACE) == 0) {
        return 0;
    }
    if (errno != EINVAL && errno != ENOSYS) {
        return errno;
    }
    /* A file system without that: a hard link does not replace either. */
    if (linkat(parent, temporary, parent, base, 0) != 0) {
        return errno;
    }
    unlinkat(parent, temporary, 0);
    return 0;
}

goat_status gt_posix_replace(gt_posix_storage *storage, gt_posix_operation *operation) {
    const goat_io_request *request = &operation->request;
    char temporary[GT_POSIX_TEMPORARY_MAX];
    const char *base;
    int parent = -1;
    int error = gt_posix_open_parent(storage, operation->name, true, &parent, &base);
    if (error == 0) {
        error = gt_posix_temporary_name(temporary);
    }
    if (error == 0) {
        error = write_aside(parent, temporary, request);
        if (error == 0 && (request->flags & GOAT_IO_CREATE) != 0) {
            error = name_new(parent, temporary, base);
        } else if (error == 0) {
            error = renameat(parent, temporary, parent, base) == 0 ? 0 : errno;
        }
        if (error != 0) {
            unlinkat(parent, temporary, 0);
        } else {
            error = gt_posix_sync_folder(parent);
        }
    }
    if (parent >= 0) {
        close(parent);
    }
    return error == 0 ? GOAT_OK : gt_posix_fail(&operation->result, error, "write", operation->name);
}

/* ---- Removing -------------------------------------------------------------------------------- */

goat_status gt_posix_remove(gt_posix_storage *storage, gt_posix_operation *operation) {
    const char *base;
    int parent = -1;
    int error = gt_posix_open_parent(storage, operation->name, false, &parent, &base);
    if (error == 0) {
        error = unlinkat(parent, base, 0) == 0 ? gt_posix_sync_folder(parent) : errno;
    }
    if (parent >= 0) {
        close(parent);
    }
    return error == 0 ? GOAT_OK : gt_posix_fail(&operation->result, error, "remove", operation->name);
}
