/* A leaf is written when it comes; leaving it out takes its bytes back. */
#include "support/receipt_maker.h"

#include "support/hex_buf.h"
#include "support/naive_tree.h"
#include "support/test.h"
#include "value/build.h"

void receipt_maker_init(receipt_maker *maker, const batch_maker *by) {
    memset(maker, 0, sizeof *maker);
    maker->by = by;
    maker->receipt.session = by->session;
    maker->receipt.time_ms = 1767225600000;
    memset(maker->receipt.log_id, 0x33, sizeof maker->receipt.log_id);
    gt_buf_init(&maker->nodes, &gt_alloc_system);
}

void receipt_maker_free(receipt_maker *maker) { gt_buf_free(&maker->nodes); }

void receipt_maker_leaf(receipt_maker *maker, const gt_id *batch, const char *admitted, const char *refused) {
    uint8_t zero = 0x00;
    size_t begin = maker->nodes.len;
    assert_true(maker->leaf_count < TEST_RECEIPT_NODES_MAX);
    gt_write_array_head(&maker->nodes, 3);
    gt_write_bytes(&maker->nodes, gt_bytes_of(batch->bytes, GT_ID_SIZE));
    hex_append(&maker->nodes, admitted);
    hex_append(&maker->nodes, refused);
    const gt_bytes pieces[] = {gt_bytes_of(&zero, 1), gt_bytes_of(maker->nodes.data + begin, maker->nodes.len - begin)};
    gt_hash_pieces(maker->by->hasher, pieces, 2, maker->leaves[maker->leaf_count++].bytes);
    maker->begins[maker->count++] = begin;
}

void receipt_maker_leave_out(receipt_maker *maker, uint32_t count) {
    gt_id hash = naive_tree(maker->by->hasher, maker->leaves + maker->leaf_count - count, count);
    maker->count -= count;
    maker->nodes.len = maker->begins[maker->count++];
    gt_write_array_head(&maker->nodes, 2);
    gt_write_int(&maker->nodes, count);
    gt_write_bytes(&maker->nodes, gt_bytes_of(hash.bytes, GT_ID_SIZE));
}

static void write_id(gt_buf *out, const gt_id *id) {
    if (id == NULL) {
        gt_write_null(out);
    } else {
        gt_write_bytes(out, gt_bytes_of(id->bytes, GT_ID_SIZE));
    }
}

void receipt_maker_finish(receipt_maker *maker, gt_buf *out) {
    gt_receipt *receipt = &maker->receipt;
    uint8_t signature[GT_SIGNATURE_SIZE];
    gt_buf message;
    gt_buf_init(&message, &gt_alloc_system);
    receipt->size = maker->leaf_count;
    receipt->root = naive_tree(maker->by->hasher, maker->leaves, maker->leaf_count);
    gt_receipt_signed_bytes(&maker->by->place, receipt, &message);
    gt_sign(&maker->by->secret, message.data, message.len, signature);
    gt_write_array_head(out, 8);
    gt_write_int(out, 1);
    write_id(out, &receipt->session);
    gt_write_bytes(out, gt_bytes_of(receipt->log_id, sizeof receipt->log_id));
    write_id(out, receipt->previous);
    gt_write_int(out, (int64_t)receipt->time_ms);
    gt_write_int(out, (int64_t)receipt->first);
    gt_write_bytes(out, gt_bytes_of(signature, sizeof signature));
    gt_write_array_head(out, maker->count);
    gt_buf_append(out, maker->nodes.data, maker->nodes.len);
    assert_false(gt_buf_failed(out));
    gt_buf_free(&message);
}
