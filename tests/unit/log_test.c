/* core/log on a simulated disk that behaves: opening, appending, reading, syncing, and who may open what. */
#include "support/test.h"

#include "base/crc32c.h"
#include "port/sim/sim.h"

#include "support/test_alloc.h"
#include "support/test_log.h"
#include "support/test_random.h"

#include <stdlib.h>
#include <string.h>

typedef struct fixture {
    gt_sim_disk *disk;
    test_log_machine machine;
    test_log_model model;
} fixture;

static int setup(void **state) {
    fixture *f = calloc(1, sizeof *f);
    goat_storage storage;
    f->disk = gt_sim_disk_new(&gt_alloc_system, 1);
    assert_int_equal(gt_sim_storage(f->disk, &storage, NULL), GOAT_OK);
    assert_int_equal(test_log_begin(&f->machine, &gt_alloc_system, &storage), GOAT_OK);
    *state = f;
    return 0;
}

static int teardown(void **state) {
    fixture *f = *state;
    test_log_end(&f->machine);
    gt_sim_disk_free(f->disk);
    free(f);
    return 0;
}

/* A log of `count` records of various lengths; closed, and as it lies on the disk. */
static void given_log(fixture *f, size_t count) {
    gt_log *log = test_log_open_ready(&f->machine, TEST_LOG_CREATE);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(test_log_append(log, &f->model, i, i * 7), GOAT_OK);
    }
    assert_int_equal(gt_log_sync(log, NULL), GOAT_OK);
    test_log_settle(&f->machine);
    test_log_close(&f->machine, log);
}

static void assert_open_fails(fixture *f, int flags, goat_status status, const char *words) {
    gt_log *log = test_log_open(&f->machine, flags);
    assert_int_equal(gt_log_get_state(log), GT_LOG_FAILED);
    assert_int_equal(gt_log_failure(log)->status, status);
    assert_non_null(strstr(gt_log_failure(log)->message, words));
    assert_string_equal(gt_log_failure(log)->path, TEST_LOG_REPOSITORY);
    uint64_t offset = GT_LOG_HEADER_SIZE;
    gt_record record;
    assert_int_equal(gt_log_next(log, &offset, true, &record), GOAT_NOT_FOUND);
    assert_int_equal(gt_log_length(log), 0);
    assert_null(gt_log_at(log, 0, 1).data);
    test_log_close(&f->machine, log);
}

/* ---- Opening ------------------------------------------------------------------------------- */

static void a_new_log_has_a_header_twice_and_nothing_else(void **state) {
    fixture *f = *state;
    gt_log *log = test_log_open_ready(&f->machine, TEST_LOG_CREATE);
    static const uint8_t zeros[GT_CHAIN_SIZE];
    gt_bytes file = gt_sim_file(f->disk, TEST_LOG_NAME);
    assert_int_equal(file.len, GT_LOG_HEADER_SIZE);
    assert_memory_equal(file.data, file.data + 512, 512);
    assert_memory_equal(file.data, "GOATLOG\0\1\0\x0b\0\0\0\0\0", 16);
    assert_int_equal(gt_get_u64(file.data + 72), 1700000000000);
    assert_memory_equal(file.data + 80, TEST_LOG_REPOSITORY "\0", 12);
    assert_int_equal(gt_get_u32(file.data + 508), gt_crc32c(0, file.data, 508));
    const gt_log_identity *identity = gt_log_get_identity(log);
    assert_memory_equal(identity->network.bytes, file.data + 16, 32);
    assert_memory_equal(identity->log_id, file.data + 48, 16);
    assert_memory_equal(identity->marker, file.data + 64, 8);
    assert_int_equal(identity->created_ms, 1700000000000);
    assert_memory_equal(gt_log_chain(log), zeros, GT_CHAIN_SIZE);
    assert_int_equal(gt_log_length(log), GT_LOG_HEADER_SIZE);
    assert_int_equal(gt_log_length_durable(log), GT_LOG_HEADER_SIZE);
    test_log_close(&f->machine, log);
}

