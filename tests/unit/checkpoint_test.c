/* core/log: the container of a checkpoint, and loading one. */
#include "support/test.h"

#include "base/crc32c.h"
#include "log/checkpoint.h"
#include "log/load.h"
#include "port/sim/sim.h"

#include "support/test_alloc.h"
#include "support/test_log.h"
#include "support/test_random.h"

#include <stdlib.h>
#include <string.h>

enum { SECTIONS = 5, HEADER_SIZE = 80 + 24 * SECTIONS + 4 };

typedef struct fixture {
    gt_checkpoint written;
    uint8_t rows[SECTIONS][640];
    gt_buf file;
    uint8_t *copy; /* aligned as a loaded file is, and to be spoiled */
} fixture;

static int setup(void **state) {
    static const uint64_t lengths[SECTIONS] = {640, 0, 7, 64, 120};
    static const uint32_t row_sizes[SECTIONS] = {80, 40, 1, 64, 48};
    fixture *f = calloc(1, sizeof *f);
    for (uint32_t i = 0; i < SECTIONS; i++) {
        test_log_payload(i, f->rows[i], sizeof f->rows[i]);
        f->written.sections[i] = (gt_section){100 + i, row_sizes[i], f->rows[i], lengths[i]};
    }
    f->written.sections[1].data = NULL;
    f->written.section_count = SECTIONS;
    f->written.covered = 123456789012;
    memset(f->written.log_id, 1, sizeof f->written.log_id);
    memset(f->written.chain, 2, sizeof f->written.chain);
    memset(f->written.hash_key, 3, sizeof f->written.hash_key);
    gt_buf_init(&f->file, &gt_alloc_system);
    gt_checkpoint_write(&f->written, &f->file);
    assert_false(gt_buf_failed(&f->file));
    f->copy = gt_copy(&gt_alloc_system, f->file.data, f->file.len);
    *state = f;
    return 0;
}

static int teardown(void **state) {
    fixture *f = *state;
    gt_buf_free(&f->file);
    free(f->copy);
    free(f);
    return 0;
}

static void assert_same(const fixture *f, const gt_checkpoint *read, const uint8_t *file) {
    assert_memory_equal(read->log_id, f->written.log_id, 16);
    assert_int_equal(read->covered, f->written.covered);
    assert_memory_equal(read->chain, f->written.chain, 16);
    assert_memory_equal(read->hash_key, f->written.hash_key, 16);
    assert_int_equal(read->section_count, SECTIONS);
    for (uint32_t i = 0; i < SECTIONS; i++) {
        const gt_section *want = &f->written.sections[i], *have = &read->sections[i];
        assert_int_equal(have->kind, want->kind);
        assert_int_equal(have->row_size, want->row_size);
        assert_int_equal(have->len, want->len);
        assert_int_equal((have->data - file) % 64, 0);
        assert_memory_equal(have->data, f->rows[i], (size_t)have->len);
    }
}

/* ---- The container ------------------------------------------------------------------------- */

static void what_was_written_is_read_in_place(void **state) {
    fixture *f = *state;
    gt_checkpoint read;
    gt_diag diag;
    gt_diag_init(&diag);
    assert_int_equal(gt_checkpoint_read(f->copy, f->file.len, &read, &diag), GOAT_OK);
    assert_int_equal(diag.status, GOAT_OK);
    assert_same(f, &read, f->copy);
}

static void the_bytes_are_as_the_format_says(void **state) {
    fixture *f = *state;
    const uint8_t *p = f->file.data;
    assert_memory_equal(p, "GOATCKPT\1\0\0\0\5\0\0\0", 16);
    assert_int_equal(gt_get_u64(p + 32), 123456789012);
    assert_int_equal(p[40], 2);
    assert_int_equal(p[56], 3);
    assert_int_equal(gt_get_u64(p + 72), f->file.len);
    assert_int_equal(gt_get_u32(p + 80), 100);
    assert_int_equal(gt_get_u32(p + 84), 80);
    assert_int_equal(gt_get_u64(p + 88), 256); /* 204, rounded up */
    assert_int_equal(gt_get_u64(p + 96), 640);
    assert_int_equal(gt_get_u32(p + 200), gt_crc32c(0, p, 200));
    assert_int_equal(gt_get_u32(p + f->file.len - 4), gt_crc32c(0, p + 204, f->file.len - 208));
}

