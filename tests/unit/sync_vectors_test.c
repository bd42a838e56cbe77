/* The golden vectors in tests/vectors/sync/: both ends still say exactly these bytes. sync_vectors.py reads them without
 * the library. */
#include "support/test.h"

#include "base/utf8.h"
#include "support/sync_vectors.h"
#include "sync/message.h"

#include <stdio.h>
#include <stdlib.h>

static json_t *load(const char *name) {
    char path[1024];
    json_error_t error;
    (void)snprintf(path, sizeof path, "%s/tests/vectors/sync/%s", GOAT_TEST_ROOT, name);
    json_t *file = json_load_file(path, 0, &error);
    if (file == NULL) fail_msg("%s:%d: %s", path, error.line, error.text);
    return file;
}

static void both_ends_say_what_they_said(void **state) {
    (void)state;
    for (size_t i = 0; i < sync_vector_file_count; i++) {
        json_t *kept = load(sync_vector_files[i].name), *made = sync_vector_files[i].make();
        json_t *kept_cases = json_object_get(kept, "cases"), *made_cases = json_object_get(made, "cases");
        for (size_t c = 0; c < json_array_size(made_cases); c++) {
            if (json_equal(json_array_get(kept_cases, c), json_array_get(made_cases, c)) == 0) {
                fail_msg("%s, \"%s\" is not what it was", sync_vector_files[i].name,
                         json_string_value(json_object_get(json_array_get(made_cases, c), "name")));
            }
        }
        assert_true(json_equal(kept, made));
        json_decref(kept);
        json_decref(made);
    }
}

/* Reads what is kept, cut anywhere and with any byte changed: it is refused, or is the one encoding of what it says. */
static void try_bytes(const uint8_t *bytes, size_t len, bool whole) {
    gt_bytes rest = gt_bytes_of(bytes, len);
    gt_arena arena;
    gt_message message;
    gt_buf again;
    gt_diag diag;
    gt_diag_init(&diag);
    gt_arena_init(&arena, &gt_alloc_system);
    gt_buf_init(&again, &gt_alloc_system);
    goat_status status = gt_message_read(&rest, &arena, &message, &diag);
    if (whole) assert_int_equal(status, GOAT_OK);
    if (status == GOAT_OK) {
        gt_message_write(&again, &message);
        assert_int_equal(again.len, message.bytes.len);
        assert_memory_equal(again.data, message.bytes.data, again.len);
    } else {
        assert_true(status == GOAT_NOT_FOUND || (diag.status == status && diag.position <= len));
    }
    gt_buf_free(&again);
    gt_arena_free(&arena);
}

static void a_spoilt_message_is_refused_or_another_one(void **state) {
    (void)state;
    json_t *file = load("messages.json"), *cases = json_object_get(file, "cases");
    for (size_t c = 0; c < json_array_size(cases); c++) {
        const char *hex = json_string_value(json_object_get(json_array_get(cases, c), "bytes"));
        size_t len = strlen(hex) / 2;
        uint8_t *bytes = test_malloc(len);
        assert_true(gt_unhex(bytes, len, hex, 2 * len));
        try_bytes(bytes, len, true);
        for (size_t cut = 0; cut < len; cut++) try_bytes(bytes, cut, false);
        for (size_t at = 0; at < len; at++) {
            for (unsigned flip = 1; flip < 256; flip++) {
                bytes[at] ^= (uint8_t)flip;
                try_bytes(bytes, len, false);
                bytes[at] ^= (uint8_t)flip;
            }
        }
        test_free(bytes);
    }
    json_decref(file);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_ends_say_what_they_said),
        cmocka_unit_test(a_spoilt_message_is_refused_or_another_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
