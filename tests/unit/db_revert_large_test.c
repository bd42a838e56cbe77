/* core/db: reverts that are too much for one commit or one transaction, and what is left of one that fails on the way. */
#include "support/test.h"

#include "base/utf8.h"
#include "db/internal.h"
#include "repo/tables.h"
#include "support/test_handle.h"
#include "support/test_value.h"
#include "value/build.h"
#include "value/value.h"

#include <stdio.h>
#include <stdlib.h>

static gt_repo *repo_of(const test_handle *handle) { return handle->space->mount->repo; }

static goat_status revert(test_handle *handle, const char *spec, gt_buf *result) {
    goat_job *job = NULL;
    gt_diag_init(&handle->diag);
    goat_status status = gt_space_revert(handle->space, gt_bytes_text(spec), &job, &handle->diag);
    return status == GOAT_OK ? test_handle_wait(handle, job, result) : status;
}

static uint64_t count_items(const gt_buf *result) {
    gt_bytes items = gt_map_find(gt_buf_bytes(result), gt_bytes_text("items"));
    assert_non_null(items.data);
    return gt_value_count(items);
}

/* ---- more commits than one may name ---- */

/* So many edits of one item, each on the one before. */
static void add_edits(test_handle *handle, const char *key, const char *notation, uint32_t count) {
    gt_mount *mount = handle->space->mount;
    gt_signer signer = gt_signer_of(mount->database, mount);
    gt_capture *capture = NULL;
    gt_buf heads;
    gt_id id;
    gt_bytes delta = test_value(notation);
    gt_buf_init(&heads, &gt_alloc_system);
    assert_int_equal(gt_repo_heads(mount->repo, gt_repo_find(mount->repo, gt_bytes_text(key)), &heads, NULL), GOAT_OK);
    assert_int_equal(heads.len, GT_ID_SIZE);
    memcpy(id.bytes, heads.data, GT_ID_SIZE);
    assert_int_equal(gt_capture_begin(mount->repo, &capture, NULL), GOAT_OK);
    for (uint32_t i = 0; i < count; i++) {
        gt_id parent = id;
        gt_leaf leaf = {.key = gt_bytes_text(key),
                        .parents = &parent,
                        .parent_count = 1,
                        .schema = gt_registry_find(mount->database->schemas, gt_bytes_text("goat"), 1),
                        .delta = delta};
        assert_int_equal(gt_capture_add(capture, &signer, &leaf, &id, NULL), GOAT_OK);
    }
    mount->database->acting = handle->space;
    assert_int_equal(gt_capture_finish(capture, &signer, GT_FROM_SELF, NULL), GOAT_OK);
    mount->database->acting = NULL;
    test_value_free(delta);
    gt_buf_free(&heads);
    test_handle_advance(handle);
}

static void a_commit_names_so_many_and_no_more(void **state) {
    test_handle *a = &((test_handles *)*state)->a;
    assert_int_equal(test_handle_create(a, "x", "{votes: 5}"), GOAT_OK);
    assert_int_equal(test_handle_flush(a, GOAT_DURABLE_MEMORY), GOAT_OK);
    gt_sim_advance_ms(&a->machine->clock, 1000);
    char spec[100];
    add_edits(a, "x", "{votes: 1}", GT_REVERTS_MAX);
    uint32_t first = gt_item_at(repo_of(a), 0)->first + 1;
    snprintf(spec, sizeof spec, "{\"since\": \"%llu\"}", (unsigned long long)gt_commit_at(repo_of(a), first)->time);
    add_edits(a, "x", "{votes: 1}", 1);
    assert_int_equal(revert(a, spec, NULL), GOAT_TOO_LARGE);
    assert_string_equal(a->diag.message, "a revert of more than 65536 commits of one item");
    assert_string_equal(a->diag.path, TEST_REPO "/x");
    test_handle_shows(a, "x", "{votes: 65542}");
    snprintf(spec, sizeof spec, "{\"since\": \"%llu\"}", (unsigned long long)gt_commit_at(repo_of(a), first + 1)->time);
    gt_buf result;
    gt_buf_init(&result, &gt_alloc_system);
    assert_int_equal(revert(a, spec, &result), GOAT_OK);
    assert_int_equal(count_items(&result), 1);
    test_handle_shows(a, "x", "{votes: 6}");
    gt_buf_free(&result);
}

