/* The queue of a simulated storage. A request waits for a number of polls that the seed decides; those for
 * one file, or for one name, are carried out in order, all others in whatever order they become due. */
#include "port/sim/disk.h"

#include "base/assert.h"

#include <string.h>

static void push(gt_sim_list *list, gt_sim_operation *operation) {
    operation->next = NULL;
    if (list->last == NULL) {
        list->first = operation;
    } else {
        list->last->next = operation;
    }
    list->last = operation;
}

static gt_sim_operation *pop(gt_sim_list *list) {
    gt_sim_operation *operation = list->first;
    if (operation != NULL) {
        list->first = operation->next;
        list->last = list->first == NULL ? NULL : list->last;
    }
    return operation;
}

static void free_operation(gt_sim_storage_state *storage, gt_sim_operation *operation) {
    gt_free(&storage->disk->alloc, operation->name);
    gt_free(&storage->disk->alloc, operation->given);
    gt_free(&storage->disk->alloc, operation);
}

static void free_list(gt_sim_storage_state *storage, gt_sim_list *list) {
    for (gt_sim_operation *operation = pop(list); operation != NULL; operation = pop(list)) {
        free_operation(storage, operation);
    }
}

/* ---- Submitting ------------------------------------------------------------------------------ */

static gt_sim_operation *new_operation(gt_sim_storage_state *storage, const goat_io_request *request) {
    gt_sim_disk *disk = storage->disk;
    gt_sim_operation *operation = gt_new(&disk->alloc, 1, sizeof *operation);
    if (operation == NULL) {
        return NULL;
    }
    operation->request = *request;
    operation->result.token = request->token;
    operation->result.file = request->file;
    if (request->name != NULL) {
        operation->name = gt_copy(&disk->alloc, request->name, strlen(request->name));
        operation->request.name = operation->name;
        if (operation->name == NULL) {
            free_operation(storage, operation);
            return NULL;
        }
    }
    return operation;
}

/* False for a file that is not open, or whose CLOSE was submitted. */
static bool find_its_handle(gt_sim_storage_state *storage, gt_sim_operation *operation) {
    if (operation->request.kind < GOAT_IO_LOAD || operation->request.kind > GOAT_IO_CLOSE) {
        return true;
    }
    gt_sim_handle *handle = storage->handles;
    while (handle != NULL && handle->id != operation->request.file) {
        handle = handle->next;
    }
    if (handle == NULL || handle->closing) {
        return false;
    }
    handle->closing = operation->request.kind == GOAT_IO_CLOSE;
    operation->handle = handle;
    return true;
}

static goat_status submit(void *context, const goat_io_request *request) {
    gt_sim_storage_state *storage = context;
    gt_sim_disk *disk = storage->disk;
    if (!gt_port_request_valid(request)) {
        return GOAT_MISUSE;
    }
    gt_sim_operation *operation = new_operation(storage, request);
    if (operation == NULL) {
        return GOAT_NO_MEMORY;
    }
    if (storage->dead) {
        gt_port_result_fail(&operation->result, GOAT_IO, "the power is gone");
        push(&storage->done, operation);
        return GOAT_OK;
    }
    if (!find_its_handle(storage, operation)) {
        free_operation(storage, operation);
        return GOAT_MISUSE;
    }
    operation->delay = (uint32_t)gt_sim_random_below(&disk->random, (uint64_t)disk->options.delay_polls_max + 1);
    push(&storage->queue, operation);
    return GOAT_OK;
}

/* ---- Polling --------------------------------------------------------------------------------- */

static bool is_about_the_folder(const gt_sim_operation *operation) {
    return operation->request.kind == GOAT_IO_LOCK || operation->request.kind == GOAT_IO_UNLOCK;
}

/* Whether `later` must not be carried out before `earlier` was. */
static bool depends_on(const gt_sim_operation *later, const gt_sim_operation *earlier) {
    if (is_about_the_folder(later) || is_about_the_folder(earlier)) {
        return true;
    }
    if (later->handle != NULL || earlier->handle != NULL) {
        return later->handle == earlier->handle;
    }
    return strcmp(later->name, earlier->name) == 0;
}

