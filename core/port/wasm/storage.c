/* A storage that hands its requests to the page and keeps what the page answers until it is polled. It never
 * waits. What must always hold: an operation is in the list of pending ones before the page hears of it,
 * because the page may answer at once. */
#include "port/wasm/host.h"

#include <string.h>

typedef struct operation operation;
struct operation {
    operation *next;
    goat_io_kind kind;
    goat_io_result result;
    uint8_t *given; /* memory of `result.data`, or the words of a failure */
    uint32_t words_len;
};

/* Data of LOAD, which lives until its file is closed. */
typedef struct loaded {
    struct loaded *next;
    uint32_t file;
    uint8_t *data;
} loaded;

typedef struct wasm_storage {
    gt_alloc alloc;
    operation *pending;
    operation *done, **done_end;
    operation *given; /* results of the last poll that carry memory */
    loaded *loads;
} wasm_storage;

static void free_operations(wasm_storage *storage, operation *list) {
    while (list != NULL) {
        operation *next = list->next;
        gt_free(&storage->alloc, list->given);
        gt_free(&storage->alloc, list);
        list = next;
    }
}

/* ---- To the page ----------------------------------------------------------------------------- */

static operation *take_pending(wasm_storage *storage, uint32_t token) {
    for (operation **link = &storage->pending; *link != NULL; link = &(*link)->next) {
        operation *found = *link;
        if (found->result.token == token) {
            *link = found->next;
            found->next = NULL;
            return found;
        }
    }
    return NULL;
}

static goat_status submit(void *context, const goat_io_request *request) {
    wasm_storage *storage = context;
    if (!gt_port_request_valid(request) || request->data_len > UINT32_MAX) {
        return GOAT_MISUSE;
    }
    operation *made = gt_new(&storage->alloc, 1, sizeof *made);
    if (made == NULL) {
        return GOAT_NO_MEMORY;
    }
    made->kind = request->kind;
    made->result.token = request->token;
    made->result.file = request->file;
    made->next = storage->pending;
    storage->pending = made;
    const char *name = request->name != NULL ? request->name : "";
    int32_t status = gt_wasm_submit(storage, request->kind, request->flags, request->token, request->file, name,
                                    (uint32_t)strlen(name), request->data, (uint32_t)request->data_len,
                                    (double)request->offset, (double)request->length);
    if (status != GOAT_OK) {
        gt_free(&storage->alloc, take_pending(storage, request->token));
    }
    return status;
}

/* ---- From the page --------------------------------------------------------------------------- */

static void end_loads(wasm_storage *storage, uint32_t file, bool all) {
    for (loaded **link = &storage->loads; *link != NULL;) {
        loaded *load = *link;
        if (all || load->file == file) {
            *link = load->next;
            gt_free(&storage->alloc, load->data);
            gt_free(&storage->alloc, load);
        } else {
            link = &load->next;
        }
    }
}

static bool keep_until_close(wasm_storage *storage, operation *finished) {
    loaded *load = gt_new(&storage->alloc, 1, sizeof *load);
    if (load == NULL) {
        return false;
    }
    *load = (loaded){storage->loads, finished->result.file, finished->given};
    storage->loads = load;
    finished->given = NULL;
    return true;
}

static uint8_t *place_for_data(wasm_storage *storage, operation *finished, uint32_t len) {
    goat_io_result *result = &finished->result;
    if (len == 0) {
        return NULL;
    }
    uint8_t *data = finished->given = gt_new(&storage->alloc, len, 1);
    if (data == NULL || (finished->kind == GOAT_IO_LOAD && !keep_until_close(storage, finished))) {
        gt_port_result_fail(result, GOAT_NO_MEMORY, "out of memory");
        return NULL;
    }
    result->data = data;
    result->data_len = len;
    return data;
}

/* Without memory for them the failure goes without words. */
static uint8_t *place_for_words(wasm_storage *storage, operation *finished, uint32_t len) {
    finished->given = len == 0 ? NULL : gt_new(&storage->alloc, len, 1);
    finished->words_len = finished->given == NULL ? 0 : len;
    return finished->given;
}

uint8_t *goat_wasm_complete(void *context, uint32_t token, int32_t status, uint32_t file, double length, uint32_t len) {
    wasm_storage *storage = context;
    operation *finished = take_pending(storage, token);
    if (finished == NULL) {
        return NULL; /* answered twice: the page's mistake, and no reason to die */
    }
    goat_io_result *result = &finished->result;
    result->status = status;
    result->length = length > 0 ? (uint64_t)length : 0;
    if (finished->kind == GOAT_IO_OPEN) {
        result->file = file;
    }
    uint8_t *place =
        status == GOAT_OK ? place_for_data(storage, finished, len) : place_for_words(storage, finished, len);
    if (finished->kind == GOAT_IO_CLOSE || finished->kind == GOAT_IO_UNLOCK) {
        end_loads(storage, result->file, finished->kind == GOAT_IO_UNLOCK);
    }
    *storage->done_end = finished;
    storage->done_end = &finished->next;
    return place;
}

static size_t poll(void *context, goat_io_result *results, size_t results_max, bool wait) {
    (void)wait; /* nothing may block here */
    wasm_storage *storage = context;
    free_operations(storage, storage->given);
    storage->given = NULL;
    size_t count = 0;
    while (count < results_max && storage->done != NULL) {
        operation *finished = storage->done;
        storage->done = finished->next;
        if (storage->done == NULL) {
            storage->done_end = &storage->done;
        }
        if (finished->words_len != 0) {
            int len = finished->words_len < sizeof finished->result.message ? (int)finished->words_len
                                                                            : (int)sizeof finished->result.message;
            gt_port_result_fail(&finished->result, finished->result.status, "%.*s", len, (const char *)finished->given);
        }
        results[count++] = finished->result;
        finished->next = storage->given;
        storage->given = finished;
    }
    return count;
}

/* ---- Beginning and end ----------------------------------------------------------------------- */

static void close_storage(void *context) {
    wasm_storage *storage = context;
    gt_wasm_close(storage);
    free_operations(storage, storage->pending);
    free_operations(storage, storage->done);
    free_operations(storage, storage->given);
    end_loads(storage, 0, true);
    gt_alloc alloc = storage->alloc;
    gt_free(&alloc, storage);
}

goat_status gt_wasm_storage_new(const gt_alloc *alloc, const char *path, size_t path_len, goat_storage *storage,
                                gt_diag *diag) {
    wasm_storage *made = gt_new(alloc, 1, sizeof *made);
    if (made == NULL) {
        return gt_no_memory(diag);
    }
    made->alloc = *alloc;
    made->done_end = &made->done;
    int32_t status = gt_wasm_open(made, path, (uint32_t)path_len);
    if (status != GOAT_OK) {
        gt_free(alloc, made);
        return gt_fail(diag, status, "the page gives no storage");
    }
    *storage = (goat_storage){sizeof *storage, made, submit, poll, close_storage};
    return GOAT_OK;
}
