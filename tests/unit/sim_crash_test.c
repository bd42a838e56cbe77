/* core/port/sim: loss of power, which keeps what goat_port.h promises and nothing else, whatever the seed. */
#include "support/test.h"

#include "support/test_io.h"
#include "support/test_random.h"
#include "support/test_sim.h"

#include <string.h>

static void a_crash_ends_every_request_and_frees_the_lock(void **state) {
    (void)state;
    test_sim f;
    test_sim_init(&f, 5);
    gt_sim_options_of(f.disk)->delay_polls_max = 100;
    goat_io_request replace = {.kind = GOAT_IO_REPLACE, .token = 5, .name = "a", .data = (const uint8_t *)"x"};
    replace.data_len = 1;
    assert_int_equal(f.storage.submit(f.storage.context, &replace), GOAT_OK);
    gt_sim_crash(f.disk);
    gt_sim_crash(f.disk);
    goat_io_result result;
    assert_int_equal(f.storage.poll(f.storage.context, &result, 1, true), 1);
    assert_int_equal(result.token, 5);
    assert_int_equal(result.status, GOAT_IO);
    assert_int_equal(test_io_replace(&f.storage, "b", "y", 0), GOAT_IO);
    assert_null(gt_sim_file(f.disk, "b").data);
    goat_storage next;
    assert_int_equal(gt_sim_storage(f.disk, &next, NULL), GOAT_OK);
    assert_int_equal(test_io_lock(&next, 0), GOAT_OK);
    next.close(next.context);
    test_sim_free(&f);
}

/* What a careful reader may rely on, checked against a plain record of what was acknowledged. */
typedef struct witness {
    char written[4000]; /* everything that was handed to APPEND, in order */
    size_t written_len;
    size_t synced;                          /* of these, known to be durable */
    uint32_t replaced, pending_replacement; /* number in the small file: acknowledged, and perhaps under way */
} witness;

static void check_survivors(test_sim *f, witness *w, bool damaged) {
    gt_bytes log = gt_sim_file(f->disk, "log");
    assert_in_range(log.len, w->synced, w->written_len);
    assert_memory_equal(log.data, w->written, damaged ? w->synced : log.len);
    gt_bytes small = gt_sim_file(f->disk, "small");
    uint32_t number = small.data == NULL ? 0 : gt_get_u32(small.data);
    assert_true(number == w->replaced || number == w->pending_replacement);
    w->replaced = w->pending_replacement = number;
    memcpy(w->written, log.data, log.len);
    w->written_len = w->synced = log.len;
}

static goat_io_request append_something(witness *w, uint32_t file, test_random *random) {
    size_t len = test_random_below(random, 30);
    uint8_t *end = (uint8_t *)w->written + w->written_len;
    test_random_fill(random, end, len);
    w->written_len += len;
    return (goat_io_request){.kind = GOAT_IO_APPEND, .file = file, .data = end, .data_len = len};
}

/* One life between two crashes; the last requests are still under way when the power goes. */
static void live(test_sim *f, witness *w, test_random *random) {
    uint32_t file = test_io_open(&f->storage, "log", GOAT_IO_CREATE).file;
    uint32_t steps = test_random_below(random, 12);
    uint32_t pending = test_random_below(random, 5);
    uint8_t number[4]; /* good until the crash */
    for (uint32_t i = 0; i <= steps + pending; i++) {
        goat_io_request request = {.kind = GOAT_IO_SYNC, .file = file};
        uint32_t choice = test_random_below(random, 4);
        if (choice == 1 && i <= steps) { /* not twice while under way: there is one `number` */
            gt_put_u32(number, ++w->pending_replacement);
            request = (goat_io_request){.kind = GOAT_IO_REPLACE, .name = "small", .data = number, .data_len = 4};
        } else if (choice != 0) {
            request = append_something(w, file, random);
        }
        if (i >= steps) {
            assert_int_equal(f->storage.submit(f->storage.context, &request), GOAT_OK);
            continue;
        }
        assert_int_equal(test_io(&f->storage, request).status, GOAT_OK);
        w->synced = choice == 0 ? w->written_len : w->synced;
        w->replaced = choice == 1 ? w->pending_replacement : w->replaced;
    }
    gt_sim_crash(f->disk);
}

static void what_was_acknowledged_survives_every_crash(void **state) {
    (void)state;
    test_random random;
    test_random_init(&random, __func__);
    for (int round = 0; round < 300; round++) {
        test_sim f;
        test_sim_init(&f, test_random_u64(&random));
        bool damaged = round % 2 != 0;
        gt_sim_options_of(f.disk)->damage_unsynced = damaged;
        gt_sim_options_of(f.disk)->delay_polls_max = test_random_below(&random, 4);
        witness w = {.written_len = 0};
        for (int lives = 0; lives < 8; lives++) {
            live(&f, &w, &random);
            f.storage.close(f.storage.context);
            check_survivors(&f, &w, damaged);
            test_sim_open(&f);
        }
        test_sim_free(&f);
    }
}

