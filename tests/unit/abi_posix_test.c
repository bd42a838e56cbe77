/* abi/ on a real directory: who shares a database, the service thread, and many threads at once. */
#define _GNU_SOURCE
#include "support/test.h"

#include "support/test_db.h"
#include "support/test_folder_posix.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#define with_folder(test) cmocka_unit_test_setup_teardown(test, setup, test_folder_teardown)

static int setup(void **state) {
    assert_int_equal(goat_debug_live_handles(), 0);
    return test_folder_setup(state);
}

static void sleep_ms(long ms) { nanosleep(&(struct timespec){ms / 1000, ms % 1000 * 1000000}, NULL); }

static goat_db *open_path(const char *path, uint32_t flags) {
    goat_db *db = NULL;
    goat_config config = GOAT_CONFIG_INIT;
    config.flags |= flags;
    assert_ok(goat_db_open(path, strlen(path), &config, &db, NULL, &error));
    return db;
}

static goat_repo *open_tasks(goat_db *db) {
    goat_repo *repo = NULL;
    assert_ok(goat_db_add_schema(db, test_db_schema, strlen(test_db_schema), &error));
    assert_ok(goat_repo_open(db, TEXT("/data/tasks"), 0, &repo, NULL, &error));
    return repo;
}

/* Whole at once: another thread may flush at any time, and half an item is not valid. */
static goat_item *create(goat_db *db, const char *path) {
    static const uint8_t fields[] = "\xa1\x65title\x66"
                                    "a task";
    goat_item *item = NULL;
    assert_ok(goat_item_create(db, NULL, path, strlen(path), TEXT("task"), fields, sizeof fields - 1, &item, &error));
    return item;
}

static uint32_t flags_of(goat_item *item) {
    uint32_t flags = 0;
    assert_ok(goat_item_state(item, &flags, &error));
    return flags;
}

/* ---- One directory, several handles ------------------------------------------------------------ */

static void the_example_of_the_header_works(void **state) {
    test_folder *folder = *state;
    goat_db *db = open_path(folder->path, 0);
    goat_repo *repo = open_tasks(db);
    goat_item *item = create(db, "/data/tasks/1");
    assert_ok(goat_db_flush(db, GOAT_DURABLE_DISK, NULL, &error));
    goat_item_free(item);
    goat_repo_free(repo);
    goat_db_free(db);
    db = open_path(folder->path, GOAT_OPEN_NO_CHECKPOINT);
    repo = open_tasks(db);
    item = test_db_item(db, "/data/tasks/1");
    test_db_assert_field(item, "title", "\"a task\"");
    goat_item_free(item);
    goat_repo_free(repo);
    goat_db_free(db);
    assert_int_equal(goat_debug_live_handles(), 0);
}

static void two_handles_share_and_see_each_other_when_they_advance(void **state) {
    test_folder *folder = *state;
    goat_buf changes = {0};
    goat_db *one = open_path(folder->path, GOAT_OPEN_NO_THREAD), *two = open_path(folder->path, GOAT_OPEN_NO_THREAD);
    goat_repo *repo_one = open_tasks(one), *repo_two = open_tasks(two);
    goat_item *mine = create(one, "/data/tasks/1"), *theirs = NULL;
    assert_ok(goat_db_flush(one, GOAT_DURABLE_MEMORY, NULL, &error));
    assert_fails(GOAT_NOT_FOUND, goat_item_open(two, NULL, TEXT("/data/tasks/1"), &theirs, &error));
    assert_ok(goat_db_advance(two, &changes, &error));
    assert_non_null(strstr(test_db_json(&changes), "[1,\"/data/tasks/1\",1,")); /* of another */
    theirs = test_db_item(two, "/data/tasks/1");
    test_db_set(theirs, "size", "5");
    test_db_assert_field(mine, "size", NULL);
    assert_ok(goat_db_flush(two, GOAT_DURABLE_MEMORY, NULL, &error));
    test_db_assert_field(mine, "size", NULL);
    test_db_set(mine, "number", "1"); /* on what it sees */
    assert_ok(goat_db_advance(one, NULL, &error));
    test_db_assert_field(mine, "size", "5");
    test_db_assert_field(mine, "number", "1");
    goat_repo_free(repo_one);
    goat_item_free(mine);
    goat_db_free(one); /* the other goes on */
    assert_ok(goat_db_advance(two, NULL, &error));
    test_db_assert_field(theirs, "number", "1");
    assert_ok(goat_db_flush(two, GOAT_DURABLE_DISK, NULL, &error));
    goat_item_free(theirs);
    goat_repo_free(repo_two);
    goat_db_free(two);
    goat_buf_free(&changes);
}

