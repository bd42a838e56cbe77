/* core/port/sim: a disk that keeps exactly what goat_port.h promises, whatever the seed. */
#include "support/test.h"

#include "support/test_alloc.h"
#include "support/test_io.h"
#include "support/test_sim.h"

#include <string.h>

static void assert_on_disk(const test_sim *f, const char *name, const char *text) {
    gt_bytes bytes = gt_sim_file(f->disk, name);
    assert_non_null(bytes.data);
    assert_true(gt_bytes_equal(bytes, gt_bytes_text(text)));
}

static goat_io_result load(test_sim *f, uint32_t file, uint64_t offset, uint64_t length) {
    return test_io(&f->storage,
                   (goat_io_request){.kind = GOAT_IO_LOAD, .file = file, .offset = offset, .length = length});
}

/* ---- It is a storage like any other ---------------------------------------------------------- */

static void one_storage_at_a_time_owns_the_disk(void **state) {
    (void)state;
    test_sim f;
    test_sim_init(&f, 1);
    goat_storage other;
    assert_int_equal(gt_sim_storage(f.disk, &other, NULL), GOAT_OK);
    goat_io_result busy = test_io(&other, (goat_io_request){.kind = GOAT_IO_LOCK});
    assert_int_equal(busy.status, GOAT_BUSY);
    assert_non_null(strstr(busy.message, "owned by process"));
    assert_int_equal(test_io_replace(&other, "a", "x", 0), GOAT_CLOSED);
    assert_int_equal(test_io(&f.storage, (goat_io_request){.kind = GOAT_IO_UNLOCK}).status, GOAT_OK);
    assert_int_equal(test_io_lock(&other, GOAT_IO_READ_ONLY), GOAT_OK);
    assert_int_equal(test_io_lock(&f.storage, 0), GOAT_BUSY);
    assert_int_equal(test_io_lock(&f.storage, GOAT_IO_READ_ONLY), GOAT_OK);
    assert_int_equal(test_io_replace(&f.storage, "a", "x", 0), GOAT_FORBIDDEN);
    other.close(other.context);
    test_sim_free(&f);
}

static void a_disk_that_was_never_used_has_no_folder(void **state) {
    (void)state;
    gt_sim_disk *disk = gt_sim_disk_new(&gt_alloc_system, 1);
    goat_storage storage;
    assert_int_equal(gt_sim_storage(disk, &storage, NULL), GOAT_OK);
    assert_int_equal(test_io_lock(&storage, 0), GOAT_NOT_FOUND);
    assert_int_equal(test_io_lock(&storage, GOAT_IO_CREATE), GOAT_OK);
    storage.close(storage.context);
    gt_sim_disk_free(disk);
    gt_sim_disk_free(NULL);
}

static void small_files_are_replaced_listed_and_removed(void **state) {
    (void)state;
    test_sim f;
    test_sim_init(&f, 1);
    assert_int_equal(test_io_replace(&f.storage, "b", "one", GOAT_IO_CREATE), GOAT_OK);
    assert_int_equal(test_io_replace(&f.storage, "b", "two", GOAT_IO_CREATE), GOAT_EXISTS);
    assert_int_equal(test_io_replace(&f.storage, "b", "two", 0), GOAT_OK);
    assert_int_equal(test_io_replace(&f.storage, "a/c", "", 0), GOAT_OK);
    assert_int_equal(test_io_replace(&f.storage, "a/b/d", "x", GOAT_IO_SECRET), GOAT_OK);
    assert_int_equal(test_io_replace(&f.storage, "../a", "x", 0), GOAT_MISUSE);
    test_io_assert_list(&f.storage, "", "a/b/d a/c b ");
    test_io_assert_list(&f.storage, "a", "a/b/d a/c ");
    test_io_assert_list(&f.storage, "nothing", "");
    test_io_assert_file(&f.storage, "b", "two");
    test_io_assert_file(&f.storage, "a/c", "");
    goat_io_request secret = {.kind = GOAT_IO_READ, .flags = GOAT_IO_SECRET, .name = "a/b/d", .length = 1};
    assert_int_equal(test_io(&f.storage, secret).status, GOAT_OK);
    secret.name = "b";
    assert_int_equal(test_io(&f.storage, secret).status, GOAT_BAD_KEY);
    assert_int_equal(test_io(&f.storage, (goat_io_request){.kind = GOAT_IO_READ, .name = "b", .length = 2}).status,
                     GOAT_TOO_LARGE);
    goat_io_request remove = {.kind = GOAT_IO_REMOVE, .name = "b"};
    assert_int_equal(test_io(&f.storage, remove).status, GOAT_OK);
    assert_int_equal(test_io(&f.storage, remove).status, GOAT_NOT_FOUND);
    test_io_assert_file(&f.storage, "b", NULL);
    test_sim_free(&f);
}