static void a_missing_log_is_not_made_unasked(void **state) {
    fixture *f = *state;
    assert_open_fails(f, 0, GOAT_NOT_FOUND, "no such file");
    assert_open_fails(f, TEST_LOG_CREATE | TEST_LOG_READ_ONLY, GOAT_NOT_FOUND, "no such file");
    assert_null(gt_sim_file(f->disk, TEST_LOG_NAME).data);
}

static void a_log_that_somebody_made_meanwhile_is_opened(void **state) {
    fixture *f = *state;
    gt_log_config config = test_log_config(&f->machine, TEST_LOG_CREATE);
    gt_log *first, *second;
    assert_int_equal(gt_log_open(&config, &first, NULL), GOAT_OK);
    assert_int_equal(gt_log_open(&config, &second, NULL), GOAT_OK);
    test_log_settle(&f->machine);
    assert_int_equal(f->machine.submitted[GOAT_IO_REPLACE], 2);
    assert_int_equal(gt_log_get_state(first), GT_LOG_LOADED);
    assert_int_equal(gt_log_get_state(second), GT_LOG_LOADED);
    assert_memory_equal(gt_log_get_identity(first), gt_log_get_identity(second), sizeof(gt_log_identity));
    test_log_close(&f->machine, first);
    test_log_close(&f->machine, second);
}

static bool no_randomness(void *context, uint8_t *bytes, size_t len) {
    (void)context;
    memset(bytes, 0, len);
    return false;
}

static bool all_zero(void *context, uint8_t *bytes, size_t len) { return !no_randomness(context, bytes, len); }

static void no_log_is_made_without_randomness(void **state) {
    fixture *f = *state;
    gt_log_config config = test_log_config(&f->machine, TEST_LOG_CREATE);
    for (int i = 0; i < 2; i++) {
        gt_log *log;
        config.random.fill = i == 0 ? no_randomness : all_zero;
        assert_int_equal(gt_log_open(&config, &log, NULL), GOAT_OK);
        test_log_settle(&f->machine);
        assert_int_equal(gt_log_failure(log)->status, GOAT_IO);
        test_log_close(&f->machine, log);
        assert_null(gt_sim_file(f->disk, TEST_LOG_NAME).data);
    }
}

static void put_header_field(fixture *f, size_t at, const void *bytes, size_t len) {
    gt_bytes file = gt_sim_file(f->disk, TEST_LOG_NAME);
    uint8_t *changed = gt_copy(&gt_alloc_system, file.data, file.len);
    for (int copy = 0; copy < 2; copy++) {
        uint8_t *block = changed + 512 * copy;
        memcpy(block + at, bytes, len);
        gt_put_u32(block + 508, gt_crc32c(0, block, 508));
    }
    assert_true(gt_sim_put_file(f->disk, TEST_LOG_NAME, gt_bytes_of(changed, file.len)));
    free(changed);
}

static void logs_that_are_not_meant_are_refused_and_not_touched(void **state) {
    static const struct {
        size_t at, len;
        const char *bytes;
        goat_status status;
        const char *words;
    } cases[] = {
        {8, 2, "\2\0", GOAT_NEWER_FORMAT, "format version 2"},
        {12, 4, "\0\0\0\1", GOAT_NEWER_FORMAT, "flags"},
        {8, 2, "\0\0", GOAT_CORRUPT, "makes no sense"},
        {10, 2, "\x83\0", GOAT_CORRUPT, "makes no sense"},
        {64, 8, "\0\0\0\0\0\0\0\0", GOAT_CORRUPT, "makes no sense"},
        {81, 1, "D", GOAT_CORRUPT, "another repository, /Data/goats"},
        {16, 1, "\xff", GOAT_UNTRUSTED, "another network, ffa7a7"},
        {0, 1, "g", GOAT_CORRUPT, "both copies"},
    };
    fixture *f = *state;
    given_log(f, 5);
    gt_bytes file = gt_sim_file(f->disk, TEST_LOG_NAME);
    uint8_t *good = gt_copy(&gt_alloc_system, file.data, file.len);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        put_header_field(f, cases[i].at, cases[i].bytes, cases[i].len);
        gt_bytes before = gt_sim_file(f->disk, TEST_LOG_NAME);
        uint8_t *copy = gt_copy(&gt_alloc_system, before.data, before.len);
        assert_open_fails(f, TEST_LOG_CREATE, cases[i].status, cases[i].words);
        assert_true(gt_bytes_equal(gt_sim_file(f->disk, TEST_LOG_NAME), gt_bytes_of(copy, file.len)));
        free(copy);
        assert_true(gt_sim_put_file(f->disk, TEST_LOG_NAME, gt_bytes_of(good, file.len)));
    }
    gt_sim_cut_file(f->disk, TEST_LOG_NAME, GT_LOG_HEADER_SIZE - 1);
    assert_open_fails(f, TEST_LOG_CREATE, GOAT_CORRUPT, "shorter than its header");
    gt_sim_cut_file(f->disk, TEST_LOG_NAME, 0);
    assert_open_fails(f, TEST_LOG_CREATE, GOAT_CORRUPT, "shorter than its header");
    free(good);
}

