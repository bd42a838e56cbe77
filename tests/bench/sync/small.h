/* Small documents, as many as one likes. */
#ifndef GOAT_BENCH_SMALL_H
#define GOAT_BENCH_SMALL_H

#include "lab.h"

extern const char small_schema[];

/* Applies documents `first` to `first + count - 1` in batches of `batch`, each a new item. `author` is part of their
 * keys. */
void small_apply(goat_repo *repo, char author, uint32_t first, uint32_t count, uint32_t batch);

#endif