static void a_spec_names_so_many_and_no_more(void **state) {
    test_handle *a = &((test_handles *)*state)->a;
    for (uint32_t more = 0; more < 2; more++) {
        gt_buf spec;
        gt_buf_init(&spec, &gt_alloc_system);
        gt_buf_append(&spec, "{\"lacks_some\": true, \"commits\": [", 33);
        for (uint32_t i = 0; i < GT_REVERTS_MAX + more; i++) {
            char id[16];
            gt_buf_append(&spec, id, (size_t)snprintf(id, sizeof id, "%s\"%08x\"", i == 0 ? "" : ",", (unsigned)i));
        }
        gt_buf_append(&spec, "]}", 3);
        assert_int_equal(revert(a, (const char *)spec.data, NULL), more == 0 ? GOAT_OK : GOAT_INVALID);
        if (more != 0) assert_string_equal(a->diag.field, "commits");
        gt_buf_free(&spec);
    }
}

/* ---- an item with a long history ---- */

enum { LONG = 4000, PIECES = 2 * LONG / 200 };

/* One commit in the middle of the history of a list is reverted, while the item is edited every so many rounds. */
static void revert_long(test_handle *a, uint32_t rounds_an_edit, uint32_t *rounds) {
    char hex[2 * GT_ID_SIZE + 1], spec[128], votes[16];
    goat_job *job = NULL;
    gt_job_info info;
    assert_int_equal(test_handle_create(a, "x", "{list: []}"), GOAT_OK);
    assert_int_equal(test_handle_flush(a, GOAT_DURABLE_MEMORY), GOAT_OK);
    add_edits(a, "x", "{list: {0: [[1]]}}", LONG);
    add_edits(a, "x", "{list: {0: [[2]]}}", 1);
    gt_hex(hex, gt_commit_at(repo_of(a), gt_repo_commit_count(repo_of(a)) - 1)->id.bytes, GT_ID_SIZE);
    add_edits(a, "x", "{list: {0: [[3]]}}", LONG);
    snprintf(spec, sizeof spec, "{\"commits\": [\"%s\"]}", hex);
    assert_int_equal(gt_space_revert(a->space, gt_bytes_text(spec), &job, NULL), GOAT_OK);
    *rounds = 0;
    for (gt_job_info_of(job, &info); !info.done; gt_job_info_of(job, &info), ++*rounds) {
        gt_db_pump(a->db, gt_db_now_us(a->db), NULL);
        assert_true(*rounds < 100 * PIECES);
        if (*rounds % rounds_an_edit != 0) continue;
        snprintf(votes, sizeof votes, "%u", (unsigned)*rounds + 1);
        assert_int_equal(test_handle_set(a, "x", "votes", votes), GOAT_OK);
        assert_int_equal(test_handle_flush(a, GOAT_DURABLE_MEMORY), GOAT_OK);
    }
    assert_int_equal(test_handle_wait(a, job, NULL), GOAT_OK);
}

static void assert_reverted(test_handle *a) {
    goat_item *item = NULL;
    const gt_field *field;
    gt_bytes list, value;
    int64_t number = 0;
    uint32_t count[4] = {0};
    assert_int_equal(test_handle_item(a, NULL, "x", &item), GOAT_OK);
    assert_int_equal(gt_item_field(item, gt_bytes_text("list"), &field, &list, NULL), GOAT_OK);
    for (gt_iter iter = gt_array_iter(list); gt_array_next(&iter, &value); count[number]++) {
        assert_true(gt_value_as_int64(value, &number) && number >= 1 && number <= 3);
    }
    assert_int_equal(count[1], LONG);
    assert_int_equal(count[2], 0);
    assert_int_equal(count[3], LONG);
    test_handle_drop(item);
}

static void a_long_history_is_gone_through_in_many_steps(void **state) {
    test_handle *a = &((test_handles *)*state)->a;
    uint32_t rounds;
    revert_long(a, UINT32_MAX, &rounds); /* an edit in the first round alone */
    assert_true(rounds >= PIECES);
    assert_reverted(a);
}

