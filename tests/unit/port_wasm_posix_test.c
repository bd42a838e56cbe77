/* core/port/wasm: the storage whose disk is a page, here with the test as the page. Built natively, so the
 * storage is compiled into this program; the real one runs in tests/e2e. */
#include "support/test.h"

#include "port/wasm/storage.c"

#include "support/test_alloc.h"

#include <string.h>

static struct page {
    void *storage;
    int opened, closed;
    int32_t refuse;  /* what gt_wasm_open and gt_wasm_submit answer */
    bool answer_now; /* from inside gt_wasm_submit */
    uint32_t token, file;
    char name[32];
    uint8_t data[32];
    double offset, length;
} page;

int32_t gt_wasm_open(void *storage, const char *path, uint32_t path_len) {
    assert_int_equal(path_len, 2);
    assert_memory_equal(path, "db", 2);
    page.storage = storage;
    page.opened++;
    return page.refuse;
}

int32_t gt_wasm_submit(void *storage, int32_t kind, uint32_t flags, uint32_t token, uint32_t file, const char *name,
                       uint32_t name_len, const uint8_t *data, uint32_t data_len, double offset, double length) {
    (void)kind;
    (void)flags;
    assert_ptr_equal(storage, page.storage);
    memcpy(page.name, name, name_len);
    page.name[name_len] = 0;
    if (data_len != 0) {
        memcpy(page.data, data, data_len);
    }
    page.token = token;
    page.file = file;
    page.offset = offset;
    page.length = length;
    if (page.answer_now) {
        assert_null(goat_wasm_complete(storage, token, GOAT_OK, 0, 0, 0));
    }
    return page.refuse;
}

void gt_wasm_close(void *storage) {
    assert_ptr_equal(storage, page.storage);
    page.closed++;
}

static goat_storage open_storage(test_alloc *memory) {
    goat_storage storage;
    memset(&page, 0, sizeof page);
    test_alloc_init(memory, TEST_ALLOC_NEVER);
    assert_int_equal(gt_wasm_storage_new(&memory->alloc, "db", 2, &storage, NULL), GOAT_OK);
    return storage;
}

static void close_and_check(goat_storage *storage, test_alloc *memory) {
    storage->close(storage->context);
    assert_int_equal(page.closed, 1);
    test_alloc_assert_empty(memory);
}

static goat_status submit_to(goat_storage *storage, goat_io_request request) {
    return storage->submit(storage->context, &request);
}

static goat_io_result poll_one(goat_storage *storage) {
    goat_io_result result;
    assert_int_equal(storage->poll(storage->context, &result, 1, true), 1);
    return result;
}

static void answer(const char *text, int32_t status, double length) {
    uint32_t len = (uint32_t)strlen(text);
    uint8_t *place = goat_wasm_complete(page.storage, page.token, status, 9, length, len);
    assert_non_null(place);
    memcpy(place, text, len);
}

static void requests_go_to_the_page_and_answers_come_back(void **state) {
    (void)state;
    test_alloc memory;
    goat_storage storage = open_storage(&memory);
    goat_io_result result;
    assert_int_equal(submit_to(&storage, (goat_io_request){.kind = GOAT_IO_READ, .token = 4, .name = "a/b"}), GOAT_OK);
    assert_string_equal(page.name, "a/b");
    assert_int_equal(storage.poll(storage.context, &result, 1, true), 0);
    answer("text", GOAT_OK, 4);
    result = poll_one(&storage);
    assert_int_equal(result.token, 4);
    assert_int_equal(result.status, GOAT_OK);
    assert_int_equal(result.data_len, 4);
    assert_memory_equal(result.data, "text", 4);
    assert_int_equal(storage.poll(storage.context, &result, 1, true), 0);

    goat_io_request append = {.kind = GOAT_IO_APPEND, .token = 5, .file = 9, .data = (const uint8_t *)"more"};
    append.data_len = 4;
    page.answer_now = true;
    assert_int_equal(submit_to(&storage, append), GOAT_OK);
    assert_memory_equal(page.data, "more", 4);
    assert_int_equal(poll_one(&storage).token, 5);
    close_and_check(&storage, &memory);
}

