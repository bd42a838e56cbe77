/* A server's database and a replica of it in two folders, which can be set back to how they were made. */
#ifndef GOAT_BENCH_PAIR_H
#define GOAT_BENCH_PAIR_H

#include "lab.h"

typedef struct pair {
    char server[256], client[256];
    char kept[256]; /* what the two were */
    goat_db *server_db, *client_db;
    goat_repo *server_repo, *client_repo;
} pair;

/* Makes both with `commits` small documents in batches of `batch`, the client by cloning through a pipe; closes
 * them. */
void pair_make(const lab_plan *lab, pair *p, const char *name, uint32_t commits, uint32_t batch);
/* Sets both back, and opens them. `forget`: the client does not remember where it and the server were equal. */
void pair_open(pair *p, bool forget);
void pair_close(pair *p);
/* Ends the bench if they do not hold the same. */
void pair_assert_equal(pair *p);
void pair_remove(pair *p);

#endif