static void an_item_that_two_handles_make_is_one_row(void **state) {
    test_folder *folder = *state;
    goat_db *one = open_path(folder->path, GOAT_OPEN_NO_THREAD), *two = open_path(folder->path, GOAT_OPEN_NO_THREAD);
    goat_repo *repo_one = open_tasks(one), *repo_two = open_tasks(two);
    goat_query *query = NULL;
    goat_item *item = create(two, "/data/tasks/1"), *made = NULL;
    uint32_t count = 9;
    static const uint8_t wrong[] = "\xa1\x64size\x18\x65"; /* 101, too large */
    assert_ok(goat_db_flush(two, GOAT_DURABLE_MEMORY, NULL, &error));
    assert_ok(goat_query_open(repo_one, NULL, TEXT("{\"sort\": [\"-counter\"]}"), &query, NULL, &error));
    assert_ok(goat_query_count(query, &count, &error));
    assert_int_equal(count, 0); /* not visible yet */
    assert_fails(GOAT_INVALID, goat_item_create(one, NULL, TEXT("/data/tasks/1"), TEXT("task"), wrong, sizeof wrong - 1,
                                                &made, &error));
    assert_ok(goat_query_count(query, &count, &error));
    assert_int_equal(count, 0);
    made = create(one, "/data/tasks/1");
    assert_ok(goat_item_increment(made, TEXT("counter"), 0, 1, &error));
    for (int i = 0; i < 3; i++) { /* unsaved, captured, advanced */
        assert_ok(goat_query_count(query, &count, &error));
        assert_int_equal(count, 1);
        if (i == 0) assert_ok(goat_db_flush(one, GOAT_DURABLE_MEMORY, NULL, &error));
        if (i == 1) assert_ok(goat_db_advance(one, NULL, &error));
    }
    goat_query_free(query);
    goat_item_free(item);
    goat_item_free(made);
    goat_repo_free(repo_one);
    goat_repo_free(repo_two);
    goat_db_free(one);
    goat_db_free(two);
}

static void one_directory_has_many_names(void **state) {
    test_folder *folder = *state;
    char path[TEST_PATH_MAX + 64], link[TEST_PATH_MAX + 64], target[TEST_PATH_MAX + 64];
    snprintf(path, sizeof path, "%s/db", folder->path);
    goat_db *first = open_path(path, 0);
    snprintf(path, sizeof path, "%s/./db//", folder->path);
    goat_db *second = open_path(path, 0);
    snprintf(target, sizeof target, "%s/db", folder->path);
    snprintf(link, sizeof link, "%s/link", folder->path);
    assert_int_equal(symlink(target, link), 0);
    goat_db *third = open_path(link, 0);
    assert_int_equal(chdir(folder->path), 0);
    goat_db *fourth = open_path("db", 0);
    assert_int_equal(chdir("/"), 0);
    goat_db_free(first);
    goat_db_free(second);
    goat_db_free(third);
    goat_db_free(fourth);
    goat_db_free(open_path(path, GOAT_OPEN_NO_THREAD)); /* all gone: anew, with other flags */
}

