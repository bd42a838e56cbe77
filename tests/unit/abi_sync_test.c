/* abi/: connections without a transport, through the public interface: packets, wake-ups, ends, and what waits. */
#include "support/test.h"

#include "support/test_db.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A server (a test_db), and a replica on a machine of its own; the ends of a connection between them. */
typedef struct pair {
    test_db *server;
    test_db replica;
    uint8_t root_key[32];
    goat_sync *server_end, *replica_end;
    uint32_t server_woken, replica_woken;
} pair;

static void find_root_key(goat_db *db, uint8_t root_key[32]) {
    static const uint8_t name[] = "\x64root\x58\x20";
    goat_buf info = {0};
    assert_ok(goat_db_info(db, &info, &error));
    const uint8_t *at = info.data;
    while (memcmp(at, name, sizeof name - 1) != 0) at++;
    memcpy(root_key, at + sizeof name - 1, 32);
    goat_buf_free(&info);
}

static void open_replica(pair *f) {
    goat_host host = test_db_host(&f->replica);
    goat_config config = GOAT_CONFIG_INIT;
    config.flags |= GOAT_OPEN_NO_THREAD;
    config.host = &host;
    config.root_key = f->root_key;
    assert_ok(goat_db_open(TEXT("replica"), &config, &f->replica.db, NULL, &error));
    assert_ok(goat_repo_open(f->replica.db, TEXT("/data/tasks"), 0, &f->replica.repo, NULL, &error));
}

static void close_replica(pair *f) {
    goat_repo_free(f->replica.repo);
    goat_db_free(f->replica.db);
    f->replica.repo = NULL;
    f->replica.db = NULL;
}

static int setup(void **state) {
    pair *f = calloc(1, sizeof *f);
    void *server = NULL;
    if (f == NULL || test_db_setup(&server) != 0) return -1;
    f->server = server;
    test_alloc_init(&f->replica.memory, TEST_ALLOC_NEVER);
    gt_sim_clock_init(&f->replica.clock);
    gt_sim_set_wall_ms(&f->replica.clock, INT64_C(1767225600000));
    gt_sim_random_init(&f->replica.random, 2);
    f->replica.disk = gt_sim_disk_new(&gt_alloc_system, 2);
    find_root_key(f->server->db, f->root_key);
    open_replica(f);
    *state = f;
    return 0;
}

static int teardown(void **state) {
    pair *f = *state;
    void *server = f->server;
    goat_sync_free(f->server_end);
    goat_sync_free(f->replica_end);
    if (f->replica.db != NULL) close_replica(f);
    test_alloc_assert_empty(&f->replica.memory);
    gt_sim_disk_free(f->replica.disk);
    free(f);
    return test_db_teardown(&server);
}

static void join(pair *f) {
    assert_ok(goat_sync_new(f->server->db, GOAT_SYNC_SERVER, &f->server_end, &error));
    assert_ok(goat_sync_new(f->replica.db, 0, &f->replica_end, &error));
}

static void part(pair *f) {
    goat_sync_free(f->server_end);
    goat_sync_free(f->replica_end);
    f->server_end = f->replica_end = NULL;
}

static bool carry(goat_sync *from, goat_sync *to) {
    goat_buf packet = {0};
    bool any = false;
    do {
        assert_ok(goat_sync_send(from, &packet, NULL, &error));
        assert_ok(goat_sync_receive(to, packet.data, packet.size, &error));
        any = any || packet.size > 0;
    } while (packet.size > 0);
    goat_buf_free(&packet);
    return any;
}

static void run(goat_db *db) {
    double deadline = 0;
    assert_ok(goat_db_run(db, -1, 1000000, &deadline, &error));
}

