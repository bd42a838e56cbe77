/* Inside of the rules: what steps say of one field. Only for history_rules.c and history_sequence.c. */
#ifndef HISTORY_RULES_H
#define HISTORY_RULES_H

#include "support/history.h"

typedef struct field_edits {
    const history *h;
    const gt_field *field;
    gt_bytes of[HISTORY_STEPS_MAX]; /* data NULL: nothing */
    uint64_t edited;                /* steps that say something */
    uint64_t above;                 /* steps that unset the object around it */
    uint64_t which, counting;       /* of what is asked; of these not void */
} field_edits;

static inline bool field_is_unset(const field_edits *e, uint32_t step) {
    return (e->above & history_bit(step)) != 0 || ((e->edited & history_bit(step)) != 0 && e->of[step].data[0] == 0xf7);
}

/* A text, list or rich text. */
void history_write_sequence(const field_edits *edits, gt_buf *out);

#endif
