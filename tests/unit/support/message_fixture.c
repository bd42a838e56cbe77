#include "support/message_fixture.h"

#include "support/hex_buf.h"
#include "support/test.h"

#include <stdlib.h>
#include <string.h>

int message_setup(void **state) {
    message_fixture *f = test_malloc(sizeof *f);
    memset(f, 0, sizeof *f);
    gt_buf_init(&f->bytes, &gt_alloc_system);
    gt_arena_init(&f->arena, &gt_alloc_system);
    for (size_t i = 0; i < sizeof f->filled; i++) f->filled[i] = (uint8_t)i;
    *state = f;
    return 0;
}

int message_teardown(void **state) {
    message_fixture *f = *state;
    gt_buf_free(&f->bytes);
    gt_arena_free(&f->arena);
    free(f->exact);
    test_free(f);
    return 0;
}

goat_status message_read_back(message_fixture *f) {
    gt_arena_reset(&f->arena);
    gt_diag_init(&f->diag);
    assert_false(gt_buf_failed(&f->bytes));
    free(f->exact);
    f->exact = malloc(f->bytes.len > 0 ? f->bytes.len : 1);
    assert_non_null(f->exact);
    if (f->bytes.len > 0) memcpy(f->exact, f->bytes.data, f->bytes.len);
    gt_bytes rest = gt_bytes_of(f->exact, f->bytes.len);
    goat_status status = gt_message_read(&rest, &f->arena, &f->message, &f->diag);
    if (status == GOAT_OK) {
        assert_int_equal(rest.len, 0);
        assert_int_equal(f->message.bytes.len, f->bytes.len);
    } else if (status != GOAT_NOT_FOUND) {
        assert_int_equal(f->diag.status, status);
        assert_true(f->diag.position <= f->bytes.len);
    }
    return status;
}

void message_takes(message_fixture *f) {
    gt_buf again;
    gt_buf_init(&again, &gt_alloc_system);
    if (message_read_back(f) != GOAT_OK) fail_msg("%s, at %llu", f->diag.message, (unsigned long long)f->diag.position);
    gt_message_write(&again, &f->message);
    assert_int_equal(again.len, f->bytes.len);
    assert_memory_equal(again.data, f->bytes.data, again.len);
    gt_buf_free(&again);
}

void message_refuses(message_fixture *f, goat_status status, const char *words) {
    assert_int_equal(message_read_back(f), status);
    if (strstr(f->diag.message, words) == NULL) fail_msg("\"%s\" says nothing of \"%s\"", f->diag.message, words);
}

void message_say(message_fixture *f, const gt_message *message) {
    gt_buf_clear(&f->bytes);
    gt_message_write(&f->bytes, message);
}

void message_takes_this(message_fixture *f, const gt_message *message) {
    message_say(f, message);
    message_takes(f);
}

void message_refuses_this(message_fixture *f, const gt_message *message, goat_status status, const char *words) {
    message_say(f, message);
    message_refuses(f, status, words);
}

void message_refuses_hex(message_fixture *f, const char *hex, goat_status status, const char *words) {
    gt_buf_free(&f->bytes);
    f->bytes = hex_buf(hex);
    message_refuses(f, status, words);
}

gt_message message_hello(message_fixture *f) {
    gt_message m = {.kind = GT_MESSAGE_HELLO};
    m.as.hello = (gt_hello){
        .version = 1, .public_key = f->filled + 1, .nonce = f->filled + 2, .window = GT_SYNC_WINDOW_MIN, .wall_ms = 5};
    return m;
}