/* Time passes, the databases run, packets are carried. */
static void pass(pair *f, int ms) {
    for (int i = 0; i <= ms; i++) {
        bool moved = true;
        while (moved) {
            run(f->server->db);
            run(f->replica.db);
            moved = f->replica_end != NULL && carry(f->replica_end, f->server_end);
            moved = (f->server_end != NULL && carry(f->server_end, f->replica_end)) || moved;
        }
        gt_sim_advance_ms(&f->server->clock, 1);
        gt_sim_advance_ms(&f->replica.clock, 1);
    }
}

static goat_item *find(goat_db *db, const char *path) {
    goat_item *item = NULL;
    assert_ok(goat_db_advance(db, NULL, &error));
    goat_status status = goat_item_open(db, NULL, path, strlen(path), &item, NULL);
    assert_true(status == GOAT_OK || status == GOAT_NOT_FOUND);
    return item;
}

static void assert_title(goat_db *db, const char *path, const char *title) {
    goat_item *item = find(db, path);
    assert_non_null(item);
    test_db_assert_field(item, "title", title);
    goat_item_free(item);
}

/* ---- edits ---- */

static void edits_of_both_sides_are_seen_at_the_other(void **state) {
    pair *f = *state;
    goat_item *item = test_db_create(f->server, "/data/tasks/1", "one");
    join(f);
    pass(f, 400);
    assert_title(f->replica.db, "/data/tasks/1", "\"one\""); /* its schema came, too */
    goat_item *own = test_db_create(&f->replica, "/data/tasks/2", "two");
    pass(f, 400);
    assert_title(f->server->db, "/data/tasks/2", "\"two\"");
    goat_buf one = {0}, other = {0};
    assert_ok(goat_repo_digest(f->server->repo, &one, NULL, &error));
    assert_ok(goat_repo_digest(f->replica.repo, &other, NULL, &error));
    assert_int_equal(one.size, other.size);
    assert_memory_equal(one.data, other.data, one.size);
    goat_buf_free(&one);
    goat_buf_free(&other);
    goat_item_free(item);
    goat_item_free(own);
}

static void a_list_edited_apart_comes_together(void **state) {
    pair *f = *state;
    goat_item *here = test_db_create(f->server, "/data/tasks/1", "one"), *there;
    test_db_set(here, "list", "[\"a\", \"b\", \"c\", \"d\"]");
    join(f);
    pass(f, 400);
    part(f);
    there = find(f->replica.db, "/data/tasks/1");
    assert_non_null(there);
    assert_ok(goat_item_list_move(here, TEXT("list"), 0, 3, &error)); /* b c d a */
    assert_ok(goat_item_list_remove(here, TEXT("list"), 0, 1, &error));
    test_db_set(there, "list", "[\"b\", \"a\", \"d\", \"c\"]"); /* as a whole: moves are found */
    assert_ok(goat_item_list_set(there, TEXT("list"), 1, (const uint8_t *)"\x61\x41", 2, &error));
    assert_ok(goat_item_list_insert(there, TEXT("list"), 4, (const uint8_t *)"\x81\x61\x65", 3, &error));
    pass(f, 400);
    goat_item_free(here);
    goat_item_free(there);
    join(f);
    pass(f, 400);
    here = find(f->server->db, "/data/tasks/1");
    there = find(f->replica.db, "/data/tasks/1");
    goat_buf one = {0}, other = {0};
    assert_ok(goat_item_get(here, TEXT("list"), &one, &error));
    assert_ok(goat_item_get(there, TEXT("list"), &other, &error));
    assert_int_equal(one.size, other.size);
    assert_memory_equal(one.data, other.data, one.size);
    const char *json = test_db_json(&one); /* each once, but for "b", which was removed */
    assert_int_equal(one.size, strlen("[\"A\",\"c\",\"d\",\"e\"]"));
    for (const char *name = "Acde"; *name != 0; name++) assert_non_null(strchr(json, *name));
    goat_buf_free(&one);
    goat_buf_free(&other);
    goat_item_free(here);
    goat_item_free(there);
}

