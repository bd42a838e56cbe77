/* Thousands of clients that are connected, have opened their repositories, and say nothing: what each costs a server in
 * memory, and all of them together in time. */
#define _GNU_SOURCE
#include "actor.h"
#include "raw.h"

enum {
    CLIENTS = 5000,
    QUICK_CLIENTS = 500,
    QUICK_TLS_CLIENTS = 100,
    AT_ONCE = 200,
    WARM = 50,
    CALM_S = 3,
    IDLE_S = 30,
    QUICK_IDLE_S = 1
};

const char row_idle_plain[] = "idle connection on a server, plain";
const char row_idle_tls[] = "idle connection on a server, TLS";
const char row_idle_processor[] = "5,000 idle connections, of one core";

/* Answers pings for a while, and does nothing else. */
static void rest(raw_pool *pool, uint64_t seconds) {
    for (uint64_t end = now_us() + seconds * 1000000; now_us() < end;) raw_run(pool, 50000);
}

static void measure(const lab_plan *lab, bool secure) {
    size_t clients = !lab->quick ? CLIENTS : secure ? QUICK_TLS_CLIENTS : QUICK_CLIENTS;
    uint64_t seconds = lab->quick ? QUICK_IDLE_S : IDLE_S;
    char folder[256];
    join(folder, sizeof(folder), lab->folder, secure ? "idle-tls" : "idle");
    actor_make(folder, actor_repository, NULL, 0);
    actor server;
    actor_serve(lab, &server, folder, actor_repository, secure);
    raw_pool pool = {
        .port = server.port,
        .secure = secure,
        .window = GT_SYNC_WINDOW,
        .paths = {GT_SESSIONS_PATH, GT_SCHEMAS_PATH, actor_repository},
        .path_count = 3,
    };
    raw_pool_init(&pool);
    raw_connect(&pool, WARM, WARM); /* so that what is there once for all is there already */
    rest(&pool, 1);
    child_use before = child_measure(&server.process);
    uint64_t begin = now_us();
    raw_connect(&pool, clients, AT_ONCE);
    double connecting_s = (double)(now_us() - begin) / 1e6;
    rest(&pool, lab->quick ? 1 : CALM_S);
    child_use after = child_measure(&server.process);
    row_begin(secure ? row_idle_tls : row_idle_plain, "", 0, false);
    row_add(GOAT, (after.resident - before.resident) / (double)clients / 1024);
    if (!secure) {
        begin = now_us();
        rest(&pool, seconds);
        double passed_s = (double)(now_us() - begin) / 1e6;
        child_use later = child_measure(&server.process);
        row_begin(row_idle_processor, "", 0, false);
        row_add(GOAT, (later.processor_s - after.processor_s) / passed_s * 100);
    }
    lab_say(lab, "  %zu %s connections in %.1f s", clients, secure ? "TLS" : "plain", connecting_s);
    raw_pool_free(&pool);
    actor_end(&server);
    remove_folder(folder);
}

void lab_idle(const lab_plan *lab, const documents *docs) {
    (void)docs;
    lab_raise_files();
    measure(lab, false);
    measure(lab, true);
}
