/* Messages that are refused, and filters bit by bit. */
#include "port/sim/sim.h"
#include "support/commit_vectors.h"
#include "support/hex_buf.h"
#include "support/sync_vectors.h"
#include "support/test.h"
#include "sync/bloom.h"

#include <stdio.h>

#define X16 "000102030405060708090a0b0c0d0e0f"
#define X24 X16 "1011121314151617"
#define X32 X16 "101112131415161718191a1b1c1d1e1f"
#define X64 X32 X32
#define HELLO_END "5820" X32 "5820" X32 "05"

static const struct {
    const char *name, *hex;
} invalid[] = {
    {"nothing", ""},
    {"no array", "0b"},
    {"an empty array", "80"},
    {"a kind that is no number", "8140"},
    {"a kind that is not known", "8111"},
    {"the last kind that may not be skipped", "81183f"},
    {"a later kind, cut short", "8218404200"},
    {"an indefinite array", "9f0bff"},
    {"a length in a longer form", "98010b"},
    {"a kind in a longer form", "81180b"},
    {"one element too many", "820b00"},
    {"one element too few", "810a"},
    {"a float", "820af93c00"},
    {"a negative number", "820a20"},
    {"hello with a role of 2", "8a000102f6f6" HELLO_END "1a00010000f6"},
    {"hello with a network of 31 bytes",
     "8a000100581f000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1ef6" HELLO_END "1a00010000f6"},
    {"hello with a window of 65535", "8a000100f6f6" HELLO_END "19fffff6"},
    {"hello with a window above 256 MiB", "8a000100f6f6" HELLO_END "1a10000001f6"},
    {"hello with a certificate that is a text", "8a000100f6f6" HELLO_END "1a0001000060"},
    {"hello with a version above 32 bits", "8a001b000000010000000000f6f6" HELLO_END "1a00010000f6"},
    {"proof of 63 bytes", "8201583f" X32 "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e"},
    {"open on channel 0", "8602006b2f646174612f676f6174730000f6"},
    {"open on channel 1025", "86021904016b2f646174612f676f6174730000f6"},
    {"open with a path of an item", "8602016d2f646174612f676f6174732f310000f6"},
    {"open with a path of one part", "860201652f646174610000f6"},
    {"open with a path that is no UTF-8", "8602016b2f646174612f676f6174ff0000f6"},
    {"open with flags of 4", "8602016b2f646174612f676f6174730400f6"},
    {"open with a point of 23 bytes", "8602016b2f646174612f676f617473000057" X16 "10111213141516"},
    {"open with a count above 63 bits", "8602016b2f646174612f676f617473001b8000000000000000f6"},
    {"opened in a fourth way", "850301030000"},
    {"close with a status of 1000", "8404011903e860"},
    {"close with a text that is no UTF-8", "8404010162c328"},
    {"data with flags of 16", "8405011080"},
    {"data with a text", "84050100816161"},
    {"data with a receipt of type 129", "840501008182188141aa"},
    {"data with a receipt of one element", "8405010081811880"},
    {"data with more records than bytes", "84050100991000"},
    {"ack of nothing", "8406010280"},
    {"ack of a level 4", "84060104815820" X32},
    {"ack of an id of 31 bytes", "8406010281581f000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e"},
    {"point of 25 bytes", "840701005819" X24 "00"},
    {"compare with a step of 4", "87080101040c5820" X32 "f6"},
    {"compare with a run above 31 bits", "8708011a80000000000c5820" X32 "f6"},
    {"compare with bits that are no multiple of 64", "87080101000c5820" X32 "8450" X16 "18480749" X16},
    {"compare with fewer bits than it says", "87080101000c5820" X32 "8450" X16 "188007480001020304050607"},
    {"compare with no bits", "87080101000c5820" X32 "8450" X16 "000740"},
    {"compare with no hashes", "87080101000c5820" X32 "8450" X16 "184000480001020304050607"},
    {"compare with 33 hashes", "87080101000c5820" X32 "8450" X16 "18401821480001020304050607"},
    {"compare with a filter of three", "87080101000c5820" X32 "8350" X16 "184007"},
    {"want of nothing", "83090180"},
    {"lost of nothing", "83110180"},
    {"credit above 256 MiB", "820a1a10000001"},
    {"repos with a path that is none", "830c816161f5"},
    {"repos with more that is a number", "830c8001"},
    {"again on channel 0", "820e00"},
    {"bye with a negative status", "830f2060"},
    {"refuse of a text", "851001600160"},
};

