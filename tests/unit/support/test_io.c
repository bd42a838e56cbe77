/* Works for storages that finish at once and for those that take a number of polls. */
#include "support/test_io.h"

#include "support/test.h"

#include <string.h>

enum { POLLS_MAX = 100000 };

goat_io_result test_io(goat_storage *storage, goat_io_request request) {
    static uint32_t last_token = 0;
    goat_io_result result;
    memset(&result, 0, sizeof result);
    request.token = ++last_token;
    result.status = storage->submit(storage->context, &request);
    if (result.status != GOAT_OK) {
        return result;
    }
    for (int i = 0; i < POLLS_MAX; i++) {
        size_t count = storage->poll(storage->context, &result, 1, false);
        if (count != 0) {
            assert_int_equal(count, 1);
            assert_int_equal(result.token, request.token);
            assert_true((result.status == GOAT_OK) == (result.message[0] == 0));
            return result;
        }
    }
    fail_msg("no answer to a request of kind %d", (int)request.kind);
    return result;
}

goat_status test_io_lock(goat_storage *storage, uint32_t flags) {
    return test_io(storage, (goat_io_request){.kind = GOAT_IO_LOCK, .flags = flags}).status;
}

goat_status test_io_replace(goat_storage *storage, const char *name, const char *text, uint32_t flags) {
    goat_io_request request = {.kind = GOAT_IO_REPLACE, .flags = flags, .name = name};
    request.data = (const uint8_t *)text;
    request.data_len = strlen(text);
    return test_io(storage, request).status;
}

goat_io_result test_io_open(goat_storage *storage, const char *name, uint32_t flags) {
    return test_io(storage, (goat_io_request){.kind = GOAT_IO_OPEN, .flags = flags, .name = name});
}

goat_status test_io_append(goat_storage *storage, uint32_t file, const char *text) {
    goat_io_request request = {.kind = GOAT_IO_APPEND, .file = file};
    request.data = (const uint8_t *)text;
    request.data_len = strlen(text);
    return test_io(storage, request).status;
}

goat_status test_io_sync(goat_storage *storage, uint32_t file) {
    return test_io(storage, (goat_io_request){.kind = GOAT_IO_SYNC, .file = file}).status;
}

goat_status test_io_close(goat_storage *storage, uint32_t file) {
    return test_io(storage, (goat_io_request){.kind = GOAT_IO_CLOSE, .file = file}).status;
}

void test_io_assert_file(goat_storage *storage, const char *name, const char *text) {
    goat_io_result result = test_io(storage, (goat_io_request){.kind = GOAT_IO_READ, .name = name});
    if (text == NULL) {
        assert_int_equal(result.status, GOAT_NOT_FOUND);
        return;
    }
    assert_int_equal(result.status, GOAT_OK);
    assert_int_equal(result.data_len, strlen(text));
    if (result.data_len != 0) {
        assert_memory_equal(result.data, text, result.data_len);
    }
}

void test_io_assert_list(goat_storage *storage, const char *folder, const char *names) {
    goat_io_result result = test_io(storage, (goat_io_request){.kind = GOAT_IO_LIST, .name = folder});
    assert_int_equal(result.status, GOAT_OK);
    char joined[1024] = "";
    assert_true(result.data_len < sizeof joined);
    for (size_t i = 0; i < result.data_len; i++) {
        joined[i] = result.data[i] == 0 ? ' ' : (char)result.data[i];
    }
    assert_string_equal(joined, names);
}
