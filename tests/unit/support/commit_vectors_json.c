#include "support/commit_vectors.h"

#include "support/test.h"

#include "base/utf8.h"

#include <stdio.h>
#include <stdlib.h>

const commit_vector_file commit_vector_files[] = {
    {"commits.json", make_commit_vectors, "batch"},
    {"batches.json", make_batch_vectors, "batch"},
    {"elided.json", make_elided_vectors, "batch"},
    {"invalid.json", make_invalid_vectors, "batch"},
    {"receipts.json", make_receipt_vectors, "receipt"},
    {"invalid_receipts.json", make_invalid_receipt_vectors, "receipt"},
};
const size_t commit_vector_file_count = sizeof commit_vector_files / sizeof *commit_vector_files;

static json_t *hex(const void *bytes, size_t len) {
    char *text = malloc(2 * len + 1);
    assert_non_null(text);
    gt_hex(text, bytes, len);
    json_t *value = json_string(text);
    assert_non_null(value);
    free(text);
    return value;
}

void set_text(json_t *object, const char *name, const char *text) {
    assert_int_equal(json_object_set_new(object, name, json_string(text)), 0);
}

void set_number(json_t *object, const char *name, uint64_t number) {
    char text[24];
    (void)snprintf(text, sizeof text, "%llu", (unsigned long long)number);
    set_text(object, name, text);
}

void set_hex(json_t *object, const char *name, gt_bytes bytes) {
    json_t *value = bytes.data == NULL ? json_null() : hex(bytes.data, bytes.len);
    assert_int_equal(json_object_set_new(object, name, value), 0);
}

void set_id(json_t *object, const char *name, const gt_id *id) {
    set_hex(object, name, id == NULL ? gt_bytes_of(NULL, 0) : gt_bytes_of(id->bytes, GT_ID_SIZE));
}

void set_ids(json_t *object, const char *name, gt_ids ids) {
    json_t *array = json_array();
    for (uint32_t i = 0; i < ids.count; i++) {
        assert_int_equal(json_array_append_new(array, hex(gt_ids_at(ids, i)->bytes, GT_ID_SIZE)), 0);
    }
    assert_int_equal(json_object_set_new(object, name, array), 0);
}

void set_keys(json_t *object, const batch_maker *maker) {
    set_hex(object, "root_seed", gt_bytes_of(maker->root_seed, sizeof maker->root_seed));
    set_hex(object, "root_public_key", gt_bytes_of(maker->root_key, sizeof maker->root_key));
    set_id(object, "network", &maker->place.network);
    set_text(object, "repository", "/data/goats");
    set_hex(object, "seed", gt_bytes_of(maker->seed, sizeof maker->seed));
    set_hex(object, "public_key", gt_bytes_of(maker->public_key, sizeof maker->public_key));
    set_id(object, "session", &maker->session);
}

json_t *new_file(const batch_maker *maker, const char *about, json_t **cases) {
    json_t *file = json_object();
    set_text(file, "about", about);
    set_keys(file, maker);
    *cases = json_array();
    assert_int_equal(json_object_set_new(file, "cases", *cases), 0);
    return file;
}

json_t *new_case(json_t *cases, const char *name) {
    json_t *object = json_object();
    set_text(object, "name", name);
    assert_int_equal(json_array_append_new(cases, object), 0);
    return object;
}

void vector_batch_init(vector_batch *made) {
    gt_buf_init(&made->frame, &gt_alloc_system);
    gt_arena_init(&made->arena, &gt_alloc_system);
}

void vector_batch_free(vector_batch *made) {
    gt_buf_free(&made->frame);
    gt_arena_free(&made->arena);
}

void vector_batch_read(batch_maker *maker, vector_batch *made) {
    gt_diag diag;
    gt_diag_init(&diag);
    if (gt_batch_decode(gt_buf_bytes(&made->frame), &made->arena, &made->batch, &diag) != GOAT_OK ||
        gt_batch_hash(maker->hasher, &maker->place, &made->batch, &diag) != GOAT_OK) {
        fprintf(stderr, "%s at %llu\n", diag.message, (unsigned long long)diag.position);
        fail();
    }
}

void vector_batch_finish(batch_maker *maker, const gt_chain_place *chain, vector_batch *made) {
    vector_batch_init(made);
    maker_finish(maker, chain, &made->frame);
    vector_batch_read(maker, made);
}
