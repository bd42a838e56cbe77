/* Random histories, and an evaluator that knows nothing of how core/merge works: ancestors are bits in a
 * word, and each rule of core/merge/README.md is written down literally, quantifiers and all. */
#ifndef MERGE_MODEL_H
#define MERGE_MODEL_H

#include "merge/merge.h"
#include "support/test_random.h"

enum {
    MODEL_STEPS_MAX = 64, /* so that a set of steps is a word */
    MODEL_AUTHORS_MAX = 6,
    MODEL_ELEMENTS = 5, /* of the set */
    MODEL_KEYS = 4,     /* of the map */
    MODEL_DEPTH = 2,    /* objects inside each other */
};

typedef enum model_act { NOTHING, WRITE, UNSET } model_act;

/* What one step does, as facts. */
typedef struct model_delta {
    model_act text, list, tags, map, votes;
    int text_value, list_value;
    unsigned added, removed; /* elements of `tags`, as bits; disjoint */
    struct {
        model_act act; /* UNSET: the key is removed */
        int value;
    } keys[MODEL_KEYS];
    int64_t increment;
    model_act object;
    struct model_delta *inner; /* what is done to the fields of the object, where it is written; else NULL */
    bool unsets_all; /* only in what an evaluator makes of this: the object was unset whose fields these are */
    int tombstone;   /* -1: does not say, 0, 1 */
    bool is_sealed;
} model_delta;

typedef struct model_step {
    model_delta delta;
    uint64_t ancestors; /* strict ones */
    uint64_t time;
    uint8_t id[32];
    uint32_t parents[MODEL_STEPS_MAX];
    uint32_t parent_count;
    bool is_void;
    gt_bytes bytes; /* the delta, encoded */
} model_step;

/* In the order of (time, id), which is a topological one. */
typedef struct model {
    model_step steps[MODEL_STEPS_MAX];
    uint32_t count;
    bool either; /* for model_state: the schema is that of model_schema(true) */
} model;

/* The schema of the fields above; those of the object are the same again. With `either`, single values and those of maps
 * have that strategy. */
gt_schema *model_schema(bool either);
const char *model_schema_json(bool either);

/* `authors` write and hear of each other, `step_count` steps in all. */
void model_make(model *m, test_random *random, uint32_t authors, uint32_t step_count);
void model_free(model *m);

/* One random delta, ended with model_delta_free(), and encoded, ended with test_value_free(). */
gt_bytes model_random_delta(test_random *random, model_delta *delta);
void model_delta_free(model_delta *delta);

/* Appends the state after the steps in `which` (a set closed under ancestry), by the rules. */
void model_state(const model *m, uint64_t which, gt_buf *out);

/* The steps in `which` but not in `base`, in the order of `order` (NULL: their own), as core/merge wants them. */
typedef struct model_replay {
    gt_step steps[MODEL_STEPS_MAX];
    uint32_t parents[MODEL_STEPS_MAX][MODEL_STEPS_MAX];
    uint32_t count;
} model_replay;

void model_replay_of(const model *m, uint64_t which, uint64_t base, const uint32_t *order, model_replay *replay);

/* Some other order in which every step stands behind its parents. */
void model_shuffle(const model *m, test_random *random, uint32_t *order);

/* Writes the history to standard output, to be read by whoever looks for the fault. */
void model_print(const model *m);

#endif
