/* Reading records, and finding the way past what is not one (FORMAT.md section 3.3).
 *
 * A record is given out only if its head's CRC and its payload's CRC both hold at the place where it begins. What
 * lies between two of those that were given out is always noted as damage. */
#include "log/log_file.h"

#include "base/assert.h"
#include "base/crc32c.h"

#include <string.h>

enum {
    AT_TYPE = 8,
    AT_ZEROS = 9,
    AT_LENGTH = 12,
    AT_HEAD_CRC = 16,
    SEARCH_COST_MAX = 256 << 20, /* bytes: a tenth of a second */
};

/* ---- Where bytes are ----------------------------------------------------------------------- */

/* The chunk that holds `offset`, which is not before the first. */
static const gt_log_chunk *find_chunk(const gt_log *log, uint64_t offset) {
    size_t low = 0, high = log->chunk_count;
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (log->chunks[middle]->offset <= offset) {
            low = middle;
        } else {
            high = middle;
        }
    }
    return log->chunks[low];
}

const uint8_t *gt_log_run(const gt_log *log, uint64_t offset, uint64_t *start, uint64_t *end) {
    if (offset < log->loaded_len) {
        *start = 0;
        *end = log->loaded_len;
        return log->loaded;
    }
    if (offset >= log->length || log->chunk_count == 0) {
        return NULL;
    }
    const gt_log_chunk *chunk = find_chunk(log, offset);
    GOAT_ASSERT(offset >= chunk->offset && offset - chunk->offset < chunk->used);
    *start = chunk->offset;
    *end = chunk->offset + chunk->used;
    return chunk->data;
}

gt_bytes gt_log_at(const gt_log *log, uint64_t offset, size_t len) {
    uint64_t start, end;
    const uint8_t *run = gt_log_run(log, offset, &start, &end);
    if (run == NULL || len > end - offset) {
        return gt_bytes_of(NULL, 0);
    }
    return gt_bytes_of(run + (offset - start), len);
}

/* ---- One record ---------------------------------------------------------------------------- */

/* Whether a head lies at `p` with `left` bytes to the end; `*len` is then the payload's length. */
static bool read_head(const gt_log *log, const uint8_t *p, uint64_t left, size_t *len) {
    static const uint8_t zeros[AT_LENGTH - AT_ZEROS];
    if (left < GT_LOG_RECORD_OVERHEAD || memcmp(p, log->identity.marker, GT_MARKER_SIZE) != 0 ||
        gt_get_u32(p + AT_HEAD_CRC) != gt_crc32c(0, p, AT_HEAD_CRC)) {
        return false;
    }
    *len = gt_get_u32(p + AT_LENGTH);
    return *len <= GT_LOG_PAYLOAD_MAX && memcmp(p + AT_ZEROS, zeros, sizeof zeros) == 0;
}

/* Whether the record whose head this is, with a payload of `len`, ends before `left` does. */
static bool is_whole(size_t len, uint64_t left) { return len <= left - GT_LOG_RECORD_OVERHEAD; }

static bool body_holds(const uint8_t *p, size_t len) {
    size_t checked = len + GT_CHAIN_SIZE;
    return gt_get_u32(p + GT_RECORD_HEAD_SIZE + checked) == gt_crc32c(0, p + GT_RECORD_HEAD_SIZE, checked);
}

static bool read_record(const gt_log *log, const uint8_t *p, uint64_t left, size_t *len) {
    return read_head(log, p, left, len) && is_whole(*len, left) && body_holds(p, *len);
}

/* The record whose payload begins at `offset`. */
static bool read_at(const gt_log *log, uint64_t offset, size_t *len) {
    uint64_t start, end;
    uint64_t at = offset - GT_RECORD_HEAD_SIZE;
    const uint8_t *run = offset < GT_RECORD_HEAD_SIZE ? NULL : gt_log_run(log, at, &start, &end);
    return run != NULL && read_record(log, run + (at - start), end - at, len);
}

