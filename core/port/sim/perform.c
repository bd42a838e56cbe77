/* What each request does to the simulated disk, and the ways in which it may fail. */
#include "port/sim/disk.h"

#include "base/assert.h"
#include "base/buf.h"

#include <string.h>

static goat_status fail(gt_sim_operation *operation, goat_status status, const char *words) {
    const char *name = operation->name != NULL     ? operation->name
                       : operation->handle != NULL ? operation->handle->name
                                                   : "the folder";
    return gt_port_result_fail(&operation->result, status, "%s: %s", name, words);
}

static goat_status no_memory(gt_sim_operation *operation) { return fail(operation, GOAT_NO_MEMORY, "out of memory"); }

static bool chance(gt_sim_disk *disk) { return gt_sim_random_below(&disk->random, 2) == 0; }

/* Bytes that may still be written. */
static uint64_t room(const gt_sim_disk *disk) {
    if (disk->options.capacity == 0) {
        return UINT64_MAX;
    }
    uint64_t used = gt_sim_used(disk);
    return used < disk->options.capacity ? disk->options.capacity - used : 0;
}

/* ---- The folder ------------------------------------------------------------------------------ */

static goat_status lock(gt_sim_storage_state *storage, gt_sim_operation *operation) {
    gt_sim_disk *disk = storage->disk;
    bool read_only = (operation->request.flags & GOAT_IO_READ_ONLY) != 0;
    bool create = (operation->request.flags & GOAT_IO_CREATE) != 0 && !read_only;
    if (storage->lock != GT_SIM_UNLOCKED) {
        return fail(operation, GOAT_MISUSE, "locked already");
    }
    if (!disk->exists && !create) {
        return fail(operation, GOAT_NOT_FOUND, "no such folder");
    }
    if (disk->options.read_only && !read_only) {
        return fail(operation, GOAT_FORBIDDEN, "read-only disk");
    }
    for (const gt_sim_storage_state *other = disk->storages; other != NULL; other = other->next) {
        if (other->lock == GT_SIM_OWNER || (other->lock == GT_SIM_READER && !read_only)) {
            return gt_port_result_fail(&operation->result, GOAT_BUSY,
                                       other->lock == GT_SIM_OWNER ? "owned by process 1 (simulator)"
                                                                   : "another process is reading it");
        }
    }
    disk->exists = true;
    storage->lock = read_only ? GT_SIM_READER : GT_SIM_OWNER;
    return GOAT_OK;
}

/* Whether `name` is a file below `folder`. */
static bool lies_below(const char *name, const char *folder) {
    size_t len = strlen(folder);
    return len == 0 || (strncmp(name, folder, len) == 0 && name[len] == '/');
}

static goat_status list(gt_sim_storage_state *storage, gt_sim_operation *operation) {
    gt_sim_disk *disk = storage->disk;
    gt_buf names;
    gt_buf_init(&names, &disk->alloc);
    for (size_t i = 0; i < disk->entry_count; i++) {
        const char *name = disk->entries[i].name;
        if (lies_below(name, operation->name)) {
            gt_buf_append(&names, name, strlen(name) + 1);
        }
    }
    if (gt_buf_failed(&names)) {
        gt_buf_free(&names);
        return no_memory(operation);
    }
    operation->given = operation->result.data = names.data;
    operation->result.length = operation->result.data_len = names.len;
    return GOAT_OK;
}

/* ---- Whole small files ----------------------------------------------------------------------- */

static goat_status read_whole(gt_sim_storage_state *storage, gt_sim_operation *operation) {
    gt_sim_disk *disk = storage->disk;
    const gt_sim_inode *inode = gt_sim_find(disk, operation->name);
    if (inode == NULL) {
        return fail(operation, GOAT_NOT_FOUND, "no such file");
    }
    if ((operation->request.flags & GOAT_IO_SECRET) != 0 && !inode->secret) {
        return fail(operation, GOAT_BAD_KEY, "open to others");
    }
    if (operation->request.length != 0 && inode->len > operation->request.length) {
        return fail(operation, GOAT_TOO_LARGE, "larger than asked for");
    }
    if (inode->len == 0) {
        return GOAT_OK;
    }
    operation->given = gt_copy(&disk->alloc, inode->data, inode->len);
    if (operation->given == NULL) {
        return no_memory(operation);
    }
    operation->result.data = operation->given;
    operation->result.length = operation->result.data_len = inode->len;
    return GOAT_OK;
}

