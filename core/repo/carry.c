/* From the version of whoever wrote to that of whoever reads: deltas and states go through the upgrades between them, one
 * version after the other (core/schema, "Upgrades"; core/merge/upgrade_delta.c). */
#include "merge/merge.h"
#include "repo/versions.h"
#include "value/build.h"
#include "value/value.h"

/* Upgrades what is in `from` up to the reader's version; what it comes to is in one of the two, `*in` says in which. */
static goat_status upgrade(const gt_repo *repo, const gt_schema *writer, const gt_schema *reader, bool is_state,
                           gt_buf turns[2], int *in, gt_diag *diag) {
    goat_status status = GOAT_OK;
    while (status == GOAT_OK && writer != reader) {
        const gt_upgrade *next = gt_registry_upgrade(repo->config.schemas, writer);
        if (next == NULL) return gt_fail(diag, GOAT_NO_SCHEMA, "a commit of this item cannot be read here");
        gt_bytes old = gt_buf_bytes(&turns[*in]);
        gt_buf *new = &turns[!*in];
        gt_buf_clear(new);
        if (is_state) {
            gt_upgrade_state(next, old, new);
            if (gt_buf_failed(new)) status = gt_no_memory(diag);
        } else {
            status = gt_merge_upgrade_delta(repo->alloc, next, old, new, diag);
        }
        writer = gt_upgrade_to(next);
        *in = !*in;
    }
    return status;
}

void gt_commit_note_fits(gt_repo *repo, uint32_t number) {
    static const uint8_t none[64] = {0};
    while (repo->fits.len <= number / 8 && !gt_buf_failed(&repo->fits)) gt_buf_append(&repo->fits, none, sizeof(none));
    if (number / 8 < repo->fits.len) repo->fits.data[number / 8] |= (uint8_t)(1 << number % 8);
}

bool gt_commit_fits(gt_repo *repo, uint32_t number, const gt_schema *writer, gt_bytes delta) {
    bool known = number / 8 < repo->fits.len && (repo->fits.data[number / 8] >> number % 8 & 1) != 0;
    if (known) return true;
    repo->checks++;
    if (gt_merge_check_delta(writer, delta, NULL) != GOAT_OK) return false;
    gt_commit_note_fits(repo, number);
    return true;
}

goat_status gt_carry(gt_repo *repo, uint32_t number, const gt_schema *writer, const gt_schema *reader, gt_bytes *delta,
                     gt_arena *arena, gt_diag *diag) {
    goat_status status = GOAT_OK;
    bool fits = gt_commit_fits(repo, number, writer, *delta);
    if (fits && writer == reader) return GOAT_OK;
    gt_buf turns[2];
    int in = 0;
    gt_buf_init(&turns[0], repo->alloc);
    gt_buf_init(&turns[1], repo->alloc);
    if (fits) {
        gt_buf_append(&turns[0], delta->data, delta->len);
    } else {
        gt_merge_fit_delta(writer, *delta, &turns[0]);
    }
    if (gt_buf_failed(&turns[0])) status = gt_no_memory(diag);
    if (status == GOAT_OK) status = upgrade(repo, writer, reader, false, turns, &in, diag);
    if (status == GOAT_OK) {
        uint8_t *copy = gt_arena_copy(arena, turns[in].data, turns[in].len);
        *delta = gt_bytes_of(copy, turns[in].len);
        if (copy == NULL) status = gt_no_memory(diag);
    }
    gt_buf_free(&turns[0]);
    gt_buf_free(&turns[1]);
    return status;
}

goat_status gt_carry_state(const gt_repo *repo, const gt_schema *writer, const gt_schema *reader, gt_bytes state,
                           gt_buf *out, gt_diag *diag) {
    gt_buf turns[2];
    int in = 0;
    gt_buf_init(&turns[0], repo->alloc);
    gt_buf_init(&turns[1], repo->alloc);
    gt_buf_append(&turns[0], state.data, state.len);
    goat_status status = gt_buf_failed(&turns[0]) ? gt_no_memory(diag) : GOAT_OK;
    if (status == GOAT_OK) status = upgrade(repo, writer, reader, true, turns, &in, diag);
    if (status == GOAT_OK) gt_buf_append(out, turns[in].data, turns[in].len);
    if (status == GOAT_OK && gt_buf_failed(out)) status = gt_no_memory(diag);
    gt_buf_free(&turns[0]);
    gt_buf_free(&turns[1]);
    return status;
}

bool gt_is_exact(const gt_repo *repo, uint32_t schema, const gt_schema *reader) {
    const gt_schema *at = gt_writer_of(repo, schema);
    bool exact = at != NULL && gt_schema_version(at) <= gt_schema_version(reader);
    while (exact && at != reader) {
        const gt_upgrade *next = gt_registry_upgrade(repo->config.schemas, at);
        exact = next != NULL && gt_upgrade_is_exact(next);
        if (exact) at = gt_upgrade_to(next);
    }
    return exact;
}