/* The seed must reach the cases that matter: all kept, all lost, torn, damaged. */
static void crashes_come_in_all_kinds(void **state) {
    (void)state;
    int kept = 0, lost = 0, torn = 0, damaged = 0;
    for (uint64_t seed = 0; seed < 200; seed++) {
        test_sim f;
        test_sim_init(&f, seed);
        gt_sim_options_of(f.disk)->damage_unsynced = true;
        uint32_t file = test_io_open(&f.storage, "log", GOAT_IO_CREATE).file;
        char text[2001];
        memset(text, 'x', sizeof text);
        text[2000] = 0;
        assert_int_equal(test_io_append(&f.storage, file, text), GOAT_OK);
        test_sim_crash(&f);
        gt_bytes log = gt_sim_file(f.disk, "log");
        kept += log.len == 2000;
        lost += log.len == 0;
        torn += log.len > 0 && log.len < 2000;
        damaged += memcmp(log.data, text, log.len) != 0;
        test_sim_free(&f);
    }
    assert_in_range(kept, 20, 100);
    assert_in_range(lost, 20, 100);
    assert_in_range(torn, 50, 150);
    assert_in_range(damaged, 20, 150);
}

/* ---- The same again -------------------------------------------------------------------------- */

static uint64_t trace(uint64_t seed) {
    test_sim f;
    test_sim_init(&f, seed);
    *gt_sim_options_of(f.disk) = (gt_sim_options){.delay_polls_max = 5, .chunk_max = 7, .damage_unsynced = true};
    uint64_t sum = 0;
    for (int lives = 0; lives < 5; lives++) {
        uint32_t file = test_io_open(&f.storage, "log", GOAT_IO_CREATE).file;
        for (int i = 0; i < 10; i++) {
            assert_int_equal(test_io_append(&f.storage, file, "some bytes that may be lost"), GOAT_OK);
        }
        test_sim_crash(&f);
        gt_bytes log = gt_sim_file(f.disk, "log");
        for (size_t i = 0; i < log.len; i++) {
            sum = sum * 31 + log.data[i];
        }
    }
    test_sim_free(&f);
    return sum;
}

static void the_same_seed_gives_the_same_bytes(void **state) {
    (void)state;
    int different = 0;
    for (uint64_t seed = 0; seed < 20; seed++) {
        assert_true(trace(seed) == trace(seed));
        different += trace(seed) != trace(seed + 1);
    }
    assert_true(different > 15);
}

static void a_killed_process_leaves_what_the_system_has(void **state) {
    (void)state;
    for (uint64_t seed = 0; seed < 50; seed++) {
        test_sim f;
        test_sim_init(&f, seed);
        uint32_t file = test_io_open(&f.storage, "log", GOAT_IO_CREATE).file;
        assert_int_equal(test_io_append(&f.storage, file, "synced"), GOAT_OK);
        assert_int_equal(test_io(&f.storage, (goat_io_request){.kind = GOAT_IO_SYNC, .file = file}).status, GOAT_OK);
        assert_int_equal(test_io_append(&f.storage, file, "written"), GOAT_OK);
        gt_sim_kill(f.disk);
        assert_int_equal(test_io_replace(&f.storage, "b", "x", 0), GOAT_IO);
        assert_true(gt_bytes_equal(gt_sim_file(f.disk, "log"), gt_bytes_text("syncedwritten")));
        assert_int_equal(gt_sim_durable_length(f.disk, "log"), 6);
        test_sim_free(&f);
    }
}

static void a_disk_that_lies_forgets_what_was_synced(void **state) {
    (void)state;
    int lost = 0;
    for (uint64_t seed = 0; seed < 50; seed++) {
        test_sim f;
        test_sim_init(&f, seed);
        gt_sim_options_of(f.disk)->forget_syncs = true;
        uint32_t file = test_io_open(&f.storage, "log", GOAT_IO_CREATE).file;
        assert_int_equal(test_io_append(&f.storage, file, "synced"), GOAT_OK);
        assert_int_equal(test_io(&f.storage, (goat_io_request){.kind = GOAT_IO_SYNC, .file = file}).status, GOAT_OK);
        gt_sim_crash(f.disk);
        lost += gt_sim_file(f.disk, "log").len < 6;
        test_sim_free(&f);
    }
    assert_true(lost > 10);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_crash_ends_every_request_and_frees_the_lock),
        cmocka_unit_test(what_was_acknowledged_survives_every_crash),
        cmocka_unit_test(crashes_come_in_all_kinds),
        cmocka_unit_test(the_same_seed_gives_the_same_bytes),
        cmocka_unit_test(a_killed_process_leaves_what_the_system_has),
        cmocka_unit_test(a_disk_that_lies_forgets_what_was_synced),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
