/* Random histories of one item with all types of fields under all strategies that schemas allow them, written by up to six
 * replicas that hear of each other; and what comes of them by the rules of core/merge/README.md, written down literally.
 *
 * A history is made from a script: events, and what each edit does, in small numbers that mean something whatever stands
 * around them. So a script with a piece left out is one too, and a history that shows a fault is made small by leaving out
 * what can be left out. */
#ifndef HISTORY_H
#define HISTORY_H

#include "merge/merge.h"
#include "support/test_random.h"

enum {
    HISTORY_STEPS_MAX = 64, /* so that a set of steps is a word */
    HISTORY_REPLICAS_MAX = 6,
    HISTORY_EVENTS_MAX = 200,
    HISTORY_OPS_MAX = 6, /* of one step */
    HISTORY_FOCUS_MAX = 5,
    HISTORY_NODES_MAX = 160,
};

static inline uint64_t history_bit(uint32_t step) { return UINT64_C(1) << step; }
static inline uint64_t history_first(uint32_t count) { return count == 64 ? UINT64_MAX : history_bit(count) - 1; }

/* ---- fields: every type with every strategy, by themselves, in an object, and in an object in it ---- */

enum { HISTORY_TOP = -1 };

typedef struct history_node {
    const gt_field *field;
    int parent, first_child; /* nodes; HISTORY_TOP: the item */
} history_node;

typedef struct history_fields {
    gt_schema *schema;
    gt_buf json; /* its definition, NUL-terminated */
    history_node nodes[HISTORY_NODES_MAX];
    uint32_t count;
} history_fields;

/* `depth`: objects inside each other. */
void history_fields_init(history_fields *fields, uint32_t depth);
void history_fields_free(history_fields *fields);
/* The value of a field in a state; data NULL: it is not there. */
gt_bytes history_find(const history_fields *fields, gt_bytes state, uint32_t node);

/* ---- scripts ---- */

/* One thing that is done to one field. What the numbers mean is history_edit.c's; larger ones do more. */
typedef struct history_op {
    uint8_t node, kind, skip, a, b;
} history_op;

typedef enum history_event_kind {
    HISTORY_WRITE,
    HISTORY_HEAR,
    HISTORY_MEET,
    HISTORY_ALL,
    HISTORY_HEAR_STEP
} history_event_kind;

typedef struct history_event {
    uint8_t kind, one, other; /* replicas; of HEAR_STEP `other` is a step */
    uint8_t time;             /* later than must be */
    bool is_void, is_sealed;
    uint8_t deletes; /* 1: deletes the item; 2: says that it is not */
    uint16_t id;
    uint32_t op_count;
    history_op ops[HISTORY_OPS_MAX];
} history_event;

typedef struct history_script {
    uint64_t seed;  /* of what the checks choose */
    bool is_unique; /* values occur once */
    bool is_wild;   /* edits that no writer makes, but that a reader takes */
    bool is_bare;   /* nobody looks at anything: there are no views */
    uint32_t event_count;
    history_event events[HISTORY_EVENTS_MAX];
} history_script;

/* The fields that a history is about, so that edits of one field meet. */
typedef struct history_focus {
    const history_fields *fields;
    uint8_t nodes[HISTORY_FOCUS_MAX];
    uint32_t count; /* 0: all of them */
} history_focus;

history_focus history_focus_random(const history_fields *fields, test_random *random);

/* `step_count` steps in all. */
void history_script_random(history_script *script, const history_fields *fields, test_random *random, uint32_t replicas,
                           uint32_t step_count);
/* Two replicas go on from what one has written, and hear nothing of each other. */
void history_script_two_sides(history_script *script, const history_fields *fields, test_random *random,
                              uint32_t steps_each);
/* What one step does, without the event that it belongs to. */
void history_ops_random(history_event *event, const history_focus *focus, test_random *random);

/* Makes a script smaller as long as it is one that fails: drops steps and edits, puts replicas together, lowers numbers. */
typedef bool history_fails(void *context, const history_script *script);
void history_shrink(history_script *script, history_fails *fails, void *context);

/* ---- histories ---- */

typedef struct history {
    const history_fields *fields;
    uint64_t seed;
    bool is_unique, is_wild;
    uint32_t count;
    gt_step steps[HISTORY_STEPS_MAX]; /* parents come first */
    uint8_t ids[HISTORY_STEPS_MAX][32];
    uint32_t parents[HISTORY_STEPS_MAX][HISTORY_STEPS_MAX];
    uint64_t past[HISTORY_STEPS_MAX]; /* strict ancestors */
    gt_buf deltas[HISTORY_STEPS_MAX];
    gt_buf views[HISTORY_STEPS_MAX]; /* what authors saw; no step is void to them */
    uint32_t made;                   /* unique values */
} history;

void history_init(history *h, const history_fields *fields);
void history_free(history *h);
/* In place of what it was. False: a view could not be made, and `diag` says why. */
bool history_make(history *h, const history_script *script, gt_diag *diag);
/* What the author of a step saw; data NULL: the empty item. */
static inline gt_bytes history_view(const history *h, uint32_t step) {
    return h->views[step].len == 0 ? gt_bytes_of(NULL, 0) : gt_buf_bytes(&h->views[step]);
}
/* Writes the delta of a step whose author sees `view`. */
void history_write_delta(history *h, const history_event *event, gt_bytes view, gt_buf *delta);

/* Adds a step whose author knows some others, with a time after theirs; id and delta are up to the caller. */
gt_step *history_add(history *h, uint64_t known);
/* Makes the view of its author. False: it could not be made, and `diag` says why. */
bool history_look(history *h, uint32_t step, gt_diag *diag);

/* Steps of a set that no other one of it descends from; steps that are not void; whether there are none that are. */
uint64_t history_heads(const history *h, uint64_t steps);
uint64_t history_counting(const history *h, uint64_t steps);
static inline bool history_is_clean(const history *h, uint64_t steps) { return history_counting(h, steps) == steps; }

/* Replays the steps of `which` on a state with those of `before`; `out` is emptied first. Without `random` in their own
 * order, with it in some other one with parents first. `seen`: no step is void. */
goat_status history_replay(const history *h, gt_bytes base, uint64_t which, uint64_t before, test_random *random,
                           bool seen, gt_buf *out, gt_diag *diag);

void history_print(const history *h);

/* ---- the rules ---- */

/* What is wrong with the state after some steps, in words, with what is expected and found in notation; NULL: nothing. */
const char *history_state_fault(const history *h, uint64_t which, gt_bytes state, gt_buf *detail);

#endif
