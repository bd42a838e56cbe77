/* The queue between the two sides of a storage. Appending and cutting are done where they are submitted,
 * because they are as fast as a copy into the system's cache; everything else waits for the thread that
 * polls, which does one slow thing at a time without holding anything. */
#define _GNU_SOURCE
#include "port/posix/storage.h"

#include "base/assert.h"

#include <errno.h>
#include <string.h>

/* ---- Operations ------------------------------------------------------------------------------ */

static void push(gt_posix_list *list, gt_posix_operation *operation) {
    operation->next = NULL;
    if (list->last == NULL) {
        list->first = operation;
    } else {
        list->last->next = operation;
    }
    list->last = operation;
}

static gt_posix_operation *pop(gt_posix_list *list) {
    gt_posix_operation *operation = list->first;
    if (operation != NULL) {
        list->first = operation->next;
        if (list->first == NULL) {
            list->last = NULL;
        }
    }
    return operation;
}

static void empty_operation(gt_posix_storage *storage, gt_posix_operation *operation) {
    gt_free(&storage->alloc, operation->name);
    gt_free(&storage->alloc, operation->given);
    operation->name = NULL;
    operation->given = NULL;
}

static void free_list(gt_posix_storage *storage, gt_posix_list *list) {
    for (gt_posix_operation *operation = pop(list); operation != NULL; operation = pop(list)) {
        empty_operation(storage, operation);
        gt_free(&storage->alloc, operation);
    }
}

/* A used one before a new one: a busy log then allocates nothing per request. */
static gt_posix_operation *new_operation(gt_posix_storage *storage, const goat_io_request *request) {
    gt_mutex_lock(&storage->mutex);
    gt_posix_operation *operation = pop(&storage->spare);
    gt_mutex_unlock(&storage->mutex);
    if (operation == NULL) {
        operation = gt_new(&storage->alloc, 1, sizeof *operation);
        if (operation == NULL) {
            return NULL;
        }
    }
    operation->request = *request;
    operation->file = NULL;
    operation->result.token = request->token;
    operation->result.status = GOAT_OK;
    operation->result.file = request->file;
    operation->result.length = 0;
    operation->result.data = NULL;
    operation->result.data_len = 0;
    operation->result.message[0] = 0;
    if (request->name != NULL) {
        operation->name = gt_copy(&storage->alloc, request->name, strlen(request->name));
        operation->request.name = operation->name;
        if (operation->name == NULL) {
            gt_free(&storage->alloc, operation);
            return NULL;
        }
    }
    return operation;
}

/* ---- The submitting side --------------------------------------------------------------------- */

/* False for a file that is not open, or whose CLOSE was submitted. */
static bool find_its_file(gt_posix_storage *storage, gt_posix_operation *operation) {
    if (operation->request.kind < GOAT_IO_LOAD || operation->request.kind > GOAT_IO_CLOSE) {
        return true;
    }
    gt_mutex_lock(&storage->mutex);
    operation->file = gt_posix_find_file(storage, operation->request.file);
    gt_mutex_unlock(&storage->mutex);
    if (operation->file == NULL || operation->file->closing) {
        return false;
    }
    operation->file->closing = operation->request.kind == GOAT_IO_CLOSE;
    return true;
}

static goat_status submit(void *context, const goat_io_request *request) {
    gt_posix_storage *storage = context;
    if (!gt_port_request_valid(request)) {
        return GOAT_MISUSE;
    }
    gt_posix_operation *operation = new_operation(storage, request);
    if (operation == NULL) {
        return GOAT_NO_MEMORY;
    }
    if (!find_its_file(storage, operation)) {
        empty_operation(storage, operation);
        gt_free(&storage->alloc, operation);
        return GOAT_MISUSE;
    }
    bool is_done = false;
    if (request->kind == GOAT_IO_APPEND) {
        gt_posix_append(storage, operation);
        is_done = true;
    } else if (request->kind == GOAT_IO_TRUNCATE) {
        is_done = gt_posix_cut(storage, operation) != GOAT_OK; /* otherwise it is still to be synced */
    }
    gt_mutex_lock(&storage->mutex);
    push(is_done ? &storage->done : &storage->queue, operation);
    gt_condition_wake_one(&storage->submitted);
    gt_mutex_unlock(&storage->mutex);
    return GOAT_OK;
}

/* ---- The polling side ------------------------------------------------------------------------ */

/* Whether the state of the folder allows it. */
static goat_status check_folder(const gt_posix_storage *storage, gt_posix_operation *operation) {
    goat_io_kind kind = operation->request.kind;
    if (kind != GOAT_IO_LOCK && storage->folder < 0) {
        return gt_port_result_fail(&operation->result, GOAT_CLOSED, "%s is not locked", storage->path);
    }
    bool writes = kind == GOAT_IO_REPLACE || kind == GOAT_IO_REMOVE;
    if (writes && storage->read_only) {
        return gt_port_result_fail(&operation->result, GOAT_FORBIDDEN, "cannot write %s: %s is open for reading only",
                                   operation->name, storage->path);
    }
    return GOAT_OK;
}

