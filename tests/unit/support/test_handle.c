/* Rounds are counted: a job that never ends fails the test instead of hanging it. */
#include "support/test_handle.h"

#include "db/internal.h"
#include "support/test.h"
#include "support/test_repo.h"
#include "support/test_value.h"
#include "value/build.h"
#include "value/value.h"

#include <stdio.h>
#include <stdlib.h>

enum { ROUNDS_MAX = 2000000 };

#ifdef __SANITIZE_THREAD__
/* One thread drives several databases here and holds all of their locks, which no program can do: the order in which it
 * takes them means nothing. The sanitizer asks the program itself. */
__attribute__((visibility("default"))) const char *__tsan_default_suppressions(void); /* NOLINT */
const char *__tsan_default_suppressions(void) {                                       /* NOLINT: its name for it */
    return "deadlock:test_handle_\ndeadlock:test_world_\n";
}
#endif

void test_machine_init(test_machine *machine, uint64_t seed) {
    memset(machine, 0, sizeof *machine);
    test_alloc_init(&machine->memory, TEST_ALLOC_NEVER);
    machine->disk = gt_sim_disk_new(&gt_alloc_system, seed);
    gt_sim_clock_init(&machine->clock);
    gt_sim_advance_ms(&machine->clock, 5000);
    gt_sim_random_init(&machine->random, seed + 1);
}

static goat_db *any_open(const test_machine *machine) {
    for (int i = 0; i < 4; i++) {
        if (machine->open[i] != NULL) return machine->open[i];
    }
    return NULL;
}

static void note(test_machine *machine, goat_db *before, goat_db *now) {
    int i = 0;
    while (machine->open[i] != before) i++;
    machine->open[i] = now;
}

void test_machine_free(test_machine *machine) {
    assert_null(any_open(machine));
    test_alloc_assert_empty(&machine->memory);
    gt_sim_disk_free(machine->disk);
}

void test_machine_crash(test_machine *machine) { gt_sim_crash(machine->disk); }

/* ---- opening and ending ---- */

goat_status test_handle_begin(test_handle *handle, test_machine *machine, uint32_t flags) {
    goat_host host = {
        .struct_size = sizeof host,
        .allocator = machine->memory.alloc,
        .clock = gt_sim_clock_source(&machine->clock),
        .random = gt_sim_random_source(&machine->random),
    };
    gt_database *database = NULL;
    memset(handle, 0, sizeof *handle);
    handle->machine = machine;
    gt_diag_init(&handle->diag);
    assert_int_equal(gt_sim_storage(machine->disk, &host.storage, NULL), GOAT_OK);
    goat_status status = gt_database_new("sim", 3, flags, &host, &database, &handle->diag);
    if (status != GOAT_OK) return status;
    if (machine->root_key != NULL) gt_database_set_root(database, machine->root_key);
    status = gt_db_new(database, NULL, &handle->db, &handle->diag);
    if (status != GOAT_OK) {
        gt_database_drop(database);
        return status;
    }
    note(machine, NULL, handle->db);
    gt_db_lock(handle->db);
    return GOAT_OK;
}

goat_status test_handle_try_open(test_handle *handle, test_machine *machine, uint32_t flags) {
    goat_job *job = NULL;
    goat_status status = test_handle_begin(handle, machine, flags);
    if (status != GOAT_OK) return status;
    status = gt_db_open_job(handle->db, &job, &handle->diag);
    if (status == GOAT_OK) status = test_handle_wait(handle, job, NULL);
    if (status != GOAT_OK) {
        gt_diag diag = handle->diag;
        (void)test_handle_end(handle);
        handle->diag = diag;
    }
    return status;
}

goat_status test_handle_open_repo(test_handle *handle) {
    goat_job *job = NULL;
    goat_status status = gt_space_open(handle->db, gt_bytes_text(TEST_REPO), &handle->space, &job, &handle->diag);
    return status != GOAT_OK ? status : test_handle_wait(handle, job, NULL);
}

static void expect(const test_handle *handle, goat_status status) {
    if (status != GOAT_OK) fail_msg("%s: %s", gt_status_name(status), handle->diag.message);
}

void test_handle_open(test_handle *handle, test_machine *machine, uint32_t flags) {
    expect(handle, test_handle_try_open(handle, machine, flags));
    if ((flags & GOAT_OPEN_READ_ONLY) == 0) expect(handle, test_handle_schema(handle, test_goat_1));
    expect(handle, test_handle_open_repo(handle));
}

void test_handle_join(test_handle *handle, const test_handle *beside) {
    memset(handle, 0, sizeof *handle);
    handle->machine = beside->machine;
    gt_diag_init(&handle->diag);
    expect(handle, gt_db_new(gt_db_database(beside->db), NULL, &handle->db, &handle->diag));
    note(handle->machine, NULL, handle->db);
    expect(handle, test_handle_open_repo(handle));
}