static void add_invalid(json_t *cases, const char *name, gt_bytes bytes) {
    gt_arena arena;
    gt_message message;
    gt_diag diag;
    if (bytes.data == NULL) bytes = gt_bytes_text(""); /* hex_buf takes no memory for nothing */
    gt_bytes rest = bytes;
    gt_diag_init(&diag);
    gt_arena_init(&arena, &gt_alloc_system);
    goat_status status = gt_message_read(&rest, &arena, &message, &diag);
    if (status != GOAT_INVALID && status != GOAT_TOO_LARGE) fail_msg("\"%s\" is taken", name);
    json_t *one = new_case(cases, name);
    set_text(one, "status", gt_status_name(status));
    set_number(one, "position", diag.position);
    set_text(one, "reason", diag.message);
    set_hex(one, "bytes", bytes);
    gt_arena_free(&arena);
}

static void add_too_many(json_t *cases) {
    static const uint8_t id[GT_ID_SIZE];
    gt_buf bytes;
    gt_buf_init(&bytes, &gt_alloc_system);
    gt_message_want_head(&bytes, 1, GT_SYNC_WANT_MAX + 1);
    for (int i = 0; i <= GT_SYNC_WANT_MAX; i++) {
        gt_buf_append(&bytes, "\x58\x20", 2);
        gt_buf_append(&bytes, id, sizeof id);
    }
    add_invalid(cases, "want of 257 ids", gt_buf_bytes(&bytes));
    gt_buf_clear(&bytes);
    gt_buf_append(&bytes, "\x83\x0f\x01\x79\x02\x01", 6);
    for (int i = 0; i <= GT_SYNC_TEXT_MAX; i++) gt_buf_append_byte(&bytes, 'a');
    add_invalid(cases, "bye with a text of 513 bytes", gt_buf_bytes(&bytes));
    gt_buf_free(&bytes);
}

json_t *make_invalid_messages(void) {
    json_t *file = json_object(), *cases = json_array();
    set_text(file, "about", "Messages that are refused: with which status, where, and why in words.");
    assert_int_equal(json_object_set_new(file, "cases", cases), 0);
    for (size_t i = 0; i < sizeof invalid / sizeof *invalid; i++) {
        gt_buf bytes = hex_buf(invalid[i].hex);
        add_invalid(cases, invalid[i].name, gt_buf_bytes(&bytes));
        gt_buf_free(&bytes);
    }
    add_too_many(cases);
    return file;
}

/* ---- filters ---- */

static void add_filter(json_t *cases, gt_hasher *hasher, gt_sim_random *random, uint32_t elements) {
    char name[32];
    gt_bloom filter;
    assert_int_equal(gt_bloom_init(&filter, &gt_alloc_system, gt_sim_random_source(random), elements, NULL), GOAT_OK);
    for (uint32_t i = 0; i < elements; i++) {
        uint8_t number[4];
        gt_id id;
        gt_put_u32(number, i);
        gt_hash(hasher, number, sizeof number, id.bytes);
        gt_bloom_add(&filter, &id);
    }
    gt_bloom_part part = gt_bloom_part_of(&filter);
    (void)snprintf(name, sizeof name, "%u elements", (unsigned)elements);
    json_t *one = new_case(cases, name);
    set_number(one, "elements", elements);
    set_hex(one, "salt", gt_bytes_of(part.salt, GT_SYNC_SALT_SIZE));
    set_number(one, "bits", part.bits);
    set_number(one, "hashes", part.hashes);
    set_hex(one, "content", part.bytes);
    gt_bloom_free(&filter);
}

json_t *make_filters(void) {
    static const uint32_t sizes[] = {0, 1, 2, 8, 9, 100, 1000};
    json_t *file = json_object(), *cases = json_array();
    gt_hasher *hasher;
    gt_sim_random random;
    gt_sim_random_init(&random, 73);
    assert_int_equal(gt_hasher_new(&gt_alloc_system, &hasher, NULL), GOAT_OK);
    set_text(file, "about",
             "Filters, core/sync/PROTOCOL.md 7.3. Element i is the SHA-256 of i as 4 bytes, little-endian.");
    assert_int_equal(json_object_set_new(file, "cases", cases), 0);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) add_filter(cases, hasher, &random, sizes[i]);
    gt_hasher_free(hasher);
    return file;
}
