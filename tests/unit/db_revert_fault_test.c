/* core/db: reverts, explanations and versions of schemas in which each allocation fails in turn, and a revert of what is
 * damaged. Whatever fails: a clean answer, nothing is half done, and the same call does it when there is memory again. */
#include "support/test.h"

#include "base/utf8.h"
#include "db/internal.h"
#include "support/test_handle.h"
#include "support/test_repo.h"
#include "support/test_value.h"
#include "value/value.h"

#include <stdio.h>
#include <string.h>

enum { FLAGS = GOAT_OPEN_CREATE | GOAT_OPEN_NO_THREAD };

static const char herd_1[] =
    "{\"ns\": \"herd\", \"version\": 1, \"fields\": {\"story\": {\"type\": \"text\"},"
    "\"list\": {\"type\": \"list\"}, \"tags\": {\"type\": \"set\"}, \"votes\": {\"type\": \"counter\"},"
    "\"rich\": {\"type\": \"richtext\"}, \"home\": {\"type\": \"object\", \"fields\": {"
    "\"street\": {\"type\": \"text\"}, \"tel\": {\"type\": \"string\"}}}}}";
static const char herd_2[] =
    "{\"ns\": \"herd\", \"version\": 2, \"fields\": {\"tale\": {\"type\": \"text\"},"
    "\"list\": {\"type\": \"list\"}, \"tags\": {\"type\": \"set\"}, \"votes\": {\"type\": \"counter\"},"
    "\"rich\": {\"type\": \"richtext\"}, \"phone\": {\"type\": \"string\"},"
    "\"home\": {\"type\": \"object\", \"fields\": {\"street\": {\"type\": \"text\"}}}},"
    "\"upgrade\": [{\"rename\": \"story\", \"to\": \"tale\"},"
    "{\"move\": [\"home\", \"tel\"], \"to\": \"phone\"}]}";

/* ---- a life ---- */

typedef struct life {
    test_machine machine;
    test_handle handle;
} life;

static void write(test_handle *h, const char *edits) {
    assert_int_equal(test_handle_apply(h, edits, 0, NULL), GOAT_OK);
    assert_int_equal(test_handle_flush(h, GOAT_DURABLE_MEMORY), GOAT_OK);
}

#define FIRST "{story: 'a tale', list: [1, 2], tags: set['p'], votes: 1, home: {tel: '1', street: 'High'}}"
#define LAST "{story: 'a long tale', list: [1, 3], tags: set['q'], votes: 4, home: {tel: '2', street: 'High St'}}"
#define LAST_OF_2 "{tale: 'a long tale', list: [1, 3], tags: set['q'], votes: 4, phone: '2', home: {street: 'High St'}}"

static void begin(life *l) {
    test_handle *h = &l->handle;
    test_machine_init(&l->machine, 11);
    test_handle_open(h, &l->machine, FLAGS);
    assert_int_equal(test_handle_schema(h, herd_1), GOAT_OK);
    write(h, "[{key: 'x', schema: 'herd', set: " FIRST "}]");
    gt_sim_advance_ms(&l->machine.clock, 1000);
    write(h, "[{key: 'y', schema: 'herd', set: {votes: 2}}]");
    write(h, "[{key: 'x', set: " LAST "}]");
}

static void end(life *l) {
    if (l->handle.db != NULL) (void)test_handle_end(&l->handle);
    test_machine_free(&l->machine);
}

static bool shows(test_handle *h, const char *key, const char *notation) {
    goat_item *item = NULL;
    gt_buf state;
    gt_sight sight;
    gt_bytes wanted = test_value(notation);
    gt_buf_init(&state, &gt_alloc_system);
    assert_int_equal(test_handle_item(h, NULL, key, &item), GOAT_OK);
    assert_int_equal(gt_item_state_with_edits(item, &state, &sight, NULL), GOAT_OK);
    bool same = gt_bytes_equal(gt_buf_bytes(&state), wanted);
    gt_buf_free(&state);
    test_value_free(wanted);
    test_handle_drop(item);
    return same;
}

/* ---- each allocation ---- */

