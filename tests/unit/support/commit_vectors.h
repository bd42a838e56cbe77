/* The golden vectors of core/commit/FORMAT.md: made here with fixed keys and salts, kept in
 * tests/vectors/commit/. A vector that changes is a changed format. */
#ifndef COMMIT_VECTORS_H
#define COMMIT_VECTORS_H

#include "support/batch_maker.h"

#include <jansson.h>

typedef struct commit_vector_file {
    const char *name; /* in tests/vectors/commit/ */
    json_t *(*make)(batch_maker *maker);
    const char *corpus; /* of the fuzzer that its bytes are inputs for */
} commit_vector_file;

extern const commit_vector_file commit_vector_files[];
extern const size_t commit_vector_file_count;

/* The files, each in a source of its own. A file is an object; its array "cases" holds objects with a "name". */
json_t *make_commit_vectors(batch_maker *maker);
json_t *make_batch_vectors(batch_maker *maker);
json_t *make_elided_vectors(batch_maker *maker);
json_t *make_invalid_vectors(batch_maker *maker);
json_t *make_receipt_vectors(batch_maker *maker);
json_t *make_invalid_receipt_vectors(batch_maker *maker);

/* ---- helpers ---- */

void set_text(json_t *object, const char *name, const char *text);
void set_number(json_t *object, const char *name, uint64_t number);    /* as text: readers of JSON lose digits */
void set_hex(json_t *object, const char *name, gt_bytes bytes);        /* data NULL: null */
void set_id(json_t *object, const char *name, const gt_id *id);        /* NULL: null */
void set_ids(json_t *object, const char *name, gt_ids ids);
void set_keys(json_t *object, const batch_maker *maker);               /* what the vectors are signed with */
json_t *new_file(const batch_maker *maker, const char *about, json_t **cases);
json_t *new_case(json_t *cases, const char *name);

/* A frame and what is decoded from it. */
typedef struct vector_batch {
    gt_buf frame;
    gt_arena arena;
    gt_batch batch;
} vector_batch;

/* Signs the leaves added to the maker as one batch. */
void vector_batch_finish(batch_maker *maker, const gt_chain_place *chain, vector_batch *made);
/* Decodes and hashes made->frame. */
void vector_batch_read(batch_maker *maker, vector_batch *made);
void vector_batch_init(vector_batch *made);
void vector_batch_free(vector_batch *made);

#endif