goat_status test_handle_end(test_handle *handle) {
    goat_job *job = NULL;
    goat_status status = gt_db_close(handle->db, &job, &handle->diag);
    if (status == GOAT_OK) status = test_handle_wait(handle, job, NULL);
    for (int rounds = 0; gt_db_has_jobs(handle->db); rounds++) {
        gt_db_pump(handle->db, gt_db_now_us(handle->db), NULL);
        assert_true(rounds < ROUNDS_MAX);
    }
    note(handle->machine, handle->db, NULL);
    gt_db_unlock(handle->db);
    gt_db_release(handle->db);
    handle->db = any_open(handle->machine);
    if (handle->db != NULL) gt_db_lock(handle->db);
    handle->db = NULL;
    return status;
}

int test_handles_set_up(void **state) {
    test_handles *f = calloc(1, sizeof *f);
    test_machine_init(&f->machine, 1);
    test_handle_open(&f->a, &f->machine, GOAT_OPEN_CREATE | GOAT_OPEN_NO_THREAD);
    test_handle_settle(&f->a);
    *state = f;
    return 0;
}

int test_handles_tear_down(void **state) {
    test_handles *f = *state;
    if (f->b.db != NULL) test_handle_end(&f->b);
    if (f->a.db != NULL) test_handle_end(&f->a);
    test_machine_free(&f->machine);
    free(f);
    return 0;
}

/* ---- time ---- */

void test_handle_settle(test_handle *handle) {
    for (int rounds = 0; gt_db_pump(handle->db, gt_db_now_us(handle->db), NULL); rounds++) {
        assert_true(rounds < ROUNDS_MAX);
    }
}

void test_handle_pass(test_handle *handle, uint32_t ms) {
    for (uint32_t i = 0; i < ms; i++) {
        gt_sim_advance_ms(&handle->machine->clock, 1);
        test_handle_settle(handle);
    }
}

goat_status test_handle_wait(test_handle *handle, goat_job *job, gt_buf *result) {
    gt_job_info info;
    int rounds = 0;
    for (gt_job_info_of(job, &info); !info.done; gt_job_info_of(job, &info)) {
        gt_db_pump(handle->db, gt_db_now_us(handle->db), NULL);
        if (++rounds > ROUNDS_MAX) fail_msg("a job does not end");
    }
    if (info.status != GOAT_OK) handle->diag = *info.diag;
    if (result != NULL) gt_buf_append(result, info.result.data, info.result.len);
    gt_job_release(job);
    return info.status;
}

goat_status test_handle_flush(test_handle *handle, goat_durability level) {
    goat_job *job = NULL;
    goat_status status = gt_db_flush(handle->db, level, &job, &handle->diag);
    return status != GOAT_OK ? status : test_handle_wait(handle, job, NULL);
}

goat_status test_handle_schema(test_handle *handle, const char *json) {
    return gt_db_add_schema(handle->db, gt_bytes_text(json), &handle->diag);
}

/* ---- items ---- */

static gt_bytes path_of(const char *key, char path[GOAT_KEY_MAX + 20]) {
    snprintf(path, GOAT_KEY_MAX + 20, TEST_REPO "/%s", key);
    return gt_bytes_text(path);
}

goat_status test_handle_create(test_handle *handle, const char *key, const char *notation) {
    char path[GOAT_KEY_MAX + 20];
    goat_item *item = NULL;
    gt_bytes fields = test_value(notation);
    goat_status status =
        gt_item_create(handle->db, NULL, path_of(key, path), gt_bytes_text("goat"), fields, &item, &handle->diag);
    test_value_free(fields);
    if (status == GOAT_OK) test_handle_drop(item);
    return status;
}

goat_status test_handle_item(test_handle *handle, goat_tx *tx, const char *key, goat_item **item) {
    char path[GOAT_KEY_MAX + 20];
    return gt_item_open(handle->db, tx, path_of(key, path), item, &handle->diag);
}

void test_handle_drop(goat_item *item) {
    goat_db *db = gt_item_db(item);
    gt_item_free(item);
    gt_db_unlock(db);
    gt_db_release(db); /* the handle of the test is still there */
    gt_db_lock(db);
}

goat_status test_item_set(test_handle *handle, goat_item *item, const char *field, const char *notation) {
    gt_bytes value = test_value(notation);
    gt_edit edit = {.operation = value.data == NULL ? GT_UNSET : GT_SET, .value = value};
    goat_status status = gt_item_edit(item, gt_bytes_text(field), &edit, &handle->diag);
    test_value_free(value);
    return status;
}

goat_status test_handle_set(test_handle *handle, const char *key, const char *field, const char *notation) {
    goat_item *item = NULL;
    goat_status status = test_handle_item(handle, NULL, key, &item);
    if (status != GOAT_OK) return status;
    status = test_item_set(handle, item, field, notation);
    test_handle_drop(item);
    return status;
}

goat_status test_handle_apply(test_handle *handle, const char *notation, uint32_t flags, gt_apply_result *result) {
    gt_bytes edits = test_value(notation);
    goat_status status = gt_space_apply(handle->space, edits, flags, result, &handle->diag);
    test_value_free(edits);
    return status;
}

