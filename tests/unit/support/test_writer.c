/* Frames by hand. The chain is kept right unless a test changes the writer's numbers. */
#include "support/test.h"
#include "support/test_repo.h"
#include "support/test_schema.h"
#include "support/test_value.h"

#include <stdlib.h>

void test_writer_schema(test_writer *writer, const char *json) {
    gt_schema *schema = test_schema(json);
    memcpy(writer->schema_hash, gt_schema_hash(schema), sizeof writer->schema_hash);
    writer->ns = gt_bytes_equal(gt_schema_ns(schema), gt_bytes_text("goat")) ? "goat" : "sheep";
    writer->version = gt_schema_version(schema);
    gt_schema_free(schema);
}

void test_writer_init(test_writer *writer, const test_network *network, uint32_t author, const char *schema) {
    memset(writer, 0, sizeof *writer);
    writer->network = network;
    writer->own = &network->authors[author];
    gt_batch_draft_init(&writer->draft, &gt_alloc_system);
    gt_buf_init(&writer->frame, &gt_alloc_system);
    test_writer_schema(writer, schema);
}

void test_writer_free(test_writer *writer) {
    gt_batch_draft_free(&writer->draft);
    gt_buf_free(&writer->frame);
}

static int by_id(const void *a, const void *b) { return gt_id_compare(a, b); }

gt_id test_writer_leaf(test_writer *writer, const char *key, uint32_t ms, const gt_id *parents, uint32_t parent_count,
                       const char *delta, const char *full) {
    gt_bytes delta_bytes = test_value(delta), full_bytes = test_value(full);
    gt_id sorted[TEST_PARENTS_MAX], id;
    assert_true(parent_count <= TEST_PARENTS_MAX);
    for (uint32_t i = 0; i < parent_count; i++) sorted[i] = parents[i];
    qsort(sorted, parent_count, sizeof *sorted, by_id);
    uint8_t salt[GT_SALT_SIZE] = {++writer->salt, (uint8_t)writer->seq, (uint8_t)(writer->seq >> 8)};
    gt_commit_draft draft = {
        .key = gt_bytes_text(key),
        .parents = sorted,
        .parent_count = parent_count,
        .time = (UINT64_C(1700000000000) + ms) << 16,
        .ns = gt_bytes_text(writer->ns),
        .version = writer->version,
        .schema_hash = writer->schema_hash,
        .delta = delta_bytes,
        .full = full_bytes,
    };
    assert_int_equal(
        gt_batch_draft_add(&writer->draft, writer->network->hasher, &writer->own->session, salt, &draft, &id, NULL),
        GOAT_OK);
    test_value_free(delta_bytes);
    test_value_free(full_bytes);
    return id;
}

gt_bytes test_writer_finish(test_writer *writer) {
    uint64_t seq = ++writer->seq, rung = (seq & 1) != 0 ? 0 : seq & (seq - 1);
    assert_true(seq <= TEST_WRITER_BATCHES_MAX);
    gt_chain_place place = {
        .seq = seq,
        .prev = &writer->batches[seq - 1],
        .prev_count = seq == 1 ? 0 : 1,
        .skip = rung == 0 ? NULL : &writer->batches[rung],
    };
    gt_buf_clear(&writer->frame);
    assert_int_equal(gt_batch_draft_finish(&writer->draft, writer->network->hasher, &writer->network->place,
                                           &writer->own->session, &place, &writer->own->secret, &writer->frame,
                                           &writer->batches[seq], NULL),
                     GOAT_OK);
    gt_batch_draft_clear(&writer->draft);
    return gt_buf_bytes(&writer->frame);
}

gt_bytes test_writer_commit(test_writer *writer, const char *key, uint32_t ms, const gt_id *parent, const char *delta,
                            gt_id *id) {
    gt_id made = test_writer_leaf(writer, key, ms, parent, parent == NULL ? 0 : 1, delta, NULL);
    if (id != NULL) *id = made;
    return test_writer_finish(writer);
}

void test_writer_elide(test_writer *writer, gt_bytes frame, const char *kept, gt_node_kind reason, gt_buf *out) {
    gt_arena arena;
    gt_batch batch;
    uint8_t reasons[64];
    gt_arena_init(&arena, &gt_alloc_system);
    assert_int_equal(gt_batch_decode(frame, &arena, &batch, NULL), GOAT_OK);
    assert_int_equal(gt_batch_hash(writer->network->hasher, &writer->network->place, &batch, NULL), GOAT_OK);
    assert_int_equal(batch.size, strlen(kept));
    for (uint32_t i = 0; i < batch.size; i++) reasons[i] = (uint8_t)(kept[i] == '1' ? GT_NODE_LEAF : reason);
    gt_buf_init(out, &gt_alloc_system);
    assert_int_equal(gt_batch_elide(writer->network->hasher, &batch, reasons, out, NULL), GOAT_OK);
    gt_arena_free(&arena);
}