static void loaded_memory_lives_until_its_file_is_closed(void **state) {
    (void)state;
    test_alloc memory;
    goat_storage storage = open_storage(&memory);
    assert_int_equal(submit_to(&storage, (goat_io_request){.kind = GOAT_IO_OPEN, .name = "log"}), GOAT_OK);
    assert_null(goat_wasm_complete(page.storage, 0, GOAT_OK, 9, 9007199254740991.0, 0));
    goat_io_result opened = poll_one(&storage);
    assert_int_equal(opened.file, 9);
    assert_true(opened.length == UINT64_C(9007199254740991));
    goat_io_request load = {.kind = GOAT_IO_LOAD, .token = 1, .file = 9, .offset = UINT64_C(1) << 40, .length = 5};
    assert_int_equal(submit_to(&storage, load), GOAT_OK);
    assert_true(page.offset == 1099511627776.0);
    answer("chunk", GOAT_OK, 5);
    goat_io_result chunk = poll_one(&storage);
    goat_io_result none;
    assert_int_equal(storage.poll(storage.context, &none, 1, false), 0);
    assert_memory_equal(chunk.data, "chunk", 5);
    size_t before = memory.live_blocks;
    assert_int_equal(submit_to(&storage, (goat_io_request){.kind = GOAT_IO_CLOSE, .token = 2, .file = 9}), GOAT_OK);
    assert_null(goat_wasm_complete(page.storage, 2, GOAT_OK, 0, 0, 0));
    assert_true(memory.live_blocks < before); /* the chunk and its note go, the answer comes */
    poll_one(&storage);
    close_and_check(&storage, &memory);
}

static void failures_carry_the_words_of_the_page(void **state) {
    (void)state;
    test_alloc memory;
    goat_storage storage = open_storage(&memory);
    assert_int_equal(submit_to(&storage, (goat_io_request){.kind = GOAT_IO_LOCK, .token = 1}), GOAT_OK);
    answer("another tab owns it", GOAT_BUSY, 0);
    goat_io_result result = poll_one(&storage);
    assert_int_equal(result.status, GOAT_BUSY);
    assert_string_equal(result.message, "another tab owns it");
    assert_null(goat_wasm_complete(page.storage, 1, GOAT_OK, 0, 0, 5)); /* twice */
    assert_int_equal(submit_to(&storage, (goat_io_request){.kind = GOAT_IO_LOCK, .token = 2}), GOAT_OK);
    uint8_t *place = goat_wasm_complete(page.storage, 2, GOAT_IO, 0, 0, 5000);
    assert_non_null(place); /* as many bytes as were asked for may be put there */
    memset(place, 'x', 5000);
    result = poll_one(&storage);
    assert_int_equal(strlen(result.message), sizeof result.message - 1);
    close_and_check(&storage, &memory);
}

static void what_the_page_refuses_leaves_nothing(void **state) {
    (void)state;
    test_alloc memory;
    goat_storage storage = open_storage(&memory);
    page.refuse = GOAT_IO;
    size_t before = memory.live_blocks;
    assert_int_equal(submit_to(&storage, (goat_io_request){.kind = GOAT_IO_LOCK, .token = 1}), GOAT_IO);
    assert_int_equal(submit_to(&storage, (goat_io_request){.kind = GOAT_IO_READ, .name = "../a"}), GOAT_MISUSE);
    assert_int_equal(memory.live_blocks, before);
    goat_storage other;
    assert_int_equal(gt_wasm_storage_new(&memory.alloc, "db", 2, &other, NULL), GOAT_IO);
    page.storage = storage.context;
    page.refuse = GOAT_OK;
    assert_int_equal(submit_to(&storage, (goat_io_request){.kind = GOAT_IO_LOCK, .token = 1}), GOAT_OK);
    close_and_check(&storage, &memory); /* with one under way */
}

static void no_memory_for_the_data_fails_the_request(void **state) {
    (void)state;
    for (uint64_t k = 0; k < 2; k++) {
        test_alloc memory;
        goat_storage storage = open_storage(&memory);
        assert_int_equal(submit_to(&storage, (goat_io_request){.kind = GOAT_IO_LOAD, .file = 9, .length = 5}), GOAT_OK);
        memory.left = k;
        assert_null(goat_wasm_complete(page.storage, 0, GOAT_OK, 0, 5, 5));
        goat_io_result result = poll_one(&storage);
        assert_int_equal(result.status, GOAT_NO_MEMORY);
        assert_null(result.data);
        close_and_check(&storage, &memory);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(requests_go_to_the_page_and_answers_come_back),
        cmocka_unit_test(loaded_memory_lives_until_its_file_is_closed),
        cmocka_unit_test(failures_carry_the_words_of_the_page),
        cmocka_unit_test(what_the_page_refuses_leaves_nothing),
        cmocka_unit_test(no_memory_for_the_data_fails_the_request),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
