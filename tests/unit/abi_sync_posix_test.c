/* abi/: databases on the machine's own disk, joined while several threads edit, carry, flush and close: what blocks ends,
 * and all become equal. For the thread sanitizer, too. */
#define _GNU_SOURCE
#include "support/test.h"

#include "support/test_db.h"
#include "support/test_folder_posix.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum { REPLICAS = 2, EDITS = 30 };

static int setup(void **state) {
    assert_int_equal(goat_debug_live_handles(), 0);
    return test_folder_setup(state);
}

static void sleep_ms(long ms) { nanosleep(&(struct timespec){ms / 1000, ms % 1000 * 1000000}, NULL); }

typedef struct side {
    goat_db *db;
    goat_repo *repo;
} side;

static void open_side(side *s, const test_folder *folder, const char *name, const uint8_t *root_key) {
    char path[TEST_PATH_MAX + 32];
    goat_config config = GOAT_CONFIG_INIT;
    config.root_key = root_key;
    snprintf(path, sizeof path, "%s/%s", folder->path, name);
    assert_ok(goat_db_open(path, strlen(path), &config, &s->db, NULL, &error));
    assert_ok(goat_db_add_schema(s->db, test_db_schema, strlen(test_db_schema), &error));
    assert_ok(goat_repo_open(s->db, TEXT("/data/tasks"), 0, &s->repo, NULL, &error));
}

static void close_side(side *s) {
    goat_repo_free(s->repo);
    goat_db_free(s->db);
}

static void find_root_key(goat_db *db, uint8_t root_key[32]) {
    static const uint8_t name[] = "\x64root\x58\x20";
    goat_buf info = {0};
    assert_ok(goat_db_info(db, &info, &error));
    const uint8_t *at = info.data;
    while (memcmp(at, name, sizeof name - 1) != 0) at++;
    memcpy(root_key, at + sizeof name - 1, 32);
    goat_buf_free(&info);
}

/* ---- threads that carry ---- */

typedef struct way {
    goat_sync *from, *to;
    atomic_bool *stop;
} way;

static void *carry(void *argument) {
    way *w = argument;
    goat_buf packet = {0};
    while (!atomic_load(w->stop)) {
        if (goat_sync_send(w->from, &packet, NULL, NULL) != GOAT_OK) break;
        if (packet.size == 0) {
            sleep_ms(1);
        } else if (goat_sync_receive(w->to, packet.data, packet.size, NULL) != GOAT_OK) {
            break;
        }
    }
    goat_buf_free(&packet);
    return NULL;
}

typedef struct pipe_of {
    goat_sync *ends[2];
    way ways[2];
    pthread_t threads[2];
    atomic_bool stop;
} pipe_of;

static void join(pipe_of *p, goat_db *replica, goat_db *server) {
    atomic_init(&p->stop, false);
    assert_ok(goat_sync_new(replica, 0, &p->ends[0], &error));
    assert_ok(goat_sync_new(server, GOAT_SYNC_SERVER, &p->ends[1], &error));
    for (int i = 0; i < 2; i++) {
        p->ways[i] = (way){p->ends[i], p->ends[1 - i], &p->stop};
        assert_int_equal(pthread_create(&p->threads[i], NULL, carry, &p->ways[i]), 0);
    }
}

static void part(pipe_of *p) {
    atomic_store(&p->stop, true);
    for (int i = 0; i < 2; i++) pthread_join(p->threads[i], NULL);
    goat_sync_free(p->ends[0]);
    goat_sync_free(p->ends[1]);
}

/* ---- threads that edit ---- */

typedef struct author {
    side *at;
    int number;
    bool is_replica;
} author;

static void *edit(void *argument) {
    author *a = argument;
    for (int i = 0; i < EDITS; i++) {
        char json[200];
        snprintf(json, sizeof json,
                 "[{\"key\": \"%d-%d\", \"schema\": \"task\", \"set\": {\"title\": \"a\"}},"
                 " {\"key\": \"shared\", \"schema\": \"task\", \"set\": {\"title\": \"%d\"}}]",
                 a->number, i, i);
        assert_int_equal(goat_repo_apply_json(a->at->repo, json, strlen(json), 0, NULL, NULL), GOAT_OK);
        if (i % 10 == 9 && a->is_replica) {
            assert_int_equal(goat_db_flush(a->at->db, GOAT_DURABLE_SERVER, NULL, NULL), GOAT_OK);
        }
        goat_db_advance(a->at->db, NULL, NULL);
    }
    return NULL;
}