static void who_joins_may_say_which_network_it_must_be(void **state) {
    test_folder *folder = *state;
    static const uint8_t name[] = "\x64root\x58\x20"; /* in goat_db_info(): the name, and the head of 32 bytes */
    const uint8_t other[32] = {1};
    goat_buf info = {0};
    goat_db *db = open_path(folder->path, 0), *second = NULL;
    goat_config config = GOAT_CONFIG_INIT;
    assert_ok(goat_db_info(db, &info, &error));
    const uint8_t *at = info.data;
    while (memcmp(at, name, sizeof name - 1) != 0) at++;
    config.root_key = at + sizeof name - 1;
    assert_ok(goat_db_open(folder->path, strlen(folder->path), &config, &second, NULL, &error));
    goat_db_free(second);
    config.root_key = other;
    assert_fails(GOAT_UNTRUSTED, goat_db_open(folder->path, strlen(folder->path), &config, &second, NULL, &error));
    assert_null(second);
    goat_db_free(db);
    assert_fails(GOAT_UNTRUSTED, goat_db_open(folder->path, strlen(folder->path), &config, &second, NULL, &error));
    goat_buf_free(&info);
    assert_int_equal(goat_debug_live_handles(), 0);
}

static void joining_asks_for_the_same_flags(void **state) {
    test_folder *folder = *state;
    goat_db *db = open_path(folder->path, 0), *other = NULL;
    goat_config config = GOAT_CONFIG_INIT;
    size_t len = strlen(folder->path);
    config.flags = GOAT_OPEN_READ_ONLY;
    assert_fails(GOAT_MISUSE, goat_db_open(folder->path, len, &config, &other, NULL, &error));
    config.flags = GOAT_OPEN_CREATE | GOAT_OPEN_NO_THREAD;
    assert_fails(GOAT_MISUSE, goat_db_open(folder->path, len, &config, &other, NULL, &error));
    config.flags = GOAT_OPEN_CREATE | GOAT_OPEN_EXCLUSIVE;
    assert_fails(GOAT_EXISTS, goat_db_open(folder->path, len, &config, &other, NULL, &error));
    config.flags = 0; /* creating or not is no matter */
    assert_ok(goat_db_open(folder->path, len, &config, &other, NULL, &error));
    goat_db_free(other);
    goat_db_free(db);
}

static bool is_refused_in_the_child(test_folder *folder) {
    goat_db *db = NULL;
    goat_error *why = NULL;
    char parent[32];
    goat_config config = GOAT_CONFIG_INIT;
    config.flags |= GOAT_OPEN_NO_THREAD; /* the thread sanitizer wants no new ones in a forked child */
    snprintf(parent, sizeof parent, "%ld", (long)getppid());
    goat_status status = goat_db_open(folder->path, strlen(folder->path), &config, &db, NULL, &why);
    bool good = status == GOAT_BUSY && goat_error_is_retryable(why) && strstr(goat_error_message(why), parent) != NULL;
    if (!good) fprintf(stderr, "%s: %s\n", goat_status_name(status), goat_error_message(why));
    goat_error_free(why);
    return good;
}

static goat_db *of_the_parent;

static bool leaves_the_parents_handle_alone(test_folder *folder) {
    (void)folder;
    goat_db_free(of_the_parent); /* a garbage collector might */
    return true;
}

static void another_process_is_told_who_owns_the_database(void **state) {
    test_folder *folder = *state;
    goat_db *db = open_path(folder->path, 0);
    goat_repo *repo = open_tasks(db);
    goat_item *item = create(db, "/data/tasks/1");
    of_the_parent = db;
    test_folder_in_child(folder, is_refused_in_the_child);
    test_folder_in_child(folder, leaves_the_parents_handle_alone);
    assert_ok(goat_db_flush(db, GOAT_DURABLE_DISK, NULL, &error));
    test_folder_in_child(folder, is_refused_in_the_child);
    goat_item_free(item);
    goat_repo_free(repo);
    goat_db_free(db);
}

enum { OPENERS = 8 };

static void *open_and_close(void *argument) {
    const test_folder *folder = argument;
    for (int i = 0; i < 20; i++) {
        goat_db *db = NULL;
        goat_status status = goat_db_open(folder->path, strlen(folder->path), NULL, &db, NULL, NULL);
        if (status == GOAT_BUSY) continue; /* another is just letting go of it */
        assert_int_equal(status, GOAT_OK);
        goat_buf info = {0};
        assert_int_equal(goat_db_info(db, &info, NULL), GOAT_OK);
        goat_buf_free(&info);
        goat_db_free(db);
    }
    return NULL;
}

