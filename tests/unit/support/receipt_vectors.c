/* Receipts: whole, in part, and what is refused. */
#include "support/commit_vectors.h"
#include "support/hex_buf.h"
#include "support/receipt_cases.h"
#include "support/receipt_maker.h"
#include "support/test.h"

#include <stdio.h>

typedef struct read_receipt {
    gt_arena arena;
    gt_receipt receipt;
} read_receipt;

static void read(const batch_maker *maker, gt_bytes bytes, read_receipt *out) {
    gt_diag diag;
    gt_diag_init(&diag);
    gt_arena_init(&out->arena, &gt_alloc_system);
    if (gt_receipt_decode(bytes, &out->arena, &out->receipt, &diag) != GOAT_OK) {
        fail_msg("%s at %llu", diag.message, (unsigned long long)diag.position);
    }
    gt_receipt_hash(maker->hasher, &maker->place, &out->receipt);
    assert_int_equal(gt_receipt_verify(&maker->place, &out->receipt, maker->public_key, &gt_alloc_system, NULL),
                     GOAT_OK);
}

static json_t *describe_node(const gt_receipt_node *node) {
    json_t *object = json_object();
    json_object_set_new(object, "first", json_integer(node->first));
    json_object_set_new(object, "count", json_integer(node->count));
    set_id(object, "hash", &node->hash);
    if (node->bytes.data == NULL) return object;
    json_t *admitted = node->admits_all ? json_true() : json_array();
    gt_run run;
    for (size_t at = 0; gt_receipt_run(node, &at, &run);) {
        json_array_append_new(admitted, json_integer(run.first));
        json_array_append_new(admitted, json_integer(run.count));
    }
    set_id(object, "batch", node->batch);
    json_object_set_new(object, "admitted", admitted);
    set_hex(object, "refused", node->refused);
    return object;
}

static void add_case(batch_maker *maker, json_t *cases, const char *name, gt_bytes bytes, gt_id *id) {
    read_receipt got;
    gt_buf message;
    json_t *c = new_case(cases, name), *nodes = json_array();
    read(maker, bytes, &got);
    const gt_receipt *receipt = &got.receipt;
    set_hex(c, "log_identity", gt_bytes_of(receipt->log_id, sizeof receipt->log_id));
    set_id(c, "previous", receipt->previous);
    set_number(c, "time", receipt->time_ms);
    set_number(c, "first", receipt->first);
    json_object_set_new(c, "size", json_integer(receipt->size));
    for (uint32_t i = 0; i < receipt->node_count; i++) json_array_append_new(nodes, describe_node(&receipt->nodes[i]));
    json_object_set_new(c, "nodes", nodes);
    set_id(c, "root", &receipt->root);
    gt_buf_init(&message, &gt_alloc_system);
    gt_receipt_signed_bytes(&maker->place, receipt, &message);
    set_hex(c, "signed", gt_buf_bytes(&message));
    set_id(c, "id", &receipt->id);
    set_hex(c, "signature", gt_bytes_of(receipt->signature, GT_SIGNATURE_SIZE));
    set_hex(c, "bytes", bytes);
    if (id != NULL) *id = receipt->id;
    gt_buf_free(&message);
    gt_arena_free(&got.arena);
}

static gt_id batch_id(const batch_maker *maker, uint8_t number) {
    gt_id id;
    gt_hash(maker->hasher, &number, 1, id.bytes);
    return id;
}

/* One letter a leaf: `a` all admitted, `s` some, `n` none, `r` some refused, and left out in upper case. */
static void add_receipt(batch_maker *maker, json_t *cases, const char *name, const char *leaves, const gt_id *previous,
                        uint64_t first, gt_id *id) {
    receipt_maker made;
    gt_buf bytes;
    uint32_t size = (uint32_t)strlen(leaves);
    gt_buf_init(&bytes, &gt_alloc_system);
    receipt_maker_init(&made, maker);
    made.receipt.previous = previous;
    made.receipt.first = first;
    for (uint32_t i = 0; i < size; i++) {
        gt_id batch = batch_id(maker, (uint8_t)i);
        char letter = (char)(leaves[i] | 0x20);
        const char *admitted = letter == 'a'   ? "f5"
                               : letter == 's' ? "84 00 02 18ff 03"
                               : letter == 'n' ? "80"
                                               : "82 01 01";
        const char *refused = "82 83 00 5820 000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f 01"
                              "83 02 5820 202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f 1903e8";
        receipt_maker_leaf(&made, &batch, admitted, letter == 'r' ? refused : "80");
        if (letter != leaves[i]) receipt_maker_leave_out(&made, 1);
    }
    receipt_maker_finish(&made, &bytes);
    add_case(maker, cases, name, gt_buf_bytes(&bytes), id);
    receipt_maker_free(&made);
    gt_buf_free(&bytes);
}

