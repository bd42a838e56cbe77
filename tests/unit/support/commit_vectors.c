/* Commits of every shape. */
#include "support/commit_vectors.h"

#include "support/hex_buf.h"
#include "support/test.h"

/* Names of fields, encoded. */
#define BODY "64 626f6479"
#define BORN "64 626f726e"
#define DONE "64 646f6e65"
#define META "64 6d657461"
#define PENS "64 70656e73"
#define ADDRESS "6761646472657373"
#define TAGS "64 74616773"
#define TITLE "65 7469746c65"
#define VOTES "65 766f746573"
#define SET(elements) "d90102" elements

typedef struct commit_shape {
    const char *name, *delta;
    uint32_t parent_count, revert_count;
    const char *key, *full, *message, *sealed;
} commit_shape;

static const commit_shape shapes[] = {
    {.name = "create", .delta = "a3" DONE "f4" TAGS SET("82 63666f6f 6463 6f6c64") TITLE "64676f6174"},
    {.name = "create an empty item", .delta = "a0"},
    {.name = "create with every kind of value",
     .delta = "ab 6161 00 6162 20 6163 1b7fffffffffffffff 6164 3b7fffffffffffffff 6165 fb3ff199999999999a 6166 f93800"
              "6167 4301feff 6168 c11a69551e80 6169 c1fb41da556e40200000 616a d998a8 6d 2f646174612f676f6174732f31"
              "616b 83 f6 f5 a1 60 80"},
    {.name = "item key beyond ASCII", .key = "zi\xc3\xa8ge", .delta = "a0"},
    {.name = "set a field", .parent_count = 1, .delta = "a1" TITLE "65 676f617473"},
    {.name = "unset a field", .parent_count = 1, .delta = "a1" TITLE "f7"},
    {.name = "add to a set", .parent_count = 1, .delta = "a1" TAGS SET("81 63626172")},
    {.name = "add to a set and remove from it",
     .parent_count = 1,
     .delta = "a1" TAGS "a2 00" SET("81 63626172") "01" SET("81 63666f6f")},
    {.name = "remove from a set", .parent_count = 1, .delta = "a1" TAGS "a1 01" SET("81 63666f6f")},
    {.name = "set and remove keys of a map", .parent_count = 1, .delta = "a1" META "a2 6161 01 6162 f7"},
    {.name = "increment a counter", .parent_count = 1, .delta = "a1" VOTES "03"},
    {.name = "decrement a counter", .parent_count = 1, .delta = "a1" VOTES "22"},
    {.name = "write a date", .parent_count = 1, .delta = "a1" BORN "c11a69551e80"},
    {.name = "delete", .parent_count = 1, .delta = "a1 00 f5"},
    {.name = "undelete and set a field", .parent_count = 1, .delta = "a2 00 f4" TITLE "64676f6174"},
    {.name = "an edit that changes nothing", .parent_count = 1, .delta = "a0"},
    {.name = "three parents", .parent_count = 3, .delta = "a1" DONE "f5"},
    {.name = "with a full state",
     .parent_count = 1,
     .delta = "a1" DONE "f5",
     .full = "a2" DONE "f4" TITLE "64676f6174"},
    {.name = "with the full state of a deleted item",
     .parent_count = 1,
     .delta = "a1 00 f4",
     .full = "a2 00 f5" TITLE "64676f6174"},
    {.name = "a revert of two commits", .parent_count = 1, .revert_count = 2, .delta = "a1" TITLE "64676f6174"},
    {.name = "with a message", .parent_count = 1, .delta = "a1" DONE "f5", .message = "fed \xe2\x9c\x93"},
    {.name = "everything at once",
     .parent_count = 2,
     .revert_count = 1,
     .delta = "a1" DONE "f5",
     .full = "a1" DONE "f4",
     .message = ""},
    {.name = "sealed", .parent_count = 1, .sealed = "82 48 0001020304050607 4c 00112233445566778899aabb"},
    {.name = "splice a text", .parent_count = 1, .delta = "a1" BODY "a1 00 83 04 62 c3a9 22"},
    {.name = "insert into a list, move, replace and remove in it",
     .parent_count = 1,
     .delta = "a1" PENS "a1 00 86 01 82 626e6f 6178 a1 01 05 23 01 a1 02 63666f6f"},
    {.name = "move an element of a list and replace it",
     .parent_count = 1,
     .delta = "a1" PENS "a1 00 81 a2 01 18 64 02 a1 616e 01"},
    {.name = "format a rich text, insert into it and remove from it",
     .parent_count = 1,
     .delta =
         "a1" BODY "a1 00 87 82 05 a1 64626f6c64 f5 626e6f 82 6178 a1 61620a 81 a1 65696d616765 6175 22 02 82 01 a1 "
         "66686561646572 f6"},
    {.name = "edit fields in an object, and in one inside of it",
     .parent_count = 1,
     .delta = "a1" ADDRESS "a3 63 67656f a2 63 6c6174 f7 64 74616773 a1 00 d90102 81 01 64 63697479 63 556c6d"
              "64 6e6f7465 a1 00 82 02 6178"},
    {.name = "an object is there", .parent_count = 1, .delta = "a1" ADDRESS "a0"},
};

