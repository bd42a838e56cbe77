/* The header of a log (FORMAT.md section 2): two equal copies, so that a fault in one sector does not cost the
 * marker, without which no record would be found. */
#include "log/log_file.h"

#include "base/crc32c.h"
#include "base/utf8.h"

#include <string.h>

enum {
    FORMAT_VERSION = 1,
    AT_VERSION = 8,
    AT_PATH_LEN = 10,
    AT_FLAGS = 12,
    AT_NETWORK = 16,
    AT_LOG_ID = 48,
    AT_MARKER = 64,
    AT_CREATED = 72,
    AT_PATH = 80,
    AT_CRC = GT_HEADER_BLOCK_SIZE - 4,
};

static const uint8_t magic[8] = "GOATLOG"; /* and a NUL */
static const uint8_t no_marker[GT_MARKER_SIZE];

/* ---- Writing ------------------------------------------------------------------------------- */

goat_status gt_log_header_make(const gt_log *log, uint8_t *header, gt_diag *diag) {
    memset(header, 0, GT_LOG_HEADER_SIZE);
    memcpy(header, magic, sizeof magic);
    gt_put_u16(header + AT_VERSION, FORMAT_VERSION);
    gt_put_u16(header + AT_PATH_LEN, (uint16_t)log->repository_len);
    memcpy(header + AT_NETWORK, log->network.bytes, GT_ID_SIZE);
    uint8_t *random = header + AT_LOG_ID; /* and the marker behind it */
    if (!log->random.fill(log->random.context, random, AT_CREATED - AT_LOG_ID) ||
        memcmp(header + AT_MARKER, no_marker, GT_MARKER_SIZE) == 0) {
        return gt_fail(diag, GOAT_IO, "the machine gives no randomness");
    }
    gt_put_u64(header + AT_CREATED, (uint64_t)log->now_ms);
    memcpy(header + AT_PATH, log->repository, log->repository_len);
    gt_put_u32(header + AT_CRC, gt_crc32c(0, header, AT_CRC));
    memcpy(header + GT_HEADER_BLOCK_SIZE, header, GT_HEADER_BLOCK_SIZE);
    return GOAT_OK;
}

/* ---- Reading ------------------------------------------------------------------------------- */

static bool is_sound(const uint8_t *block) {
    return memcmp(block, magic, sizeof magic) == 0 && gt_get_u32(block + AT_CRC) == gt_crc32c(0, block, AT_CRC);
}

/* What a sound block of this version must hold. */
static goat_status check_block(const gt_log *log, const uint8_t *block, gt_diag *diag) {
    uint16_t version = gt_get_u16(block + AT_VERSION);
    uint32_t flags = gt_get_u32(block + AT_FLAGS);
    size_t path_len = gt_get_u16(block + AT_PATH_LEN);
    if (version > FORMAT_VERSION) {
        return gt_fail_at(diag, GOAT_NEWER_FORMAT, AT_VERSION, "the log has format version %u, this library reads %d",
                          version, FORMAT_VERSION);
    }
    if (version == FORMAT_VERSION && flags != 0) {
        return gt_fail_at(diag, GOAT_NEWER_FORMAT, AT_FLAGS, "the log has flags that this library does not know");
    }
    bool has_marker = memcmp(block + AT_MARKER, no_marker, GT_MARKER_SIZE) != 0;
    if (version == 0 || path_len > GT_LOG_REPOSITORY_MAX || !has_marker) {
        return gt_fail_at(diag, GOAT_CORRUPT, 0, "the header of the log makes no sense");
    }
    gt_bytes path = gt_bytes_of(block + AT_PATH, path_len);
    if (!gt_bytes_equal(path, gt_bytes_of(log->repository, log->repository_len))) {
        return gt_fail_at(diag, GOAT_CORRUPT, AT_PATH, "the file is the log of another repository, %.*s", (int)path_len,
                          (const char *)path.data);
    }
    if (memcmp(block + AT_NETWORK, log->network.bytes, GT_ID_SIZE) != 0) {
        char theirs[2 * GT_ID_SIZE + 1];
        gt_hex(theirs, block + AT_NETWORK, GT_ID_SIZE);
        return gt_fail_at(diag, GOAT_UNTRUSTED, AT_NETWORK, "the log belongs to another network, %s", theirs);
    }
    return GOAT_OK;
}

goat_status gt_log_header_read(gt_log *log, gt_diag *diag) {
    if (log->loaded_len < GT_LOG_HEADER_SIZE) {
        return gt_fail_at(diag, GOAT_CORRUPT, log->loaded_len, "the log is shorter than its header");
    }
    const uint8_t *first = log->loaded, *second = log->loaded + GT_HEADER_BLOCK_SIZE;
    const uint8_t *block = is_sound(first) ? first : second;
    if (!is_sound(block)) {
        return gt_fail_at(diag, GOAT_CORRUPT, 0, "both copies of the log's header are damaged");
    }
    goat_status status = check_block(log, block, diag);
    if (status == GOAT_OK && memcmp(first, second, GT_HEADER_BLOCK_SIZE) != 0) {
        uint64_t other = block == first ? GT_HEADER_BLOCK_SIZE : 0;
        status = gt_log_note(log, GT_DAMAGE_HEADER, other, GT_HEADER_BLOCK_SIZE);
        if (status != GOAT_OK) {
            return gt_no_memory(diag);
        }
    }
    if (status == GOAT_OK) {
        gt_log_identity *identity = &log->identity;
        memcpy(identity->network.bytes, block + AT_NETWORK, GT_ID_SIZE);
        memcpy(identity->log_id, block + AT_LOG_ID, sizeof identity->log_id);
        memcpy(identity->marker, block + AT_MARKER, sizeof identity->marker);
        identity->created_ms = (int64_t)gt_get_u64(block + AT_CREATED);
    }
    return status;
}
