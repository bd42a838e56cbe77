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

/* ---- reading ---- */

/* How far the checksum over a file was taken. */
typedef struct gt_checkpoint_check {
    const uint8_t *file;
    size_t begin, at, end;
    uint32_t crc;
} gt_checkpoint_check;

/* Reads the container from a loaded file (load.h, GOAT_IO_PRIVATE): bounds, version, the header's checksum. Sections
 * do not overlap. Nothing of them is to be believed before gt_checkpoint_check_step is done. GOAT_OK, GOAT_CORRUPT,
 * GOAT_NEWER_FORMAT. Whether it is this log's is the caller's to ask (log_id, gt_log_has_chain). */
goat_status gt_checkpoint_open(uint8_t *file, size_t len, gt_checkpoint *out, gt_checkpoint_check *check,
                               gt_diag *diag);

/* Goes on with the checksum over all sections, by up to `bytes`. GOAT_OK (`*done`: and all of it is sound),
 * GOAT_CORRUPT. */
goat_status gt_checkpoint_check_step(gt_checkpoint_check *check, size_t bytes, bool *done, gt_diag *diag);

/* How many bytes of a section it was taken of. */
uint64_t gt_checkpoint_checked(const gt_checkpoint_check *check, const gt_section *section);

/* Both at once. */
goat_status gt_checkpoint_read(uint8_t *file, size_t len, gt_checkpoint *out, gt_diag *diag);

/* The section of that kind with that row size, whole rows only; NULL if there is none. */
const gt_section *gt_checkpoint_section(const gt_checkpoint *checkpoint, uint32_t kind, uint32_t row_size);

/* ---- writing ---- */

/* What stands at `offset` of a section that has more: `*len` bytes, at least one. */
typedef const uint8_t *(*gt_section_piece)(void *context, uint32_t section, uint64_t offset, uint64_t *len);

typedef struct gt_checkpoint_writer {
    const gt_checkpoint *checkpoint;
    gt_buf *out;
    gt_section_piece piece;
    void *context;
    size_t start, checked; /* in `out`: the file, and what its checksum counts already */
    uint32_t crc;
    uint32_t section; /* at hand */
    uint64_t offset;  /* in it */
} gt_checkpoint_writer;

/* Begins to append the file to `out`: its header, and room for all of it. Sections come from `piece`, or where that is
 * NULL lie at their `data`; only their lengths are looked at here. All that is given stays good until the end. */
void gt_checkpoint_write_begin(gt_checkpoint_writer *writer, const gt_checkpoint *checkpoint, gt_section_piece piece,
                               void *context, gt_buf *out);

/* Appends up to `bytes` more of the sections; true when the file is whole, or `out` has failed. */
bool gt_checkpoint_write_step(gt_checkpoint_writer *writer, size_t bytes);

/* All of it at once. */
void gt_checkpoint_write(const gt_checkpoint *checkpoint, gt_buf *out);

#endif