static void a_file_in_many_pieces_is_one_run_of_memory(void **state) {
    fixture *f = *state;
    given_log(f, 40);
    uint64_t length = gt_sim_file(f->disk, TEST_LOG_NAME).len;
    gt_sim_options_of(f->disk)->chunk_max = 100;
    gt_sim_options_of(f->disk)->delay_polls_max = 3;
    gt_log *log = test_log_open(&f->machine, 0);
    assert_int_equal(test_log_walk_all(log, &f->model), length);
    assert_true(f->machine.submitted[GOAT_IO_LOAD] > 20);
    assert_memory_equal(gt_log_at(log, 0, (size_t)length).data, gt_sim_file(f->disk, TEST_LOG_NAME).data,
                        (size_t)length);
    assert_null(gt_log_at(log, 0, (size_t)length + 1).data);
    assert_null(gt_log_at(log, length, 0).data);
    assert_null(gt_log_at(log, UINT64_MAX, 1).data);
    test_log_close(&f->machine, log);
}

/* ---- Appending ----------------------------------------------------------------------------- */

static void records_are_as_the_format_says(void **state) {
    fixture *f = *state;
    gt_log *log = test_log_open_ready(&f->machine, TEST_LOG_CREATE);
    assert_int_equal(gt_log_append(log, GT_RECORD_BATCH, gt_bytes_text("goat"), NULL, NULL), GOAT_OK);
    assert_int_equal(gt_log_append(log, (gt_record_type)200, gt_bytes_text(""), NULL, NULL), GOAT_OK);
    test_log_settle(&f->machine);
    gt_bytes file = gt_sim_file(f->disk, TEST_LOG_NAME);
    assert_int_equal(file.len, 1024 + 44 + 40);
    const uint8_t *p = file.data + 1024;
    assert_memory_equal(p, gt_log_get_identity(log)->marker, 8);
    assert_memory_equal(p + 8, "\1\0\0\0\4\0\0\0", 8);
    assert_int_equal(gt_get_u32(p + 16), gt_crc32c(0, p, 16));
    assert_memory_equal(p + 20, "goat", 4);
    uint8_t chained[16 + 16] = {0}, hash[32];
    memcpy(chained + 16, p + 8, 16);
    gt_hash(f->machine.hasher, chained, sizeof chained, hash);
    assert_memory_equal(p + 24, hash, 16);
    assert_int_equal(gt_get_u32(p + 40), gt_crc32c(0, p + 20, 20));
    uint8_t second[16 + 12];
    memcpy(second, hash, 16);
    memcpy(second + 16, p + 44 + 8, 12);
    gt_hash(f->machine.hasher, second, sizeof second, hash);
    assert_memory_equal(p + 44 + 20, hash, 16);
    assert_memory_equal(gt_log_chain(log), hash, 16);
    assert_int_equal(p[44 + 8], 200);
    test_log_close(&f->machine, log);
}

