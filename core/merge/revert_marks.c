/* Which steps are undone, with the new revert and without, and which reverts are settled (README.md, "Reverting"). */
#include "merge/revert.h"

#include <string.h>

enum { CHANGES = 1 << 6, HAS_SEEN = 1 << 7 }; /* while marks are made */

/* Goes from the latest to the earliest: whoever names a step is later, and done with. */
static uint32_t mark_undone(const gt_undoes *undoes, uint32_t step_count, const uint8_t *wanted, uint8_t *marks) {
    uint32_t named = 0;
    for (uint32_t i = step_count; i-- > 0;) {
        if (wanted[i] && (marks[i] & GT_MARK_AFTER) == 0) {
            marks[i] |= GT_MARK_NAMED | GT_MARK_AFTER;
            named++;
        }
        uint8_t undone = 0;
        if ((marks[i] & GT_MARK_UNDONE) == 0) undone |= GT_MARK_UNDONE;
        if ((marks[i] & GT_MARK_AFTER) == 0) undone |= GT_MARK_AFTER;
        for (uint32_t k = 0; k < undoes[i].count; k++) marks[undoes[i].steps[k]] |= undone;
    }
    return named;
}

uint32_t gt_merge_mark(const gt_step *steps, const gt_undoes *undoes, uint32_t step_count, const uint8_t *wanted,
                       uint8_t *marks) {
    memset(marks, 0, step_count);
    uint32_t named = mark_undone(undoes, step_count, wanted, marks);
    for (uint32_t i = 0; i < step_count; i++) {
        bool was = (marks[i] & GT_MARK_UNDONE) != 0, is = (marks[i] & GT_MARK_AFTER) != 0;
        if (was != is || (marks[i] & GT_MARK_NAMED) != 0) marks[i] |= CHANGES;
        for (uint32_t k = 0; k < steps[i].parent_count; k++) {
            if ((marks[steps[i].parents[k]] & (CHANGES | HAS_SEEN)) != 0) marks[i] |= HAS_SEEN;
        }
        if (undoes[i].count == 0) continue;
        if ((marks[i] & (CHANGES | HAS_SEEN)) != 0) {
            marks[i] |= GT_MARK_REVERT;
        } else if (!was) {
            for (uint32_t k = 0; k < undoes[i].count; k++) marks[undoes[i].steps[k]] |= GT_MARK_SETTLED;
        }
    }
    for (uint32_t i = 0; i < step_count; i++) {
        if ((marks[i] & GT_MARK_SETTLED) != 0) marks[i] &= (uint8_t) ~(GT_MARK_UNDONE | GT_MARK_AFTER);
        marks[i] &= (uint8_t) ~(CHANGES | HAS_SEEN);
    }
    return named;
}
