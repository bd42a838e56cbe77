/* What it takes to become equal again: round trips and bytes, counted in a pipe. Two replicas share n commits, and each
 * has d that the other lacks, in batches of ten; with what the client remembers, without it, and beside plain Bloom
 * filters. */
#define _GNU_SOURCE
#include "pair.h"
#include "pipe.h"
#include "plain_bloom.h"
#include "small.h"

enum { BATCH = 10, SHARED = 60000, APART = 1000, QUICK_SHARED = 2000, QUICK_APART = 100 };

const char row_reconnect_small[] = "reconnect, nothing new, at 1,000 commits";
const char row_reconnect_large[] = "reconnect, nothing new, at 1,000,000 commits";
const char row_reconnect_trips[] = "the same, round trips";
const char row_point_bytes[] = "1,000 apart on each side, with a point";
const char row_point_trips[] = "the same, until equal, with a point";
const char row_without_bytes[] = "1,000 apart on each side, without a point";
const char row_without_trips[] = "the same, until equal, without a point";

typedef struct cell {
    uint32_t shared, apart;
    tally with, without;
    plain_cost plain;
} cell;

static double beyond(const tally *t) { return (double)(t->bytes - t->batch_bytes); }

static tally meet(pair *p, uint32_t apart, bool forget) {
    pair_open(p, forget);
    small_apply(p->server_repo, 's', 0, apart, BATCH);
    small_apply(p->client_repo, 'c', 0, apart, BATCH);
    tally t = pipe_sync(p->client_db, p->server_db);
    pair_assert_equal(p);
    pair_close(p);
    return t;
}

static cell measure(pair *p, uint32_t shared, uint32_t apart) {
    return (cell){
        .shared = shared,
        .apart = apart,
        .with = meet(p, apart, false),
        .without = meet(p, apart, true),
        .plain = plain_bloom(shared, apart),
    };
}

static void show_head(const lab_plan *lab) {
    lab_say(lab, "\n  bytes beyond the frames of batches, and round trips after authentication until equal\n");
    lab_say(lab, "  %10s %7s %15s %7s %15s %7s %15s %7s", "shared", "apart", "with a point", "trips", "without",
            "trips", "plain Bloom", "trips");
}

static void show(const lab_plan *lab, const cell *c) {
    lab_say(lab, "  %10u %7u %15.0f %7u %15.0f %7u %15.0f %7u", c->shared, c->apart, beyond(&c->with), c->with.trips,
            beyond(&c->without), c->without.trips, c->plain.bytes, c->plain.trips);
    lab_note("reconciling", json_pack("{s:i, s:i, s:{s:f, s:i}, s:{s:f, s:i}, s:{s:f, s:i}}", "shared", c->shared,
                                      "apart", c->apart, "with", "bytes", beyond(&c->with), "trips", c->with.trips,
                                      "without", "bytes", beyond(&c->without), "trips", c->without.trips, "plain",
                                      "bytes", c->plain.bytes, "trips", c->plain.trips));
}

static void add_row(const char *work, double own, double plain) {
    row_begin(work, "", 0, false);
    row_add(GOAT, own);
    row_add(BLOOM, plain);
}

/* The rows of the two replicas. */
static void meet_after_a_while(const lab_plan *lab) {
    uint32_t shared = lab->quick ? QUICK_SHARED : SHARED, apart = lab->quick ? QUICK_APART : APART;
    pair p;
    pair_make(lab, &p, "apart", shared, BATCH);
    cell c = measure(&p, shared, apart);
    show(lab, &c);
    add_row(row_point_bytes, beyond(&c.with) / 1e3, c.plain.bytes / 1e3);
    add_row(row_point_trips, c.with.trips, c.plain.trips);
    add_row(row_without_bytes, beyond(&c.without) / 1e3, c.plain.bytes / 1e3);
    add_row(row_without_trips, c.without.trips, c.plain.trips);
    pair_remove(&p);
}

static void fill_table(const lab_plan *lab) {
    static const uint32_t all_shared[] = {1000, 10000, 100000, 1000000}, all_apart[] = {0, 10, 100, 1000, 10000};
    size_t shared_count = lab->quick ? 1 : 4, apart_count = lab->quick ? 2 : 5;
    for (size_t i = 0; i < shared_count; i++) {
        pair p;
        pair_make(lab, &p, "table", all_shared[i], BATCH);
        for (size_t j = 0; j < apart_count; j++) {
            cell c = measure(&p, all_shared[i], all_apart[j]);
            show(lab, &c);
            if (j > 0) continue;
            if (i == 0) add_row(row_reconnect_small, (double)c.with.bytes, c.plain.bytes);
            if (i == 0 || i == 3) add_row(row_reconnect_trips, c.with.trips, c.plain.trips);
            if (i == 3) add_row(row_reconnect_large, (double)c.with.bytes, c.plain.bytes);
        }
        pair_remove(&p);
    }
}

void lab_reconcile(const lab_plan *lab, const documents *docs) {
    (void)docs;
    show_head(lab);
    meet_after_a_while(lab);
    fill_table(lab);
    lab_say(lab, "%s", "");
}