static void bytes_stay_where_they_are_while_the_log_grows(void **state) {
    fixture *f = *state;
    given_log(f, 30);
    gt_log *log = test_log_open_ready(&f->machine, 0);
    const uint8_t *addresses[230];
    for (size_t i = 0; i < 200; i++) { /* 10 MB: many chunks, one of them for one record alone */
        size_t len = i == 100 ? 3000000 : 37 * i * 10;
        assert_int_equal(test_log_append(log, &f->model, 1000 + i, len), GOAT_OK);
        if (i % 17 == 0) {
            test_log_settle(&f->machine);
        }
    }
    for (size_t i = 0; i < f->model.count; i++) {
        addresses[i] = gt_log_at(log, f->model.records[i].offset, f->model.records[i].len).data;
        assert_non_null(addresses[i]);
    }
    assert_int_equal(gt_log_sync(log, NULL), GOAT_OK);
    test_log_settle(&f->machine);
    assert_int_equal(gt_log_length_durable(log), gt_log_length(log));
    test_log_walk_all(log, &f->model);
    for (size_t i = 0; i < f->model.count; i++) {
        assert_ptr_equal(addresses[i], gt_log_at(log, f->model.records[i].offset, f->model.records[i].len).data);
    }
    gt_bytes file = gt_sim_file(f->disk, TEST_LOG_NAME);
    assert_int_equal(file.len, gt_log_length(log));
    test_log_close(&f->machine, log);
    log = test_log_open(&f->machine, TEST_LOG_READ_ONLY);
    test_log_walk_all(log, &f->model);
    test_log_close(&f->machine, log);
}

static void a_room_is_used_in_part_or_not_at_all(void **state) {
    fixture *f = *state;
    gt_log *log = test_log_open_ready(&f->machine, TEST_LOG_CREATE);
    gt_buf room, other;
    gt_diag diag;
    assert_int_equal(gt_log_reserve(log, 40000000, &room, NULL), GOAT_OK);
    assert_int_equal(gt_log_length(log), GT_LOG_HEADER_SIZE);
    assert_int_equal(gt_log_reserve(log, 10, &other, NULL), GOAT_OK);
    gt_buf_append(&other, "eleven byte", 11);
    assert_true(gt_buf_failed(&other));
    assert_int_equal(gt_log_commit_append(log, GT_RECORD_BATCH, &other, NULL, &diag), GOAT_TOO_LARGE);
    assert_int_equal(diag.status, GOAT_TOO_LARGE);
    gt_buf_free(&other); /* not needed, and does no harm */
    assert_int_equal(gt_log_length(log), GT_LOG_HEADER_SIZE);
    assert_int_equal(gt_log_reserve(log, 50000000, &room, NULL), GOAT_OK);
    for (uint64_t i = 0; i < 50; i++) {
        assert_int_equal(test_log_append(log, &f->model, i, 2000 * (i % 2)), GOAT_OK);
        assert_int_equal(gt_log_reserve(log, 900000, &room, NULL), GOAT_OK);
    }
    test_log_settle(&f->machine);
    test_log_walk_all(log, &f->model);
    test_log_close(&f->machine, log);
    log = test_log_open(&f->machine, 0);
    test_log_walk_all(log, &f->model);
    test_log_close(&f->machine, log);
}

static void a_record_has_a_greatest_length(void **state) {
    fixture *f = *state;
    gt_log *log = test_log_open_ready(&f->machine, TEST_LOG_CREATE);
    gt_buf room;
    gt_diag diag;
    assert_int_equal(gt_log_reserve(log, GT_LOG_PAYLOAD_MAX + 1, &room, &diag), GOAT_TOO_LARGE);
    assert_int_equal(diag.status, GOAT_TOO_LARGE);
    assert_int_equal(test_log_append(log, &f->model, 1, 5), GOAT_OK);
    assert_int_equal(test_log_append(log, &f->model, 2, GT_LOG_PAYLOAD_MAX), GOAT_OK);
    test_log_settle(&f->machine);
    test_log_close(&f->machine, log);
    log = test_log_open(&f->machine, 0);
    test_log_walk_all(log, &f->model);
    test_log_close(&f->machine, log);

    /* One byte more, with both checksums right: not a record. */
    size_t start = 1024 + 45, size = (size_t)GT_LOG_PAYLOAD_MAX + 1 + 40;
    uint8_t *file = calloc(1, start + size);
    memcpy(file, gt_sim_file(f->disk, TEST_LOG_NAME).data, start + 20);
    gt_put_u32(file + start + 12, GT_LOG_PAYLOAD_MAX + 1);
    gt_put_u32(file + start + 16, gt_crc32c(0, file + start, 16));
    gt_put_u32(file + start + size - 4, gt_crc32c(0, file + start + 20, size - 24));
    assert_true(gt_sim_put_file(f->disk, TEST_LOG_NAME, gt_bytes_of(file, start + size)));
    free(file);
    log = test_log_open(&f->machine, 0);
    assert_int_equal(test_log_walk(log, &f->model, false, NULL), start);
    test_log_close(&f->machine, log);
}

