/* Making a batch. Leaves are encoded once, where they stay until the frame is put together, and hashed from
 * there. */
#include "commit/batch.h"

#include "base/assert.h"
#include "commit/commit_write.h"
#include "commit/frame.h"
#include "commit/read.h"
#include "commit/tree.h"

/* Bytes of the groups for each leaf, at most: `[first, count]` is 1 + 5 + 5 for two leaves or more, and so
 * much of the frame is kept free. */
enum { GROUP_LEN_MAX = 1 + 5 + 5, GROUP_LEN_PER_LEAF = (GROUP_LEN_MAX + 1) / 2 };

void gt_batch_draft_init(gt_batch_draft *draft, const gt_alloc *alloc) {
    memset(draft, 0, sizeof *draft);
    draft->alloc = alloc;
    gt_buf_init(&draft->nodes, alloc);
}

void gt_batch_draft_free(gt_batch_draft *draft) {
    gt_buf_free(&draft->nodes);
    gt_free(draft->alloc, draft->ids);
    gt_free(draft->alloc, draft->groups);
    gt_batch_draft_init(draft, draft->alloc);
}

void gt_batch_draft_clear(gt_batch_draft *draft) {
    gt_buf_clear(&draft->nodes);
    draft->count = 0;
    draft->group_count = 0;
    draft->failed = false;
}

static goat_status check_limits(const gt_batch_draft *draft, const gt_commit_draft *commit, size_t leaf_len,
                                gt_diag *diag) {
    if (commit->delta.len > GOAT_VALUE_MAX || commit->full.len > GOAT_VALUE_MAX) {
        return gt_fail(diag, GOAT_TOO_LARGE, "a delta or a state of more than 16 MiB");
    }
    if (commit->parent_count > GT_PARENTS_MAX || commit->revert_count > GT_REVERTS_MAX) {
        return gt_fail(diag, GOAT_TOO_LARGE, "more than %d parents or %d reverts", GT_PARENTS_MAX, GT_REVERTS_MAX);
    }
    if (commit->key.len > GOAT_KEY_MAX || commit->ns.len > GOAT_NAME_MAX || commit->message.len > GT_MESSAGE_MAX) {
        return gt_fail(diag, GOAT_TOO_LARGE, "an item's key, a namespace or a message is too long");
    }
    if (draft->count == GOAT_BATCH_MAX) {
        return gt_fail(diag, GOAT_TOO_LARGE, "more than %d commits in a batch", GOAT_BATCH_MAX);
    }
    uint64_t frame_len = (uint64_t)draft->nodes.len + leaf_len + GT_FRAME_FRONT_MAX;
    if (frame_len + (draft->count + (uint64_t)1) * GROUP_LEN_PER_LEAF > GT_FRAME_MAX) {
        return gt_fail(diag, GOAT_TOO_LARGE, "a batch of more than 64 MiB");
    }
    return GOAT_OK;
}

goat_status gt_batch_draft_add(gt_batch_draft *draft, gt_hasher *hasher, const gt_id *session, const uint8_t *salt,
                               const gt_commit_draft *commit, gt_id *id, gt_diag *diag) {
    size_t header_len, payload_len;
    gt_commit_lens(commit, &header_len, &payload_len);
    size_t string_len = GT_SALT_SIZE + header_len + payload_len;
    size_t leaf_len = gt_head_len(string_len) + string_len;
    goat_status status = check_limits(draft, commit, leaf_len, diag);
    if (status != GOAT_OK) {
        return status;
    }
    if (!gt_reserve(draft->alloc, (void **)&draft->ids, draft->count, &draft->id_capacity, sizeof *draft->ids)) {
        return gt_no_memory(diag);
    }
    uint8_t *p = gt_buf_reserve(&draft->nodes, leaf_len);
    if (p == NULL) { /* nothing was appended: the leaves before are as good as they were */
        draft->nodes.failed = false;
        return gt_no_memory(diag);
    }
    p += gt_put_head(p, GT_CBOR_BYTES, string_len);
    memcpy(p, salt, GT_SALT_SIZE);
    gt_bytes header = gt_bytes_of(p + GT_SALT_SIZE, header_len);
    gt_bytes payload = gt_bytes_of(header.data + header_len, payload_len);
    gt_commit_put(p + GT_SALT_SIZE, commit);

    gt_commit decoded;
    (void)decoded;
    GOAT_ASSERT_SLOW(gt_commit_decode(gt_bytes_of(header.data, header_len + payload_len), &decoded, NULL) == GOAT_OK);

    gt_id inner;
    gt_commit_inner(hasher, salt, payload, &inner);
    gt_commit_id(hasher, session, &inner, header, &draft->ids[draft->count]);
    if (id != NULL) {
        *id = draft->ids[draft->count];
    }
    draft->nodes.len += leaf_len;
    draft->count++;
    return GOAT_OK;
}

