/* Appending: records are made in chunks of memory and handed to the storage in runs, one at a time.
 *
 * One append under way, never two: should the first fail, the second would stand where the first belongs. What
 * is appended meanwhile goes with the next request; so does what is asked to be durable while a sync is under
 * way, which is what makes many small commits cheap. */
#include "log/log_file.h"

#include "base/assert.h"
#include "base/crc32c.h"

#include <string.h>

enum {
    /* Chunks grow with what was appended, so a busy log has few and a quiet one is small. Memory of a chunk that
     * was not written to yet costs address space only, where the system has pages. */
    CHUNK_MIN = 1 << 20,
    CHUNK_MAX = 16 << 20,
};

static void go_on(gt_log *log);

uint64_t gt_log_length(const gt_log *log) { return log->length; }
uint64_t gt_log_length_written(const gt_log *log) { return log->written; }
uint64_t gt_log_length_durable(const gt_log *log) { return log->durable; }
const uint8_t *gt_log_chain(const gt_log *log) { return log->chain; }

/* ---- Memory -------------------------------------------------------------------------------- */

static size_t chunk_size(const gt_log *log, size_t needed) {
    uint64_t appended = log->length - log->loaded_len;
    size_t size = CHUNK_MIN;
    while (size < CHUNK_MAX && size < appended) {
        size *= 2;
    }
    size -= sizeof(gt_log_chunk);
    return needed > size ? needed : size;
}

/* The chunk that takes a record of `size` bytes; NULL when there is no memory. */
static gt_log_chunk *chunk_for(gt_log *log, size_t size) {
    gt_log_chunk *last = log->chunk_count == 0 ? NULL : log->chunks[log->chunk_count - 1];
    if (last != NULL && last->capacity - last->used >= size) {
        return last;
    }
    if (last != NULL && last->used == 0) { /* was reserved and not used: no chunk is empty but the last */
        gt_free(log->alloc, last);
        log->chunk_count--;
    }
    size_t capacity = chunk_size(log, size);
    if (!gt_reserve(log->alloc, (void **)&log->chunks, log->chunk_count, &log->chunk_capacity, sizeof *log->chunks)) {
        return NULL;
    }
    gt_log_chunk *chunk = gt_resize(log->alloc, NULL, 1, sizeof *chunk + capacity);
    if (chunk == NULL) {
        return NULL;
    }
    *chunk = (gt_log_chunk){.offset = log->length, .capacity = capacity};
    log->chunks[log->chunk_count++] = chunk;
    return chunk;
}

/* A buffer in a chunk must not move: its allocator gives nothing, and takes nothing back. */
static void *no_memory(void *context, void *pointer, size_t size) {
    (void)context;
    (void)pointer;
    (void)size;
    return NULL;
}

static const gt_alloc fixed = {NULL, no_memory};

/* ---- Requests ------------------------------------------------------------------------------ */

/* What was synced is durable as far as it was written: the result of a sync may come before that of the append
 * before it. */
static void update_durable(gt_log *log) {
    uint64_t durable = log->synced < log->written ? log->synced : log->written;
    if (durable > log->durable) {
        log->durable = durable;
    }
}

static void fail(gt_log *log, const goat_io_result *result) {
    gt_diag diag;
    gt_io_fail(&diag, result);
    gt_log_fail(log, &diag);
}

static void appended(void *owner, const goat_io_result *result) {
    gt_log *log = owner;
    log->appending = false;
    if (result->status != GOAT_OK) {
        fail(log, result);
        return;
    }
    log->written = log->submitted;
    update_durable(log);
    go_on(log);
}

static void synced(void *owner, const goat_io_result *result) {
    gt_log *log = owner;
    log->syncing = false;
    if (result->status != GOAT_OK) {
        fail(log, result);
        return;
    }
    log->synced = log->sync_covers;
    update_durable(log);
    go_on(log);
}

/* Hands over the bytes from `submitted` to the end of their chunk. */
static void submit_append(gt_log *log) {
    uint64_t start, end;
    const uint8_t *run = gt_log_run(log, log->submitted, &start, &end);
    GOAT_ASSERT(run != NULL && log->submitted >= log->loaded_len);
    goat_io_request request = {.kind = GOAT_IO_APPEND,
                               .file = log->load.file,
                               .data = run + (log->submitted - start),
                               .data_len = (size_t)(end - log->submitted)};
    log->appending = true;
    log->submitted = end;
    gt_io_submit_reserved(log->io, &request, appended, log);
}

static void submit_sync(gt_log *log) {
    log->sync_wanted = false;
    log->syncing = true;
    log->sync_covers = log->submitted;
    goat_io_request request = {.kind = GOAT_IO_SYNC, .file = log->load.file};
    gt_io_submit_reserved(log->io, &request, synced, log);
}