static void perform(gt_posix_storage *storage, gt_posix_operation *operation) {
    goat_status status = check_folder(storage, operation);
    if (status == GOAT_OK) {
        switch (operation->request.kind) {
        case GOAT_IO_LOCK: status = gt_posix_lock(storage, operation); break;
        case GOAT_IO_LIST: status = gt_posix_list_files(storage, operation); break;
        case GOAT_IO_READ: status = gt_posix_read(storage, operation); break;
        case GOAT_IO_REPLACE: status = gt_posix_replace(storage, operation); break;
        case GOAT_IO_REMOVE: status = gt_posix_remove(storage, operation); break;
        case GOAT_IO_OPEN: status = gt_posix_open(storage, operation); break;
        case GOAT_IO_LOAD: status = gt_posix_load(storage, operation); break;
        case GOAT_IO_TRUNCATE:
        case GOAT_IO_SYNC: status = gt_posix_sync(storage, operation); break;
        case GOAT_IO_CLOSE: gt_posix_close_file(storage, operation->file); break;
        case GOAT_IO_UNLOCK:
            gt_posix_close_files(storage);
            gt_posix_unlock(storage);
            break;
        default: GOAT_ASSERT(false); /* submit() takes no other */
        }
    }
    operation->result.status = status;
}

/* Takes every waiting sync of `file` out of the queue: one call to the system serves all of them, because
 * what they are to make durable was appended before they were submitted. Mutex held. */
static gt_posix_list take_syncs(gt_posix_storage *storage, const gt_posix_file *file) {
    gt_posix_list taken = {NULL, NULL}, rest = {NULL, NULL};
    for (gt_posix_operation *next = pop(&storage->queue); next != NULL; next = pop(&storage->queue)) {
        bool same = next->request.kind == GOAT_IO_SYNC && next->file == file;
        push(same ? &taken : &rest, next);
    }
    storage->queue = rest;
    return taken;
}

/* Does the first waiting request, and what goes with it. Mutex held, and let go meanwhile. */
static void work(gt_posix_storage *storage) {
    gt_posix_operation *operation = pop(&storage->queue);
    gt_posix_list same = {NULL, NULL};
    if (operation->request.kind == GOAT_IO_SYNC) {
        same = take_syncs(storage, operation->file);
    }
    gt_mutex_unlock(&storage->mutex);
    perform(storage, operation);
    gt_mutex_lock(&storage->mutex);
    push(&storage->done, operation);
    for (gt_posix_operation *next = pop(&same); next != NULL; next = pop(&same)) {
        next->result.status = operation->result.status;
        memcpy(next->result.message, operation->result.message, sizeof next->result.message);
        push(&storage->done, next);
    }
}

/* Mutex held. */
static size_t hand_out(gt_posix_storage *storage, goat_io_result *results, size_t results_max) {
    size_t count = 0;
    while (count < results_max && storage->done.first != NULL) {
        gt_posix_operation *operation = pop(&storage->done);
        results[count++] = operation->result;
        push(operation->given != NULL ? &storage->given : &storage->spare, operation);
        gt_free(&storage->alloc, operation->name);
        operation->name = NULL;
    }
    return count;
}

static size_t poll(void *context, goat_io_result *results, size_t results_max, bool wait) {
    gt_posix_storage *storage = context;
    free_list(storage, &storage->given);
    gt_mutex_lock(&storage->mutex);
    while (wait && storage->queue.first == NULL && storage->done.first == NULL) {
        gt_condition_wait(&storage->submitted, &storage->mutex, GT_WAIT_US_MAX);
    }
    /* What is done is given out before the next slow thing, but not twice in a row: a stream of appends
     * must not keep a sync waiting for ever. */
    bool results_first = storage->done.first != NULL && !storage->work_is_due;
    if (storage->queue.first != NULL && !results_first) {
        work(storage);
        storage->work_is_due = false;
    } else {
        storage->work_is_due = storage->queue.first != NULL;
    }
    size_t count = hand_out(storage, results, results_max);
    gt_mutex_unlock(&storage->mutex);
    return count;
}

/* ---- Beginning and end ----------------------------------------------------------------------- */

static void close_storage(void *context) {
    gt_posix_storage *storage = context;
    gt_posix_close_files(storage);
    gt_posix_unlock(storage);
    free_list(storage, &storage->queue);
    free_list(storage, &storage->done);
    free_list(storage, &storage->given);
    free_list(storage, &storage->spare);
    gt_condition_destroy(&storage->submitted);
    gt_mutex_destroy(&storage->mutex);
    gt_alloc alloc = storage->alloc;
    gt_free(&alloc, storage->files);
    gt_free(&alloc, storage->path);
    gt_free(&alloc, storage);
}

goat_status gt_posix_storage_new(const gt_alloc *alloc, const char *path, size_t path_len, goat_storage *storage,
                                 gt_diag *diag) {
    if (memchr(path, 0, path_len) != NULL || path_len == 0) {
        return gt_fail(diag, GOAT_MISUSE, "a folder's path is not empty and has no NUL in it");
    }
    gt_posix_storage *made = gt_new(alloc, 1, sizeof *made);
    if (made == NULL) {
        return gt_no_memory(diag);
    }
    made->alloc = *alloc;
    made->folder = -1;
    made->lock = -1;
    made->path = gt_copy(alloc, path, path_len);
    goat_status status = made->path == NULL ? gt_no_memory(diag) : gt_mutex_init(&made->mutex, diag);
    if (status == GOAT_OK) {
        status = gt_condition_init(&made->submitted, diag);
        if (status != GOAT_OK) {
            gt_mutex_destroy(&made->mutex);
        }
    }
    if (status != GOAT_OK) {
        gt_free(alloc, made->path);
        gt_free(alloc, made);
        return status;
    }
    *storage = (goat_storage){sizeof *storage, made, submit, poll, close_storage};
    return GOAT_OK;
}