static void threads_open_and_close_as_they_like(void **state) {
    pthread_t threads[OPENERS];
    for (int i = 0; i < OPENERS; i++) assert_int_equal(pthread_create(&threads[i], NULL, open_and_close, *state), 0);
    for (int i = 0; i < OPENERS; i++) pthread_join(threads[i], NULL);
    assert_int_equal(goat_debug_live_handles(), 0);
}

/* ---- The service thread ------------------------------------------------------------------------ */

static void the_service_thread_captures_by_itself(void **state) {
    test_folder *folder = *state;
    goat_db *db = open_path(folder->path, 0);
    goat_repo *repo = open_tasks(db);
    goat_item *item = create(db, "/data/tasks/1");
    for (int ms = 0; flags_of(item) != 0 && ms < 5000; ms += 5) sleep_ms(5);
    assert_int_equal(flags_of(item), 0); /* the first at once */
    test_db_set(item, "size", "1");
    for (int ms = 0; flags_of(item) != 0 && ms < 5000; ms += 5) sleep_ms(5);
    assert_int_equal(flags_of(item), 0); /* the next within the interval */
    goat_item_free(item);
    goat_repo_free(repo);
    goat_db_free(db);
}

static void without_it_nothing_happens_by_itself(void **state) {
    test_folder *folder = *state;
    goat_db *db = open_path(folder->path, GOAT_OPEN_NO_THREAD);
    goat_repo *repo = open_tasks(db);
    goat_item *item = create(db, "/data/tasks/1");
    sleep_ms(500);
    assert_int_equal(flags_of(item), GOAT_ITEM_UNSAVED);
    assert_ok(goat_db_run(db, -1, 0, NULL, &error));
    assert_int_equal(flags_of(item), 0);
    goat_item_free(item);
    goat_repo_free(repo);
    goat_db_free(db);
}

static void jobs_are_done_behind_the_hosts_back(void **state) {
    test_folder *folder = *state;
    goat_db *db = NULL;
    goat_repo *repo = NULL;
    goat_job *job = NULL;
    size_t len = strlen(folder->path);
    assert_ok(goat_db_open(folder->path, len, NULL, &db, &job, &error));
    for (int ms = 0; goat_job_wait(job, 0, NULL) == GOAT_TIMEOUT && ms < 5000; ms++) sleep_ms(1);
    assert_ok(goat_job_wait(job, 0, &error));
    goat_job_free(job);
    assert_ok(goat_db_add_schema(db, test_db_schema, strlen(test_db_schema), &error));
    assert_ok(goat_repo_open(db, TEXT("/data/tasks"), 0, &repo, &job, &error));
    assert_ok(goat_job_wait(job, UINT32_MAX, &error)); /* both pump */
    goat_job_free(job);
    goat_item *item = create(db, "/data/tasks/1");
    assert_ok(goat_db_flush(db, GOAT_DURABLE_DISK, &job, &error));
    assert_ok(goat_job_wait(job, 5000, &error));
    goat_job_free(job);
    assert_ok(goat_db_close(db, &job, &error));
    for (int ms = 0; goat_job_wait(job, 0, NULL) == GOAT_TIMEOUT && ms < 5000; ms++) sleep_ms(1);
    assert_ok(goat_job_wait(job, 0, &error));
    goat_db_free(open_path(folder->path, 0)); /* the directory is free, the handle not yet */
    goat_job_free(job);
    goat_item_free(item);
    goat_repo_free(repo);
    goat_db_free(db);
}

static void add_one(void *userdata) { atomic_fetch_add((atomic_int *)userdata, 1); }

