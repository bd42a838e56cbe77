/* Small histories, written down step by step, for tests of merging. */
#ifndef MERGE_FIXTURE_H
#define MERGE_FIXTURE_H

#include "merge/merge.h"

enum { MERGE_STEPS_MAX = 32 };

typedef struct merge_fixture {
    gt_schema *schema; /* a field of each type: text size list tags map votes done due raw owner place rich */
    gt_diag diag;
    gt_bytes base; /* data NULL: the empty item */
    gt_step steps[MERGE_STEPS_MAX];
    uint8_t ids[MERGE_STEPS_MAX][32];
    uint32_t parents[MERGE_STEPS_MAX][MERGE_STEPS_MAX];
    uint32_t step_count;
} merge_fixture;

/* For cmocka. */
int merge_fixture_set_up(void **state);
int merge_fixture_tear_down(void **state);

/* Forgets all steps; the next ones stand on `base` (notation; NULL: the empty item). */
void merge_begin(merge_fixture *f, const char *base);

/* A step after the given ones ("0 2"; "" for none in the replay); gives its index. Later steps have later
 * times and greater ids. A delta of NULL is sealed. */
uint32_t merge_step(merge_fixture *f, const char *parents, const char *delta);

/* Replays the steps, compares with `expected`, and begins anew. */
void merge_gives(merge_fixture *f, const char *expected);

/* A delta of one field is refused, with these words about its edit. `run`: the one that is at fault; -1: the whole. */
void merge_refuses(merge_fixture *f, const char *field, const char *edit, int run, const char *words);

#endif
