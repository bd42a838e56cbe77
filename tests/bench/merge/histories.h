/* Histories that the merge is measured on: steps as core/merge takes them, made up. */
#ifndef GOAT_BENCH_HISTORIES_H
#define GOAT_BENCH_HISTORIES_H

#include "merge/merge.h"

typedef struct history {
    gt_schema *schema;
    gt_buf base; /* the state they begin with; empty: there is no item yet */
    gt_step *steps;
    uint32_t count, capacity;
    uint64_t random;
} history;

/* `definition` is JSON, `base` a state as JSON, or NULL. */
history history_new(const char *definition, const char *base, uint64_t seed);
void history_free(history *h);

/* A step with a random id; `delta` is taken over. */
void history_add(history *h, const uint32_t *parents, uint32_t parent_count, gt_buf *delta);

/* The state after all steps, or after those that `only` says. False: it could not be made. */
void history_replay(const history *h, gt_buf *state);

uint32_t history_random(history *h, uint32_t below);

/* So many heads, each of which sets every field of an item of five. */
history history_of_heads(uint32_t heads);

/* So many replicas type into one text, a step each in turn, and now and then one hears of all that another knows. */
history history_of_gossip(uint32_t replicas, uint32_t steps_each);

/* Two authors who typed a key each into a text of so many bytes, without knowing of the other's. */
history history_of_keys(uint32_t bytes);

_Noreturn void histories_fail(const char *what);

#endif