static void waking_comes_once_until_the_next_advance(void **state) {
    test_folder *folder = *state;
    atomic_int wakes = 0;
    goat_db *one = open_path(folder->path, 0), *two = open_path(folder->path, 0);
    goat_repo *repo_one = open_tasks(one), *repo_two = open_tasks(two);
    assert_ok(goat_db_advance(two, NULL, &error));
    assert_ok(goat_db_on_wake(two, add_one, &wakes, NULL, &error));
    for (int i = 0; i < 3; i++) {
        assert_int_equal(wakes, 0);
        for (int j = 0; j < 3; j++) {
            char path[64];
            snprintf(path, sizeof path, "/data/tasks/%d-%d", i, j);
            goat_item_free(create(one, path));
            assert_ok(goat_db_flush(one, GOAT_DURABLE_MEMORY, NULL, &error));
        }
        for (int ms = 0; wakes == 0 && ms < 5000; ms++) sleep_ms(1);
        assert_int_equal(wakes, 1);
        assert_ok(goat_db_advance(two, NULL, &error));
        wakes = 0;
    }
    goat_repo_free(repo_one);
    goat_repo_free(repo_two);
    goat_db_free(one);
    goat_db_free(two);
}

static void waiting_for_a_job_ends_in_time(void **state) {
    test_folder *folder = *state;
    goat_db *db = open_path(folder->path, GOAT_OPEN_NO_THREAD);
    goat_repo *repo = open_tasks(db);
    goat_job *job = NULL;
    struct timespec begin, end;
    assert_ok(goat_db_flush(db, GOAT_DURABLE_MEMORY, &job, &error));
    clock_gettime(CLOCK_MONOTONIC, &begin);
    assert_fails(GOAT_TIMEOUT, goat_job_wait(job, 0, &error));
    clock_gettime(CLOCK_MONOTONIC, &end);
    assert_true(end.tv_sec - begin.tv_sec < 2);
    assert_ok(goat_job_wait(job, 1000, &error));
    goat_job_free(job);
    goat_repo_free(repo);
    goat_db_free(db);
}

/* ---- Flushes of many threads share the disk ---------------------------------------------------- */

enum { FLUSHERS = 16, FLUSHES = 10, SYNC_MS = 3 };

/* The folder's storage, counting syncs and as slow with one as a disk is. */
typedef struct counting {
    goat_storage inner;
    atomic_int syncs;
    atomic_int queued; /* syncs that were submitted and not polled yet */
} counting;

static goat_status submit_counting(void *context, const goat_io_request *request) {
    counting *storage = context;
    if (request->kind == GOAT_IO_SYNC) {
        atomic_fetch_add(&storage->syncs, 1);
        atomic_fetch_add(&storage->queued, 1);
    }
    return storage->inner.submit(storage->inner.context, request);
}

static size_t poll_counting(void *context, goat_io_result *results, size_t results_max, bool wait) {
    counting *storage = context;
    if (atomic_exchange(&storage->queued, 0) > 0) sleep_ms(SYNC_MS);
    return storage->inner.poll(storage->inner.context, results, results_max, wait);
}

static void close_counting(void *context) {
    counting *storage = context;
    storage->inner.close(storage->inner.context);
}

typedef struct flusher {
    goat_db *db;
    int number;
} flusher;

static void *edit_and_flush(void *argument) {
    const flusher *own = argument;
    char path[64];
    snprintf(path, sizeof path, "/data/tasks/%d", own->number);
    goat_item *item = create(own->db, path);
    for (int i = 1; i <= FLUSHES; i++) {
        assert_int_equal(goat_item_set_number(item, TEXT("number"), i, NULL), GOAT_OK);
        assert_int_equal(goat_db_flush(own->db, GOAT_DURABLE_DISK, NULL, NULL), GOAT_OK);
    }
    goat_item_free(item);
    return NULL;
}

