/* The checkpoint file: named sections of rows beside a log (FORMAT.md section 4). What the sections
 * hold is core/repo's business; here are the container, its checksum, and its tie to the log. */
#ifndef GT_LOG_CHECKPOINT_H
#define GT_LOG_CHECKPOINT_H

#include "log/log.h"

enum { GT_CHECKPOINT_SECTIONS_MAX = 32 };

typedef struct gt_section {
    uint32_t kind;
    uint32_t row_size; /* at least 1 */
    uint8_t *data;     /* in the loaded file; private, writable; aligned as the file is, up to 64 */
    uint64_t len;
} gt_section;

typedef struct gt_checkpoint {
    uint8_t log_id[16];
    uint64_t covered; /* length of the log it stands for */
    uint8_t chain[GT_CHAIN_SIZE];
    uint8_t hash_key[16];
    gt_section sections[GT_CHECKPOINT_SECTIONS_MAX];
    uint32_t section_count;
} gt_checkpoint;

/* Reads the container from a loaded file (load.h, GOAT_IO_PRIVATE): bounds, version, checksums. Sections do not
 * overlap. GOAT_OK, GOAT_CORRUPT, GOAT_NEWER_FORMAT. Whether it is this log's is the caller's to ask
 * (log_id, gt_log_has_chain). */
goat_status gt_checkpoint_read(uint8_t *file, size_t len, gt_checkpoint *out, gt_diag *diag);

/* The section of that kind with that row size, whole rows only; NULL if there is none. */
const gt_section *gt_checkpoint_section(const gt_checkpoint *checkpoint, uint32_t kind, uint32_t row_size);

/* Appends the file to `out`; sections are given with their data. */
void gt_checkpoint_write(const gt_checkpoint *checkpoint, gt_buf *out);

#endif
