#include "support/history.h"

#include "support/merge_kept.h"
#include "support/test.h"
#include "support/test_value.h"

#include <string.h>

void history_init(history *h, const history_fields *fields) {
    memset(h, 0, sizeof *h);
    h->fields = fields;
    for (uint32_t i = 0; i < HISTORY_STEPS_MAX; i++) {
        gt_buf_init(&h->deltas[i], &gt_alloc_system);
        gt_buf_init(&h->views[i], &gt_alloc_system);
    }
}

void history_free(history *h) {
    for (uint32_t i = 0; i < HISTORY_STEPS_MAX; i++) {
        gt_buf_free(&h->deltas[i]);
        gt_buf_free(&h->views[i]);
    }
}

uint64_t history_heads(const history *h, uint64_t steps) {
    uint64_t heads = steps;
    for (uint32_t i = 0; i < h->count; i++) {
        if ((steps & history_bit(i)) != 0) heads &= ~h->past[i];
    }
    return heads;
}

uint64_t history_counting(const history *h, uint64_t steps) {
    for (uint32_t i = 0; i < h->count; i++) {
        if (h->steps[i].is_void) steps &= ~history_bit(i);
    }
    return steps;
}

/* ---- making ---- */

gt_step *history_add(history *h, uint64_t known) {
    uint64_t heads = history_heads(h, known), after = 0;
    uint32_t step = h->count++;
    assert_true(step < HISTORY_STEPS_MAX);
    gt_step *to = &h->steps[step];
    *to = (gt_step){.id = h->ids[step], .parents = h->parents[step]};
    for (uint32_t i = 0; i < step; i++) {
        if ((heads & history_bit(i)) == 0) continue;
        h->parents[step][to->parent_count++] = i;
        if (h->steps[i].time > after) after = h->steps[i].time;
    }
    to->time = after + 1;
    h->past[step] = known;
    gt_buf_clear(&h->deltas[step]);
    gt_buf_clear(&h->views[step]);
    return to;
}

static void name_step(history *h, uint32_t step, uint16_t id) {
    memset(h->ids[step], 0, sizeof h->ids[step]);
    h->ids[step][0] = (uint8_t)(id >> 8);
    h->ids[step][1] = (uint8_t)id;
    h->ids[step][31] = (uint8_t)step; /* no two are equal */
}

static bool add_step(history *h, const history_event *event, uint64_t known, bool is_bare, gt_diag *diag) {
    uint32_t step = h->count;
    gt_step *to = history_add(h, known);
    name_step(h, step, event->id);
    to->time += event->time;
    to->is_void = event->is_void;
    to->author = 1u + event->one;
    if (!is_bare && !history_look(h, step, diag)) return false;
    if (!event->is_sealed) {
        history_write_delta(h, event, history_view(h, step), &h->deltas[step]);
        to->delta = gt_buf_bytes(&h->deltas[step]);
    }
    return true;
}

bool history_make(history *h, const history_script *script, gt_diag *diag) {
    uint64_t known[HISTORY_REPLICAS_MAX] = {0};
    h->seed = script->seed;
    h->is_unique = script->is_unique;
    h->is_wild = script->is_wild;
    h->count = h->made = 0;
    for (uint32_t e = 0; e < script->event_count && h->count < HISTORY_STEPS_MAX; e++) {
        const history_event *event = &script->events[e];
        uint64_t *one = &known[event->one];
        switch ((history_event_kind)event->kind) {
        case HISTORY_WRITE:
            if (!add_step(h, event, *one, script->is_bare, diag)) return false;
            *one |= history_bit(h->count - 1);
            break;
        case HISTORY_HEAR: *one |= known[event->other]; break;
        case HISTORY_MEET: *one = known[event->other] |= *one; break;
        case HISTORY_ALL:
            for (int i = 0; i < HISTORY_REPLICAS_MAX; i++) *one |= known[i];
            for (int i = 0; i < HISTORY_REPLICAS_MAX; i++) known[i] = *one;
            break;
        case HISTORY_HEAR_STEP:
            if (event->other < h->count) *one |= h->past[event->other] | history_bit(event->other);
            break;
        }
    }
    return true;
}

/* ---- replaying ---- */

typedef struct replaying {
    gt_step steps[HISTORY_STEPS_MAX];
    uint32_t parents[HISTORY_STEPS_MAX][HISTORY_STEPS_MAX], place[HISTORY_STEPS_MAX], count;
} replaying;

static void add(const history *h, replaying *r, uint32_t step, uint64_t before, bool seen, bool known_author) {
    gt_step *to = &r->steps[r->count];
    *to = h->steps[step];
    to->parents = r->parents[r->count];
    to->parent_count = 0;
    if (seen) to->is_void = false;
    if (!known_author) to->author = 0;
    for (uint32_t i = 0; i < h->steps[step].parent_count; i++) {
        uint32_t parent = h->parents[step][i];
        if ((before & history_bit(parent)) == 0) r->parents[r->count][to->parent_count++] = r->place[parent];
    }
    r->place[step] = r->count++;
}

goat_status history_replay(const history *h, gt_bytes base, uint64_t which, uint64_t before, test_random *random,
                           bool seen, gt_buf *out, gt_diag *diag) {
    static replaying r;
    uint64_t left = which & ~before, done = before;
    r.count = 0;
    for (uint32_t next = 0; left != 0; next++) {
        uint32_t step = random == NULL ? next : test_random_below(random, h->count);
        if ((left & history_bit(step)) == 0 || (h->past[step] & ~done) != 0) continue;
        add(h, &r, step, before, seen, random != NULL);
        done |= history_bit(step);
        left &= ~history_bit(step);
    }
    gt_buf_clear(out);
    if (random != NULL) return merge_replay_and_keep(h->fields->schema, base, r.steps, r.count, out, NULL, diag);
    return gt_merge_replay(&gt_alloc_system, h->fields->schema, base, r.steps, r.count, out, NULL, diag);
}

bool history_look(history *h, uint32_t step, gt_diag *diag) {
    uint64_t known = h->past[step];
    return known == 0 ||
           history_replay(h, gt_bytes_of(NULL, 0), known, 0, NULL, true, &h->views[step], diag) == GOAT_OK;
}

void history_print(const history *h) {
    for (uint32_t i = 0; i < h->count; i++) {
        gt_buf text;
        test_value_print(h->steps[i].delta, &text);
        print_message("%2u by %u after", (unsigned)i, (unsigned)h->steps[i].author);
        for (uint32_t p = 0; p < h->steps[i].parent_count; p++) print_message(" %u", (unsigned)h->parents[i][p]);
        print_message(", time %llu, id %02x%02x…%s%s: %s\n", (unsigned long long)h->steps[i].time, h->ids[i][0],
                      h->ids[i][1], h->steps[i].is_void ? ", void" : "",
                      h->steps[i].delta.data == NULL ? ", sealed" : "", (const char *)text.data);
        gt_buf_free(&text);
    }
}
