/* What there is once in a process: the list of databases that are open, and one service thread for those that
 * want one. Besides the count of living handles (buffer.c) this is the only state that is not in a handle.
 *
 * The thread is started for the first such database and joined when the last one is gone. It pumps each in
 * turn, and sleeps until the earliest deadline or until it is woken. While it pumps it holds a reference, and a
 * handle that is freed meanwhile waits for it. A child that was forked has neither the thread nor the right to
 * its parent's databases: it begins with an empty list. What must always hold: the process's lock is taken
 * before a database's, never while one is held; the thread holds no handle that is off the list, so a host's
 * storage is closed when the host has freed everything. */
#include "abi.h"

enum {
    ROUNDS_MAX = 64,      /* of one database before the next has its turn: a few milliseconds */
    BUSY_WAIT_US = 20000, /* until it looks again at storage that another thread, or nobody, is waiting for */
};

typedef enum phase { NO_THREAD, RUNNING, STOPPING } phase;

static struct {
    gt_mutex mutex;
    gt_opened *first;
    uint32_t next_number;
    uint32_t threaded;      /* how many of the list want the thread */
    const goat_db *serving; /* which one it is at */
    phase phase;
    bool woken;
    bool has_condition;     /* made with the first thread, and kept */
    gt_condition condition; /* `woken`, `serving` or `phase` has changed */
    gt_thread thread;
} process = {.mutex = GT_MUTEX_INIT};

static atomic_uint_least32_t owner; /* the process that all this belongs to; 0 before the first */

/* In a forked child: what was copied is the parent's, and its lock may have been held. One thread is left there. */
static void leave_to_parent(void) {
    if (!gt_port_was_inherited(&owner)) return;
    memset(&process, 0, sizeof(process));
    process.mutex = (gt_mutex)GT_MUTEX_INIT;
}

/* Waits out a thread that is about to end, so that what follows is one critical section. */
void gt_process_lock(void) {
    leave_to_parent();
    gt_mutex_lock(&process.mutex);
    while (process.phase == STOPPING) gt_condition_wait(&process.condition, &process.mutex, GT_WAIT_US_MAX);
}

void gt_process_unlock(void) { gt_mutex_unlock(&process.mutex); }

gt_opened *gt_process_first(void) { return process.first; }

static bool wants_thread(const gt_opened *opened) { return (opened->flags & GOAT_OPEN_NO_THREAD) == 0; }

/* ---- the thread ---- */

/* The database after number `*number` in the order of opening, with a reference; NULL when there is none. */
static goat_db *next_to_serve(uint32_t *number) {
    gt_opened *next = NULL;
    for (gt_opened *opened = process.first; opened != NULL; opened = opened->next) {
        if (wants_thread(opened) && opened->number > *number && (next == NULL || opened->number < next->number)) {
            next = opened;
        }
    }
    if (next == NULL) return NULL;
    *number = next->number;
    process.serving = next->db;
    gt_db_hold(next->db);
    return next->db;
}

/* Pumps for a while. Returns after how many microseconds it is to be pumped again; 0: at once. */
static uint64_t serve_one(goat_db *db) {
    uint64_t deadline = 0, now = 0;
    bool did = true;
    gt_db_lock(db);
    for (int i = 0; did && i < ROUNDS_MAX; i++) {
        now = gt_db_now_us(db);
        gt_database_take_pump_wanted(gt_db_database(db)); /* this is it */
        did = gt_db_pump(db, now, &deadline);
        gt_db_unlock(db); /* others have their turn, and what is due is called */
        gt_db_lock(db);
    }
    uint64_t pause = did ? 0 : deadline == UINT64_MAX ? UINT64_MAX : deadline > now ? deadline - now : 0;
    if (pause > BUSY_WAIT_US && gt_database_is_busy(gt_db_database(db))) pause = BUSY_WAIT_US;
    gt_db_unlock(db);
    return pause;
}