/* ---- Durability ---------------------------------------------------------------------------- */

static void written_and_durable_follow_what_the_storage_says(void **state) {
    fixture *f = *state;
    gt_log *log = test_log_open_ready(&f->machine, TEST_LOG_CREATE);
    assert_int_equal(test_log_append(log, &f->model, 1, 100), GOAT_OK);
    assert_int_equal(gt_log_length(log), 1024 + 140);
    assert_int_equal(gt_log_length_written(log), 1024);
    test_log_settle(&f->machine);
    assert_int_equal(gt_log_length_written(log), 1024 + 140);
    assert_int_equal(gt_log_length_durable(log), 1024);
    assert_int_equal(gt_log_sync(log, NULL), GOAT_OK);
    assert_int_equal(gt_log_length_durable(log), 1024);
    assert_false(gt_log_idle(log));
    test_log_settle(&f->machine);
    assert_true(gt_log_idle(log));
    assert_int_equal(gt_log_length_durable(log), 1024 + 140);
    assert_int_equal(gt_log_sync(log, NULL), GOAT_OK); /* nothing to do */
    assert_int_equal(f->machine.submitted[GOAT_IO_SYNC], 1);
    test_log_close(&f->machine, log);

    log = test_log_open_ready(&f->machine, 0); /* nobody knows what the one before has synced */
    assert_int_equal(gt_log_length_written(log), 1024 + 140);
    assert_int_equal(gt_log_length_durable(log), 1024);
    assert_int_equal(gt_log_sync(log, NULL), GOAT_OK);
    test_log_settle(&f->machine);
    assert_int_equal(gt_log_length_durable(log), 1024 + 140);
    test_log_close(&f->machine, log);
}

static void syncs_that_meet_are_shared(void **state) {
    fixture *f = *state;
    gt_log *log = test_log_open_ready(&f->machine, TEST_LOG_CREATE);
    for (uint64_t i = 0; i < 16; i++) {
        assert_int_equal(test_log_append(log, &f->model, i, 300), GOAT_OK);
        assert_int_equal(gt_log_sync(log, NULL), GOAT_OK);
    }
    test_log_settle(&f->machine);
    assert_int_equal(gt_log_length_durable(log), gt_log_length(log));
    assert_int_equal(gt_sim_durable_length(f->disk, TEST_LOG_NAME), gt_log_length(log));
    assert_int_equal(f->machine.submitted[GOAT_IO_SYNC], 2);
    assert_int_equal(f->machine.submitted[GOAT_IO_APPEND], 2);
    assert_int_equal(test_log_append(log, &f->model, 16, 300), GOAT_OK);
    for (int i = 0; i < 16; i++) {
        assert_int_equal(gt_log_sync(log, NULL), GOAT_OK);
    }
    test_log_settle(&f->machine);
    assert_int_equal(gt_sim_durable_length(f->disk, TEST_LOG_NAME), gt_log_length(log));
    assert_int_equal(f->machine.submitted[GOAT_IO_SYNC], 3);
    test_log_close(&f->machine, log);
}

