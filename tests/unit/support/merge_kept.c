#include "support/merge_kept.h"

#include "merge/kept.h"
#include "support/test.h"

/* What is done depends on the steps alone, so that a failure is there again with the same seed. */
static uint32_t dice_of(const gt_step *steps, uint32_t count) {
    uint32_t dice = 2166136261u; /* FNV-1a */
    for (uint32_t i = 0; i < count; i++) {
        for (uint32_t k = 0; k < 8; k++) dice = (dice ^ steps[i].id[4 * k]) * 16777619u;
        dice = (dice ^ (uint32_t)steps[i].delta.len) * 16777619u;
    }
    return dice ^ dice >> 15;
}

static uint32_t next(uint32_t *dice) { /* Marsaglia 2003 */
    *dice ^= *dice << 13;
    *dice ^= *dice >> 17;
    *dice ^= *dice << 5;
    return *dice;
}

/* What a kept replay says after `count` steps, which must be what is expected. */
static goat_status ask(gt_kept *kept, gt_bytes expected, uint32_t count, gt_diag *diag) {
    gt_buf state;
    gt_buf_init(&state, &gt_alloc_system);
    goat_status status = gt_kept_write(kept, &state, NULL, diag);
    if (status == GOAT_OK && !gt_bytes_equal(gt_buf_bytes(&state), expected)) {
        status =
            gt_fail(diag, GOAT_CORRUPT, "a replay that is kept says something else after %u steps", (unsigned)count);
    }
    gt_buf_free(&state);
    return status;
}

static goat_status keep(const gt_schema *schema, gt_bytes base, const gt_step *steps, uint32_t count, gt_bytes expected,
                        uint32_t dice, gt_diag *diag) {
    gt_buf state;
    goat_status status = GOAT_OK;
    gt_kept *kept = gt_kept_new(&gt_alloc_system, schema, base);
    assert_non_null(kept);
    gt_buf_init(&state, &gt_alloc_system);
    uint32_t most = 1 + next(&dice) % 4;
    for (uint32_t at = 0, piece; status == GOAT_OK && at < count; at += piece) {
        piece = 1 + next(&dice) % most;
        if (piece > count - at) piece = count - at;
        status = gt_kept_append(kept, &steps[at], piece, diag);
        if (status != GOAT_OK || (at + piece < count && next(&dice) % 2 == 0)) continue;
        gt_buf_clear(&state);
        if (at + piece == count) {
            gt_buf_append(&state, expected.data, expected.len);
        } else {
            status = gt_merge_replay(&gt_alloc_system, schema, base, steps, at + piece, &state, NULL, diag);
        }
        if (status == GOAT_OK) status = ask(kept, gt_buf_bytes(&state), at + piece, diag);
    }
    gt_kept_free(kept);
    gt_buf_free(&state);
    return status;
}

goat_status merge_replay_and_keep(const gt_schema *schema, gt_bytes base, const gt_step *steps, uint32_t count,
                                  gt_buf *out, uint64_t *work, gt_diag *diag) {
    size_t begin = out->len;
    goat_status status = gt_merge_replay(&gt_alloc_system, schema, base, steps, count, out, work, diag);
    uint32_t dice = dice_of(steps, count);
    if (status != GOAT_OK || count < 2 || dice % 8 != 0) return status;
    return keep(schema, base, steps, count, gt_bytes_of(out->data + begin, out->len - begin), dice, diag);
}