static void a_file_may_begin_anywhere_in_a_buffer(void **state) {
    fixture *f = *state;
    gt_buf buf;
    gt_buf_init(&buf, &gt_alloc_system);
    gt_buf_append(&buf, "0123456789abc", 13);
    gt_checkpoint_write(&f->written, &buf);
    assert_int_equal(buf.len, 13 + f->file.len);
    assert_memory_equal(buf.data + 13, f->file.data, f->file.len);
    gt_buf_free(&buf);
}

static void sections_are_found_by_kind_and_row_size(void **state) {
    fixture *f = *state;
    gt_checkpoint read;
    assert_int_equal(gt_checkpoint_read(f->copy, f->file.len, &read, NULL), GOAT_OK);
    assert_ptr_equal(gt_checkpoint_section(&read, 100, 80), &read.sections[0]);
    assert_ptr_equal(gt_checkpoint_section(&read, 101, 40), &read.sections[1]);
    assert_null(gt_checkpoint_section(&read, 100, 40));
    assert_null(gt_checkpoint_section(&read, 99, 80));
    assert_null(gt_checkpoint_section(&read, 104, 48)); /* two rows and a half */
}

static void none_and_the_greatest_number_of_sections_are_taken(void **state) {
    (void)state;
    for (uint32_t count = 0; count <= GT_CHECKPOINT_SECTIONS_MAX; count += GT_CHECKPOINT_SECTIONS_MAX) {
        gt_checkpoint many = {.section_count = count}, read;
        uint8_t byte = 9;
        for (uint32_t i = 0; i < count; i++) {
            many.sections[i] = (gt_section){i, 1, &byte, 1};
        }
        gt_buf buf;
        gt_buf_init(&buf, &gt_alloc_system);
        gt_checkpoint_write(&many, &buf);
        assert_int_equal(gt_checkpoint_read(buf.data, buf.len, &read, NULL), GOAT_OK);
        assert_int_equal(read.section_count, count);
        gt_buf_free(&buf);
    }
}

static void any_changed_byte_is_refused(void **state) {
    fixture *f = *state;
    for (size_t i = 0; i < f->file.len; i++) {
        for (int change = 1; change < 256; change = change * 2 + 1) {
            f->copy[i] ^= (uint8_t)change;
            gt_checkpoint read;
            gt_diag diag;
            gt_diag_init(&diag);
            goat_status status = gt_checkpoint_read(f->copy, f->file.len, &read, &diag);
            bool version = i >= 8 && i < 12;
            assert_true(status == GOAT_CORRUPT || (version && status == GOAT_NEWER_FORMAT));
            assert_int_equal(diag.status, status);
            assert_int_equal(read.section_count, 0);
            f->copy[i] ^= (uint8_t)change;
        }
    }
}

static void any_other_length_is_refused(void **state) {
    fixture *f = *state;
    gt_checkpoint read;
    for (size_t len = 0; len < f->file.len; len++) {
        uint8_t *exact = gt_copy(&gt_alloc_system, f->copy, len); /* so that a sanitizer sees its end */
        assert_int_equal(gt_checkpoint_read(exact, len, &read, NULL), GOAT_CORRUPT);
        free(exact);
    }
    uint8_t *longer = calloc(1, f->file.len + 64);
    memcpy(longer, f->copy, f->file.len);
    for (size_t len = f->file.len + 1; len < f->file.len + 64; len++) {
        assert_int_equal(gt_checkpoint_read(longer, len, &read, NULL), GOAT_CORRUPT);
    }
    free(longer);
}

/* Writes a field and mends the checksum of the header: bounds must hold without it. */
static goat_status read_with(fixture *f, size_t at, uint64_t value, size_t bytes) {
    gt_checkpoint read;
    uint8_t *file = gt_copy(&gt_alloc_system, f->copy, f->file.len), field[8];
    gt_put_u64(field, value);
    memcpy(file + at, field, bytes);
    gt_put_u32(file + HEADER_SIZE - 4, gt_crc32c(0, file, HEADER_SIZE - 4));
    goat_status status = gt_checkpoint_read(file, f->file.len, &read, NULL);
    free(file);
    return status;
}

