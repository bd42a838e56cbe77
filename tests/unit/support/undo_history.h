/* Histories of one item whose authors revert steps and reverts, as whoever makes a revert would: the delta comes from
 * core/merge/revert.h, and what it names is kept beside the step. (history.h has histories without reverts; these have a schema in
 * which each type is there once.) */
#ifndef UNDO_HISTORY_H
#define UNDO_HISTORY_H

#include "merge/revert.h"
#include "support/test_random.h"

enum { UNDO_STEPS_MAX = 40, UNDO_AUTHORS_MAX = 4 };

typedef struct undo_history {
    gt_schema *schema;
    test_random random;
    uint32_t count;
    gt_step steps[UNDO_STEPS_MAX];
    uint8_t ids[UNDO_STEPS_MAX][32];
    uint32_t parents[UNDO_STEPS_MAX][UNDO_STEPS_MAX];
    uint64_t past[UNDO_STEPS_MAX]; /* strict ancestors */
    uint32_t undone[UNDO_STEPS_MAX][UNDO_STEPS_MAX];
    gt_undoes undoes[UNDO_STEPS_MAX];
    gt_buf deltas[UNDO_STEPS_MAX];
} undo_history;

static inline uint64_t undo_bit(uint32_t step) { return UINT64_C(1) << step; }
static inline uint64_t undo_first(uint32_t count) { return undo_bit(count) - 1; }

/* For cmocka: *state is an undo_history. */
int undo_set_up(void **state);
int undo_set_up_with(void **state, const char *strategy); /* of texts, lists and rich texts */
int undo_tear_down(void **state);

void undo_begin(undo_history *h); /* without steps */

/* Some of the steps as core/merge wants them. */
typedef struct undo_some {
    gt_step steps[UNDO_STEPS_MAX];
    uint32_t parents[UNDO_STEPS_MAX][UNDO_STEPS_MAX], undone[UNDO_STEPS_MAX][UNDO_STEPS_MAX], number[UNDO_STEPS_MAX];
    gt_undoes undoes[UNDO_STEPS_MAX];
    uint32_t count;
} undo_some;

/* Those of `which` that are not in `base`. */
void undo_choose(const undo_history *h, uint64_t which, uint64_t base, uint64_t voids, undo_some *s);
void undo_replay(const undo_history *h, uint64_t which, uint64_t voids, gt_buf *out);

/* Adds a step whose author knows some others, its delta as it is or in notation; or one that reverts some of those that he knows:
 * UINT32_MAX when there is nothing to revert. */
uint32_t undo_add_step(undo_history *h, uint64_t known, gt_bytes delta);
uint32_t undo_edit(undo_history *h, uint64_t known, const char *delta);
uint32_t undo_revert(undo_history *h, uint64_t known, uint64_t wanted);
/* The same of one who knows all. */
uint32_t undo_edit_all(undo_history *h, const char *delta);
uint32_t undo_revert_one(undo_history *h, uint32_t step);

/* The history is printed where they fail. */
void undo_assert_same(const undo_history *h, const gt_buf *expected, const gt_buf *actual, const char *claim);
void undo_assert_view(const undo_history *h, uint64_t known, const char *notation);
void undo_assert_all(const undo_history *h, const char *notation);

/* ---- at random, from h->random ---- */

/* Some fields of `fields` (bits, in the order of undo_fields) are edited on what is seen; or the item is deleted. */
enum { UNDO_FIELDS = 9 };
extern const char *const undo_fields[UNDO_FIELDS];
uint32_t undo_random_edit(undo_history *h, uint64_t known, uint32_t fields, bool deletes);
uint64_t undo_random_some(undo_history *h, uint64_t of);
/* Everybody goes on from one first step. `reverts`: of a hundred steps; `by` gets the steps of each author. */
void undo_random_history(undo_history *h, uint32_t steps, uint32_t authors, uint32_t reverts, uint64_t *by);

#endif