static goat_status replace(gt_sim_storage_state *storage, gt_sim_operation *operation) {
    gt_sim_disk *disk = storage->disk;
    const goat_io_request *request = &operation->request;
    if ((request->flags & GOAT_IO_CREATE) != 0 && gt_sim_find(disk, operation->name) != NULL) {
        return fail(operation, GOAT_EXISTS, "there already");
    }
    if (request->data_len > room(disk)) { /* the old file is there until the new one is whole */
        return fail(operation, GOAT_FULL, "no space left");
    }
    gt_sim_inode *inode = gt_sim_inode_new(disk);
    if (inode == NULL) {
        return no_memory(operation);
    }
    inode->secret = (request->flags & GOAT_IO_SECRET) != 0;
    if (!gt_sim_inode_append(disk, inode, request->data, request->data_len) ||
        !gt_sim_link(disk, operation->name, inode)) {
        gt_sim_inode_release(disk, inode);
        return no_memory(operation);
    }
    inode->durable = inode->len;
    return GOAT_OK;
}

static goat_status remove_name(gt_sim_storage_state *storage, gt_sim_operation *operation) {
    if (gt_sim_find(storage->disk, operation->name) == NULL) {
        return fail(operation, GOAT_NOT_FOUND, "no such file");
    }
    gt_sim_unlink(storage->disk, operation->name);
    return GOAT_OK;
}

/* ---- Files that grow ------------------------------------------------------------------------- */

void gt_sim_close_handle(gt_sim_storage_state *storage, gt_sim_handle *handle) {
    gt_sim_disk *disk = storage->disk;
    gt_sim_handle **link = &storage->handles;
    while (*link != handle) {
        link = &(*link)->next;
    }
    *link = handle->next;
    for (size_t i = 0; i < handle->loaded_count; i++) {
        gt_free(&disk->alloc, handle->loaded[i]);
    }
    gt_free(&disk->alloc, handle->loaded);
    gt_free(&disk->alloc, handle->name);
    gt_sim_inode_release(disk, handle->inode);
    gt_free(&disk->alloc, handle);
}

/* The file of that name, made if that was asked for; NULL with the result filled in. */
static gt_sim_inode *find_or_make(gt_sim_storage_state *storage, gt_sim_operation *operation, bool read_only) {
    gt_sim_disk *disk = storage->disk;
    gt_sim_inode *inode = gt_sim_find(disk, operation->name);
    if (inode != NULL) {
        return inode;
    }
    if (read_only || (operation->request.flags & GOAT_IO_CREATE) == 0) {
        fail(operation, GOAT_NOT_FOUND, "no such file");
        return NULL;
    }
    inode = gt_sim_inode_new(disk);
    if (inode == NULL || !gt_sim_link(disk, operation->name, inode)) {
        if (inode != NULL) {
            gt_sim_inode_release(disk, inode);
        }
        no_memory(operation);
        return NULL;
    }
    return inode;
}

static goat_status open_file(gt_sim_storage_state *storage, gt_sim_operation *operation) {
    gt_sim_disk *disk = storage->disk;
    bool read_only = storage->lock == GT_SIM_READER || (operation->request.flags & GOAT_IO_READ_ONLY) != 0;
    gt_sim_handle *handle = gt_new(&disk->alloc, 1, sizeof *handle);
    char *name = gt_copy(&disk->alloc, operation->name, strlen(operation->name));
    gt_sim_inode *inode = NULL;
    if (handle == NULL || name == NULL) {
        no_memory(operation);
    } else {
        inode = find_or_make(storage, operation, read_only);
    }
    if (inode == NULL) {
        gt_free(&disk->alloc, handle);
        gt_free(&disk->alloc, name);
        return operation->result.status;
    }
    inode->references++;
    handle->id = ++storage->last_id;
    handle->inode = inode;
    handle->name = name;
    handle->read_only = read_only;
    handle->next = storage->handles;
    storage->handles = handle;
    operation->result.file = handle->id;
    operation->result.length = inode->len;
    return GOAT_OK;
}

