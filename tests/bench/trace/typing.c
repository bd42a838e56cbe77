/* A trace that is made up: two authors type at once into one text, one before two lines' ends and one behind them. What each
 * has typed becomes a commit every 333 ms and is with the other a while later, so that most of them cross on the way. */
#define _GNU_SOURCE
#include "trace.h"

#include <stdlib.h>
#include <string.h>

enum { CAPTURE_MS = 333, KEYS = 2, LATE_MIN_MS = 20, LATE_MAX_MS = 400 };

static void *many(size_t count, size_t size) {
    void *made = calloc(count, size);
    if (made == NULL) trace_fail("no memory for a trace");
    return made;
}

/* The txns of an author, as the other hears of them. */
typedef struct author {
    uint32_t written, heard;  /* of his own, of the other's */
    const uint32_t *txns;     /* by what he has written: their numbers */
    const double *arrives_ms; /* when the other has them */
} author;

static double random_late(uint64_t *state) {
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return LATE_MIN_MS + (double)(*state >> 40) * (LATE_MAX_MS - LATE_MIN_MS) / (1 << 24);
}

trace *trace_of_typing(uint32_t minutes) {
    uint32_t each = minutes * 60 * 1000 / CAPTURE_MS, count = 2 * each;
    trace *t = many(1, sizeof(*t));
    uint32_t *numbers = many(count, sizeof(*numbers)), *parents = many(2 * (size_t)count, sizeof(*parents));
    uint32_t *knows = many(count, sizeof(*knows)); /* what the author of a txn had heard of the other's */
    double *arrives_ms = many(count, sizeof(*arrives_ms));
    author authors[2];
    uint64_t random = 1;
    snprintf(t->name, sizeof(t->name), "two typing for %u minutes", minutes);
    t->is_concurrent = true;
    t->agents = 2;
    t->txn_count = t->patch_count = count;
    t->txns = many(count, sizeof(*t->txns));
    t->patches = many(count, sizeof(*t->patches));
    t->parents = parents;
    t->texts = many(3 * KEYS + 1, 1);
    t->start = many(1, 1);
    t->end_len = (size_t)count * KEYS;
    t->end = many(t->end_len + 1, 1);
    memcpy(t->texts, "aabb\n\n", 3 * KEYS);
    memset(t->end, 'a', t->end_len / 2 - KEYS);
    memset(t->end + t->end_len / 2 - KEYS, '\n', KEYS);
    memset(t->end + t->end_len / 2, 'b', t->end_len / 2);
    for (uint32_t i = 0; i < 2; i++)
        authors[i] = (author){.txns = numbers + i * each, .arrives_ms = arrives_ms + i * each};
    for (uint32_t i = 0; i < count; i++) { /* they take turns */
        double now = (double)i * CAPTURE_MS / 2;
        uint32_t who = i % 2;
        author *own = &authors[who], *other = &authors[1 - who];
        uint32_t heard = own->heard, own_count = own->written;
        while (own->heard < other->written && other->arrives_ms[own->heard] <= now) own->heard++;
        uint32_t newest = own->heard == 0 ? 0 : other->txns[own->heard - 1];
        trace_txn *txn = &t->txns[i];
        txn->agent = who;
        txn->parents = parents;
        if (own_count > 0 && (own->heard == heard || knows[newest] < own_count)) {
            parents[txn->parent_count++] = own->txns[own_count - 1];
        }
        if (own->heard > heard) parents[txn->parent_count++] = newest;
        parents += txn->parent_count;
        trace_patch *patch = &t->patches[i];
        *patch = (trace_patch){.text = t->texts + (i == 0 ? 2 : who) * KEYS, .text_len = KEYS};
        patch->position = KEYS * (who == 1 ? own_count + own->heard : own_count - (i > 0));
        txn->patches = patch;
        txn->patch_count = 1;
        knows[i] = own->heard;
        numbers[who * each + own_count] = i;
        double late = i == 0 ? now : now + random_late(&random),
               before = own_count == 0 ? 0 : arrives_ms[who * each + own_count - 1];
        arrives_ms[who * each + own_count] = late > before ? late : before; /* in order, as a connection has it */
        own->written++;
    }
    free(numbers);
    free(knows);
    free(arrives_ms);
    return t;
}