static void an_open_file_outlives_its_name(void **state) {
    (void)state;
    test_sim f;
    test_sim_init(&f, 1);
    assert_int_equal(test_io_replace(&f.storage, "a", "old bytes", 0), GOAT_OK);
    uint32_t file = test_io_open(&f.storage, "a", 0).file;
    assert_int_equal(test_io_replace(&f.storage, "a", "new", 0), GOAT_OK);
    goat_io_result old = load(&f, file, 4, 100);
    assert_int_equal(old.data_len, 5);
    for (int i = 0; i < 100; i++) { /* so that the file's own memory moves */
        assert_int_equal(test_io_append(&f.storage, file, "more and more"), GOAT_OK);
    }
    assert_memory_equal(old.data, "bytes", 5);
    old.data[0] = 'B'; /* may be written to, and the file does not see it */
    assert_memory_equal(load(&f, file, 4, 5).data, "bytes", 5);
    assert_on_disk(&f, "a", "new");
    assert_int_equal(test_io_close(&f.storage, file), GOAT_OK);
    assert_int_equal(test_io_sync(&f.storage, file), GOAT_MISUSE);
    test_sim_free(&f);
}

static void loading_may_come_in_chunks(void **state) {
    (void)state;
    test_sim f;
    test_sim_init(&f, 7);
    gt_sim_options_of(f.disk)->chunk_max = 5;
    assert_int_equal(test_io_replace(&f.storage, "a", "a text of twenty-four b.", 0), GOAT_OK);
    uint32_t file = test_io_open(&f.storage, "a", 0).file;
    char whole[25] = "";
    uint64_t at = 0;
    int chunks = 0;
    while (at < 24) {
        goat_io_result chunk = load(&f, file, at, 24 - at);
        assert_in_range(chunk.data_len, 1, 5);
        memcpy(whole + at, chunk.data, chunk.data_len);
        at += chunk.data_len;
        chunks++;
    }
    assert_string_equal(whole, "a text of twenty-four b.");
    assert_true(chunks >= 5);
    assert_int_equal(load(&f, file, 24, 1).length, 0);
    test_sim_free(&f);
}

static void late_requests_keep_their_order_within_a_file(void **state) {
    (void)state;
    for (uint64_t seed = 0; seed < 50; seed++) {
        test_sim f;
        test_sim_init(&f, seed);
        gt_sim_options_of(f.disk)->delay_polls_max = 9;
        uint32_t a = test_io_open(&f.storage, "a", GOAT_IO_CREATE).file;
        uint32_t b = test_io_open(&f.storage, "b", GOAT_IO_CREATE).file;
        for (uint32_t token = 0; token < 20; token++) {
            const char *text = "abcdefghij";
            goat_io_request request = {.kind = GOAT_IO_APPEND, .token = token, .file = token % 2 == 0 ? a : b};
            request.data = (const uint8_t *)text + token / 2;
            request.data_len = 1;
            assert_int_equal(f.storage.submit(f.storage.context, &request), GOAT_OK);
        }
        goat_io_result results[3];
        uint32_t last[2] = {0, 1}, seen = 0, empty_polls = 0;
        while (seen < 20) {
            size_t count = f.storage.poll(f.storage.context, results, 3, true);
            empty_polls += count == 0;
            for (size_t i = 0; i < count; i++) {
                uint32_t *before = &last[results[i].token % 2];
                assert_true(results[i].token == *before);
                *before += 2;
            }
            seen += (uint32_t)count;
            assert_true(empty_polls < 100);
        }
        assert_on_disk(&f, "a", "abcdefghij");
        assert_on_disk(&f, "b", "abcdefghij");
        test_sim_free(&f);
    }
}

