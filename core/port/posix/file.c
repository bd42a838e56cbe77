/* Files that grow at their end: opening, mapping, appending, syncing, cutting.
 *
 * Appending knows the end of the file itself and writes there, never wherever the system thinks the end
 * is: after a failure the file is cut back to it, so that no half record stays behind the last whole one. */
#define _GNU_SOURCE
#include "port/posix/storage.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MODE = 0644 };

gt_posix_file *gt_posix_find_file(gt_posix_storage *storage, uint32_t id) {
    for (size_t i = 0; i < storage->file_count; i++) {
        if (storage->files[i]->id == id) {
            return storage->files[i];
        }
    }
    return NULL;
}

/* ---- Opening and closing --------------------------------------------------------------------- */

static int make_file(gt_posix_storage *storage, const char *name, int *descriptor) {
    const char *base;
    int parent = -1;
    int error = gt_posix_open_parent(storage, name, true, &parent, &base);
    if (error == 0) {
        *descriptor = openat(parent, base, O_RDWR | O_CREAT | O_CLOEXEC | O_NONBLOCK, MODE);
        error = *descriptor < 0 ? errno : gt_posix_sync_folder(parent);
    }
    if (parent >= 0) {
        close(parent);
    }
    return error;
}

static int open_descriptor(gt_posix_storage *storage, const gt_posix_operation *operation, bool read_only,
                           int *descriptor) {
    int access = read_only ? O_RDONLY : O_RDWR;
    *descriptor = openat(storage->folder, operation->name, access | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (*descriptor >= 0) {
        return 0;
    }
    if (errno != ENOENT || read_only || (operation->request.flags & GOAT_IO_CREATE) == 0) {
        return errno;
    }
    return make_file(storage, operation->name, descriptor);
}

static bool add_to_table(gt_posix_storage *storage, gt_posix_file *file) {
    gt_mutex_lock(&storage->mutex);
    bool added = gt_reserve(&storage->alloc, (void **)&storage->files, storage->file_count, &storage->file_capacity,
                            sizeof *storage->files);
    if (added) {
        file->id = ++storage->last_file_id;
        storage->files[storage->file_count++] = file;
    }
    gt_mutex_unlock(&storage->mutex);
    return added;
}

static void free_file(gt_posix_storage *storage, gt_posix_file *file) {
    if (file->descriptor >= 0) {
        close(file->descriptor);
    }
    for (size_t i = 0; i < file->mapping_count; i++) {
        munmap(file->mappings[i].base, file->mappings[i].len);
    }
    gt_free(&storage->alloc, file->mappings);
    gt_free(&storage->alloc, file->name);
    gt_free(&storage->alloc, file);
}

goat_status gt_posix_open(gt_posix_storage *storage, gt_posix_operation *operation) {
    goat_io_result *result = &operation->result;
    gt_posix_file *file = gt_new(&storage->alloc, 1, sizeof *file);
    if (file == NULL) {
        return gt_posix_fail(result, ENOMEM, "open", operation->name);
    }
    file->descriptor = -1;
    file->read_only = storage->read_only || (operation->request.flags & GOAT_IO_READ_ONLY) != 0;
    file->name = gt_copy(&storage->alloc, operation->name, strlen(operation->name));
    int error = file->name == NULL ? ENOMEM : open_descriptor(storage, operation, file->read_only, &file->descriptor);
    struct stat info;
    if (error == 0 && fstat(file->descriptor, &info) != 0) {
        error = errno;
    }
    if (error == 0 && !S_ISREG(info.st_mode)) {
        free_file(storage, file);
        return gt_port_result_fail(result, GOAT_IO, "%s is not a file", operation->name);
    }
    if (error == 0) {
        file->length = (uint64_t)info.st_size;
        error = add_to_table(storage, file) ? 0 : ENOMEM;
    }
    if (error != 0) {
        free_file(storage, file);
        return gt_posix_fail(result, error, "open", operation->name);
    }
    result->file = file->id;
    result->length = file->length;
    return GOAT_OK;
}

void gt_posix_close_file(gt_posix_storage *storage, gt_posix_file *file) {
    gt_mutex_lock(&storage->mutex);
    for (size_t i = 0; i < storage->file_count; i++) {
        if (storage->files[i] == file) {
            storage->files[i] = storage->files[--storage->file_count];
            break;
        }
    }
    gt_mutex_unlock(&storage->mutex);
    free_file(storage, file);
}

void gt_posix_close_files(gt_posix_storage *storage) {
    while (storage->file_count != 0) {
        gt_posix_close_file(storage, storage->files[0]);
    }
}

/* ---- Loading --------------------------------------------------------------------------------- */

/* No advice is given about the mapping and nothing is read ahead: over 40 MB, in the cache or not, neither
 * MAP_POPULATE nor MADV_WILLNEED nor MADV_SEQUENTIAL measured better, and a checkpoint is not read whole. */
goat_status gt_posix_load(gt_posix_storage *storage, gt_posix_operation *operation) {
    const goat_io_request *request = &operation->request;
    gt_posix_file *file = operation->file;
    gt_mutex_lock(&storage->mutex);
    uint64_t end = file->length;
    gt_mutex_unlock(&storage->mutex);
    if (request->offset >= end || request->length == 0) {
        return GOAT_OK;
    }
    /* Mappings begin at a page; what lies before the offset asked for is mapped and not given. */
    uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
    uint64_t before = request->offset % page;
    uint64_t len = request->length < end - request->offset ? request->length : end - request->offset;
    if (len > SIZE_MAX / 2) {
        len = SIZE_MAX / 2;
    }
    if (!gt_reserve(&storage->alloc, (void **)&file->mappings, file->mapping_count, &file->mapping_capacity,
                    sizeof *file->mappings)) {
        return gt_posix_fail(&operation->result, ENOMEM, "map", file->name);
    }
    bool writable = (request->flags & GOAT_IO_PRIVATE) != 0;
    size_t mapped = (size_t)(before + len);
    void *base = mmap(NULL, mapped, writable ? PROT_READ | PROT_WRITE : PROT_READ, MAP_PRIVATE, file->descriptor,
                      (off_t)(request->offset - before));
    if (base == MAP_FAILED) {
        return gt_posix_fail(&operation->result, errno, "map", file->name);
    }
    file->mappings[file->mapping_count++] = (gt_posix_mapping){base, mapped};
    operation->result.data = (uint8_t *)base + before;
    operation->result.data_len = (size_t)len;
    operation->result.length = len;
    return GOAT_OK;
}

/* ---- Appending and cutting ------------------------------------------------------------------- */

static int cut(int descriptor, uint64_t length) {
    int done;
    do {
        done = ftruncate(descriptor, (off_t)length);
    } while (done != 0 && errno == EINTR);
    return done == 0 ? 0 : errno;
}

/* Whether the file may be changed at all. */
static goat_status check_writable(gt_posix_storage *storage, gt_posix_operation *operation, const char *what) {
    gt_posix_file *file = operation->file;
    gt_mutex_lock(&storage->mutex);
    bool sync_failed = file->sync_failed;
    gt_mutex_unlock(&storage->mutex);
    if (file->read_only) {
        return gt_port_result_fail(&operation->result, GOAT_FORBIDDEN, "cannot %s %s: it is open for reading only",
                                   what, file->name);
    }
    if (sync_failed || file->append_end != GOAT_OK) {
        goat_status status = file->append_end != GOAT_OK ? file->append_end : GOAT_IO;
        return gt_port_result_fail(&operation->result, status,
                                   "cannot %s %s: an earlier write failed, and it was not opened again since", what,
                                   file->name);
    }
    return GOAT_OK;
}

static void set_length(gt_posix_storage *storage, gt_posix_operation *operation, uint64_t length) {
    gt_mutex_lock(&storage->mutex);
    operation->file->length = length;
    gt_mutex_unlock(&storage->mutex);
    operation->result.length = length;
}

goat_status gt_posix_append(gt_posix_storage *storage, gt_posix_operation *operation) {
    goat_status status = check_writable(storage, operation, "append to");
    if (status != GOAT_OK) {
        return status;
    }
    gt_posix_file *file = operation->file;
    const goat_io_request *request = &operation->request;
    uint64_t before = file->length; /* changed on this side only */
    int error = gt_posix_write_all(file->descriptor, request->data, request->data_len, before);
    if (error != 0) {
        cut(file->descriptor, before); /* best effort: recovery copes with a torn tail too */
        file->append_end = gt_posix_fail(&operation->result, error, "append to", file->name);
        return file->append_end;
    }
    set_length(storage, operation, before + request->data_len);
    return GOAT_OK;
}

goat_status gt_posix_cut(gt_posix_storage *storage, gt_posix_operation *operation) {
    goat_status status = check_writable(storage, operation, "cut");
    if (status != GOAT_OK) {
        return status;
    }
    gt_posix_file *file = operation->file;
    uint64_t length = operation->request.offset;
    if (length > file->length) {
        return gt_port_result_fail(&operation->result, GOAT_MISUSE, "cannot cut %s to more than it has", file->name);
    }
    int error = cut(file->descriptor, length);
    if (error != 0) {
        return gt_posix_fail(&operation->result, error, "cut", file->name);
    }
    set_length(storage, operation, length);
    return GOAT_OK;
}

/* ---- Syncing --------------------------------------------------------------------------------- */

goat_status gt_posix_sync(gt_posix_storage *storage, gt_posix_operation *operation) {
    gt_posix_file *file = operation->file;
    /* After a failure the system may have dropped the pages it could not write and report success the
     * next time: such a success would be a lie, so it is not asked again. */
    if (file->sync_failed) {
        return gt_port_result_fail(&operation->result, GOAT_IO,
                                   "cannot sync %s: an earlier sync failed, and it was not opened again since",
                                   file->name);
    }
    int error;
    do {
        error = fdatasync(file->descriptor) == 0 ? 0 : errno;
    } while (error == EINTR);
    if (error == 0) {
        return GOAT_OK;
    }
    gt_mutex_lock(&storage->mutex);
    file->sync_failed = true;
    gt_mutex_unlock(&storage->mutex);
    return gt_posix_fail(&operation->result, error, "sync", file->name);
}
