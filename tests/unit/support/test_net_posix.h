/* Databases on real directories that are joined over real sockets, through the public interface: a server, and replicas
 * that know its root's key. Every wait takes ten seconds at most. */
#ifndef TEST_NET_POSIX_H
#define TEST_NET_POSIX_H

#include "support/test_db.h"
#include "support/test_folder_posix.h"

/* One database, with /data/tasks open, which knows the schema "task". */
typedef struct test_party {
    char path[TEST_PATH_MAX];
    goat_db *db;
    goat_repo *repo;
    char *changes; /* those of all advances so far, as JSON */
} test_party;

typedef struct test_net {
    test_folder *folder;
    test_party home; /* the server's database */
    goat_server_config config;
    goat_server *server;
    uint8_t root[32];
    uint16_t port;
    char url[256];
} test_net;

/* For cmocka: `*state` is a test_net whose database is open, and not served yet. Teardown asserts that no handle is left. */
int test_net_setup(void **state);
int test_net_teardown(void **state);

void test_net_serve(test_net *net); /* as `config` says; the port stays the same when it is done again */
void test_net_stop(test_net *net);

/* One in the folder, of the network with that root key; NULL: of one of its own. */
void test_party_open(test_party *party, const test_net *net, const char *name, const uint8_t *root);
void test_party_close(test_party *party);
void test_party_join(test_party *party, const char *url, const char *ca_file);

/* An item of /data/tasks, at once on its way. */
void test_party_create(test_party *party, const char *key, const char *title);
/* Advances until the item has that title. */
void test_party_wait(test_party *party, const char *key, const char *title);
bool test_party_has(test_party *party, const char *key); /* advances once */
/* Advances until the changes, since the last of these calls, contain these words. */
void test_party_wait_change(test_party *party, const char *words);

/* A number of goat_server_info(). */
uint64_t test_net_fact(test_net *net, const char *name);

#endif