/* ---- What goes wrong when it is told to ------------------------------------------------------- */

static void a_full_disk_takes_a_prefix_and_then_nothing(void **state) {
    (void)state;
    test_sim f;
    test_sim_init(&f, 3);
    gt_sim_options_of(f.disk)->capacity = 30;
    assert_int_equal(test_io_replace(&f.storage, "a", "twelve bytes", 0), GOAT_OK);
    uint32_t file = test_io_open(&f.storage, "log", GOAT_IO_CREATE).file;
    assert_int_equal(test_io_append(&f.storage, file, "123456789"), GOAT_OK);
    assert_int_equal(test_io_append(&f.storage, file, "123456789X"), GOAT_FULL);
    gt_bytes log = gt_sim_file(f.disk, "log");
    assert_in_range(log.len, 9, 18);
    assert_memory_equal(log.data, "123456789123456789", log.len);
    assert_int_equal(test_io_append(&f.storage, file, "1"), GOAT_FULL);
    assert_int_equal(test_io_sync(&f.storage, file), GOAT_OK);
    assert_int_equal(test_io_replace(&f.storage, "a", "now it is twenty-four..", 0), GOAT_FULL);
    assert_on_disk(&f, "a", "twelve bytes");
    gt_sim_options_of(f.disk)->capacity = 0;
    assert_int_equal(test_io_append(&f.storage, file, "1"), GOAT_FULL);
    assert_int_equal(test_io_close(&f.storage, file), GOAT_OK);
    file = test_io_open(&f.storage, "log", 0).file;
    assert_int_equal(test_io_append(&f.storage, file, "1"), GOAT_OK);
    test_sim_free(&f);
}

static void after_a_failed_sync_nothing_is_believed(void **state) {
    (void)state;
    test_sim f;
    test_sim_init(&f, 3);
    uint32_t file = test_io_open(&f.storage, "log", GOAT_IO_CREATE).file;
    assert_int_equal(test_io_append(&f.storage, file, "abc"), GOAT_OK);
    gt_sim_options_of(f.disk)->fail_operation = gt_sim_operations(f.disk) + 1;
    assert_int_equal(test_io_sync(&f.storage, file), GOAT_IO);
    assert_int_equal(gt_sim_durable_length(f.disk, "log"), 0);
    assert_int_equal(test_io_sync(&f.storage, file), GOAT_IO);
    assert_int_equal(test_io_append(&f.storage, file, "d"), GOAT_IO);
    assert_int_equal(test_io(&f.storage, (goat_io_request){.kind = GOAT_IO_TRUNCATE, .file = file}).status, GOAT_IO);
    assert_int_equal(test_io_close(&f.storage, file), GOAT_OK);
    goat_io_result again = test_io_open(&f.storage, "log", 0);
    assert_int_equal(again.length, 3);
    assert_int_equal(test_io_sync(&f.storage, again.file), GOAT_OK);
    assert_int_equal(gt_sim_durable_length(f.disk, "log"), 3);
    test_sim_free(&f);
}

