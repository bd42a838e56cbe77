/* What the files of the roles share. */
#ifndef GOAT_BENCH_ROLES_H
#define GOAT_BENCH_ROLES_H

#include "actor.h"

typedef struct replica {
    goat_db *db;
    goat_repo *repo;
} replica;

void replica_open(replica *r, const char *folder, const char *repository, const uint8_t *root_key);
void replica_close(replica *r);
void replica_connect(const replica *r, const char *url);
/* Until both have what each had. Waits for the connection first. */
void replica_become_even(const replica *r, const char *repository);

void role_read_root(const char *text, uint8_t root_key[32]);
void role_say(const char *line);
void role_wait_for_end(void);

int role_reader(char **words);

#endif