/* What was replayed is of no use then; in the end it is done in one step. */
static void it_comes_to_an_end_where_somebody_edits_all_the_time(void **state) {
    test_handle *a = &((test_handles *)*state)->a;
    uint32_t rounds;
    revert_long(a, 1, &rounds);
    assert_true(rounds >= 4);
    assert_reverted(a);
}

/* ---- more items than one transaction holds ---- */

/* In two applies, since one makes one batch. */
static void create_many(test_handle *handle, uint32_t count) {
    gt_buf edits;
    gt_buf_init(&edits, &gt_alloc_system);
    for (uint32_t from = 0; from < count;) {
        uint32_t some = count - from < 50000 ? count - from : 50000;
        gt_buf_clear(&edits);
        gt_write_array_head(&edits, some);
        for (uint32_t i = from; i < from + some; i++) {
            char key[12];
            snprintf(key, sizeof key, "%06u", (unsigned)i);
            gt_write_map_head(&edits, 2);
            gt_write_text(&edits, gt_bytes_text("key"));
            gt_write_text(&edits, gt_bytes_text(key));
            gt_write_text(&edits, gt_bytes_text("schema"));
            gt_write_text(&edits, gt_bytes_text("goat"));
        }
        assert_int_equal(gt_space_apply(handle->space, gt_buf_bytes(&edits), 0, NULL, &handle->diag), GOAT_OK);
        assert_int_equal(test_handle_flush(handle, GOAT_DURABLE_MEMORY), GOAT_OK);
        from += some;
    }
    gt_buf_free(&edits);
}

static uint32_t count_batches(test_handle *handle) { return repo_of(handle)->batches.count; }

static void more_items_than_a_batch_holds_are_two_transactions(void **state) {
    test_handle *a = &((test_handles *)*state)->a;
    gt_buf result;
    gt_buf_init(&result, &gt_alloc_system);
    create_many(a, GOAT_BATCH_MAX + 1);
    uint32_t before = count_batches(a);
    assert_int_equal(revert(a, "{\"since\": \"0\"}", &result), GOAT_OK);
    assert_int_equal(count_items(&result), GOAT_BATCH_MAX + 1);
    assert_int_equal(count_batches(a), before + 2);
    gt_buf_clear(&result);
    for (uint32_t i = 0; i < 2; i++) { /* each is done again by itself, the later one first */
        assert_int_equal(revert(a, "{\"redo\": true, \"dry_run\": true}", &result), GOAT_OK);
        assert_int_equal(count_items(&result), 1);
        gt_buf_clear(&result);
    }
    assert_int_equal(revert(a, "{\"redo\": true}", &result), GOAT_OK);
    assert_int_equal(count_items(&result), 1);
    gt_buf_clear(&result);
    assert_int_equal(revert(a, "{\"redo\": true}", &result), GOAT_OK);
    assert_int_equal(count_items(&result), GOAT_BATCH_MAX);
    gt_buf_free(&result);
}

/* ---- more bytes than a frame holds ---- */

enum { LARGE = 15 * 1024 * 1024, LARGE_COUNT = 5 };

/* Items whose large value is gone, so that each revert brings back that much: of so many no frame holds more than four. */
static void make_large(test_handle *handle, char spec[100]) {
    uint8_t *bytes = calloc(1, LARGE);
    gt_buf value;
    assert_non_null(bytes);
    gt_buf_init(&value, &gt_alloc_system);
    gt_write_bytes(&value, gt_bytes_of(bytes, LARGE));
    free(bytes);
    for (int i = 0; i < LARGE_COUNT; i++) {
        char key[2] = {(char)('a' + i), 0};
        goat_item *item = NULL;
        gt_edit edit = {.operation = GT_SET, .value = gt_buf_bytes(&value)};
        assert_int_equal(test_handle_create(handle, key, "{size: 1}"), GOAT_OK);
        assert_int_equal(test_handle_item(handle, NULL, key, &item), GOAT_OK);
        assert_int_equal(gt_item_edit(item, gt_bytes_text("raw"), &edit, &handle->diag), GOAT_OK);
        assert_int_equal(test_handle_flush(handle, GOAT_DURABLE_MEMORY), GOAT_OK);
        test_handle_drop(item);
    }
    gt_buf_free(&value);
    gt_sim_advance_ms(&handle->machine->clock, 1000);
    for (int i = 0; i < LARGE_COUNT; i++) {
        char key[2] = {(char)('a' + i), 0};
        assert_int_equal(test_handle_set(handle, key, "raw", "bytes(00)"), GOAT_OK);
    }
    assert_int_equal(test_handle_flush(handle, GOAT_DURABLE_MEMORY), GOAT_OK);
    gt_time first = GT_TIME_MAX, last = 0;
    for (uint32_t i = 0; i < LARGE_COUNT; i++) {
        gt_time time = gt_commit_at(repo_of(handle), gt_item_at(repo_of(handle), i)->newest)->time;
        if (time < first) first = time;
        if (time > last) last = time;
    }
    snprintf(spec, 100, "{\"since\": \"%llu\", \"until\": \"%llu\"}", (unsigned long long)first,
             (unsigned long long)last);
}