static void sections_outside_of_the_file_are_refused(void **state) {
    fixture *f = *state;
    size_t first = 80, last = 80 + 24 * (SECTIONS - 1);
    uint64_t end = f->file.len - 4, offset = gt_get_u64(f->copy + last + 8);
    assert_int_equal(read_with(f, last + 16, end - offset, 8), GOAT_OK); /* to the last byte */
    assert_int_equal(read_with(f, last + 16, end - offset + 1, 8), GOAT_CORRUPT);
    assert_int_equal(read_with(f, last + 16, UINT64_MAX, 8), GOAT_CORRUPT);
    assert_int_equal(read_with(f, last + 16, UINT64_MAX - offset + 1, 8), GOAT_CORRUPT); /* the sum wraps */
    assert_int_equal(read_with(f, last + 8, UINT64_MAX - 63, 8), GOAT_CORRUPT);
    assert_int_equal(read_with(f, last + 8, offset + 8, 8), GOAT_CORRUPT);  /* not aligned */
    assert_int_equal(read_with(f, last + 8, offset - 64, 8), GOAT_CORRUPT); /* in the one before */
    assert_int_equal(read_with(f, first + 8, 192, 8), GOAT_CORRUPT);        /* in the header */
    assert_int_equal(read_with(f, first + 8, 0, 8), GOAT_CORRUPT);
    assert_int_equal(read_with(f, first + 4, 0, 4), GOAT_CORRUPT); /* rows of no bytes */
    assert_int_equal(read_with(f, 12, GT_CHECKPOINT_SECTIONS_MAX + 1, 4), GOAT_CORRUPT);
    assert_int_equal(read_with(f, 12, UINT32_MAX, 4), GOAT_CORRUPT);
    assert_int_equal(read_with(f, 8, 0, 4), GOAT_CORRUPT);
    assert_int_equal(read_with(f, 8, 2, 4), GOAT_NEWER_FORMAT);
}

static void without_memory_the_buffer_says_so(void **state) {
    fixture *f = *state;
    test_alloc memory;
    test_alloc_init(&memory, 0);
    gt_buf buf;
    gt_buf_init(&buf, &memory.alloc);
    gt_checkpoint_write(&f->written, &buf);
    assert_true(gt_buf_failed(&buf));
    gt_buf_free(&buf);
    test_alloc_assert_empty(&memory);
}

/* ---- Loading ------------------------------------------------------------------------------- */

static void count_call(void *owner, gt_load *load) {
    (void)load;
    ++*(int *)owner;
}

static void a_loaded_checkpoint_is_private_and_aligned(void **state) {
    fixture *f = *state;
    gt_sim_disk *disk = gt_sim_disk_new(&gt_alloc_system, 5);
    assert_true(gt_sim_put_file(disk, "repos/a/b.checkpoint", gt_buf_bytes(&f->file)));
    for (uint32_t chunk = 0; chunk < 300; chunk += 7) {
        goat_storage storage;
        test_log_machine machine;
        gt_load load;
        gt_checkpoint read;
        int calls = 0;
        *gt_sim_options_of(disk) = (gt_sim_options){.chunk_max = chunk, .delay_polls_max = chunk % 3};
        assert_int_equal(gt_sim_storage(disk, &storage, NULL), GOAT_OK);
        assert_int_equal(test_log_begin(&machine, &gt_alloc_system, &storage), GOAT_OK);
        assert_int_equal(gt_load_begin(&load, machine.io, &gt_alloc_system, "repos/a/b.checkpoint",
                                       GOAT_IO_READ_ONLY | GOAT_IO_PRIVATE, count_call, &calls, NULL),
                         GOAT_OK);
        assert_true(load.busy);
        test_log_settle(&machine);
        assert_false(load.busy);
        assert_int_equal(calls, 1);
        assert_int_equal(load.diag.status, GOAT_OK);
        assert_int_equal((uintptr_t)load.data % GT_LOAD_ALIGNMENT, 0);
        assert_int_equal(gt_checkpoint_read(load.data, load.len, &read, NULL), GOAT_OK);
        assert_same(f, &read, load.data);
        memset(load.data, 0xee, load.len);
        gt_load_end(&load);
        gt_load_end(&load); /* nothing left to end */
        test_log_settle(&machine);
        test_log_end(&machine);
        assert_true(gt_bytes_equal(gt_sim_file(disk, "repos/a/b.checkpoint"), gt_buf_bytes(&f->file)));
    }
    gt_sim_disk_free(disk);
}