static void a_heading_here_and_a_word_there_are_both_kept(void **state) {
    pair *f = *state;
    goat_item *here = test_db_create(f->server, "/data/tasks/1", "one"), *there;
    test_db_set(here, "rich", "[{\"insert\": \"Goats\\n\"}]");
    join(f);
    pass(f, 400);
    part(f);
    there = find(f->replica.db, "/data/tasks/1");
    assert_non_null(there);
    const char heading[] = "[{\"retain\": 5}, {\"retain\": 1, \"attributes\": {\"header\": 1}}]";
    const char word[] = "[{\"retain\": 5}, {\"insert\": \" eat\"}]";
    assert_ok(goat_item_apply_delta(here, TEXT("rich"), TEXT(heading), &error));
    assert_ok(goat_item_apply_delta(there, TEXT("rich"), TEXT(word), &error));
    pass(f, 400);
    goat_item_free(here);
    goat_item_free(there);
    join(f);
    pass(f, 400);
    here = find(f->server->db, "/data/tasks/1");
    there = find(f->replica.db, "/data/tasks/1");
    const char *both = "[{\"insert\":\"Goats eat\"},{\"insert\":\"\\n\",\"attributes\":{\"header\":1}}]";
    test_db_assert_field(here, "rich", both);
    test_db_assert_field(there, "rich", both);
    goat_item_free(here);
    goat_item_free(there);
}

static void the_next_connection_goes_on_where_the_last_one_ended(void **state) {
    pair *f = *state;
    join(f);
    pass(f, 50);
    part(f);
    goat_item *one = test_db_create(f->server, "/data/tasks/1", "one");
    goat_item *two = test_db_create(&f->replica, "/data/tasks/2", "two");
    pass(f, 400);
    goat_item_free(one);
    goat_item_free(two);
    close_replica(f);
    open_replica(f);
    join(f);
    pass(f, 50);
    assert_title(f->server->db, "/data/tasks/2", "\"two\"");
    assert_title(f->replica.db, "/data/tasks/1", "\"one\"");
}

static void read_list(goat_db *db, goat_repo *repo, goat_buf *rows) {
    static const char spec[] = "{\"sort\": [\"place\"], \"fields\": [\"place\", \"title\"]}";
    goat_query *query = NULL;
    assert_ok(goat_db_advance(db, NULL, &error));
    assert_ok(goat_query_open(repo, NULL, TEXT(spec), &query, NULL, &error));
    assert_ok(goat_query_rows_json(query, 0, UINT32_MAX, rows, &error));
    goat_query_free(query);
}

/* Inserts `count` items "A0", "A1", … one after the other, the first of them after `at`, all of them before `end`. */
static void insert_run(test_db *side, const char *at, const char *end, char letter, int count) {
    char path[32], title[8];
    goat_item *before = find(side->db, at), *after = find(side->db, end);
    for (int i = 0; i < count; i++) {
        snprintf(title, sizeof title, "%c%d", letter, i);
        snprintf(path, sizeof path, "/data/tasks/%s", title);
        goat_item *item = test_db_create(side, path, title);
        test_db_place(side->db, item, before, after);
        goat_item_free(before);
        before = item;
    }
    goat_item_free(before);
    goat_item_free(after);
}

/* Asserts that the titles with this letter, among all, stand in the order in which they were inserted. */
static void assert_run(const char *rows, char letter, int count) {
    char title[24];
    const char *last = strstr(rows, "\"title\":\"first\""), *end = strstr(rows, "\"title\":\"last\"");
    for (int i = 0; i < count; i++) {
        snprintf(title, sizeof title, "\"title\":\"%c%d\"", letter, i);
        const char *at = strstr(rows, title);
        assert_true(at != NULL && at > last && at < end);
        last = at;
    }
}