typedef struct act {
    const char *name;
    void (*prepare)(test_handle *h); /* NULL: nothing */
    goat_status (*run)(test_handle *h, gt_buf *out);
    const char *before, *after; /* what "x" is */
    bool may_stand;             /* a part that fails may be left out: the same call again makes up for it */
} act;

/* The repository stopped, or all of the database, since something was in the log already that could not be taken in: after
 * opening again it is done or not. */
static void assert_opens_again(life *l, const act *a) {
    (void)test_handle_end(&l->handle);
    test_handle_open(&l->handle, &l->machine, FLAGS);
    assert_int_equal(test_handle_schema(&l->handle, herd_1), GOAT_OK);
    assert_true(shows(&l->handle, "x", a->before) || shows(&l->handle, "x", a->after));
}

/* One try with the allocation number `k` failing; false when there were not so many. */
static bool try_once(life *l, const act *a, uint64_t k, bool once, bool *is_new) {
    gt_buf out;
    gt_buf_init(&out, &gt_alloc_system);
    l->machine.memory.left = k;
    l->machine.memory.once = once;
    l->machine.memory.failed = false;
    goat_status status = a->run(&l->handle, &out);
    bool failed = l->machine.memory.failed;
    l->machine.memory.left = TEST_ALLOC_NEVER;
    if (status != GOAT_OK && (status != GOAT_NO_MEMORY || !failed)) {
        fail_msg("%s, allocation %llu: %s", a->name, (unsigned long long)k, gt_status_name(status));
    }
    *is_new = true;
    bool stopped = gt_repo_get_phase(l->handle.db->database->schema_items->mount->repo) == GT_REPO_FAILED;
    if (stopped) assert_int_equal(a->run(&l->handle, &out), GOAT_NO_MEMORY); /* it says why, not that it is opening */
    test_handle_settle(&l->handle);
    assert_true(!stopped || gt_space_check(l->handle.space, NULL) != GOAT_OK); /* there is no database without that */
    if (gt_space_check(l->handle.space, NULL) != GOAT_OK) {
        assert_int_equal(gt_space_check(l->handle.space, NULL), GOAT_NO_MEMORY);
        assert_opens_again(l, a);
    } else if (status == GOAT_OK) {
        if (!shows(&l->handle, "x", a->after)) fail_msg("%s, allocation %llu", a->name, (unsigned long long)k);
    } else {
        assert_int_equal(out.len, 0);
        bool stands = a->may_stand && shows(&l->handle, "x", a->after);
        if (stands) assert_int_equal(a->run(&l->handle, &out), GOAT_OK);
        if (!stands && !shows(&l->handle, "x", a->before))
            fail_msg("%s, allocation %llu", a->name, (unsigned long long)k);
        *is_new = stands;
    }
    gt_buf_free(&out);
    return failed;
}

static void each_allocation_may_fail(const act *a) {
    for (int once = 0; once < 2; once++) {
        bool is_new = true, failed = true;
        life l;
        uint64_t k = 0;
        for (; failed; k++) {
            if (is_new) {
                begin(&l);
                if (a->prepare != NULL) a->prepare(&l.handle);
            }
            failed = try_once(&l, a, k, once == 1, &is_new);
            if (is_new) end(&l);
        }
        printf("%s: %llu allocations\n", a->name, (unsigned long long)k);
        assert_true(k > 1);
    }
}

/* ---- reverts ---- */

static goat_status revert(test_handle *h, const char *spec, gt_buf *out) {
    goat_job *job = NULL;
    goat_status status = gt_space_revert(h->space, gt_bytes_text(spec), &job, &h->diag);
    return status == GOAT_OK ? test_handle_wait(h, job, out) : status;
}

static goat_status undo(test_handle *h, gt_buf *out) { return revert(h, "{\"undo\": true}", out); }

static void undo_before(test_handle *h) { assert_int_equal(undo(h, NULL), GOAT_OK); }

static goat_status redo(test_handle *h, gt_buf *out) { return revert(h, "{\"redo\": true}", out); }

/* By the beginning of its id, and the one that is there already. */
static goat_status revert_last(test_handle *h, gt_buf *out) {
    gt_repo *repo = h->space->mount->repo;
    char hex[2 * GT_ID_SIZE + 1], spec[128];
    gt_id id = gt_repo_commit_key(repo, 2).id;
    gt_hex(hex, id.bytes, GT_ID_SIZE);
    snprintf(spec, sizeof spec, "{\"commits\": [\"%.10s\"], \"message\": \"not so\", \"item\": \"x\"}", hex);
    return revert(h, spec, out);
}