/* How many have their large value. */
static int count_large(test_handle *handle) {
    int count = 0;
    for (uint32_t i = 0; i < LARGE_COUNT; i++) {
        gt_seen seen;
        assert_int_equal(gt_space_see(handle->space, i, &seen, NULL), GOAT_OK);
        count += seen.view.bytes.len > LARGE;
        gt_view_drop(handle->space->db->database->alloc, &seen.view);
    }
    return count;
}

static void more_bytes_than_a_frame_holds_are_several_transactions(void **state) {
    test_handle *a = &((test_handles *)*state)->a;
    gt_buf result;
    char spec[100];
    gt_buf_init(&result, &gt_alloc_system);
    make_large(a, spec);
    assert_int_equal(count_large(a), 0);
    uint32_t before = count_batches(a);
    assert_int_equal(revert(a, spec, &result), GOAT_OK);
    assert_int_equal(count_items(&result), LARGE_COUNT);
    assert_int_equal(count_large(a), LARGE_COUNT);
    assert_int_equal(count_batches(a), before + 3); /* of two, two and one */
    gt_buf_free(&result);
}

/* The machine gives no more randomness after so many draws: a capture takes one. */
typedef struct dry_random {
    goat_random good;
    int left;
} dry_random;

static bool fill_until_dry(void *context, uint8_t *bytes, size_t len) {
    dry_random *random = context;
    return random->left-- > 0 && random->good.fill(random->good.context, bytes, len);
}

/* The first capture is too large, the second has two items, and the third is not made: the result tells of those two. */
static void what_was_done_before_a_failure_is_told(void **state) {
    static const int done[] = {0, 0, 2};
    test_handle *a = &((test_handles *)*state)->a;
    char spec[100];
    gt_buf result;
    gt_buf_init(&result, &gt_alloc_system);
    make_large(a, spec);
    goat_random *random = &repo_of(a)->config.random;
    dry_random dry = {.good = *random};
    for (int i = 0; i < 3; i++) {
        dry.left = i;
        *random = (goat_random){.context = &dry, .fill = fill_until_dry};
        assert_int_equal(revert(a, spec, &result), GOAT_IO);
        *random = dry.good;
        assert_int_equal(count_large(a), done[i]);
        if (done[i] == 0) assert_int_equal(result.len, 0);
    }
    assert_int_equal(count_items(&result), 2);
    gt_buf_clear(&result);
    assert_int_equal(revert(a, spec, &result), GOAT_OK);
    assert_int_equal(count_items(&result), LARGE_COUNT - 2);
    assert_int_equal(count_large(a), LARGE_COUNT);
    gt_buf_free(&result);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, test_handles_set_up, test_handles_tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        CASE(a_commit_names_so_many_and_no_more),
        CASE(a_spec_names_so_many_and_no_more),
        CASE(a_long_history_is_gone_through_in_many_steps),
        CASE(it_comes_to_an_end_where_somebody_edits_all_the_time),
        CASE(more_items_than_a_batch_holds_are_two_transactions),
        CASE(more_bytes_than_a_frame_holds_are_several_transactions),
        CASE(what_was_done_before_a_failure_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
