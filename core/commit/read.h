/* Reading the fixed parts of commits and frames: a cursor over bytes that checks bounds and the shortest
 * form of every head, and stays where it is wrong. Only for the files of this module.
 *
 * Every gt_read_… is false after it has refused; status and diagnostic are then set. */
#ifndef GT_COMMIT_READ_H
#define GT_COMMIT_READ_H

#include "commit/commit.h"

enum { /* the upper three bits of a CBOR head */
    GT_CBOR_UINT = 0,
    GT_CBOR_NEGATIVE = 1,
    GT_CBOR_BYTES = 2,
    GT_CBOR_TEXT = 3,
    GT_CBOR_ARRAY = 4,
    GT_CBOR_MAP = 5,
    GT_CBOR_TAG = 6,
    GT_CBOR_SIMPLE = 7,
};

enum { /* whole heads */
    GT_CBOR_FALSE = 0xf4,
    GT_CBOR_TRUE = 0xf5,
    GT_CBOR_NULL = 0xf6,
    GT_CBOR_UNDEFINED = 0xf7,
};

typedef struct gt_reader {
    const uint8_t *begin; /* positions count from here */
    const uint8_t *next, *end;
    const char *what; /* "a commit", for messages */
    bool viewing;     /* passed before: only what later reading relies on to stay in bounds is looked at */
    goat_status status;
    gt_diag *diag;
} gt_reader;

/* Both give false. `at` lies within the reader's bytes. */
bool gt_refuse(gt_reader *reader, const uint8_t *at, const char *words);
bool gt_refuse_large(gt_reader *reader, const uint8_t *at, const char *words);

static inline size_t gt_reader_left(const gt_reader *reader) { return (size_t)(reader->end - reader->next); }

/* One head: the major type, and what it carries. Most heads are of one byte. */
bool gt_read_long_head(gt_reader *reader, unsigned *major, uint64_t *argument);

static inline bool gt_read_head(gt_reader *reader, unsigned *major, uint64_t *argument) {
    if (reader->next == reader->end || (*reader->next & 31) >= 24) {
        return gt_read_long_head(reader, major, argument);
    }
    *major = *reader->next >> 5;
    *argument = *reader->next++ & 31;
    return true;
}

/* A head that has to be of `major`; `words` say what stands here otherwise. An array or a map has at
 * most as many elements as bytes are left. */
bool gt_read_of(gt_reader *reader, unsigned major, uint64_t *argument, const char *words);

/* A byte string or text of any length. */
bool gt_read_string(gt_reader *reader, unsigned major, gt_bytes *string, const char *words);

/* A byte string of exactly `len`. */
bool gt_read_bytes(gt_reader *reader, size_t len, const uint8_t **bytes, const char *words);

/* An array of at least `min` and at most `max` ids, ascending and distinct. */
bool gt_read_ids(gt_reader *reader, uint32_t min, uint32_t max, gt_ids *ids, const char *words);

/* ---- values (fields.c) ---- */

/* One item at most `depth_max` deep. Makes sure that it lies within the bytes, that tags stand before
 * what they belong to, and that forms of edits (`undefined`, integer keys) occur only where maps alone lead,
 * and only if `edits`. Clears `*plain` if there is one. */
bool gt_read_item(gt_reader *reader, uint32_t depth_max, bool edits, bool *plain);

/* A delta (FORMAT.md section 3), or a state (section 4). */
bool gt_read_fields(gt_reader *reader, bool state, gt_bytes *fields, bool *plain);

/* ---- commits (commit.c) ---- */

/* A header and, if `pruned` is not set, a payload, up to the reader's end. */
bool gt_read_commit(gt_reader *reader, bool pruned, gt_commit *commit);

/* ---- writing heads ---- */

enum { GT_CBOR_HEAD_MAX = 9 };

/* Writes a head in its shortest form; gives its length. */
size_t gt_put_head(uint8_t *p, unsigned major, uint64_t argument);

size_t gt_head_len(uint64_t argument);

#endif
