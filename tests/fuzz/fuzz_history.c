/* Histories of one item with all types under all strategies, written by several replicas: a script of support/history.h as
 * bytes, and behind it deltas in any bytes that the schema takes. What comes of one is what the rules say, in
 * whatever order it arrives, replayed at once or kept; whoever undoes some of it gets an edit that can be made; and every
 * field of it has an explanation.
 *
 * The first byte says which steps are reverted, the second what kind of values and edits. An event is three bytes, a step six
 * more and its edits; an event of no kind ends the script. */
#include "base/assert.h"
#include "merge/explain.h"
#include "merge/revert.h"
#include "support/history.h"
#include "value/value.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { NO_KIND = 0xff };

typedef struct input {
    const uint8_t *next, *end;
} input;

static uint8_t take(input *from) { return from->next < from->end ? *from->next++ : 0; }

static void read_event(input *from, const history_fields *fields, history_event *event) {
    *event = (history_event){.kind = take(from) % 5};
    event->one = take(from) % HISTORY_REPLICAS_MAX;
    event->other = take(from);
    if (event->kind != HISTORY_HEAR_STEP) event->other %= HISTORY_REPLICAS_MAX;
    if (event->kind != HISTORY_WRITE) return;
    uint8_t flags = take(from);
    event->time = take(from);
    event->id = (uint16_t)(take(from) << 8);
    event->id |= take(from);
    event->is_void = (flags & 1) != 0;
    event->is_sealed = (flags & 2) != 0;
    event->deletes = (flags >> 2) % 3;
    event->op_count = take(from) % (HISTORY_OPS_MAX + 1);
    for (uint32_t i = 0; i < event->op_count; i++) {
        event->ops[i] = (history_op){(uint8_t)(take(from) % fields->count), take(from), take(from), take(from), 0};
        event->ops[i].b = take(from);
    }
}

static void read_script(input *from, const history_fields *fields, history_script *script) {
    uint8_t flags = take(from);
    *script = (history_script){.seed = 1u + flags, .is_unique = (flags & 1) != 0, .is_wild = (flags & 2) != 0};
    while (from->next < from->end && *from->next != NO_KIND && script->event_count < HISTORY_EVENTS_MAX) {
        read_event(from, fields, &script->events[script->event_count++]);
    }
    take(from);
}

/* Its author has heard of one step and what that stands on. */
static void add_raw(input *from, history *h) {
    uint8_t kind = take(from), other = take(from), len = take(from);
    gt_bytes delta = gt_bytes_of(from->next, (size_t)(from->end - from->next));
    gt_diag diag;
    if (delta.len > len) delta.len = len;
    from->next += delta.len;
    if (gt_value_check(delta, GT_VALUE_EDIT, NULL) != GOAT_OK ||
        gt_merge_check_delta(h->fields->schema, delta, &diag) != GOAT_OK) {
        return;
    }
    uint64_t known = other < h->count ? h->past[other] | history_bit(other) : 0;
    gt_step *step = history_add(h, known);
    h->ids[h->count - 1][0] = kind;
    h->ids[h->count - 1][1] = other;
    h->ids[h->count - 1][31] = (uint8_t)(h->count - 1);
    gt_buf_append(&h->deltas[h->count - 1], delta.data, delta.len);
    step->delta = gt_buf_bytes(&h->deltas[h->count - 1]);
}

static void check_view(const history *h, gt_buf *whole) {
    gt_buf again, detail;
    gt_diag diag;
    test_random random = {h->seed};
    gt_bytes none = gt_bytes_of(NULL, 0);
    uint64_t all = history_first(h->count);
    gt_buf_init(&again, &gt_alloc_system);
    gt_buf_init(&detail, &gt_alloc_system);
    GOAT_ASSERT(history_replay(h, none, all, 0, NULL, false, whole, &diag) == GOAT_OK);
    GOAT_ASSERT(history_state_fault(h, all, gt_buf_bytes(whole), &detail) == NULL);
    GOAT_ASSERT(history_replay(h, none, all, 0, &random, false, &again, &diag) == GOAT_OK);
    GOAT_ASSERT(gt_bytes_equal(gt_buf_bytes(whole), gt_buf_bytes(&again)));
    gt_buf_free(&again);
    gt_buf_free(&detail);
}

