/* Values of random histories, as both their edits and their states have them. */
#ifndef MERGE_ENCODE_H
#define MERGE_ENCODE_H

#include "support/merge_model.h"
#include "value/build.h"

const char *model_key(size_t index); /* of the map */

void model_write_text(gt_buf *out, int value);
void model_write_list(gt_buf *out, int value);       /* of one element */
void model_write_set(gt_buf *out, unsigned members); /* elements as bits */

/* A map under construction: pairs whose values lie in a buffer that does not move. */
typedef struct model_map {
    gt_pair pairs[8];
    size_t count;
    gt_buf values;
} model_map;

void model_map_begin(model_map *map);

/* The value is what was appended to map->values from `begin` on. */
void model_map_add(model_map *map, const char *key, size_t begin);

/* Appends the map, with `tombstone` under the key 0 unless it is -1, and ends it. */
void model_map_end(model_map *map, int tombstone, gt_buf *out);

/* By (time, id). */
int model_compare_steps(const model_step *a, const model_step *b);

#endif