/* Both insert at one place, time and again, while they do not hear of each other. */
static void a_list_is_in_one_order_however_many_insert_at_one_place(void **state) {
    pair *f = *state;
    enum { ROUNDS = 4, RUN = 7 };
    goat_item *first = test_db_create(f->server, "/data/tasks/first", "first");
    goat_item *last = test_db_create(f->server, "/data/tasks/last", "last");
    test_db_place(f->server->db, first, NULL, NULL);
    test_db_place(f->server->db, last, first, NULL);
    goat_buf one = {0}, other = {0};
    for (int round = 0; round <= ROUNDS; round++) {
        join(f);
        pass(f, 400);
        part(f);
        read_list(f->server->db, f->server->repo, &one);
        read_list(f->replica.db, f->replica.repo, &other);
        assert_string_equal(one.data, other.data);
        for (int i = 0; i < round; i++) {
            assert_run((const char *)one.data, (char)('A' + 2 * i), RUN);
            assert_run((const char *)one.data, (char)('A' + 2 * i + 1), RUN);
        }
        if (round == ROUNDS) break;
        insert_run(f->server, "/data/tasks/first", "/data/tasks/last", (char)('A' + 2 * round), RUN);
        insert_run(&f->replica, "/data/tasks/first", "/data/tasks/last", (char)('A' + 2 * round + 1), RUN);
    }
    goat_item_free(first);
    goat_item_free(last);
    goat_buf_free(&one);
    goat_buf_free(&other);
}

/* An item that both move is in one place, where the later move puts it. */
static void an_item_that_both_move_is_in_one_place(void **state) {
    pair *f = *state;
    goat_item *a = test_db_create(f->server, "/data/tasks/a", "a"),
              *b = test_db_create(f->server, "/data/tasks/b", "b");
    goat_item *x = test_db_create(f->server, "/data/tasks/x", "x");
    test_db_place(f->server->db, a, NULL, NULL);
    test_db_place(f->server->db, b, a, NULL);
    test_db_place(f->server->db, x, b, NULL);
    join(f);
    pass(f, 400);
    part(f);
    goat_item *far_a = find(f->replica.db, "/data/tasks/a"), *far_b = find(f->replica.db, "/data/tasks/b");
    goat_item *far_x = find(f->replica.db, "/data/tasks/x");
    test_db_place(f->server->db, x, NULL, a);
    pass(f, 400); /* captured, so earlier */
    test_db_place(f->replica.db, far_x, far_a, far_b);
    join(f);
    pass(f, 400);
    goat_buf one = {0}, other = {0};
    read_list(f->server->db, f->server->repo, &one);
    read_list(f->replica.db, f->replica.repo, &other);
    assert_string_equal(one.data, other.data);
    const char *rows = (const char *)one.data, *at = strstr(rows, "\"x\"");
    assert_true(at > strstr(rows, "\"a\"") && at < strstr(rows, "\"b\""));
    goat_buf_free(&one);
    goat_buf_free(&other);
    goat_item *items[] = {a, b, x, far_a, far_b, far_x};
    for (size_t i = 0; i < sizeof items / sizeof items[0]; i++) goat_item_free(items[i]);
}

/* ---- waking ---- */

static void count(void *userdata) { ++*(uint32_t *)userdata; }

static void the_host_is_woken_when_there_is_something_to_send(void **state) {
    pair *f = *state;
    double deadline = 0;
    goat_buf packet = {0};
    join(f);
    pass(f, 400);
    assert_ok(goat_db_on_wake(f->server->db, count, &f->server_woken, NULL, &error));
    assert_ok(goat_sync_send(f->server_end, &packet, &deadline, &error));
    assert_int_equal(packet.size, 0);
    assert_ok(goat_db_advance(f->server->db, NULL, &error));
    uint32_t woken = f->server_woken;
    goat_item *item = test_db_create(f->server, "/data/tasks/1", "one");
    assert_ok(goat_db_flush(f->server->db, GOAT_DURABLE_MEMORY, NULL, &error));
    assert_true(f->server_woken > woken);
    woken = f->server_woken;
    test_db_set(item, "title", "\"two\"");
    assert_ok(goat_db_flush(f->server->db, GOAT_DURABLE_MEMORY, NULL, &error));
    assert_ok(goat_sync_send(f->server_end, &packet, &deadline, &error));
    assert_true(packet.size > 0);
    assert_ok(goat_sync_receive(f->replica_end, packet.data, packet.size, &error));
    goat_item_free(item);
    goat_buf_free(&packet);
    pass(f, 10);
}

