/* Each block has its size before it. Growing always moves, so that a pointer kept across a resize is
 * found by the address sanitizer. */
#include "support/test_alloc.h"

#include "support/test.h"

#include <stdlib.h>
#include <string.h>

enum { HEADER = 16 }; /* keeps the alignment that malloc gives */

static void *counting_resize(void *context, void *pointer, size_t size) {
    test_alloc *memory = context;
    char *block = pointer == NULL ? NULL : (char *)pointer - HEADER;
    size_t before = 0;
    if (block != NULL) {
        memcpy(&before, block, sizeof before);
    }
    char *made = NULL;
    if (size != 0) {
        memory->calls++;
        memory->bytes += size;
        if (memory->left == 0) {
            memory->failed = true;
            memory->left = memory->once ? TEST_ALLOC_NEVER : 0;
            return NULL;
        }
        memory->left -= memory->left != TEST_ALLOC_NEVER;
        made = size > SIZE_MAX - HEADER ? NULL : malloc(HEADER + size);
        if (made == NULL) {
            return NULL;
        }
        memcpy(made, &size, sizeof size);
        memset(made + HEADER, 0xa5, size); /* fresh memory is never zero by luck */
        memory->live_blocks++;
        memory->live_bytes += size;
    }
    if (block != NULL) {
        if (made != NULL) {
            memcpy(made + HEADER, pointer, before < size ? before : size);
        }
        memory->live_blocks--;
        memory->live_bytes -= before;
        free(block);
    }
    if (memory->live_bytes > memory->most_bytes) {
        memory->most_bytes = memory->live_bytes;
    }
    return made == NULL ? NULL : made + HEADER;
}

void test_alloc_init(test_alloc *memory, uint64_t allocations_before_failure) {
    *memory = (test_alloc){.alloc = {memory, counting_resize}, .left = allocations_before_failure};
}

void test_alloc_assert_empty(const test_alloc *memory) {
    assert_int_equal(memory->live_blocks, 0);
    assert_int_equal(memory->live_bytes, 0);
}