static bool may_begin(const gt_sim_storage_state *storage, const gt_sim_operation *operation) {
    if (operation->delay != 0) {
        return false;
    }
    for (const gt_sim_operation *earlier = storage->queue.first; earlier != operation; earlier = earlier->next) {
        if (depends_on(operation, earlier)) {
            return false;
        }
    }
    return true;
}

/* Carries out one request that is due; false if none is. */
static bool work_once(gt_sim_storage_state *storage) {
    gt_sim_operation *before = NULL;
    for (gt_sim_operation *operation = storage->queue.first; operation != NULL; operation = operation->next) {
        if (may_begin(storage, operation)) {
            if (before == NULL) {
                pop(&storage->queue);
            } else {
                before->next = operation->next;
                storage->queue.last = operation->next == NULL ? before : storage->queue.last;
            }
            gt_sim_perform(storage, operation);
            push(&storage->done, operation);
            return true;
        }
        before = operation;
    }
    return false;
}

static size_t poll(void *context, goat_io_result *results, size_t results_max, bool wait) {
    (void)wait; /* there is nobody to wait for: time passes by polling */
    gt_sim_storage_state *storage = context;
    free_list(storage, &storage->given);
    while (work_once(storage)) {
    }
    for (gt_sim_operation *operation = storage->queue.first; operation != NULL; operation = operation->next) {
        operation->delay -= operation->delay != 0;
    }
    size_t count = 0;
    while (count < results_max && storage->done.first != NULL) {
        gt_sim_operation *operation = pop(&storage->done);
        results[count++] = operation->result;
        push(&storage->given, operation);
    }
    return count;
}

/* ---- Beginning and end ----------------------------------------------------------------------- */

void gt_sim_kill_storage(gt_sim_storage_state *storage) {
    if (storage->dead) {
        return;
    }
    /* In order, each happens only if everything that it depends on did. */
    gt_sim_list lost = {NULL, NULL};
    for (gt_sim_operation *operation = pop(&storage->queue); operation != NULL; operation = pop(&storage->queue)) {
        bool possible = true;
        for (const gt_sim_operation *other = lost.first; other != NULL; other = other->next) {
            possible = possible && !depends_on(operation, other);
        }
        bool happened = possible && gt_sim_perform_in_crash(storage, operation);
        operation->result.data = NULL;
        operation->result.data_len = 0;
        gt_port_result_fail(&operation->result, GOAT_IO, "the power is gone");
        push(happened ? &storage->done : &lost, operation);
    }
    for (gt_sim_operation *operation = pop(&lost); operation != NULL; operation = pop(&lost)) {
        push(&storage->done, operation);
    }
    storage->lock = GT_SIM_UNLOCKED;
    storage->dead = true;
}

static void close_storage(void *context) {
    gt_sim_storage_state *storage = context;
    gt_sim_disk *disk = storage->disk;
    free_list(storage, &storage->queue);
    free_list(storage, &storage->done);
    free_list(storage, &storage->given);
    while (storage->handles != NULL) {
        gt_sim_close_handle(storage, storage->handles);
    }
    gt_sim_storage_state **link = &disk->storages;
    while (*link != storage) {
        link = &(*link)->next;
    }
    *link = storage->next;
    gt_free(&disk->alloc, storage);
}

goat_status gt_sim_storage(gt_sim_disk *disk, goat_storage *storage, gt_diag *diag) {
    gt_sim_storage_state *made = gt_new(&disk->alloc, 1, sizeof *made);
    if (made == NULL) {
        return gt_no_memory(diag);
    }
    made->disk = disk;
    made->next = disk->storages;
    disk->storages = made;
    *storage = (goat_storage){sizeof *storage, made, submit, poll, close_storage};
    return GOAT_OK;
}