static goat_status revert_since(test_handle *h, gt_buf *out) {
    char spec[128];
    snprintf(spec, sizeof spec, "{\"since\": \"%llu\"}",
             (unsigned long long)gt_repo_commit_key(h->space->mount->repo, 1).time);
    return revert(h, spec, out);
}

/* An edit that stands on what was undone, so that others' edits are among those of the reverts. */
static void undo_and_edit_before(test_handle *h) {
    undo_before(h);
    write(h, "[{key: 'x', set: {story: 'a new tale', list: [1, 2, 5], home: {tel: '1', street: 'New High'}}}]");
}

static void reverts(void **state) {
    static const act acts[] = {
        {"a commit", NULL, revert_last, LAST, FIRST, false},
        {"a range", NULL, revert_since, LAST, FIRST, false},
        {"undo", NULL, undo, LAST, FIRST, false},
        {"redo", undo_before, redo, FIRST, LAST, false},
        {"a commit that is undone, with edits behind it", undo_and_edit_before, revert_since,
         "{story: 'a new tale', list: [1, 2, 5], tags: set['p'], votes: 1, home: {tel: '1', street: 'New High'}}",
         FIRST, false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(acts) / sizeof(acts[0]); i++) each_allocation_may_fail(&acts[i]);
}

/* ---- explanations ---- */

static goat_status explain(test_handle *h, const char *field, bool first, gt_buf *out) {
    goat_item *item = NULL;
    gt_id id = gt_repo_commit_key(h->space->mount->repo, 0).id;
    goat_status status = test_handle_item(h, NULL, "x", &item);
    if (status != GOAT_OK) return status;
    status = gt_item_explain(item, field == NULL ? (gt_bytes){0} : gt_bytes_text(field),
                             first ? gt_bytes_of(id.bytes, GT_ID_SIZE) : (gt_bytes){0}, UINT32_MAX, out, &h->diag);
    test_handle_drop(item);
    return status;
}

static goat_status explain_all(test_handle *h, gt_buf *out) { return explain(h, NULL, false, out); }
static goat_status explain_inner(test_handle *h, gt_buf *out) { return explain(h, "home.street", false, out); }
static goat_status explain_first(test_handle *h, gt_buf *out) { return explain(h, "story", true, out); }

static void explanations(void **state) {
    static const act acts[] = {
        {"explain", NULL, explain_all, LAST, LAST, false},
        {"explain a field in an object", NULL, explain_inner, LAST, LAST, false},
        {"explain an earlier view", NULL, explain_first, LAST, LAST, false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(acts) / sizeof(acts[0]); i++) each_allocation_may_fail(&acts[i]);
}

/* ---- versions of schemas ---- */

static goat_status add_second(test_handle *h, gt_buf *out) {
    (void)out;
    return test_handle_schema(h, herd_2);
}

static void add_before(test_handle *h) {
    assert_int_equal(test_handle_schema(h, herd_2), GOAT_OK);
    assert_true(shows(h, "x", LAST_OF_2));
}

static goat_status check_second(test_handle *h, gt_buf *out) {
    return gt_db_check_schema(h->db, gt_bytes_text(herd_2), out, &h->diag);
}

static goat_status compare(test_handle *h, gt_buf *out) {
    return gt_db_schema_changes(h->db, gt_bytes_text("herd"), 1, 2, out, &h->diag);
}

static goat_status retire(test_handle *h, gt_buf *out) {
    (void)out;
    return gt_db_retire_schema(h->db, gt_bytes_text("herd"), 2, true, &h->diag);
}

static void versions(void **state) {
    static const act acts[] = {
        {"check a version", NULL, check_second, LAST, LAST, false},
        {"compare versions", add_before, compare, LAST_OF_2, LAST_OF_2, false},
        {"register a version", NULL, add_second, LAST, LAST_OF_2, true},
        {"retire a version", add_before, retire, LAST_OF_2, LAST, false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(acts) / sizeof(acts[0]); i++) each_allocation_may_fail(&acts[i]);
}

/* ---- damage ---- */

#define LOG "repos/data/goats.log"

/* Below a checkpoint, so that nobody knows before he looks: in the only commit of "hurt", among 80 good ones. */
static void begin_damaged(life *l) {
    static char fields[1200];
    test_handle *h = &l->handle;
    memset(fields, 'x', sizeof fields);
    memcpy(fields, "{text: '", 8);
    memcpy(fields + sizeof fields - 3, "'}", 3);
    test_machine_init(&l->machine, 11);
    test_handle_open(h, &l->machine, FLAGS);
    for (int i = 0; i < 81; i++) {
        char key[8];
        snprintf(key, sizeof key, i == 40 ? "hurt" : "%d", i);
        assert_int_equal(test_handle_create(h, key, i == 40 ? "{text: 'abcdefghij'}" : fields), GOAT_OK);
        assert_int_equal(test_handle_flush(h, GOAT_DURABLE_MEMORY), GOAT_OK);
    }
    assert_int_equal(test_handle_end(h), GOAT_OK);
    assert_non_null(gt_sim_file(l->machine.disk, "repos/data/goats.checkpoint").data);
    gt_bytes log = gt_sim_file(l->machine.disk, LOG);
    size_t at = 0;
    while (memcmp(log.data + at, "abcdefghij", 10) != 0) at++;
    gt_sim_flip_bit(l->machine.disk, LOG, 8 * at);
    test_handle_open(h, &l->machine, FLAGS);
}

static void what_is_damaged_is_left_out_of_a_range_and_named(void **state) {
    (void)state;
    for (int dry = 0; dry < 2; dry++) {
        life l;
        gt_buf out;
        gt_bytes one, text;
        gt_buf_init(&out, &gt_alloc_system);
        begin_damaged(&l);
        assert_int_equal(revert(&l.handle, dry ? "{\"since\": \"0\", \"dry_run\": true}" : "{\"since\": \"0\"}", &out),
                         GOAT_OK);
        gt_bytes skipped = gt_map_find(gt_buf_bytes(&out), gt_bytes_text("skipped"));
        assert_int_equal(gt_value_count(gt_map_find(gt_buf_bytes(&out), gt_bytes_text("items"))), 80);
        assert_non_null(skipped.data);
        gt_iter iter = gt_array_iter(skipped);
        assert_true(gt_array_next(&iter, &one));
        assert_true(gt_value_as_text(gt_map_find(one, gt_bytes_text("path")), &text));
        assert_true(gt_bytes_equal(text, gt_bytes_text(TEST_REPO "/hurt")));
        assert_true(gt_value_as_text(gt_map_find(one, gt_bytes_text("reason")), &text));
        assert_true(gt_bytes_equal(text, gt_bytes_text("GOAT_CORRUPT")));
        assert_false(gt_array_next(&iter, &one));
        gt_buf_free(&out);
        end(&l);
    }
}

static void what_is_damaged_and_named_fails(void **state) {
    (void)state;
    life l;
    char hex[2 * GT_ID_SIZE + 1], spec[160];
    begin_damaged(&l);
    gt_repo *repo = l.handle.space->mount->repo;
    uint32_t entries = gt_repo_commit_count(repo);
    gt_id hurt = gt_repo_commit_key(repo, 40).id, good = gt_repo_commit_key(repo, 0).id;
    gt_hex(hex, hurt.bytes, GT_ID_SIZE);
    int len = snprintf(spec, sizeof spec, "{\"commits\": [\"%s\", ", hex);
    gt_hex(hex, good.bytes, GT_ID_SIZE);
    snprintf(spec + len, sizeof spec - (size_t)len, "\"%.12s\"]}", hex);
    assert_int_equal(revert(&l.handle, spec, NULL), GOAT_CORRUPT);
    assert_string_equal(l.handle.diag.path, TEST_REPO "/hurt");
    assert_int_equal(gt_repo_commit_count(repo), entries);
    end(&l);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reverts),
        cmocka_unit_test(explanations),
        cmocka_unit_test(versions),
        cmocka_unit_test(what_is_damaged_is_left_out_of_a_range_and_named),
        cmocka_unit_test(what_is_damaged_and_named_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