static void a_deadline_says_when_to_ask_at_the_latest(void **state) {
    pair *f = *state;
    double deadline = 0;
    goat_buf packet = {0};
    assert_ok(goat_sync_new(f->replica.db, 0, &f->replica_end, &error));
    assert_ok(goat_sync_send(f->replica_end, &packet, &deadline, &error));
    assert_true(packet.size > 0);
    assert_true(deadline > 0); /* the handshake is to be over by then */
    gt_sim_advance_ms(&f->replica.clock, 60000);
    assert_ok(goat_sync_send(f->replica_end, &packet, &deadline, &error)); /* good-bye */
    assert_fails(GOAT_TIMEOUT, goat_sync_send(f->replica_end, &packet, &deadline, &error));
    goat_buf_free(&packet);
}

/* ---- ends ---- */

static void a_database_that_is_closed_ends_its_connections(void **state) {
    pair *f = *state;
    goat_buf packet = {0};
    join(f);
    pass(f, 50);
    close_replica(f);
    assert_fails(GOAT_CLOSED, goat_sync_send(f->replica_end, &packet, NULL, &error));
    assert_fails(GOAT_CLOSED, goat_sync_receive(f->replica_end, (const uint8_t *)"x", 1, &error));
    goat_buf_free(&packet);
}

static void garbage_ends_the_connection_with_words_for_both(void **state) {
    pair *f = *state;
    goat_buf packet = {0};
    join(f);
    pass(f, 50);
    assert_fails(GOAT_INVALID, goat_sync_receive(f->server_end, (const uint8_t *)"garbage", 7, &error));
    assert_ok(goat_sync_send(f->server_end, &packet, NULL, &error));
    assert_true(packet.size > 0); /* why */
    assert_ok(goat_sync_receive(f->replica_end, packet.data, packet.size, &error));
    assert_fails(GOAT_INVALID, goat_sync_send(f->replica_end, &packet, NULL, &error));
    assert_fails(GOAT_INVALID, goat_sync_send(f->server_end, &packet, NULL, &error));
    goat_buf_free(&packet);
    part(f);
    join(f);
    pass(f, 50);
}

static void an_empty_packet_is_none(void **state) {
    pair *f = *state;
    join(f);
    assert_ok(goat_sync_receive(f->server_end, NULL, 0, &error));
    assert_ok(goat_sync_receive(f->server_end, (const uint8_t *)"", 0, &error));
}

static void what_cannot_be_is_misuse(void **state) {
    pair *f = *state;
    goat_buf packet = {0};
    goat_sync *sync = NULL;
    join(f);
    assert_fails(GOAT_MISUSE, goat_sync_new(NULL, 0, &sync, &error));
    assert_fails(GOAT_MISUSE, goat_sync_new(f->server->db, 0, NULL, &error));
    assert_fails(GOAT_MISUSE, goat_sync_new(f->server->db, 1u << 20, &sync, &error));
    assert_fails(GOAT_MISUSE, goat_sync_new(f->server->db, GOAT_SYNC_SERVER | GOAT_SYNC_ALL, &sync, &error));
    assert_fails(GOAT_MISUSE, goat_sync_send(NULL, &packet, NULL, &error));
    assert_fails(GOAT_MISUSE, goat_sync_send(f->server_end, NULL, NULL, &error));
    assert_fails(GOAT_MISUSE, goat_sync_receive(NULL, NULL, 0, &error));
    assert_fails(GOAT_MISUSE, goat_sync_receive(f->server_end, NULL, 1, &error));
    assert_fails(GOAT_MISUSE, goat_db_status(NULL, &packet, &error));
    assert_fails(GOAT_MISUSE, goat_db_status(f->server->db, NULL, &error));
    assert_fails(GOAT_MISUSE, goat_db_sync(NULL, NULL, 0, NULL, &error));
    assert_fails(GOAT_MISUSE, goat_db_sync(f->server->db, NULL, 4, NULL, &error));
    assert_fails(GOAT_FORBIDDEN, goat_sync_new(f->replica.db, GOAT_SYNC_SERVER, &sync, &error));
    assert_null(sync);
    goat_sync_free(NULL);
}