static void flushes_of_many_threads_share_syncs(void **state) {
    test_folder *folder = *state;
    counting storage = {.inner = test_folder_storage(folder)};
    goat_host host = {.struct_size = sizeof host};
    goat_config config = GOAT_CONFIG_INIT;
    goat_db *db = NULL;
    pthread_t threads[FLUSHERS];
    flusher flushers[FLUSHERS];
    host.storage = (goat_storage){sizeof host.storage, &storage, submit_counting, poll_counting, close_counting};
    config.host = &host;
    assert_ok(goat_db_open(TEXT("counted"), &config, &db, NULL, &error));
    goat_repo *repo = open_tasks(db);
    assert_ok(goat_db_flush(db, GOAT_DURABLE_DISK, NULL, &error));
    int before = storage.syncs;
    for (int i = 0; i < FLUSHERS; i++) {
        flushers[i] = (flusher){db, i};
        assert_int_equal(pthread_create(&threads[i], NULL, edit_and_flush, &flushers[i]), 0);
    }
    for (int i = 0; i < FLUSHERS; i++) pthread_join(threads[i], NULL);
    int syncs = storage.syncs - before;
    print_message("%d flushes, %d syncs\n", FLUSHERS * FLUSHES, syncs);
    assert_true(syncs >= 1);
    assert_true(syncs <= FLUSHERS * FLUSHES / 2); /* each thread alone would need one a flush */
    goat_repo_free(repo);
    goat_db_free(db);
    db = open_path(folder->path, 0);
    repo = open_tasks(db);
    for (int i = 0; i < FLUSHERS; i++) {
        char path[64];
        snprintf(path, sizeof path, "/data/tasks/%d", i);
        goat_item *item = test_db_item(db, path);
        test_db_assert_field(item, "number", "10");
        goat_item_free(item);
    }
    goat_repo_free(repo);
    goat_db_free(db);
}

/* ---- Everything at once ------------------------------------------------------------------------ */

enum { WORKERS = 4, ROUNDS = 60 };

typedef struct worker {
    goat_db *db; /* shared by two */
    goat_repo *repo;
    unsigned number;
} worker;

/* Statuses that many threads on the same items may meet; anything else is a fault. */
static void tolerate(goat_status status) {
    if (status != GOAT_OK && status != GOAT_NOT_FOUND && status != GOAT_EXISTS && status != GOAT_LOADING) {
        print_error("%s\n", goat_status_name(status));
        abort();
    }
}

static void transact(const worker *own, const char *path) {
    goat_tx *tx = NULL;
    goat_item *item = NULL;
    tolerate(goat_tx_begin(own->repo, &tx, NULL));
    goat_status status = goat_item_open(own->db, tx, path, strlen(path), &item, NULL);
    tolerate(status);
    if (status == GOAT_OK) tolerate(goat_item_increment(item, TEXT("counter"), 0, 1, NULL));
    if (own->number % 2 == 0) tolerate(goat_tx_commit(tx, TEXT("up"), NULL, NULL));
    goat_tx_free(tx);
    goat_item_free(item);
}

static void look_around(const worker *own, goat_query *query) {
    goat_buf buf = {0};
    uint32_t count;
    tolerate(goat_db_advance(own->db, &buf, NULL));
    tolerate(goat_query_count(query, &count, NULL));
    tolerate(goat_query_rows(query, 0, 5, &buf, NULL));
    tolerate(goat_db_info(own->db, &buf, NULL));
    goat_buf_free(&buf);
}

static void edit_one(const worker *own, const char *path) {
    goat_item *item = NULL;
    goat_buf buf = {0};
    goat_status status = goat_item_create(own->db, NULL, path, strlen(path), TEXT("task"),
                                          (const uint8_t *)"\xa1\x65title\x61t", 9, &item, NULL);
    tolerate(status);
    if (status != GOAT_OK) tolerate(goat_item_open(own->db, NULL, path, strlen(path), &item, NULL));
    if (item != NULL) {
        tolerate(goat_item_increment(item, TEXT("counter"), 0, own->number, NULL));
        tolerate(goat_item_read(item, &buf, NULL, NULL));
        tolerate(goat_item_commits(item, NULL, 0, 3, &buf, NULL));
    }
    goat_item_free(item);
    goat_buf_free(&buf);
}

