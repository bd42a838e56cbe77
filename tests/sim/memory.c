/* Each block of a peer has its size before it. */
#include "memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { HEADER = 16 }; /* keeps the alignment that malloc gives */

static void *or_end(void *memory) {
    if (memory == NULL) {
        fputs("sim: out of memory\n", stderr);
        exit(2);
    }
    return memory;
}

void *sim_new(size_t count, size_t size) { return or_end(calloc(count == 0 ? 1 : count, size)); }

void sim_free(void *pointer) { free(pointer); }

void *sim_reserve(void *array, size_t count, size_t *capacity, size_t size) {
    if (count < *capacity) return array;
    *capacity = *capacity == 0 ? 16 : *capacity * 2;
    return or_end(realloc(array, *capacity * size));
}

static void *resize(void *context, void *pointer, size_t size) {
    sim_memory *memory = context;
    char *block = pointer == NULL ? NULL : (char *)pointer - HEADER;
    size_t before = 0;
    if (block != NULL) memcpy(&before, block, sizeof(before));
    if (size == 0) {
        for (int i = 0; i < SIM_WATCHED_MAX; i++) {
            if (pointer != NULL && memory->watched[i] == pointer) memory->watched[i] = NULL;
        }
        memory->live -= before;
        free(block);
        return NULL;
    }
    char *made = or_end(realloc(block, HEADER + size));
    memcpy(made, &size, sizeof(size));
    memory->live += size - before;
    if (memory->live > memory->most) memory->most = memory->live;
    return made + HEADER;
}

goat_allocator sim_memory_source(sim_memory *memory) { return (goat_allocator){memory, resize}; }