void gt_batch_draft_group(gt_batch_draft *draft, uint32_t first) {
    GOAT_ASSERT(first <= draft->count);
    if (draft->count - first < 2) {
        return;
    }
    const gt_run *last = draft->group_count > 0 ? &draft->groups[draft->group_count - 1] : NULL;
    GOAT_ASSERT(last == NULL || first >= last->first + last->count);
    if (!gt_reserve(draft->alloc, (void **)&draft->groups, draft->group_count, &draft->group_capacity,
                    sizeof *draft->groups)) {
        draft->failed = true;
        return;
    }
    draft->groups[draft->group_count++] = (gt_run){first, draft->count - first};
}

static void write_groups(const gt_batch_draft *draft, gt_buf *out) {
    uint8_t bytes[GROUP_LEN_MAX + GT_CBOR_HEAD_MAX];
    gt_buf_append(out, bytes, gt_put_head(bytes, GT_CBOR_ARRAY, draft->group_count));
    for (size_t i = 0; i < draft->group_count; i++) {
        size_t len = gt_put_head(bytes, GT_CBOR_ARRAY, 2);
        len += gt_put_head(bytes + len, GT_CBOR_UINT, draft->groups[i].first);
        len += gt_put_head(bytes + len, GT_CBOR_UINT, draft->groups[i].count);
        gt_buf_append(out, bytes, len);
    }
}

static gt_ids write_prev(const gt_chain_place *chain, uint8_t *bytes) {
    GOAT_ASSERT(chain->prev_count <= GT_PREV_MAX);
    uint8_t *p = bytes;
    for (uint32_t i = 0; i < chain->prev_count; i++) {
        GOAT_ASSERT(i == 0 || gt_id_compare(&chain->prev[i - 1], &chain->prev[i]) < 0);
        p += gt_put_head(p, GT_CBOR_BYTES, GT_ID_SIZE);
        memcpy(p, chain->prev[i].bytes, GT_ID_SIZE);
        p += GT_ID_SIZE;
    }
    return (gt_ids){bytes, chain->prev_count};
}

static void set_root(const gt_batch_draft *draft, gt_hasher *hasher, gt_batch *batch) {
    gt_tree tree;
    gt_tree_init(&tree, hasher, draft->count);
    for (uint32_t i = 0; i < draft->count; i++) {
        gt_tree_add(&tree, 1, &draft->ids[i]);
    }
    batch->root = *gt_tree_root(&tree);
}

/* What a writer never does wrong, and every reader refuses. */
static void assert_chain(const gt_chain_place *chain) {
    GOAT_ASSERT(chain->seq > 0 && chain->seq <= INT64_MAX);
    GOAT_ASSERT((chain->seq == 1) == (chain->prev_count == 0));
    bool lands_on_zero = (chain->seq & (chain->seq - 1)) == 0;
    GOAT_ASSERT((chain->skip == NULL) == ((chain->seq & 1) != 0 || lands_on_zero));
}

goat_status gt_batch_draft_finish(gt_batch_draft *draft, gt_hasher *hasher, const gt_place *place,
                                  const gt_id *session, const gt_chain_place *chain, const gt_secret_key *key,
                                  gt_buf *frame, gt_id *id, gt_diag *diag) {
    uint8_t prev[GT_PREV_MAX * (2 + GT_ID_SIZE)], signature[GT_SIGNATURE_SIZE];
    gt_batch batch = {.session = *session, .seq = chain->seq, .skip = chain->skip, .size = draft->count};
    size_t begin = frame->len;
    gt_buf groups, message;
    goat_status status = GOAT_OK;

    GOAT_ASSERT(draft->count > 0);
    assert_chain(chain);
    gt_buf_init(&groups, draft->alloc);
    gt_buf_init(&message, draft->alloc);
    write_groups(draft, &groups);
    if (draft->failed || gt_buf_failed(&groups)) {
        status = gt_no_memory(diag);
        goto done;
    }
    batch.groups = gt_buf_bytes(&groups);
    batch.prev = write_prev(chain, prev);
    set_root(draft, hasher, &batch);
    gt_batch_signed_bytes(place, &batch, &message);
    if (gt_buf_failed(&message)) {
        status = gt_no_memory(diag);
        goto done;
    }
    gt_hash(hasher, message.data, message.len, batch.id.bytes);
    gt_sign(key, message.data, message.len, signature);
    batch.signature = signature;

    gt_frame_write_front(frame, &batch, NULL, draft->count);
    gt_buf_append(frame, draft->nodes.data, draft->nodes.len);
    if (gt_buf_failed(frame)) {
        frame->len = begin;
        status = gt_no_memory(diag);
        goto done;
    }
    GOAT_ASSERT(frame->len - begin <= GT_FRAME_MAX);
    *id = batch.id;
done:
    gt_buf_free(&message);
    gt_buf_free(&groups);
    return status;
}