/* Every step that `dice` divides names one that it has seen, and every third of those is reverted. */
static void check_revert(const history *h, uint8_t dice, gt_bytes whole) {
    uint8_t wanted[HISTORY_STEPS_MAX] = {0}, marks[HISTORY_STEPS_MAX];
    uint32_t named[HISTORY_STEPS_MAX];
    gt_undoes undoes[HISTORY_STEPS_MAX] = {{NULL, 0}};
    gt_diag diag;
    for (uint32_t i = 0; i < h->count; i++) {
        wanted[i] = (i + dice) % 3 == 0;
        if (h->past[i] == 0 || i % (2u + dice % 4) != 0) continue;
        named[i] = dice % (i + 1);
        while ((h->past[i] & history_bit(named[i])) == 0) named[i] = (named[i] + 1) % i;
        undoes[i] = (gt_undoes){&named[i], 1};
    }
    gt_merge_mark(h->steps, undoes, h->count, wanted, marks);
    gt_reverting what = {h->fields->schema, gt_bytes_of(NULL, 0), h->steps, marks, h->count, true};
    gt_buf view, delta, after;
    gt_buf_init(&view, &gt_alloc_system);
    gt_buf_init(&delta, &gt_alloc_system);
    gt_buf_init(&after, &gt_alloc_system);
    GOAT_ASSERT(gt_merge_revert(&gt_alloc_system, &what, &view, &delta, NULL, &diag) == GOAT_OK);
    GOAT_ASSERT(gt_bytes_equal(gt_buf_bytes(&view), whole));
    GOAT_ASSERT(gt_merge_check_delta(h->fields->schema, gt_buf_bytes(&delta), &diag) == GOAT_OK);
    static const uint8_t id[32] = {0xff};
    gt_step step = {.id = id, .time = 1, .delta = gt_buf_bytes(&delta)};
    GOAT_ASSERT(gt_merge_replay(&gt_alloc_system, h->fields->schema, gt_buf_bytes(&view), &step, 1, &after, NULL,
                                &diag) == GOAT_OK);
    gt_buf_free(&view);
    gt_buf_free(&delta);
    gt_buf_free(&after);
}

static void check_explanations(const history *h) {
    gt_diag diag;
    for (uint32_t n = 0; n < h->fields->count; n++) {
        const gt_field *path[4];
        size_t len = 0;
        for (int at = (int)n; at != HISTORY_TOP; at = h->fields->nodes[at].parent) len++;
        GOAT_ASSERT(len <= sizeof path / sizeof path[0]);
        size_t to = len;
        for (int at = (int)n; at != HISTORY_TOP; at = h->fields->nodes[at].parent) {
            path[--to] = h->fields->nodes[at].field;
        }
        gt_explanation made;
        GOAT_ASSERT(gt_merge_explain(&gt_alloc_system, path, len, gt_bytes_of(NULL, 0), h->steps, h->count, &made,
                                     &diag) == GOAT_OK);
        GOAT_ASSERT(made.count <= h->count);
        for (uint32_t i = 0; i < made.count; i++) {
            const gt_verdict *verdict = &made.verdicts[i];
            GOAT_ASSERT(verdict->step < h->count && (i == 0 || made.verdicts[i - 1].step < verdict->step));
            for (uint32_t k = 0; k < verdict->by_count; k++) GOAT_ASSERT(verdict->by[k] < h->count);
            for (uint32_t k = 0; k < verdict->part_count; k++) {
                GOAT_ASSERT(verdict->parts[k].stands <= verdict->parts[k].count);
            }
        }
        gt_explanation_free(&made);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static history_fields fields; /* made once: it costs more than most histories */
    static history_script script;
    static history h;
    if (size < 2) return 0;
    if (fields.count == 0) history_fields_init(&fields, 2);
    input from = {data + 1, data + size};
    gt_diag diag;
    gt_buf whole;
    read_script(&from, &fields, &script);
    history_init(&h, &fields);
    gt_buf_init(&whole, &gt_alloc_system);
    gt_diag_init(&diag);
    GOAT_ASSERT(history_make(&h, &script, &diag));
    while (from.next < from.end && h.count < HISTORY_STEPS_MAX) add_raw(&from, &h);
    if (h.count > 0) {
        check_view(&h, &whole);
        check_revert(&h, data[0], gt_buf_bytes(&whole));
        check_explanations(&h);
    }
    history_free(&h);
    gt_buf_free(&whole);
    return 0;
}
