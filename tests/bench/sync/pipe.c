#define _GNU_SOURCE
#include "pipe.h"

#include "value/value.h"

enum {
    QUIET_US = 250 * 1000,
    PAUSE_US = 100,
    LONGEST_US = 600 * 1000000,
    REPOSITORIES = 3 /* /sys/sessions, /sys/schemas, and what is synced */
};

typedef struct end {
    goat_db *db;
    goat_sync *sync;
} end;

typedef struct pipe_state {
    end client, server;
    gt_arena arena;
    goat_buf packet;
    tally tally;
    uint32_t trips; /* so far */
    bool greeted;
} pipe_state;

/* ---- counting ---- */

/* Whether it is part of the authentication. */
static bool count_message(pipe_state *p, const gt_message *message) {
    tally *t = &p->tally;
    if (message->kind == GT_MESSAGE_HELLO || message->kind == GT_MESSAGE_PROOF) return true;
    t->bytes += message->bytes.len;
    if (message->kind == GT_MESSAGE_COMPARE) t->filter_bytes += message->as.compare.filter.bytes.len;
    for (uint32_t i = 0; message->kind == GT_MESSAGE_DATA && i < message->as.data.count; i++) {
        const gt_data_record *record = &message->as.data.records[i];
        if (record->is_receipt) {
            t->receipt_bytes += record->bytes.len;
        } else {
            t->batch_bytes += record->bytes.len;
            t->batches++;
            t->trips = p->trips;
        }
    }
    return false;
}

static void count_packet(pipe_state *p, gt_bytes packet) {
    while (packet.len > 0) {
        gt_message message;
        gt_diag diag;
        if (gt_message_read(&packet, &p->arena, &message, &diag) != GOAT_OK) lab_fail("pipe: %s", diag.message);
        if (!count_message(p, &message)) p->greeted = true;
    }
    gt_arena_reset(&p->arena);
}

/* ---- carrying ---- */

static void run_databases(pipe_state *p) {
    goat_error *error = NULL;
    check(goat_db_run(p->client.db, -1, 20000, NULL, &error), error, "run");
    check(goat_db_run(p->server.db, -1, 20000, NULL, &error), error, "run");
}

/* Everything that one side has to say before it hears more; whether it was something. A side that is still at work (on
 * a filter over many batches, say) is given the time. */
static bool carry(pipe_state *p, end *from, end *to) {
    goat_error *error = NULL;
    bool some = false;
    for (;;) {
        double deadline_ms;
        check(goat_sync_send(from->sync, &p->packet, &deadline_ms, &error), error, "send");
        if (p->packet.size == 0 && (deadline_ms < 0 || deadline_ms > (double)now_us() / 1e3)) return some;
        if (p->packet.size == 0) continue;
        if (!some && from == &p->client && p->greeted) p->trips++;
        count_packet(p, gt_bytes_of(p->packet.data, p->packet.size));
        if (p->trips == 0 && p->greeted) p->trips = 1; /* the packet that ends the handshake also begins what follows */
        check(goat_sync_receive(to->sync, p->packet.data, p->packet.size, &error), error, "receive");
        some = true;
    }
}

static bool fact_is(gt_bytes map, const char *name, int64_t wanted) {
    gt_bytes value = gt_map_find(map, gt_bytes_text(name));
    int64_t number = -1;
    bool truth;
    if (gt_value_as_bool(value, &truth)) number = truth;
    else if (!gt_value_as_int64(value, &number)) lab_fail("a status without \"%s\"", name);
    return number == wanted;
}

/* Whether what both had is here, and what is ours on the server's disk, for all repositories. */
static bool is_even(const pipe_state *p) {
    goat_error *error = NULL;
    goat_buf status = {0};
    gt_bytes one;
    uint32_t count = 0;
    check(goat_db_status(p->client.db, &status, &error), error, "status");
    gt_iter all = gt_array_iter(gt_map_find(gt_bytes_of(status.data, status.size), gt_bytes_text("repositories")));
    while (gt_array_next(&all, &one)) count += fact_is(one, "even", 1) && fact_is(one, "unsent", 0);
    goat_buf_free(&status);
    return count == REPOSITORIES;
}

tally pipe_sync(goat_db *client, goat_db *server) {
    pipe_state p = {.client.db = client, .server.db = server};
    goat_error *error = NULL;
    bool was_even = false;
    gt_arena_init(&p.arena, &gt_alloc_system);
    check(goat_sync_new(server, GOAT_SYNC_SERVER, &p.server.sync, &error), error, "pipe");
    check(goat_sync_new(client, 0, &p.client.sync, &error), error, "pipe");
    uint64_t begin = now_us(), last = begin;
    while (!was_even || now_us() - last < QUIET_US) {
        bool some = carry(&p, &p.client, &p.server);
        some = carry(&p, &p.server, &p.client) || some;
        run_databases(&p);
        if (some) last = now_us();
        if (!some) sleep_us(PAUSE_US);
        if (!was_even && is_even(&p)) {
            was_even = true;
            if (p.tally.trips == 0) p.tally.trips = p.trips;
        }
        if (now_us() - begin > LONGEST_US) lab_fail("pipe: two databases do not become even");
    }
    goat_sync_free(p.client.sync);
    goat_sync_free(p.server.sync);
    goat_buf_free(&p.packet);
    gt_arena_free(&p.arena);
    return p.tally;
}
