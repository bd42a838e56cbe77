/* The storage gives the whole file at once (a mapping, used as it is) or in pieces (copied together). A file
 * that is longer than it was at OPEN is loaded to the length of then. */
#include "log/load.h"

#include "base/assert.h"

#include <string.h>

static void next_piece(gt_load *load);

static void end(gt_load *load) {
    load->busy = false;
    if (load->diag.status != GOAT_OK) {
        load->data = NULL;
    }
    load->done(load->owner, load);
}

static void fail(gt_load *load, const goat_io_result *result) {
    gt_io_fail(&load->diag, result);
    end(load);
}

static bool is_aligned(const uint8_t *data) { return (uintptr_t)data % GT_LOAD_ALIGNMENT == 0; }

static void piece_came(void *owner, const goat_io_result *result) {
    gt_load *load = owner;
    size_t wanted = load->len - load->loaded;
    if (result->status != GOAT_OK) {
        fail(load, result);
        return;
    }
    if (result->length == 0 || result->length > wanted || result->data == NULL) {
        gt_fail(&load->diag, GOAT_IO, "the storage gave %llu bytes of the %llu asked for",
                (unsigned long long)result->length, (unsigned long long)wanted);
        end(load);
        return;
    }
    size_t len = (size_t)result->length;
    if (load->loaded == 0 && len == load->len && is_aligned(result->data)) {
        load->data = result->data;
        end(load);
        return;
    }
    if (load->memory == NULL) {
        load->memory = gt_resize(load->alloc, NULL, load->len, 1);
        if (load->memory == NULL) {
            gt_no_memory(&load->diag);
            end(load);
            return;
        }
    }
    memcpy(load->memory + load->loaded, result->data, len);
    load->loaded += len;
    next_piece(load);
}

static void next_piece(gt_load *load) {
    if (load->loaded == load->len) {
        load->data = load->memory;
        end(load);
        return;
    }
    goat_io_request request = {.kind = GOAT_IO_LOAD,
                               .flags = load->flags & GOAT_IO_PRIVATE,
                               .file = load->file,
                               .offset = load->loaded,
                               .length = load->len - load->loaded};
    gt_io_submit_reserved(load->io, &request, piece_came, load);
}

static void opened(void *owner, const goat_io_result *result) {
    gt_load *load = owner;
    if (result->status != GOAT_OK) {
        fail(load, result);
        return;
    }
    load->file = result->file;
    if (result->length > SIZE_MAX / 2) {
        gt_fail(&load->diag, GOAT_TOO_LARGE, "%llu bytes are too many for this machine's memory",
                (unsigned long long)result->length);
        end(load);
        return;
    }
    load->len = (size_t)result->length;
    next_piece(load);
}

goat_status gt_load_begin(gt_load *load, gt_io *io, const gt_alloc *alloc, const char *name, uint32_t flags,
                          gt_load_done done, void *owner, gt_diag *diag) {
    *load = (gt_load){.alloc = alloc, .flags = flags, .done = done, .owner = owner};
    gt_diag_init(&load->diag);
    if (!gt_io_reserve(io, 1)) {
        return gt_no_memory(diag);
    }
    load->io = io;
    load->busy = true;
    goat_io_request request = {.kind = GOAT_IO_OPEN, .flags = flags & GOAT_IO_READ_ONLY, .name = name};
    gt_io_submit_reserved(io, &request, opened, load);
    return GOAT_OK;
}

void gt_load_end(gt_load *load) {
    if (load->io == NULL) {
        return;
    }
    GOAT_ASSERT(!load->busy);
    gt_io_release(load->io, 1);
    if (load->file != 0) {
        gt_io_close_file(load->io, load->file);
    }
    gt_free(load->alloc, load->memory);
    *load = (gt_load){0};
}