static goat_status do_a_bit_of_everything(goat_storage *storage) {
    goat_status status = test_io_lock(storage, GOAT_IO_CREATE);
    status = status != GOAT_OK ? status : test_io_replace(storage, "a", "text", 0);
    status = status != GOAT_OK ? status : test_io(storage, (goat_io_request){.kind = GOAT_IO_READ, .name = "a"}).status;
    status = status != GOAT_OK ? status : test_io(storage, (goat_io_request){.kind = GOAT_IO_LIST, .name = ""}).status;
    goat_io_result file = {.status = status};
    if (status == GOAT_OK) {
        file = test_io_open(storage, "log", GOAT_IO_CREATE);
        status = file.status;
    }
    status = status != GOAT_OK ? status : test_io_append(storage, file.file, "more");
    goat_io_request load_all = {.kind = GOAT_IO_LOAD, .file = file.file, .length = 9};
    status = status != GOAT_OK ? status : test_io(storage, load_all).status;
    status = status != GOAT_OK ? status : test_io_sync(storage, file.file);
    goat_io_request cut = {.kind = GOAT_IO_TRUNCATE, .file = file.file, .offset = 2};
    status = status != GOAT_OK ? status : test_io(storage, cut).status;
    return status != GOAT_OK ? status : test_io(storage, (goat_io_request){.kind = GOAT_IO_REMOVE, .name = "a"}).status;
}

static void each_request_can_be_made_to_fail(void **state) {
    (void)state;
    enum { REQUESTS = 10 };
    for (uint64_t k = 1; k <= REQUESTS + 1; k++) {
        gt_sim_disk *disk = gt_sim_disk_new(&gt_alloc_system, k);
        goat_storage storage;
        assert_int_equal(gt_sim_storage(disk, &storage, NULL), GOAT_OK);
        gt_sim_options_of(disk)->fail_operation = k;
        assert_int_equal(do_a_bit_of_everything(&storage), k <= REQUESTS ? GOAT_IO : GOAT_OK);
        assert_int_equal(gt_sim_operations(disk), k <= REQUESTS ? k : REQUESTS);
        storage.close(storage.context);
        gt_sim_disk_free(disk);
    }
}

static void each_allocation_may_fail(void **state) {
    (void)state;
    for (uint64_t k = 0;; k++) {
        test_alloc memory;
        test_alloc_init(&memory, k);
        gt_sim_disk *disk = gt_sim_disk_new(&memory.alloc, 1);
        goat_storage storage;
        goat_status status = disk == NULL ? GOAT_NO_MEMORY : gt_sim_storage(disk, &storage, NULL);
        if (status == GOAT_OK) {
            status = do_a_bit_of_everything(&storage);
            storage.close(storage.context);
        }
        gt_sim_disk_free(disk);
        assert_int_equal(status, memory.failed ? GOAT_NO_MEMORY : GOAT_OK);
        test_alloc_assert_empty(&memory);
        if (!memory.failed) {
            return;
        }
    }
}

static void a_read_only_disk_refuses_to_be_written(void **state) {
    (void)state;
    test_sim f;
    test_sim_init(&f, 1);
    assert_int_equal(test_io_replace(&f.storage, "a", "text", 0), GOAT_OK);
    gt_sim_options_of(f.disk)->read_only = true;
    assert_int_equal(test_io_replace(&f.storage, "a", "other", 0), GOAT_FORBIDDEN);
    test_io_assert_file(&f.storage, "a", "text");
    test_sim_free(&f);
}

static void bits_flip_and_files_are_cut_on_demand(void **state) {
    (void)state;
    test_sim f;
    test_sim_init(&f, 1);
    assert_true(gt_sim_put_file(f.disk, "a", gt_bytes_text("goat")));
    gt_sim_flip_bit(f.disk, "a", 1);
    test_io_assert_file(&f.storage, "a", "eoat");
    gt_sim_cut_file(f.disk, "a", 2);
    test_io_assert_file(&f.storage, "a", "eo");
    assert_int_equal(gt_sim_durable_length(f.disk, "a"), 2);
    assert_null(gt_sim_file(f.disk, "b").data);
    test_sim_free(&f);
}