static void what_cannot_be_loaded_says_why(void **state) {
    (void)state;
    gt_sim_disk *disk = gt_sim_disk_new(&gt_alloc_system, 5);
    assert_true(gt_sim_put_file(disk, "empty", gt_bytes_of(NULL, 0)));
    assert_true(gt_sim_put_file(disk, "some", gt_bytes_text("some bytes")));
    static const struct {
        const char *name;
        uint64_t fail_after;
        goat_status status;
    } cases[] = {{"empty", 0, GOAT_OK}, {"none", 0, GOAT_NOT_FOUND}, {"some", 1, GOAT_IO}, {"some", 2, GOAT_IO}};
    goat_storage storage;
    test_log_machine machine;
    assert_int_equal(gt_sim_storage(disk, &storage, NULL), GOAT_OK);
    assert_int_equal(test_log_begin(&machine, &gt_alloc_system, &storage), GOAT_OK);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        gt_load load;
        int calls = 0;
        gt_sim_options_of(disk)->fail_operation =
            cases[i].fail_after == 0 ? 0 : gt_sim_operations(disk) + cases[i].fail_after;
        assert_int_equal(gt_load_begin(&load, machine.io, &gt_alloc_system, cases[i].name, 0, count_call, &calls, NULL),
                         GOAT_OK);
        test_log_settle(&machine);
        assert_int_equal(calls, 1);
        assert_int_equal(load.diag.status, cases[i].status);
        assert_null(load.data);
        gt_load_end(&load);
        test_log_settle(&machine);
    }
    test_log_end(&machine);
    gt_sim_disk_free(disk);
}

/* A storage that has one file and is not to be trusted. */
typedef struct liar {
    goat_io_request request;
    bool has_request;
    uint64_t length; /* of what a LOAD gives */
    const uint8_t *data;
} liar;

static goat_status take_request(void *context, const goat_io_request *request) {
    liar *l = context;
    l->request = *request;
    l->has_request = true;
    return GOAT_OK;
}

static size_t lie(void *context, goat_io_result *results, size_t results_max, bool wait) {
    (void)results_max;
    (void)wait;
    liar *l = context;
    if (!l->has_request) {
        return 0;
    }
    l->has_request = false;
    results[0] = (goat_io_result){.token = l->request.token, .file = 1};
    if (l->request.kind == GOAT_IO_OPEN) {
        results[0].length = 100;
    } else if (l->request.kind == GOAT_IO_LOAD) {
        results[0].length = results[0].data_len = (size_t)l->length;
        results[0].data = (uint8_t *)(uintptr_t)l->data;
    }
    return 1;
}

static void close_nothing(void *context) { (void)context; }

static goat_status load_from(liar *l, gt_load *load, gt_io **io) {
    goat_storage storage = {sizeof storage, l, take_request, lie, close_nothing};
    int calls = 0;
    *io = gt_io_new(&gt_alloc_system, &storage);
    assert_int_equal(gt_load_begin(load, *io, &gt_alloc_system, "some", GOAT_IO_PRIVATE, count_call, &calls, NULL),
                     GOAT_OK);
    for (int i = 0; load->busy && i < 1000; i++) {
        gt_io_poll(*io, false);
        gt_io_deliver(*io);
    }
    assert_int_equal(calls, 1);
    return load->diag.status;
}

static void end_load(gt_load *load, gt_io *io) {
    gt_load_end(load);
    gt_io_poll(io, false);
    gt_io_deliver(io);
    gt_io_free(io);
}

static void a_storage_that_gives_nonsense_is_refused(void **state) {
    (void)state;
    static const _Alignas(GT_LOAD_ALIGNMENT) uint8_t bytes[256] = {0, 1, 2, 3};
    liar liars[] = {{.length = 0, .data = bytes}, {.length = 101, .data = bytes}, {.length = 100, .data = NULL}};
    gt_load load;
    gt_io *io;
    for (size_t i = 0; i < sizeof liars / sizeof *liars; i++) {
        assert_int_equal(load_from(&liars[i], &load, &io), GOAT_IO);
        assert_null(load.data);
        end_load(&load, io);
    }
    liar crooked = {.length = 100, .data = bytes + 3}; /* not wrong, only not as it is needed */
    assert_int_equal(load_from(&crooked, &load, &io), GOAT_OK);
    assert_int_equal((uintptr_t)load.data % GT_LOAD_ALIGNMENT, 0);
    assert_memory_equal(load.data, bytes + 3, 100);
    end_load(&load, io);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(what_was_written_is_read_in_place),
        TEST(the_bytes_are_as_the_format_says),
        TEST(a_file_may_begin_anywhere_in_a_buffer),
        TEST(sections_are_found_by_kind_and_row_size),
        TEST(none_and_the_greatest_number_of_sections_are_taken),
        TEST(any_changed_byte_is_refused),
        TEST(any_other_length_is_refused),
        TEST(sections_outside_of_the_file_are_refused),
        TEST(without_memory_the_buffer_says_so),
        TEST(a_loaded_checkpoint_is_private_and_aligned),
        cmocka_unit_test(what_cannot_be_loaded_says_why),
        cmocka_unit_test(a_storage_that_gives_nonsense_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