static void assert_equal(const side *one, const side *other) {
    goat_buf a = {0}, b = {0};
    assert_ok(goat_repo_digest(one->repo, &a, NULL, &error));
    assert_ok(goat_repo_digest(other->repo, &b, NULL, &error));
    assert_int_equal(a.size, b.size);
    assert_memory_equal(a.data, b.data, a.size);
    goat_buf_free(&a);
    goat_buf_free(&b);
}

static void everybody_edits_and_all_become_equal(void **state) {
    test_folder *folder = *state;
    side server, replicas[REPLICAS];
    pipe_of pipes[REPLICAS];
    uint8_t root_key[32];
    pthread_t threads[REPLICAS + 1];
    author authors[REPLICAS + 1];
    open_side(&server, folder, "server", NULL);
    find_root_key(server.db, root_key);
    for (int i = 0; i < REPLICAS; i++) {
        char name[32];
        snprintf(name, sizeof name, "replica%d", i);
        open_side(&replicas[i], folder, name, root_key);
        join(&pipes[i], replicas[i].db, server.db);
        while (goat_db_sync(replicas[i].db, NULL, 0, NULL, NULL) != GOAT_OK) sleep_ms(1);
    }
    for (int i = 0; i <= REPLICAS; i++) {
        authors[i] = (author){i < REPLICAS ? &replicas[i] : &server, i, i < REPLICAS};
        assert_int_equal(pthread_create(&threads[i], NULL, edit, &authors[i]), 0);
    }
    for (int i = 0; i <= REPLICAS; i++) pthread_join(threads[i], NULL);
    for (int i = 0; i < REPLICAS; i++) assert_ok(goat_db_sync(replicas[i].db, NULL, 0, NULL, &error));
    for (int i = 0; i < REPLICAS; i++) assert_ok(goat_db_sync(replicas[i].db, NULL, 0, NULL, &error));
    for (int i = 0; i < REPLICAS; i++) assert_equal(&server, &replicas[i]);
    for (int i = 0; i < REPLICAS; i++) part(&pipes[i]);
    for (int i = 0; i < REPLICAS; i++) assert_equal(&server, &replicas[i]);
    for (int i = 0; i < REPLICAS; i++) close_side(&replicas[i]);
    close_side(&server);
    assert_int_equal(goat_debug_live_handles(), 0);
}

/* Ends are cut, freed and made anew, and the database closed, while the others go on. */
static void what_is_cut_while_everybody_edits_meets_again(void **state) {
    test_folder *folder = *state;
    side server, replica;
    pipe_of p;
    uint8_t root_key[32];
    pthread_t threads[2];
    author authors[2];
    open_side(&server, folder, "server", NULL);
    find_root_key(server.db, root_key);
    open_side(&replica, folder, "replica", root_key);
    authors[0] = (author){&server, 0, false};
    authors[1] = (author){&replica, 1, false};
    for (int i = 0; i < 2; i++) assert_int_equal(pthread_create(&threads[i], NULL, edit, &authors[i]), 0);
    for (int i = 0; i < 10; i++) {
        join(&p, replica.db, server.db);
        sleep_ms(i * 3);
        part(&p);
    }
    for (int i = 0; i < 2; i++) pthread_join(threads[i], NULL);
    join(&p, replica.db, server.db);
    close_side(&replica); /* under its connection */
    part(&p);
    open_side(&replica, folder, "replica", root_key);
    join(&p, replica.db, server.db);
    assert_ok(goat_db_sync(replica.db, NULL, 0, NULL, &error));
    part(&p);
    assert_equal(&server, &replica);
    close_side(&replica);
    close_side(&server);
    assert_int_equal(goat_debug_live_handles(), 0);
}

#define with_folder(test) cmocka_unit_test_setup_teardown(test, setup, test_folder_teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        with_folder(everybody_edits_and_all_become_equal),
        with_folder(what_is_cut_while_everybody_edits_meets_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