static void a_backup_of_the_files_can_be_brought_back(void **state) {
    (void)state;
    test_sim f;
    test_sim_init(&f, 1);
    gt_sim_disk *backup = gt_sim_disk_new(&gt_alloc_system, 2);
    assert_int_equal(test_io_replace(&f.storage, "key", "mine", GOAT_IO_SECRET), GOAT_OK);
    assert_int_equal(test_io_replace(&f.storage, "a", "old", 0), GOAT_OK);
    assert_true(gt_sim_copy_files(backup, f.disk));
    assert_int_equal(test_io_replace(&f.storage, "a", "new", 0), GOAT_OK);
    assert_int_equal(test_io_replace(&f.storage, "b", "more", 0), GOAT_OK);
    assert_string_equal(gt_sim_name_at(f.disk, 0), "a");
    assert_string_equal(gt_sim_name_at(f.disk, 2), "key");
    assert_null(gt_sim_name_at(f.disk, 3));
    assert_true(gt_sim_used(f.disk) == 11);
    f.storage.close(f.storage.context);
    assert_true(gt_sim_copy_files(f.disk, backup));
    test_sim_open(&f);
    assert_on_disk(&f, "a", "old");
    assert_null(gt_sim_file(f.disk, "b").data);
    goat_io_request read = {.kind = GOAT_IO_READ, .flags = GOAT_IO_SECRET, .name = "key"};
    assert_int_equal(test_io(&f.storage, read).status, GOAT_OK);
    assert_true(gt_sim_remove_file(f.disk, "a"));
    assert_false(gt_sim_remove_file(f.disk, "a"));
    gt_sim_disk_free(backup);
    test_sim_free(&f);
}

/* ---- Clock and randomness --------------------------------------------------------------------- */

static void time_passes_only_when_it_is_let(void **state) {
    (void)state;
    gt_sim_clock time;
    gt_sim_clock_init(&time);
    goat_clock clock = gt_sim_clock_source(&time);
    uint64_t us = clock.monotonic_us(clock.context);
    int64_t ms = clock.wall_ms(clock.context);
    assert_true(clock.monotonic_us(clock.context) == us);
    gt_sim_advance_ms(&time, 1500);
    assert_int_equal(clock.monotonic_us(clock.context) - us, 1500000);
    assert_int_equal(clock.wall_ms(clock.context) - ms, 1500);
    gt_sim_set_wall_ms(&time, 17);
    assert_int_equal(clock.wall_ms(clock.context), 17);
    assert_int_equal(clock.monotonic_us(clock.context) - us, 1500000);

    gt_sim_random one, same;
    gt_sim_random_init(&one, 99);
    gt_sim_random_init(&same, 99);
    goat_random a = gt_sim_random_source(&one), b = gt_sim_random_source(&same);
    uint8_t x[40], y[40];
    assert_true(a.fill(a.context, x, sizeof x) && b.fill(b.context, y, sizeof y));
    assert_memory_equal(x, y, sizeof x);
    assert_true(a.fill(a.context, x, sizeof x));
    assert_memory_not_equal(x, y, sizeof x);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_storage_at_a_time_owns_the_disk),
        cmocka_unit_test(a_disk_that_was_never_used_has_no_folder),
        cmocka_unit_test(small_files_are_replaced_listed_and_removed),
        cmocka_unit_test(an_open_file_outlives_its_name),
        cmocka_unit_test(loading_may_come_in_chunks),
        cmocka_unit_test(late_requests_keep_their_order_within_a_file),
        cmocka_unit_test(a_full_disk_takes_a_prefix_and_then_nothing),
        cmocka_unit_test(after_a_failed_sync_nothing_is_believed),
        cmocka_unit_test(each_request_can_be_made_to_fail),
        cmocka_unit_test(each_allocation_may_fail),
        cmocka_unit_test(a_read_only_disk_refuses_to_be_written),
        cmocka_unit_test(bits_flip_and_files_are_cut_on_demand),
        cmocka_unit_test(a_backup_of_the_files_can_be_brought_back),
        cmocka_unit_test(time_passes_only_when_it_is_let),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