static void *do_anything(void *argument) {
    const worker *own = argument;
    goat_query *query = NULL;
    goat_job *job = NULL;
    static const char spec[] = "{\"sort\": [\"-counter\"], \"limit\": 3}";
    tolerate(goat_query_open(own->repo, NULL, TEXT(spec), &query, NULL, NULL));
    for (unsigned i = 0; i < ROUNDS; i++) {
        char path[64];
        snprintf(path, sizeof path, "/data/tasks/%u", i % 7);
        edit_one(own, path);
        transact(own, path);
        look_around(own, query);
        if (i % 20 == own->number) tolerate(goat_db_flush(own->db, GOAT_DURABLE_DISK, NULL, NULL));
        if (i % 20 == 10 + own->number) {
            tolerate(goat_repo_digest(own->repo, NULL, &job, NULL));
            tolerate(goat_job_wait(job, UINT32_MAX, NULL));
            goat_job_free(job);
        }
    }
    goat_query_free(query);
    return NULL;
}

static void threads_may_do_anything_at_once(void **state) {
    test_folder *folder = *state;
    pthread_t threads[WORKERS];
    worker workers[WORKERS];
    goat_db *dbs[2];
    goat_repo *repos[2];
    for (unsigned i = 0; i < 2; i++) {
        dbs[i] = open_path(folder->path, 0);
        repos[i] = open_tasks(dbs[i]);
    }
    for (unsigned i = 0; i < WORKERS; i++) {
        workers[i] = (worker){dbs[i % 2], repos[i % 2], i};
        assert_int_equal(pthread_create(&threads[i], NULL, do_anything, &workers[i]), 0);
    }
    for (unsigned i = 0; i < WORKERS; i++) pthread_join(threads[i], NULL);
    goat_buf report = {0};
    assert_ok(goat_db_flush(dbs[0], GOAT_DURABLE_DISK, NULL, &error));
    assert_ok(goat_db_verify(dbs[0], NULL, 0, &report, NULL, &error));
    assert_non_null(strstr(test_db_json(&report), "\"faults\":[]"));
    goat_buf_free(&report);
    for (unsigned i = 0; i < 2; i++) {
        goat_repo_free(repos[i]);
        goat_db_free(dbs[i]);
    }
    assert_int_equal(goat_debug_live_handles(), 0);
}

/* ---- No memory --------------------------------------------------------------------------------- */

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
static bool has_an_error_without_memory(test_folder *folder) {
    (void)folder;
    struct rlimit none = {0, 0};
    goat_error *why = NULL;
    goat_buf buf = {0};
    if (setrlimit(RLIMIT_AS, &none) != 0) return false;
    for (size_t size = 1 << 20; size >= 8; size = size > 2048 ? size / 2 : size - 8) { /* each size has its store */
        while (malloc(size) != NULL) {
        }
    }
    bool good = goat_value_from_json(TEXT("[1, 2"), &buf, &why) == GOAT_NO_MEMORY;
    good = good && goat_error_status(why) == GOAT_NO_MEMORY && goat_error_is_retryable(why);
    good = good && strcmp(goat_error_message(why), "out of memory") == 0 && goat_debug_live_handles() == 0;
    goat_error_free(why);
    goat_error_free(why); /* it is nobody's */
    return good && goat_alloc(64) == NULL;
}

static void without_memory_for_an_error_there_is_one_all_the_same(void **state) {
    test_folder_in_child(*state, has_an_error_without_memory);
}
#endif

int main(void) {
    const struct CMUnitTest tests[] = {
        with_folder(the_example_of_the_header_works),
        with_folder(two_handles_share_and_see_each_other_when_they_advance),
        with_folder(an_item_that_two_handles_make_is_one_row),
        with_folder(one_directory_has_many_names),
        with_folder(who_joins_may_say_which_network_it_must_be),
        with_folder(joining_asks_for_the_same_flags),
        with_folder(another_process_is_told_who_owns_the_database),
        with_folder(threads_open_and_close_as_they_like),
        with_folder(the_service_thread_captures_by_itself),
        with_folder(without_it_nothing_happens_by_itself),
        with_folder(jobs_are_done_behind_the_hosts_back),
        with_folder(waking_comes_once_until_the_next_advance),
        with_folder(waiting_for_a_job_ends_in_time),
        with_folder(flushes_of_many_threads_share_syncs),
        with_folder(threads_may_do_anything_at_once),
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
        with_folder(without_memory_for_an_error_there_is_one_all_the_same),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
