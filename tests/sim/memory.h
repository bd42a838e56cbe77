/* Memory: of the simulator itself, which ends the program when there is none, and of each peer's engine, which is
 * counted. */
#ifndef SIM_MEMORY_H
#define SIM_MEMORY_H

#include "goat_port.h"

void *sim_new(size_t count, size_t size); /* zeroed */
void sim_free(void *pointer);             /* NULL is accepted */
/* Room for one more element in a growing array; returns where it is now. */
void *sim_reserve(void *array, size_t count, size_t *capacity, size_t size);

enum { SIM_WATCHED_MAX = 5 };

/* What one peer's engine has. It stays where it is. */
typedef struct sim_memory {
    size_t live; /* bytes, without what malloc adds */
    size_t most;
    const void *watched[SIM_WATCHED_MAX]; /* blocks whose end is to be known: becomes NULL then */
} sim_memory;

goat_allocator sim_memory_source(sim_memory *memory);

#endif