goat_status gt_log_check(const gt_log *log, uint64_t offset, gt_diag *diag) {
    size_t len;
    if (read_at(log, offset, &len)) {
        return GOAT_OK;
    }
    return gt_fail_at(diag, GOAT_CORRUPT, offset, "a record of the log is damaged");
}

bool gt_log_holds(const gt_log *log, uint64_t offset, size_t len) {
    size_t found;
    return read_at(log, offset, &found) && found == len;
}

/* ---- Finding the next one ------------------------------------------------------------------- */

/* The next place at or behind `from` where the marker stands, or `end`. The search goes by a byte that is not
 * zero, because zeros are what fills a file that was never written. */
static uint64_t find_marker(const gt_log *log, const uint8_t *run, uint64_t from, uint64_t end) {
    const uint8_t *marker = log->identity.marker;
    size_t anchor = 0;
    while (marker[anchor] == 0) {
        anchor++;
    }
    while (from < end && end - from >= GT_MARKER_SIZE) {
        size_t left = (size_t)(end - from) - (GT_MARKER_SIZE - 1);
        const uint8_t *hit = memchr(run + from + anchor, marker[anchor], left);
        if (hit == NULL) {
            break;
        }
        from = (uint64_t)(hit - run) - anchor;
        if (memcmp(run + from, marker, GT_MARKER_SIZE) == 0) {
            return from;
        }
        from++;
    }
    return end;
}

/* The next whole record at or behind `from`, or `end`; places count in `run`.
 *
 * The inside of a damaged record is searched like everything else: what is found then does not depend on what
 * is appended later. Only a file made by somebody of nothing but heads with long payloads, where that would
 * cost the square of its length, is searched in leaps once it has cost enough. */
static uint64_t find_record(gt_log *log, const uint8_t *run, uint64_t from, uint64_t end) {
    uint64_t budget = SEARCH_COST_MAX + 8 * end;
    uint64_t at = find_marker(log, run, from, end);
    while (at < end) {
        size_t len;
        uint64_t next = at + 1;
        if (read_head(log, run + at, end - at, &len) && is_whole(len, end - at)) {
            if (body_holds(run + at, len)) {
                return at;
            }
            log->search_cost += len;
            if (log->search_cost > budget) {
                next = at + GT_LOG_RECORD_OVERHEAD + len;
            }
        }
        at = find_marker(log, run, next, end);
    }
    return end;
}

/* ---- The chain ----------------------------------------------------------------------------- */

void gt_log_make_chain(const gt_log *log, const uint8_t *before, const uint8_t *record, size_t payload_len,
                       uint8_t *chain) {
    uint8_t hash[GT_HASH_SIZE];
    gt_bytes pieces[] = {gt_bytes_of(before, GT_CHAIN_SIZE),
                         gt_bytes_of(record + AT_TYPE, GT_RECORD_HEAD_SIZE - AT_TYPE + payload_len)};
    gt_hash_pieces(log->hasher, pieces, 2, hash);
    memcpy(chain, hash, GT_CHAIN_SIZE);
}

/* The chain of what ends at `offset`, where a record ends; false where nobody knows, behind damage. */
static bool chain_before(const gt_log *log, uint64_t offset, uint8_t *chain) {
    memset(chain, 0, GT_CHAIN_SIZE);
    if (offset <= GT_LOG_HEADER_SIZE) {
        return true;
    }
    if (gt_log_is_behind_hole(log, offset)) {
        return false;
    }
    gt_bytes bytes = gt_log_at(log, offset - GT_RECORD_TAIL_SIZE, GT_CHAIN_SIZE);
    GOAT_ASSERT(bytes.data != NULL);
    memcpy(chain, bytes.data, GT_CHAIN_SIZE);
    return true;
}