static void describe(json_t *says, const gt_commit *commit) {
    assert_int_equal(json_object_set_new(says, "key", json_stringn((const char *)commit->key.data, commit->key.len)),
                     0);
    set_ids(says, "parents", commit->parents);
    set_number(says, "time", commit->time);
    assert_int_equal(
        json_object_set_new(says, "namespace", json_stringn((const char *)commit->ns.data, commit->ns.len)), 0);
    set_number(says, "version", commit->version);
    set_hex(says, "schema_hash", commit->schema_hash);
    set_ids(says, "reverts", commit->reverts);
    set_hex(says, "delta", commit->delta);
    set_hex(says, "full", commit->full);
    json_t *message = json_null();
    if (commit->message.data != NULL) {
        message = json_stringn((const char *)commit->message.data, commit->message.len);
    }
    assert_int_equal(json_object_set_new(says, "message", message), 0);
    set_hex(says, "sealed", commit->sealed);
}

/* The parents are the hashes of 1, 2, 3 in ascending order; so are the reverts. */
static void fake_ids(gt_hasher *hasher, gt_id *ids, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        uint8_t number = (uint8_t)(i + 1);
        gt_hash(hasher, &number, 1, ids[i].bytes);
        for (uint32_t j = i; j > 0 && gt_id_compare(&ids[j - 1], &ids[j]) > 0; j--) {
            gt_id swap = ids[j];
            ids[j] = ids[j - 1];
            ids[j - 1] = swap;
        }
    }
}

static void add_case(batch_maker *maker, json_t *cases, const commit_shape *shape, uint32_t number) {
    static const gt_chain_place chain = {.seq = 1};
    gt_buf delta = hex_buf(shape->delta != NULL ? shape->delta : ""),
           full = hex_buf(shape->full != NULL ? shape->full : "");
    gt_buf sealed = hex_buf(shape->sealed != NULL ? shape->sealed : "");
    gt_id parents[3], reverts[3], inner;
    vector_batch made;
    fake_ids(maker->hasher, parents, shape->parent_count);
    fake_ids(maker->hasher, reverts, shape->revert_count);
    gt_commit_draft draft = maker_commit(shape->key != NULL ? shape->key : "1", gt_buf_bytes(&delta), number);
    draft.full = shape->full != NULL ? gt_buf_bytes(&full) : draft.full;
    draft.sealed = shape->sealed != NULL ? gt_buf_bytes(&sealed) : draft.sealed;
    draft.message = shape->message != NULL ? gt_bytes_text(shape->message) : draft.message;
    draft.parents = parents;
    draft.parent_count = shape->parent_count;
    draft.reverts = reverts;
    draft.revert_count = shape->revert_count;
    maker_add(maker, &draft);
    vector_batch_finish(maker, &chain, &made);

    const gt_node *node = &made.batch.nodes[0];
    json_t *c = new_case(cases, shape->name), *says = json_object();
    describe(says, &node->commit);
    assert_int_equal(json_object_set_new(c, "says", says), 0);
    assert_int_equal(json_object_set_new(c, "delta_is_state", json_boolean(node->commit.delta_is_state)), 0);
    set_hex(c, "salt", gt_bytes_of(node->salt, GT_SALT_SIZE));
    set_hex(c, "header", node->commit.header);
    set_hex(c, "payload", node->commit.payload);
    gt_commit_inner(maker->hasher, node->salt, node->commit.payload, &inner);
    set_id(c, "inner", &inner);
    set_id(c, "id", &node->hash);
    vector_batch_free(&made);
    gt_buf_free(&sealed);
    gt_buf_free(&full);
    gt_buf_free(&delta);
}

json_t *make_commit_vectors(batch_maker *maker) {
    json_t *cases;
    json_t *file = new_file(maker, "Commits: core/commit/FORMAT.md sections 2 to 4. Bytes are hexadecimal.", &cases);
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        add_case(maker, cases, &shapes[i], (uint32_t)i);
    }
    return file;
}