/* The bytes are copied: the file's own may move when it grows, and the engine may write to its own. */
static goat_status load(gt_sim_storage_state *storage, gt_sim_operation *operation) {
    gt_sim_disk *disk = storage->disk;
    gt_sim_handle *handle = operation->handle;
    uint64_t offset = operation->request.offset;
    if (offset >= handle->inode->len || operation->request.length == 0) {
        return GOAT_OK;
    }
    size_t len = handle->inode->len - (size_t)offset;
    len = operation->request.length < len ? (size_t)operation->request.length : len;
    if (disk->options.chunk_max != 0) {
        size_t most = 1 + (size_t)gt_sim_random_below(&disk->random, disk->options.chunk_max);
        len = most < len ? most : len;
    }
    if (!gt_reserve(&disk->alloc, (void **)&handle->loaded, handle->loaded_count, &handle->loaded_capacity,
                    sizeof *handle->loaded)) {
        return no_memory(operation);
    }
    uint8_t *copy = gt_copy(&disk->alloc, handle->inode->data + offset, len);
    if (copy == NULL) {
        return no_memory(operation);
    }
    handle->loaded[handle->loaded_count++] = copy;
    operation->result.data = copy;
    operation->result.length = operation->result.data_len = len;
    return GOAT_OK;
}

static goat_status check_writable(gt_sim_operation *operation) {
    const gt_sim_handle *handle = operation->handle;
    if (handle->read_only) {
        return fail(operation, GOAT_FORBIDDEN, "open for reading only");
    }
    if (handle->append_end != GOAT_OK || handle->sync_failed) {
        return fail(operation, handle->append_end != GOAT_OK ? handle->append_end : GOAT_IO, "an earlier write failed");
    }
    return GOAT_OK;
}

/* Any prefix may have been written when an append fails. */
static void append_prefix(gt_sim_storage_state *storage, gt_sim_operation *operation, uint64_t most) {
    gt_sim_disk *disk = storage->disk;
    size_t len = operation->request.data_len;
    len = most < len ? (size_t)most : len;
    len = (size_t)gt_sim_random_below(&disk->random, (uint64_t)len + 1);
    gt_sim_inode_append(disk, operation->handle->inode, operation->request.data, len);
}

static goat_status append(gt_sim_storage_state *storage, gt_sim_operation *operation) {
    gt_sim_handle *handle = operation->handle;
    goat_status status = check_writable(operation);
    if (status != GOAT_OK) {
        return status;
    }
    uint64_t left = room(storage->disk);
    if (operation->request.data_len > left) {
        append_prefix(storage, operation, left);
        status = fail(operation, GOAT_FULL, "no space left");
    } else if (!gt_sim_inode_append(storage->disk, handle->inode, operation->request.data,
                                    operation->request.data_len)) {
        status = no_memory(operation);
    }
    handle->append_end = status;
    operation->result.length = handle->inode->len;
    return status;
}

static goat_status sync(const gt_sim_disk *disk, gt_sim_operation *operation) {
    if (operation->handle->sync_failed) {
        return fail(operation, GOAT_IO, "an earlier sync failed");
    }
    if (disk->options.forget_syncs) {
        return GOAT_OK;
    }
    operation->handle->inode->durable = operation->handle->inode->len;
    return GOAT_OK;
}

static goat_status truncate(gt_sim_operation *operation) {
    goat_status status = check_writable(operation);
    gt_sim_inode *inode = operation->handle->inode;
    if (status != GOAT_OK) {
        return status;
    }
    if (operation->request.offset > inode->len) {
        return fail(operation, GOAT_MISUSE, "cannot be cut to more than it has");
    }
    inode->len = (size_t)operation->request.offset;
    inode->durable = inode->len;
    operation->result.length = inode->len;
    return GOAT_OK;
}