bool gt_log_has_chain(const gt_log *log, uint64_t length, const uint8_t *chain) {
    static const uint8_t first[GT_CHAIN_SIZE];
    if (length > log->length || length < GT_LOG_HEADER_SIZE) {
        return false;
    }
    if (length == GT_LOG_HEADER_SIZE) {
        return memcmp(chain, first, GT_CHAIN_SIZE) == 0;
    }
    if (length < GT_LOG_HEADER_SIZE + GT_LOG_RECORD_OVERHEAD) {
        return false;
    }
    gt_bytes bytes = gt_log_at(log, length - GT_RECORD_TAIL_SIZE, GT_RECORD_TAIL_SIZE);
    return bytes.data != NULL && memcmp(bytes.data, chain, GT_CHAIN_SIZE) == 0;
}

bool gt_log_chain_at(const gt_log *log, uint64_t length, uint8_t chain[GT_CHAIN_SIZE]) {
    bool open = log->state == GT_LOG_READY || (log->state == GT_LOG_FAILED && log->loaded_len > 0);
    if (!open || length < GT_LOG_HEADER_SIZE || length > log->length) {
        return false;
    }
    if (length == log->length) {
        return chain_before(log, length, chain);
    }
    uint64_t start, end;
    size_t len;
    const uint8_t *run = gt_log_run(log, length, &start, &end);
    /* The marker is a secret, so no payload of a peer's has a head in it. */
    return run != NULL && read_head(log, run + (length - start), end - length, &len) &&
           chain_before(log, length, chain);
}

/* ---- The walk ------------------------------------------------------------------------------ */

static goat_status check_chain(gt_log *log, uint64_t offset, const uint8_t *record, size_t len) {
    uint8_t before[GT_CHAIN_SIZE], chain[GT_CHAIN_SIZE];
    if (!chain_before(log, offset, before)) {
        return GOAT_OK;
    }
    gt_log_make_chain(log, before, record, len, chain);
    if (memcmp(chain, record + GT_RECORD_HEAD_SIZE + len, GT_CHAIN_SIZE) == 0) {
        return GOAT_OK;
    }
    return gt_log_note(log, GT_DAMAGE_CHAIN, offset, GT_LOG_RECORD_OVERHEAD + len);
}

/* Moves `*offset` over what is no record; GOAT_NOT_FOUND if that reaches the end of a file that is being opened. */
static goat_status pass_damage(gt_log *log, const uint8_t *run, uint64_t start, uint64_t end, uint64_t *offset) {
    uint64_t next = start + find_record(log, run, *offset + 1 - start, end - start);
    bool torn = next == end && log->state == GT_LOG_LOADED;
    goat_status status = gt_log_note(log, torn ? GT_DAMAGE_TORN : GT_DAMAGE_MIDDLE, *offset, next - *offset);
    if (status == GOAT_OK && torn) {
        return GOAT_NOT_FOUND;
    }
    *offset = status == GOAT_OK ? next : *offset;
    return status;
}

goat_status gt_log_next(gt_log *log, uint64_t *offset, bool verify_chain, gt_record *record) {
    GOAT_ASSERT(*offset >= GT_LOG_HEADER_SIZE);
    for (;;) {
        uint64_t start, end;
        size_t len;
        const uint8_t *run = gt_log_run(log, *offset, &start, &end);
        if (run == NULL) {
            return GOAT_NOT_FOUND;
        }
        const uint8_t *p = run + (*offset - start);
        if (!read_record(log, p, end - *offset, &len)) {
            goat_status status = pass_damage(log, run, start, end, offset);
            if (status != GOAT_OK) {
                return status;
            }
            continue;
        }
        goat_status status = verify_chain ? check_chain(log, *offset, p, len) : GOAT_OK;
        if (status != GOAT_OK) {
            return status;
        }
        gt_bytes payload = gt_bytes_of(p + GT_RECORD_HEAD_SIZE, len);
        if (p[AT_TYPE] == GT_RECORD_SET_ASIDE) {
            status = gt_log_read_aside(log, *offset, payload);
        }
        if (status != GOAT_OK) {
            return status;
        }
        *record = (gt_record){
            .type = (gt_record_type)p[AT_TYPE], .offset = *offset + GT_RECORD_HEAD_SIZE, .payload = payload};
        *offset += GT_LOG_RECORD_OVERHEAD + len;
        return GOAT_OK;
    }
}
