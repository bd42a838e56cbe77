/* Edits as an app gives them to apply, as CBOR or as JSON, on a small database whose items have every type of field, one of
 * them deleted. Whatever is refused changes nothing; what is taken is counted, can be read, and is the same when the database
 * is opened again and replays it.
 *
 * The first byte: odd for JSON, even for CBOR, and above that the flags. Every input finds the same items: after one that was taken
 * the database is made anew. */
#include "base/assert.h"
#include "support/test.h"
#include "support/test_db.h"
#include "value/value.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char schema[] =
    "{\"ns\": \"doc\", \"version\": 1, \"fields\": {"
    "\"name\": {\"type\": \"string\", \"required\": true, \"max_length\": 20},"
    "\"done\": {\"type\": \"boolean\", \"default\": false}, \"size\": {\"type\": \"number\", \"min\": 0, \"max\": 100},"
    "\"date\": {\"type\": \"date\"}, \"bytes\": {\"type\": \"bytes\"}, \"ref\": {\"type\": \"ref\"},"
    "\"set\": {\"type\": \"set\", \"max_length\": 4}, \"map\": {\"type\": \"map\"},"
    "\"votes\": {\"type\": \"counter\", \"max\": 50}, \"list\": {\"type\": \"list\"}, \"body\": {\"type\": \"text\"},"
    "\"either\": {\"type\": \"text\", \"merge\": \"either\"}, \"latest\": {\"type\": \"list\", \"merge\": \"latest\"},"
    "\"place\": {\"type\": \"orderstamp\"}, \"rich\": {\"type\": \"richtext\", \"max_length\": 40},"
    "\"in\": {\"type\": \"object\", \"fields\": {\"body\": {\"type\": \"text\"}, \"list\": {\"type\": \"list\"},"
    "\"set\": {\"type\": \"set\"}, \"votes\": {\"type\": \"counter\"}, \"rich\": {\"type\": \"richtext\"},"
    "\"in\": {\"type\": \"object\", \"fields\": {\"map\": {\"type\": \"map\"}}}}}}}";

static const char items[] =
    "[{\"key\": \"a\", \"schema\": \"doc\", \"set\": {\"name\": \"goat\", \"done\": true, \"size\": 3,"
    "\"date\": \"2026-01-31T12:00:00Z\", \"bytes\": \"AAEC\", \"ref\": \"/data/tasks/b\", \"set\": [1, \"x\"],"
    "\"map\": {\"k\": 1}, \"votes\": 5, \"list\": [1, 2, 3], \"body\": \"one \xf0\x9f\x90\x90 two\", \"either\": "
    "\"or\","
    "\"latest\": [1], \"rich\": [{\"insert\": \"Go\"}, {\"insert\": {\"image\": 1}}, {\"insert\": \"at\\n\","
    "\"attributes\": {\"b\": true}}], \"in\": {\"body\": \"by\", \"list\": [1, 2], \"in\": {\"map\": {\"k\": 1}}}}},"
    "{\"key\": \"b\", \"schema\": \"doc\", \"set\": {\"name\": \"gone\", \"votes\": 1, \"body\": \"was\"}},"
    "{\"key\": \"b\", \"delete\": true}, {\"key\": \"c\", \"schema\": \"task\", \"set\": {\"title\": \"other\"}}]";

/* Serves until edits are taken; NULL: it is to be made. */
static test_db *f;
static goat_buf unchanged; /* its digest */

static goat_buf digest(void) {
    goat_buf digest = {0};
    assert_ok(goat_repo_digest(f->repo, &digest, NULL, &error));
    return digest;
}

static void tear_down(void) {
    void *state = f;
    if (f == NULL) return;
    goat_buf_free(&unchanged);
    GOAT_ASSERT(test_db_teardown(&state) == 0);
    f = NULL;
}

static void set_up(void) {
    static bool is_first = true;
    void *state = NULL;
    if (f != NULL) return;
    if (is_first) GOAT_ASSERT(atexit(tear_down) == 0); /* tables hide pointers from a search for leaks */
    is_first = false;
    GOAT_ASSERT(test_db_setup(&state) == 0);
    f = state;
    assert_ok(goat_db_add_schema(f->db, TEXT(schema), &error));
    assert_ok(goat_repo_apply_json(f->repo, TEXT(items), 0, NULL, &error));
    unchanged = digest();
}

static void check_same(const goat_buf *before) {
    goat_buf now = digest();
    GOAT_ASSERT(gt_bytes_equal(gt_bytes_of(now.data, now.size), gt_bytes_of(before->data, before->size)));
    goat_buf_free(&now);
}

/* Replayed from the log it comes to what it came to when it was made. */
static void check_replay(void) {
    goat_buf before = digest();
    test_db_reopen(f);
    check_same(&before);
    goat_buf_free(&before);
}

/* What was there can be read, and nothing that was taken breaks a rule. */
static void check_items(void) {
    static const char *const paths[] = {"/data/tasks/a", "/data/tasks/b", "/data/tasks/c"};
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        goat_buf text = {0};
        goat_item *item = test_db_item(f->db, paths[i]);
        assert_ok(goat_item_read_json(item, &text, NULL, &error));
        assert_ok(goat_item_check(item, &error));
        assert_ok(goat_item_commits(item, NULL, 0, UINT32_MAX, &text, &error));
        goat_buf_free(&text);
        goat_item_free(item);
    }
}

static void check_counts(gt_bytes result, size_t edits) {
    static const char *const names[] = {"created", "changed", "unchanged"};
    int64_t sum = 0;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        int64_t one = -1;
        GOAT_ASSERT(gt_value_as_int64(gt_map_find(result, gt_bytes_text(names[i])), &one) && one >= 0);
        sum += one;
    }
    GOAT_ASSERT((uint64_t)sum == edits);
}

static bool may_refuse(goat_status status) {
    return status == GOAT_INVALID || status == GOAT_TOO_LARGE || status == GOAT_NOT_FOUND || status == GOAT_EXISTS ||
           status == GOAT_NO_SCHEMA;
}

static size_t count_json(const uint8_t *edits, size_t size) {
    json_error_t error;
    json_t *json = json_loadb((const char *)edits, size, JSON_ALLOW_NUL, &error);
    size_t count = json_array_size(json);
    json_decref(json);
    return count;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size == 0) return 0;
    set_up();
    bool is_json = (data[0] & 1) != 0;
    uint32_t flags = (uint32_t)(data[0] >> 1) & (GOAT_APPLY_TRANSACTION | GOAT_APPLY_CREATE_ONLY);
    const uint8_t *edits = data + 1;
    size_t len = size - 1;
    goat_error *error = NULL;
    goat_buf result = {0};
    goat_status status = is_json ? goat_repo_apply_json(f->repo, (const char *)edits, len, flags, &result, &error)
                                 : goat_repo_apply(f->repo, edits, len, flags, &result, &error);
    GOAT_ASSERT(goat_error_status(error) == status);
    if (status == GOAT_OK) {
        size_t count = is_json ? count_json(edits, len) : gt_value_count(gt_bytes_of(edits, len));
        check_counts(gt_bytes_of(result.data, result.size), count);
        check_items();
        check_replay();
        check_items();
        tear_down();
    } else {
        GOAT_ASSERT(may_refuse(status) && goat_error_message(error)[0] != '\0');
        check_same(&unchanged);
    }
    goat_error_free(error);
    goat_buf_free(&result);
    return 0;
}