/* ---- what waits, and what is known ---- */

static void a_job_waits_until_both_sides_have_the_same(void **state) {
    pair *f = *state;
    goat_job *job = NULL;
    assert_fails(GOAT_OFFLINE, goat_db_sync(f->replica.db, NULL, 0, &job, &error));
    assert_null(job);
    goat_item *one = test_db_create(f->server, "/data/tasks/1", "one");
    join(f);
    goat_item *two = NULL;
    pass(f, 400);
    two = test_db_create(&f->replica, "/data/tasks/2", "two");
    assert_ok(goat_db_sync(f->replica.db, NULL, 0, &job, &error));
    assert_int_equal(goat_job_wait(job, 0, NULL), GOAT_TIMEOUT);
    pass(f, 50);
    assert_ok(goat_job_wait(job, 0, &error));
    goat_job_free(job);
    assert_title(f->server->db, "/data/tasks/2", "\"two\"");
    assert_ok(goat_db_flush(f->replica.db, GOAT_DURABLE_SERVER, &job, &error));
    pass(f, 50);
    assert_ok(goat_job_wait(job, 0, &error));
    goat_job_free(job);
    goat_item_free(one);
    goat_item_free(two);
}

/* Closes the replica's repository; what was committed to it is on the disk, and its mount can go. */
static void close_repository(pair *f) {
    goat_job *job = NULL;
    assert_ok(goat_repo_close(f->replica.repo, &job, &error));
    pass(f, 2);
    assert_ok(goat_job_wait(job, 0, &error));
    goat_job_free(job);
    goat_repo_free(f->replica.repo);
    f->replica.repo = NULL;
}

static void open_repository(pair *f) {
    assert_ok(goat_repo_open(f->replica.db, TEXT("/data/tasks"), 0, &f->replica.repo, NULL, &error));
}

static void what_was_closed_while_offline_is_not_at_the_server(void **state) {
    pair *f = *state;
    goat_job *job = NULL;
    join(f);
    pass(f, 400);
    part(f);
    goat_item_free(test_db_create(&f->replica, "/data/tasks/1", "one"));
    close_repository(f);
    for (int round = 0; round < 2; round++) { /* closed again without an edit it is the same */
        join(f);
        pass(f, 100);
        assert_ok(goat_db_flush(f->replica.db, GOAT_DURABLE_SERVER, &job, &error));
        pass(f, 50);
        goat_error *why = NULL;
        assert_int_equal(goat_job_wait(job, 0, &why), GOAT_CLOSED);
        assert_string_equal(goat_error_detail(why, GOAT_DETAIL_PATH), "/data/tasks");
        goat_error_free(why);
        goat_job_free(job);
        part(f);
        open_repository(f);
        close_repository(f);
    }
    open_repository(f);
    join(f);
    pass(f, 400);
    assert_ok(goat_db_flush(f->replica.db, GOAT_DURABLE_SERVER, &job, &error));
    pass(f, 50);
    assert_ok(goat_job_wait(job, 0, &error));
    goat_job_free(job);
    assert_title(f->server->db, "/data/tasks/1", "\"one\"");
}