static void go_on(gt_log *log) {
    if (log->state != GT_LOG_READY) {
        return;
    }
    if (!log->appending && log->submitted < log->length) {
        submit_append(log);
    }
    if (log->sync_wanted && !log->syncing && log->submitted == log->length) {
        submit_sync(log);
    }
}

/* ---- Appending ----------------------------------------------------------------------------- */

static goat_status check_takes(const gt_log *log, gt_diag *diag) {
    if (log->state == GT_LOG_FAILED) {
        if (diag != NULL) {
            *diag = log->failure;
        }
        return log->failure.status;
    }
    GOAT_ASSERT(log->state == GT_LOG_READY);
    return log->read_only ? gt_fail(diag, GOAT_FORBIDDEN, "the database is open for reading only") : GOAT_OK;
}

goat_status gt_log_reserve(gt_log *log, size_t len, gt_buf *room, gt_diag *diag) {
    goat_status status = check_takes(log, diag);
    if (status != GOAT_OK) {
        return status;
    }
    if (len > GT_LOG_PAYLOAD_MAX) {
        return gt_fail(diag, GOAT_TOO_LARGE, "a record of the log holds %d bytes at most", GT_LOG_PAYLOAD_MAX);
    }
    size_t capacity = len == 0 ? 1 : len; /* a buffer without any would take its first reservation for growth */
    gt_log_chunk *chunk = chunk_for(log, capacity + GT_LOG_RECORD_OVERHEAD);
    if (chunk == NULL) {
        return gt_no_memory(diag);
    }
    *room = (gt_buf){.alloc = &fixed, .data = chunk->data + chunk->used + GT_RECORD_HEAD_SIZE, .capacity = capacity};
    return GOAT_OK;
}

/* Writes what stands around a payload that is in its place. */
static void frame_record(gt_log *log, uint8_t *p, gt_record_type type, size_t len) {
    memcpy(p, log->identity.marker, GT_MARKER_SIZE);
    gt_put_u32(p + 8, (uint32_t)type); /* one byte, and the three zeros */
    gt_put_u32(p + 12, (uint32_t)len);
    gt_put_u32(p + 16, gt_crc32c(0, p, 16));
    uint8_t *tail = p + GT_RECORD_HEAD_SIZE + len;
    gt_log_make_chain(log, log->chain, p, len, tail);
    gt_put_u32(tail + GT_CHAIN_SIZE, gt_crc32c(0, p + GT_RECORD_HEAD_SIZE, len + GT_CHAIN_SIZE));
    memcpy(log->chain, tail, GT_CHAIN_SIZE);
}

goat_status gt_log_commit_append(gt_log *log, gt_record_type type, const gt_buf *room, gt_record *stable,
                                 gt_diag *diag) {
    goat_status status = check_takes(log, diag); /* it may have failed since the room was reserved */
    if (status != GOAT_OK) {
        return status;
    }
    if (gt_buf_failed(room)) {
        return gt_fail(diag, GOAT_TOO_LARGE, "the record is longer than the room that was reserved for it");
    }
    GOAT_ASSERT(log->chunk_count != 0 && (unsigned)type <= UINT8_MAX);
    gt_log_chunk *chunk = log->chunks[log->chunk_count - 1];
    uint8_t *record = chunk->data + chunk->used;
    size_t size = GT_LOG_RECORD_OVERHEAD + room->len;
    GOAT_ASSERT(room->data == record + GT_RECORD_HEAD_SIZE && size <= chunk->capacity - chunk->used);
    GOAT_ASSERT(chunk->offset + chunk->used == log->length);
    frame_record(log, record, type, room->len);
    if (stable != NULL) {
        *stable = (gt_record){
            .type = type, .offset = log->length + GT_RECORD_HEAD_SIZE, .payload = gt_bytes_of(room->data, room->len)};
    }
    chunk->used += size;
    log->length += size;
    go_on(log);
    return GOAT_OK;
}

goat_status gt_log_append(gt_log *log, gt_record_type type, gt_bytes payload, gt_record *stable, gt_diag *diag) {
    gt_buf room;
    goat_status status = gt_log_reserve(log, payload.len, &room, diag);
    if (status != GOAT_OK) {
        return status;
    }
    gt_buf_append(&room, payload.data, payload.len);
    return gt_log_commit_append(log, type, &room, stable, diag);
}

goat_status gt_log_sync(gt_log *log, gt_diag *diag) {
    goat_status status = check_takes(log, diag);
    if (status != GOAT_OK) {
        return status;
    }
    bool covered = log->durable == log->length || (log->syncing && log->sync_covers == log->length);
    log->sync_wanted = log->sync_wanted || !covered;
    go_on(log);
    return GOAT_OK;
}