/* The second half of eight leaves, and the first of it, are left out. */
static void add_halves(batch_maker *maker, json_t *cases) {
    receipt_maker made;
    gt_buf bytes;
    gt_buf_init(&bytes, &gt_alloc_system);
    receipt_maker_init(&made, maker);
    for (uint8_t i = 0; i < 7; i++) {
        gt_id batch = batch_id(maker, i);
        receipt_maker_leaf(&made, &batch, "f5", "80");
        if (i == 1) receipt_maker_leave_out(&made, 2);
        if (i == 6) receipt_maker_leave_out(&made, 3);
    }
    receipt_maker_finish(&made, &bytes);
    add_case(maker, cases, "all but two leaves left out", gt_buf_bytes(&bytes), NULL);
    receipt_maker_free(&made);
    gt_buf_free(&bytes);
}

json_t *make_receipt_vectors(batch_maker *maker) {
    json_t *cases;
    json_t *file = new_file(maker, "Receipts: core/commit/FORMAT.md section 9.", &cases);
    gt_id ids[2];
    add_receipt(maker, cases, "one batch", "a", NULL, 0, &ids[0]);
    add_receipt(maker, cases, "two batches, behind it", "aa", &ids[0], 1, &ids[1]);
    add_receipt(maker, cases, "thirteen, behind that", "aaasaanaaraaa", &ids[1], 300, NULL);
    add_receipt(maker, cases, "some leaves of a batch", "s", NULL, 0, NULL);
    add_receipt(maker, cases, "a batch without entries", "n", NULL, 0, NULL);
    add_receipt(maker, cases, "refused leaves", "ar", NULL, 7, NULL);
    add_receipt(maker, cases, "one leaf left out", "aaAs", NULL, 0, NULL);
    add_receipt(maker, cases, "neighbours that are no siblings", "aAAa", NULL, 0, NULL);
    add_halves(maker, cases);
    return file;
}

/* ---- invalid ---- */

static void add_refused(json_t *cases, const char *name, const char *stage, goat_status status, const char *reason,
                        gt_bytes bytes) {
    json_t *c = new_case(cases, name);
    set_text(c, "found", stage);
    set_text(c, "status", gt_status_name(status));
    set_text(c, "reason", reason);
    set_hex(c, "bytes", bytes);
}

static void add_forged(batch_maker *maker, json_t *cases, const char *name, gt_bytes bytes) {
    gt_arena arena;
    gt_receipt receipt;
    gt_diag diag;
    gt_diag_init(&diag);
    gt_arena_init(&arena, &gt_alloc_system);
    assert_int_equal(gt_receipt_decode(bytes, &arena, &receipt, &diag), GOAT_OK);
    gt_receipt_hash(maker->hasher, &maker->place, &receipt);
    goat_status status = gt_receipt_verify(&maker->place, &receipt, maker->public_key, &gt_alloc_system, &diag);
    assert_int_equal(status, GOAT_UNTRUSTED);
    add_refused(cases, name, "verifying", status, diag.message, bytes);
    gt_arena_free(&arena);
}

static void add_forgeries(batch_maker *maker, json_t *cases) {
    static const struct {
        const char *name;
        size_t at; /* of the byte whose last bit is flipped */
    } flips[] = {{"another log", 37}, {"another time", 61}, {"another R", 70}, {"another batch", 145}};
    receipt_maker made;
    gt_buf bytes;
    gt_id batch = batch_id(maker, 1);
    gt_place place = maker->place;
    for (int other = 0; other < 2; other++) {
        gt_buf_init(&bytes, &gt_alloc_system);
        receipt_maker_init(&made, maker);
        receipt_maker_leaf(&made, &batch, "f5", "80");
        receipt_maker_leaf(&made, &batch, "820001", "80");
        if (other == 1) maker->place.repository = gt_bytes_text("/data/sheep");
        receipt_maker_finish(&made, &bytes);
        maker->place = place;
        for (size_t i = 0; other == 0 && i < sizeof flips / sizeof *flips; i++) {
            bytes.data[flips[i].at] ^= 1;
            add_forged(maker, cases, flips[i].name, gt_buf_bytes(&bytes));
            bytes.data[flips[i].at] ^= 1;
        }
        if (other == 1) add_forged(maker, cases, "signed for another repository", gt_buf_bytes(&bytes));
        receipt_maker_free(&made);
        gt_buf_free(&bytes);
    }
}

json_t *make_invalid_receipt_vectors(batch_maker *maker) {
    json_t *cases;
    json_t *file =
        new_file(maker, "Receipts that are refused: when it is found, with which status, and why in words.", &cases);
    for (size_t i = 0; i < receipt_case_count; i++) {
        gt_buf bytes = hex_buf(receipt_cases[i].hex);
        gt_bytes content = bytes.len > 0 ? gt_buf_bytes(&bytes) : gt_bytes_text("");
        gt_diag diag;
        gt_arena arena;
        gt_receipt receipt;
        gt_diag_init(&diag);
        gt_arena_init(&arena, &gt_alloc_system);
        goat_status status = gt_receipt_decode(content, &arena, &receipt, &diag);
        assert_int_equal(status, receipt_cases[i].status);
        if (status != GOAT_OK) add_refused(cases, receipt_cases[i].name, "decoding", status, diag.message, content);
        gt_arena_free(&arena);
        gt_buf_free(&bytes);
    }
    add_forgeries(maker, cases);
    return file;
}