static void serve(void *argument) {
    (void)argument;
    gt_mutex_lock(&process.mutex);
    while (process.phase == RUNNING) {
        uint64_t pause = UINT64_MAX;
        uint32_t number = 0;
        process.woken = false;
        for (goat_db *db = next_to_serve(&number); db != NULL; db = next_to_serve(&number)) {
            gt_mutex_unlock(&process.mutex);
            uint64_t own = serve_one(db);
            gt_db_release(db);
            gt_mutex_lock(&process.mutex);
            process.serving = NULL;
            gt_condition_wake_all(&process.condition);
            if (own < pause) pause = own;
        }
        if (!process.woken && pause > 0 && process.phase == RUNNING) {
            gt_condition_wait(&process.condition, &process.mutex, pause);
        }
    }
    gt_mutex_unlock(&process.mutex);
}

static goat_status start_thread(gt_diag *diag) {
    goat_status status = process.has_condition ? GOAT_OK : gt_condition_init(&process.condition, diag);
    if (status != GOAT_OK) return status;
    process.has_condition = true;
    if (process.phase == RUNNING) return GOAT_OK;
    process.phase = RUNNING; /* before it looks */
    status = gt_thread_start(&process.thread, serve, NULL, diag);
    if (status != GOAT_OK) process.phase = NO_THREAD;
    return status;
}

static void stop_thread(void) {
    process.phase = STOPPING;
    gt_condition_wake_all(&process.condition);
    gt_mutex_unlock(&process.mutex);
    gt_thread_join(&process.thread);
    gt_mutex_lock(&process.mutex);
    process.phase = NO_THREAD;
    gt_condition_wake_all(&process.condition); /* somebody may wait to start it again */
}

void gt_service_wake(void) {
    gt_mutex_lock(&process.mutex);
    if (process.phase == RUNNING && !process.woken) {
        process.woken = true;
        gt_condition_wake_all(&process.condition);
    }
    gt_mutex_unlock(&process.mutex);
}

/* ---- the list ---- */

goat_status gt_process_add(gt_opened *opened, gt_diag *diag) {
    if (wants_thread(opened)) {
        goat_status status = start_thread(diag);
        if (status != GOAT_OK) return status;
        process.threaded++;
    }
    opened->number = ++process.next_number;
    opened->next = process.first;
    process.first = opened;
    return GOAT_OK;
}

static gt_opened *find(const goat_db *db) {
    gt_opened *opened = process.first;
    while (opened != NULL && opened->db != db) opened = opened->next;
    return opened;
}

bool gt_process_has(const goat_db *db) {
    gt_process_lock();
    bool has = find(db) != NULL;
    gt_process_unlock();
    return has;
}

void gt_process_remove(const goat_db *db) {
    gt_mutex_lock(&process.mutex);
    gt_opened *opened = find(db), **at = &process.first;
    while (*at != opened) at = &(*at)->next;
    *at = opened->next;
    while (process.serving == db) gt_condition_wait(&process.condition, &process.mutex, GT_WAIT_US_MAX);
    if (wants_thread(opened) && --process.threaded == 0) stop_thread();
    gt_mutex_unlock(&process.mutex);
    gt_free(&gt_alloc_system, opened->path);
    gt_free(&gt_alloc_system, opened);
}

void gt_process_orphan(const goat_db *db) {
    gt_mutex_lock(&process.mutex);
    find(db)->orphan = true;
    gt_mutex_unlock(&process.mutex);
}

/* There are orphans only in builds with one thread, so nobody else looks at the list. */
void gt_end_orphans(void) {
    if (GT_PORT_HAS_THREADS) return;
    for (gt_opened *opened = process.first, *next = NULL; opened != NULL; opened = next) {
        next = opened->next;
        if (!opened->orphan) continue;
        goat_db *db = opened->db;
        while (gt_db_pump(db, gt_db_now_us(db), NULL)) {
        }
        if (gt_db_has_jobs(db)) continue;
        gt_process_remove(db);
        gt_db_release(db);
    }
}
