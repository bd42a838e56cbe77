/* Whole batches, and smaller frames of them. */
#include "support/commit_vectors.h"

#include "commit/frame.h"
#include "support/hex_buf.h"
#include "support/test.h"

#include <stdio.h>

static json_t *describe_leaf(batch_maker *maker, const gt_node *node) {
    json_t *leaf = json_object();
    gt_id inner;
    set_hex(leaf, "salt", gt_bytes_of(node->salt, GT_SALT_SIZE));
    set_hex(leaf, "header", node->commit.header);
    set_hex(leaf, "payload", node->commit.payload);
    gt_commit_inner(maker->hasher, node->salt, node->commit.payload, &inner);
    set_id(leaf, "inner", &inner);
    set_id(leaf, "id", &node->hash);
    return leaf;
}

static json_t *describe_groups(const gt_batch *batch) {
    json_t *groups = json_array();
    for (uint32_t leaf = 0; leaf < batch->size; leaf++) {
        uint32_t group = gt_batch_group_of(batch, leaf);
        while (group != UINT32_MAX && json_array_size(groups) <= group) {
            json_array_append_new(groups, json_array());
        }
        if (group != UINT32_MAX) {
            json_array_append_new(json_array_get(groups, group), json_integer(leaf));
        }
    }
    return groups;
}

static void describe_batch(batch_maker *maker, json_t *c, const vector_batch *made) {
    const gt_batch *batch = &made->batch;
    gt_buf message;
    set_number(c, "seq", batch->seq);
    set_ids(c, "prev", batch->prev);
    set_id(c, "skip", batch->skip);
    json_object_set_new(c, "groups", describe_groups(batch));
    json_object_set_new(c, "size", json_integer(batch->size));
    json_t *leaves = json_array();
    for (uint32_t i = 0; i < batch->node_count; i++) {
        json_array_append_new(leaves, describe_leaf(maker, &batch->nodes[i]));
    }
    json_object_set_new(c, "leaves", leaves);
    set_id(c, "root", &batch->root);
    gt_buf_init(&message, &gt_alloc_system);
    gt_batch_signed_bytes(&maker->place, batch, &message);
    set_hex(c, "signed", gt_buf_bytes(&message));
    set_id(c, "id", &batch->id);
    set_hex(c, "signature", gt_bytes_of(batch->signature, GT_SIGNATURE_SIZE));
    set_hex(c, "frame", gt_buf_bytes(&made->frame));
    gt_buf_free(&message);
}

static void add_batch(batch_maker *maker, json_t *cases, const char *name, uint32_t leaf_count,
                      const gt_chain_place *chain, gt_id *id) {
    vector_batch made;
    for (uint32_t i = 0; i < leaf_count; i++) {
        maker_add_simple(maker, i);
    }
    vector_batch_finish(maker, chain, &made);
    describe_batch(maker, new_case(cases, name), &made);
    if (id != NULL) {
        *id = made.batch.id;
    }
    vector_batch_free(&made);
}

/* A session's first ten batches. */
static void add_chain(batch_maker *maker, json_t *cases) {
    gt_id ids[11];
    for (uint32_t seq = 1; seq <= 10; seq++) {
        char name[32];
        uint32_t before = seq & (seq - 1);
        gt_chain_place chain = {.seq = seq, .prev = seq > 1 ? &ids[seq - 1] : NULL, .prev_count = seq > 1};
        chain.skip = seq % 2 == 0 && before != 0 ? &ids[before] : NULL;
        (void)snprintf(name, sizeof name, "batch %u of a chain", (unsigned)seq);
        add_batch(maker, cases, name, 1, &chain, &ids[seq]);
    }
    gt_id both[2];
    bool ascending = gt_id_compare(&ids[3], &ids[2]) > 0;
    both[0] = ids[ascending ? 2 : 3];
    both[1] = ids[ascending ? 3 : 2];
    add_batch(maker, cases, "batch behind two", 1, &(gt_chain_place){.seq = 4, .prev = both, .prev_count = 2}, NULL);
}

/* The batch of `made` with other groups, signed anew: a draft makes groups of neighbours only. */
static void regroup(batch_maker *maker, vector_batch *made, const char *groups) {
    uint8_t signature[GT_SIGNATURE_SIZE];
    gt_batch batch = made->batch;
    gt_buf encoded = hex_buf(groups), message, frame;
    gt_buf_init(&message, &gt_alloc_system);
    gt_buf_init(&frame, &gt_alloc_system);
    batch.groups = gt_buf_bytes(&encoded);
    gt_batch_signed_bytes(&maker->place, &batch, &message);
    gt_sign(&maker->secret, message.data, message.len, signature);
    batch.signature = signature;
    gt_frame_write_front(&frame, &batch, NULL, batch.node_count);
    const uint8_t *nodes = batch.nodes[0].salt - 2; /* behind a head of two bytes */
    gt_buf_append(&frame, nodes, (size_t)(made->frame.data + made->frame.len - nodes));
    gt_buf_free(&made->frame);
    made->frame = frame;
    vector_batch_read(maker, made);
    gt_buf_free(&message);
    gt_buf_free(&encoded);
}

static void add_groups(batch_maker *maker, json_t *cases) {
    static const gt_chain_place chain = {.seq = 1};
    vector_batch made;
    for (uint32_t i = 0; i < 6; i++) {
        maker_add_simple(maker, i);
        if (i == 1 || i == 5) {
            gt_batch_draft_group(&maker->draft, i == 1 ? 0 : 3);
        }
    }
    vector_batch_finish(maker, &chain, &made);
    describe_batch(maker, new_case(cases, "two groups"), &made);
    regroup(maker, &made, "82 86 00 01 02 01 05 01 82 03 02");
    describe_batch(maker, new_case(cases, "groups that interleave"), &made);
    vector_batch_free(&made);
}

