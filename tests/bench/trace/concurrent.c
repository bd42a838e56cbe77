/* Several authors: what their replicas come to, and what a newcomer does, in whatever order the commits reach him. */
#define _GNU_SOURCE
#include "replicas.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void flush_all(const replicas *r) {
    goat_error *error = NULL;
    for (uint32_t i = 0; i < r->trace->agents; i++) {
        check(goat_db_flush(r->list[i].o.db, GOAT_DURABLE_DISK, NULL, &error), error, "flush");
    }
}

void measure_concurrent(const trace *t, const char *folder, trace_report *report) {
    replicas r;
    char first[256];
    replicas_open(&r, t, folder);
    figure_memory_begin(report);
    double begin = now_s();
    replicas_replay(&r);
    flush_all(&r);
    double seconds = now_s() - begin, merge_s = 0;
    uint32_t merges = 0;
    bool equal = true;
    figure(report, "all replicas, each txn a commit", "s", 0, seconds);
    figure_memory(report, "peak memory, all replicas");
    for (uint32_t i = 0; i < t->agents; i++) {
        char who[32];
        snprintf(who, sizeof(who), "agent %u", i);
        equal = trace_compare(t, &r.list[i].o, who, report) && equal;
        merge_s += r.list[i].merge_s;
        merges += r.list[i].merges;
    }
    figure(report, "merge: from each arrival until it is read", "us", 2000, merge_s / merges * 1e6);
    snprintf(first, sizeof(first), "%s", r.list[0].folder);
    uint32_t frames = r.frame_count;
    replicas_close(&r);
    figure(report, "log", "MB", 0, trace_log_mb(first));
    trace_measure_open(t, first, "", 0, report);
    remark(report, "%u replicas: %u commits in %u batches, %s, %.2f s; %u merges, %.0f us each", t->agents,
           t->txn_count, frames, equal ? "all end in exactly endContent" : "NOT ALL END IN endContent", seconds, merges,
           merge_s / merges * 1e6);
}

/* ---- in any order ---- */

int trace_deliveries;

static uint32_t random_below(uint64_t *state, uint32_t count) {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return (uint32_t)((*state >> 11) % count);
}

static void shuffle(uint32_t *order, uint32_t count, uint64_t seed) {
    uint64_t state = seed * UINT64_C(0x9e3779b97f4a7c15) + 1;
    for (uint32_t i = 0; i < count; i++) order[i] = i;
    for (uint32_t i = count; i > 1; i--) {
        uint32_t at = random_below(&state, i), swap = order[i - 1];
        order[i - 1] = order[at];
        order[at] = swap;
    }
}

/* Again and again, as one who asks for what he misses is given it, until nothing waits. Some are let fall on the way: what
 * may wait is bounded. */
static void deliver(const replicas *r, replica *one, const uint32_t *order) {
    enum { ROUNDS_MAX = 1000 };
    for (int round = 0;; round++) {
        uint32_t left = 0;
        for (uint32_t i = 0; i < r->frame_count; i++) left += replica_admit(one, &r->frames[order[i]]) != GT_KNOWN;
        if (left == 0) return;
        if (round == ROUNDS_MAX) trace_fail("a replica does not take in what is sent again and again");
    }
}

/* The repository goes, the database stays who it is. */
static void begin_anew(replica *one) {
    static const char *const endings[] = {"log", "checkpoint"};
    char path[600];
    trace_close(&one->o);
    for (int i = 0; i < 2; i++) {
        snprintf(path, sizeof(path), "%s/repos%s.%s", one->folder, trace_repository, endings[i]);
        unlink(path);
    }
    one->o = trace_open(one->folder, GOAT_OPEN_NO_CHECKPOINT, NULL);
}

void measure_deliveries(const trace *t, const char *folder, trace_report *report) {
    replicas r;
    replica newcomer;
    char own[256];
    int wrong = 0;
    replicas_open(&r, t, folder);
    replicas_replay(&r);
    for (uint32_t i = 0; i < t->agents; i++) wrong += !trace_compare(t, &r.list[i].o, "an agent", report);
    snprintf(own, sizeof(own), "%s/newcomer", folder);
    replica_join(&r, &newcomer, own);
    uint32_t *order = calloc(r.frame_count + 1, sizeof(*order));
    if (order == NULL) trace_fail("no memory for an order");
    double begin = now_s();
    for (int i = 0; i < trace_deliveries; i++) {
        begin_anew(&newcomer);
        shuffle(order, r.frame_count, (uint64_t)i + 1);
        deliver(&r, &newcomer, order);
        replica_look(&newcomer);
        wrong += !trace_compare(t, &newcomer.o, "a newcomer", report);
    }
    remark(report, "%d shuffled deliveries of %u batches: %s, %.1f s", trace_deliveries, r.frame_count,
           wrong == 0 ? "all end in exactly endContent" : "NOT ALL END IN endContent", now_s() - begin);
    free(order);
    replica_leave(&newcomer);
    replicas_close(&r);
}