static void what_only_came_from_the_server_is_not_missed_there(void **state) {
    pair *f = *state;
    goat_job *job = NULL;
    join(f);
    pass(f, 400);
    goat_item_free(test_db_create(f->server, "/data/tasks/1", "one"));
    pass(f, 400);
    assert_title(f->replica.db, "/data/tasks/1", "\"one\"");
    part(f);
    close_repository(f);
    join(f);
    pass(f, 100);
    assert_ok(goat_db_flush(f->replica.db, GOAT_DURABLE_SERVER, &job, &error));
    pass(f, 50);
    assert_ok(goat_job_wait(job, 0, &error));
    goat_job_free(job);
}

static void what_is_closed_while_online_is_still_sent_and_waited_for(void **state) {
    pair *f = *state;
    goat_job *job = NULL, *closing = NULL;
    join(f);
    pass(f, 400);
    goat_item_free(test_db_create(&f->replica, "/data/tasks/1", "one"));
    assert_ok(goat_repo_close(f->replica.repo, &closing, &error));
    for (int i = 0; i < 4; i++) run(f->replica.db); /* and nothing is carried */
    assert_ok(goat_job_wait(closing, 0, &error));
    goat_job_free(closing);
    goat_repo_free(f->replica.repo);
    f->replica.repo = NULL;
    assert_ok(goat_db_flush(f->replica.db, GOAT_DURABLE_SERVER, &job, &error));
    for (int i = 0; i < 4; i++) run(f->replica.db);
    assert_int_equal(goat_job_wait(job, 0, NULL), GOAT_TIMEOUT);
    pass(f, 50);
    assert_ok(goat_job_wait(job, 0, &error));
    goat_job_free(job);
    assert_title(f->server->db, "/data/tasks/1", "\"one\"");
    assert_ok(goat_db_flush(f->replica.db, GOAT_DURABLE_SERVER, &job, &error)); /* nothing is left of it */
    pass(f, 50);
    assert_ok(goat_job_wait(job, 0, &error));
    goat_job_free(job);
}

static void the_status_is_one_map(void **state) {
    pair *f = *state;
    goat_buf status = {0};
    assert_ok(goat_db_status(f->replica.db, &status, &error));
    assert_non_null(strstr(test_db_json(&status), "\"online\":false"));
    join(f);
    pass(f, 400);
    assert_ok(goat_db_status(f->replica.db, &status, &error));
    const char *json = test_db_json(&status);
    assert_non_null(strstr(json, "\"online\":true"));
    assert_non_null(strstr(json, "\"role\":\"server\""));
    assert_non_null(strstr(json, "\"path\":\"/data/tasks\""));
    assert_ok(goat_db_status(f->server->db, &status, &error));
    assert_non_null(strstr(test_db_json(&status), "\"role\":\"client\""));
    goat_buf_free(&status);
}

#define with_pair(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        with_pair(edits_of_both_sides_are_seen_at_the_other),
        with_pair(a_list_edited_apart_comes_together),
        with_pair(a_heading_here_and_a_word_there_are_both_kept),
        with_pair(the_next_connection_goes_on_where_the_last_one_ended),
        with_pair(a_list_is_in_one_order_however_many_insert_at_one_place),
        with_pair(an_item_that_both_move_is_in_one_place),
        with_pair(the_host_is_woken_when_there_is_something_to_send),
        with_pair(a_deadline_says_when_to_ask_at_the_latest),
        with_pair(a_database_that_is_closed_ends_its_connections),
        with_pair(garbage_ends_the_connection_with_words_for_both),
        with_pair(an_empty_packet_is_none),
        with_pair(what_cannot_be_is_misuse),
        with_pair(a_job_waits_until_both_sides_have_the_same),
        with_pair(what_was_closed_while_offline_is_not_at_the_server),
        with_pair(what_only_came_from_the_server_is_not_missed_there),
        with_pair(what_is_closed_while_online_is_still_sent_and_waited_for),
        with_pair(the_status_is_one_map),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