void test_item_shows(goat_item *item, const char *notation) {
    gt_buf state;
    gt_sight sight;
    gt_buf_init(&state, &gt_alloc_system);
    assert_int_equal(gt_item_state_with_edits(item, &state, &sight, NULL), GOAT_OK);
    assert_value(gt_buf_bytes(&state), notation);
    gt_buf_free(&state);
}

void test_handle_shows(test_handle *handle, const char *key, const char *notation) {
    goat_item *item = NULL;
    goat_status status = test_handle_item(handle, NULL, key, &item);
    if (notation == NULL) {
        assert_int_equal(status, GOAT_NOT_FOUND);
        return;
    }
    expect(handle, status);
    test_item_shows(item, notation);
    test_handle_drop(item);
}

void test_handle_advance(test_handle *handle) { expect(handle, gt_db_advance(handle->db, NULL, &handle->diag)); }

/* Revisions are numbers that nobody can foretell: they are left out of what is compared. */
static void copy_change(gt_bytes change, gt_buf *out) {
    gt_iter iter = gt_array_iter(change);
    gt_bytes part;
    int64_t kind = -1;
    size_t count = gt_value_count(change);
    for (size_t i = 0; gt_array_next(&iter, &part); i++) {
        if (i == 0) {
            gt_value_as_int64(part, &kind);
            gt_write_array_head(out, kind == GOAT_CHANGE_ITEM ? count - 1 : count);
        }
        if (kind != GOAT_CHANGE_ITEM || i != 3) gt_buf_append(out, part.data, part.len);
    }
}

void test_handle_advances(test_handle *handle, const char *notation) {
    gt_buf changes, kept, list;
    gt_buf_init(&changes, &gt_alloc_system);
    gt_buf_init(&kept, &gt_alloc_system);
    gt_buf_init(&list, &gt_alloc_system);
    expect(handle, gt_db_advance(handle->db, &changes, &handle->diag));
    assert_int_equal(gt_value_check(gt_buf_bytes(&changes), 0, NULL), GOAT_OK);
    gt_iter iter = gt_array_iter(gt_buf_bytes(&changes));
    gt_bytes change, kind_bytes;
    size_t count = 0;
    while (gt_array_next(&iter, &change)) {
        gt_iter parts = gt_array_iter(change);
        int64_t kind = -1;
        assert_true(gt_array_next(&parts, &kind_bytes) && gt_value_as_int64(kind_bytes, &kind));
        if (kind == GOAT_CHANGE_REPO || kind == GOAT_CHANGE_JOB) continue;
        copy_change(change, &kept);
        count++;
    }
    gt_write_array_head(&list, count);
    gt_buf_append(&list, kept.data, kept.len);
    assert_value(gt_buf_bytes(&list), notation);
    gt_buf_free(&changes);
    gt_buf_free(&kept);
    gt_buf_free(&list);
}

/* ---- numbers ---- */

static int64_t number_in(gt_bytes map, const char *name) {
    int64_t number = -1;
    gt_bytes value = gt_map_find(map, gt_bytes_text(name));
    assert_true(value.data != NULL && gt_value_as_int64(value, &number));
    return number;
}

uint32_t test_handle_unsaved(test_handle *handle) {
    gt_buf info;
    gt_buf_init(&info, &gt_alloc_system);
    gt_db_info(handle->db, &info);
    assert_int_equal(gt_value_check(gt_buf_bytes(&info), 0, NULL), GOAT_OK);
    int64_t number = number_in(gt_buf_bytes(&info), "unsaved");
    gt_buf_free(&info);
    return (uint32_t)number;
}

uint32_t test_handle_verify(test_handle *handle) {
    goat_job *job = NULL;
    gt_buf result;
    gt_buf_init(&result, &gt_alloc_system);
    expect(handle, gt_db_verify(handle->db, gt_bytes_of(NULL, 0), &job, &handle->diag));
    expect(handle, test_handle_wait(handle, job, &result));
    assert_int_equal(gt_value_check(gt_buf_bytes(&result), 0, NULL), GOAT_OK);
    uint32_t count = (uint32_t)gt_value_count(gt_map_find(gt_buf_bytes(&result), gt_bytes_text("faults")));
    if (count > 0 && getenv("GOAT_TEST_VERBOSE") != NULL) {
        gt_buf text;
        test_value_print(gt_buf_bytes(&result), &text);
        printf("%s\n", (const char *)text.data);
        gt_buf_free(&text);
    }
    gt_buf_free(&result);
    return count;
}

void test_handle_digest(test_handle *handle, gt_buf *digest) {
    goat_job *job = NULL;
    expect(handle, gt_space_digest(handle->space, &job, &handle->diag));
    expect(handle, test_handle_wait(handle, job, digest));
}

uint32_t test_handle_entries(const test_handle *handle) {
    return (uint32_t)gt_repo_entry_count(handle->space->mount->repo);
}