static void durable_is_never_more_than_the_disk_has(void **state) {
    fixture *f = *state;
    test_random random;
    test_random_init(&random, "durable_is_never_more_than_the_disk_has");
    gt_sim_options_of(f->disk)->delay_polls_max = 4;
    gt_log *log = test_log_open_ready(&f->machine, TEST_LOG_CREATE);
    for (uint64_t i = 0; i < 3000; i++) {
        switch (test_random_below(&random, 4)) {
        case 0: assert_int_equal(test_log_append(log, &f->model, i, test_random_below(&random, 5000)), GOAT_OK); break;
        case 1: assert_int_equal(gt_log_sync(log, NULL), GOAT_OK); break;
        default: gt_io_poll(f->machine.io, false); gt_io_deliver(f->machine.io);
        }
        assert_true(gt_log_length_durable(log) <= gt_sim_durable_length(f->disk, TEST_LOG_NAME));
        assert_true(gt_log_length_durable(log) <= gt_log_length_written(log));
        assert_true(gt_log_length_written(log) <= gt_sim_file(f->disk, TEST_LOG_NAME).len);
        assert_true(gt_log_length_written(log) <= gt_log_length(log));
    }
    assert_int_equal(gt_log_sync(log, NULL), GOAT_OK);
    test_log_settle(&f->machine);
    assert_int_equal(gt_log_length_durable(log), gt_log_length(log));
    test_log_close(&f->machine, log);
}

static void a_read_only_log_takes_nothing(void **state) {
    fixture *f = *state;
    given_log(f, 6);
    gt_log *log = test_log_open_ready(&f->machine, TEST_LOG_READ_ONLY | TEST_LOG_CREATE);
    gt_diag diag;
    assert_int_equal(gt_log_append(log, GT_RECORD_BATCH, gt_bytes_text("goat"), NULL, &diag), GOAT_FORBIDDEN);
    assert_int_equal(diag.status, GOAT_FORBIDDEN);
    assert_int_equal(gt_log_sync(log, NULL), GOAT_FORBIDDEN);
    test_log_walk_all(log, &f->model);
    test_log_close(&f->machine, log);
}

/* ---- The chain ----------------------------------------------------------------------------- */

static void a_chain_names_the_log_up_to_a_point(void **state) {
    fixture *f = *state;
    gt_log *log = test_log_open_ready(&f->machine, TEST_LOG_CREATE);
    uint8_t chains[11][GT_CHAIN_SIZE];
    uint64_t lengths[11];
    for (uint64_t i = 0; i <= 10; i++) {
        lengths[i] = gt_log_length(log);
        memcpy(chains[i], gt_log_chain(log), GT_CHAIN_SIZE);
        assert_int_equal(test_log_append(log, &f->model, i, (size_t)i * 3), GOAT_OK);
    }
    test_log_settle(&f->machine);
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i <= 10; i++) {
            for (int k = 0; k <= 10; k++) {
                assert_int_equal(gt_log_has_chain(log, lengths[i], chains[k]), i == k);
            }
            assert_false(gt_log_has_chain(log, lengths[i] + 1, chains[i]));
            assert_false(gt_log_has_chain(log, lengths[i] - 1, chains[i]));
        }
        assert_false(gt_log_has_chain(log, 0, chains[0]));
        assert_false(gt_log_has_chain(log, UINT64_MAX, chains[0]));
        assert_false(gt_log_has_chain(log, gt_log_length(log) + 40, chains[0]));
        test_log_close(&f->machine, log);
        log = test_log_open_ready(&f->machine, 0);
    }
    assert_int_equal(test_log_append(log, &f->model, 99, 50), GOAT_OK); /* the chain goes on where it ended */
    test_log_settle(&f->machine);
    test_log_walk_all(log, &f->model);
    test_log_close(&f->machine, log);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(a_new_log_has_a_header_twice_and_nothing_else),
        TEST(a_missing_log_is_not_made_unasked),
        TEST(a_log_that_somebody_made_meanwhile_is_opened),
        TEST(no_log_is_made_without_randomness),
        TEST(logs_that_are_not_meant_are_refused_and_not_touched),
        TEST(a_file_in_many_pieces_is_one_run_of_memory),
        TEST(records_are_as_the_format_says),
        TEST(bytes_stay_where_they_are_while_the_log_grows),
        TEST(a_room_is_used_in_part_or_not_at_all),
        TEST(a_record_has_a_greatest_length),
        TEST(written_and_durable_follow_what_the_storage_says),
        TEST(syncs_that_meet_are_shared),
        TEST(durable_is_never_more_than_the_disk_has),
        TEST(a_read_only_log_takes_nothing),
        TEST(a_chain_names_the_log_up_to_a_point),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