/* ---- One request ----------------------------------------------------------------------------- */

static bool writes(goat_io_kind kind) {
    return kind == GOAT_IO_REPLACE || kind == GOAT_IO_REMOVE || kind == GOAT_IO_APPEND || kind == GOAT_IO_TRUNCATE;
}

static goat_status act(gt_sim_storage_state *storage, gt_sim_operation *operation) {
    goat_io_kind kind = operation->request.kind;
    if (kind != GOAT_IO_LOCK && storage->lock == GT_SIM_UNLOCKED) {
        return fail(operation, GOAT_CLOSED, "the folder is not locked");
    }
    if (writes(kind) && (storage->lock == GT_SIM_READER || storage->disk->options.read_only)) {
        return fail(operation, GOAT_FORBIDDEN, "open for reading only");
    }
    switch (kind) {
    case GOAT_IO_LOCK: return lock(storage, operation);
    case GOAT_IO_LIST: return list(storage, operation);
    case GOAT_IO_READ: return read_whole(storage, operation);
    case GOAT_IO_REPLACE: return replace(storage, operation);
    case GOAT_IO_REMOVE: return remove_name(storage, operation);
    case GOAT_IO_OPEN: return open_file(storage, operation);
    case GOAT_IO_LOAD: return load(storage, operation);
    case GOAT_IO_APPEND: return append(storage, operation);
    case GOAT_IO_SYNC: return sync(storage->disk, operation);
    case GOAT_IO_TRUNCATE: return truncate(operation);
    case GOAT_IO_CLOSE: gt_sim_close_handle(storage, operation->handle); return GOAT_OK;
    default: break;
    }
    GOAT_ASSERT(kind == GOAT_IO_UNLOCK);
    while (storage->handles != NULL) {
        gt_sim_close_handle(storage, storage->handles);
    }
    storage->lock = GT_SIM_UNLOCKED;
    return GOAT_OK;
}

/* A failure that the test asked for. What was to be written may have been, or not, or in part: an error is
 * no promise that nothing happened. */
static void fail_on_purpose(gt_sim_storage_state *storage, gt_sim_operation *operation) {
    gt_sim_disk *disk = storage->disk;
    goat_io_kind kind = operation->request.kind;
    gt_sim_handle *handle = operation->handle;
    if (kind == GOAT_IO_APPEND && check_writable(operation) == GOAT_OK) {
        append_prefix(storage, operation, room(disk));
        handle->append_end = GOAT_IO;
    } else if (kind == GOAT_IO_SYNC) {
        handle->sync_failed = true;
    } else if ((kind == GOAT_IO_REPLACE || kind == GOAT_IO_REMOVE || kind == GOAT_IO_TRUNCATE) && chance(disk)) {
        act(storage, operation);
    }
    fail(operation, GOAT_IO, "simulated failure");
}

void gt_sim_perform(gt_sim_storage_state *storage, gt_sim_operation *operation) {
    gt_sim_disk *disk = storage->disk;
    const gt_sim_options *options = &disk->options;
    goat_io_kind kind = operation->request.kind;
    uint64_t number = ++disk->operations;
    bool is_due = options->fail_operation != 0 && (number == options->fail_operation ||
                                                   (options->fail_from_there_on && number > options->fail_operation));
    if (is_due && kind != GOAT_IO_CLOSE && kind != GOAT_IO_UNLOCK) {
        fail_on_purpose(storage, operation);
    } else {
        operation->result.status = act(storage, operation);
    }
}

bool gt_sim_perform_in_crash(gt_sim_storage_state *storage, gt_sim_operation *operation) {
    goat_io_kind kind = operation->request.kind;
    if (kind == GOAT_IO_APPEND && check_writable(operation) == GOAT_OK && chance(storage->disk)) {
        append_prefix(storage, operation, room(storage->disk));
        return false;
    }
    if (!chance(storage->disk)) {
        return false;
    }
    if (writes(kind) || kind == GOAT_IO_SYNC || kind == GOAT_IO_OPEN) {
        return act(storage, operation) == GOAT_OK;
    }
    return true;
}