/* An item's first commit, then an edit of it, in one batch. */
static void add_edit_after_creation(batch_maker *maker, json_t *cases) {
    static const gt_chain_place chain = {.seq = 1};
    gt_buf first = hex_buf("a1 65 7469746c65 64 676f6174"), second = hex_buf("a1 65 7469746c65 65 676f617473");
    vector_batch made;
    gt_commit_draft draft = maker_commit("1", gt_buf_bytes(&first), 0);
    gt_id id = maker_add(maker, &draft);
    draft = maker_commit("1", gt_buf_bytes(&second), 1);
    draft.parents = &id;
    draft.parent_count = 1;
    maker_add(maker, &draft);
    vector_batch_finish(maker, &chain, &made);
    describe_batch(maker, new_case(cases, "a commit behind its parent"), &made);
    vector_batch_free(&made);
    gt_buf_free(&first);
    gt_buf_free(&second);
}

json_t *make_batch_vectors(batch_maker *maker) {
    static const gt_chain_place first = {.seq = 1};
    json_t *cases;
    json_t *file = new_file(maker, "Whole batches: core/commit/FORMAT.md sections 5 to 7.", &cases);
    add_batch(maker, cases, "one leaf", 1, &first, NULL);
    add_batch(maker, cases, "two leaves", 2, &first, NULL);
    add_batch(maker, cases, "three leaves", 3, &first, NULL);
    add_batch(maker, cases, "a hundred leaves", 100, &first, NULL);
    add_edit_after_creation(maker, cases);
    add_groups(maker, cases);
    add_chain(maker, cases);
    return file;
}

/* ---- elided ---- */

static const char *const kind_names[] = {"had", "hidden", "pruned", "not asked for", "refused", "leaf"};

static json_t *describe_node(const gt_node *node) {
    json_t *object = json_object();
    set_text(object, "kind", kind_names[node->kind]);
    json_object_set_new(object, "first", json_integer(node->first));
    json_object_set_new(object, "count", json_integer(node->count));
    if (node->kind == GT_NODE_PRUNED) {
        set_id(object, "inner", node->inner);
        set_hex(object, "header", node->commit.header);
    }
    set_id(object, "hash", &node->hash);
    return object;
}

/* One letter a leaf: the first of the name of its kind, `i` for hidden. */
static gt_node_kind kind_of(char letter) {
    switch (letter) {
    case 'h': return GT_NODE_HAD;
    case 'i': return GT_NODE_HIDDEN;
    case 'p': return GT_NODE_PRUNED;
    case 'n': return GT_NODE_UNASKED;
    case 'r': return GT_NODE_REFUSED;
    default: return GT_NODE_LEAF;
    }
}

static void add_elided(batch_maker *maker, json_t *cases, const char *name, const char *letters) {
    static const gt_chain_place first = {.seq = 1};
    uint8_t reasons[64];
    uint32_t size = (uint32_t)strlen(letters);
    vector_batch whole, smaller;
    json_t *c = new_case(cases, name), *kinds = json_array(), *nodes = json_array();
    for (uint32_t i = 0; i < size; i++) {
        maker_add_simple(maker, i);
        reasons[i] = (uint8_t)kind_of(letters[i]);
        json_array_append_new(kinds, json_string(kind_names[reasons[i]]));
    }
    vector_batch_finish(maker, &first, &whole);
    vector_batch_init(&smaller);
    assert_int_equal(gt_batch_elide(maker->hasher, &whole.batch, reasons, &smaller.frame, NULL), GOAT_OK);
    vector_batch_read(maker, &smaller);
    for (uint32_t i = 0; i < smaller.batch.node_count; i++) {
        json_array_append_new(nodes, describe_node(&smaller.batch.nodes[i]));
    }
    json_object_set_new(c, "leaves", kinds);
    set_hex(c, "whole", gt_buf_bytes(&whole.frame));
    set_hex(c, "frame", gt_buf_bytes(&smaller.frame));
    json_object_set_new(c, "nodes", nodes);
    set_id(c, "root", &smaller.batch.root);
    set_id(c, "id", &smaller.batch.id);
    vector_batch_free(&smaller);
    vector_batch_free(&whole);
}

json_t *make_elided_vectors(batch_maker *maker) {
    json_t *cases;
    json_t *file = new_file(maker, "Frames that leave leaves out: core/commit/FORMAT.md sections 7.2 to 7.5.", &cases);
    add_elided(maker, cases, "had", "llhhllll");
    add_elided(maker, cases, "hidden", "iiiillll");
    add_elided(maker, cases, "pruned", "lppl");
    add_elided(maker, cases, "not asked for", "nl");
    add_elided(maker, cases, "refused", "llr");
    add_elided(maker, cases, "all had", "hhhhhhh");
    add_elided(maker, cases, "all pruned", "ppp");
    add_elided(maker, cases, "neighbours that are no siblings", "lhhl");
    add_elided(maker, cases, "siblings for two reasons", "hhii");
    add_elided(maker, cases, "a subtree at the right edge", "lhhhhhh");
    add_elided(maker, cases, "all but the first", "lhhhhhhhhhhhh");
    add_elided(maker, cases, "every reason", "lphhiinrllihr");
    return file;
}
