/* The rules of core/merge/README.md word by word, quantifiers and all; what has places is history_sequence.c's. */
#include "support/history_rules.h"

#include "support/test.h"
#include "support/test_value.h"
#include "value/build.h"
#include "value/value.h"

#include <stdlib.h>
#include <string.h>

enum { VALUES_MAX = 64 }; /* different elements of a set, or keys of a map */

static uint64_t bit(uint32_t step) { return history_bit(step); }

/* ---- what is said of a field ---- */

static bool is_before(const history *h, uint32_t a, uint32_t b) { return (h->past[b] & bit(a)) != 0; }
static bool counts(const field_edits *e, uint32_t i) { return (e->counting & bit(i)) != 0; }
static bool writes(const field_edits *e, uint32_t i) {
    return counts(e, i) && (e->edited & bit(i)) != 0 && !field_is_unset(e, i);
}

static void edits_of(const history *h, uint64_t which, uint32_t node, field_edits *e) {
    const history_node *of = &h->fields->nodes[node];
    if (of->parent != HISTORY_TOP) {
        edits_of(h, which, (uint32_t)of->parent, e);
    } else {
        *e = (field_edits){.h = h, .which = which, .counting = history_counting(h, which)};
        for (uint32_t i = 0; i < h->count; i++) {
            e->of[i] = h->steps[i].delta;
            if (e->of[i].data != NULL) e->edited |= bit(i);
        }
    }
    e->field = of->field;
    for (uint32_t i = 0; i < h->count; i++) {
        if ((e->edited & bit(i)) == 0) continue;
        if (e->of[i].data[0] == 0xf7) e->above |= bit(i);
        e->of[i] = gt_map_find(e->of[i], of->field->name);
        if (e->of[i].data == NULL) e->edited &= ~bit(i);
    }
}

static bool seen_by_unset(const field_edits *e, uint32_t step) {
    for (uint32_t u = 0; u < e->h->count; u++) {
        if (counts(e, u) && field_is_unset(e, u) && is_before(e->h, step, u)) return true;
    }
    return false;
}

/* Whether some edit other than an unset has been seen by no unset. */
static bool is_there(const field_edits *e) {
    for (uint32_t i = 0; i < e->h->count; i++) {
        if (writes(e, i) && !seen_by_unset(e, i)) return true;
    }
    return false;
}

/* ---- single values ---- */

static bool wins(const field_edits *e, uint32_t a, uint32_t b) {
    int order = memcmp(e->h->ids[a], e->h->ids[b], sizeof e->h->ids[a]);
    if (e->field->merge != GT_STRATEGY_EITHER && e->h->steps[a].time != e->h->steps[b].time) {
        return e->h->steps[a].time > e->h->steps[b].time;
    }
    return order > 0;
}

/* The one of some steps that is latest or, by `either`, has the greatest id among those that no other has seen. -1: none. */
static int winner(const field_edits *e, uint64_t steps) {
    int best = -1;
    for (uint32_t i = 0; i < e->h->count; i++) {
        bool is_seen = false;
        for (uint32_t k = 0; k < e->h->count; k++) is_seen |= (steps & bit(k)) != 0 && is_before(e->h, i, k);
        if ((steps & bit(i)) == 0 || (e->field->merge == GT_STRATEGY_EITHER && is_seen)) continue;
        if (best < 0 || wins(e, i, (uint32_t)best)) best = (int)i;
    }
    return best;
}

static void write_single(const field_edits *e, gt_buf *out) {
    uint64_t all = 0;
    for (uint32_t i = 0; i < e->h->count; i++) {
        bool forgotten = false; /* one who unset the object around it saw it */
        for (uint32_t u = 0; u < e->h->count; u++) {
            forgotten |= counts(e, u) && (e->above & bit(u)) != 0 && is_before(e->h, i, u);
        }
        if (counts(e, i) && (e->edited & bit(i)) != 0 && !forgotten) all |= bit(i);
    }
    int last = winner(e, all);
    if (last >= 0 && !field_is_unset(e, (uint32_t)last)) gt_buf_append(out, e->of[last].data, e->of[last].len);
}

/* ---- sets, maps, counters ---- */

/* Adds to the values, each once. */
static void collect(gt_bytes value, gt_bytes *values, size_t *count) {
    for (size_t i = 0; i < *count; i++) {
        if (gt_bytes_equal(values[i], value)) return;
    }
    assert_true(*count < VALUES_MAX);
    values[(*count)++] = value;
}

static bool has(gt_bytes set, gt_bytes element) {
    gt_bytes other;
    if (set.data == NULL) return false;
    for (gt_iter iter = gt_array_iter(set); gt_array_next(&iter, &other);) {
        if (gt_value_equal(other, element)) return true;
    }
    return false;
}

static gt_bytes added_by(const field_edits *e, uint32_t i) {
    return gt_value_kind(e->of[i]) == GT_KIND_MAP ? gt_map_find_int(e->of[i], 0) : e->of[i];
}

static gt_bytes removed_by(const field_edits *e, uint32_t i) {
    return gt_value_kind(e->of[i]) == GT_KIND_MAP ? gt_map_find_int(e->of[i], 1) : gt_bytes_of(NULL, 0);
}

static bool add_survives(const field_edits *e, uint32_t add, gt_bytes element) {
    for (uint32_t r = 0; r < e->h->count; r++) {
        if (writes(e, r) && has(removed_by(e, r), element) && is_before(e->h, add, r)) return false;
    }
    return !seen_by_unset(e, add);
}

static void write_set(const field_edits *e, gt_buf *out) {
    gt_bytes elements[VALUES_MAX], element;
    size_t count = 0;
    for (uint32_t i = 0; i < e->h->count; i++) {
        if (!writes(e, i) || added_by(e, i).data == NULL) continue;
        for (gt_iter iter = gt_array_iter(added_by(e, i)); gt_array_next(&iter, &element);) {
            if (add_survives(e, i, element)) collect(element, elements, &count);
        }
    }
    gt_write_set(out, elements, count);
}

static bool put_survives(const field_edits *e, uint32_t put, gt_bytes key) {
    for (uint32_t r = 0; r < e->h->count; r++) {
        gt_bytes value = writes(e, r) ? gt_map_find(e->of[r], key) : gt_bytes_of(NULL, 0);
        if (value.data != NULL && value.data[0] == 0xf7 && is_before(e->h, put, r)) return false;
    }
    return !seen_by_unset(e, put);
}

static void write_map(const field_edits *e, gt_buf *out) {
    gt_bytes keys[VALUES_MAX], key, value;
    gt_pair pairs[VALUES_MAX];
    size_t key_count = 0, count = 0;
    for (uint32_t i = 0; i < e->h->count; i++) {
        if (!writes(e, i)) continue;
        for (gt_iter iter = gt_map_iter(e->of[i]); gt_map_next(&iter, &key, &value);) collect(key, keys, &key_count);
    }
    for (size_t k = 0; k < key_count; k++) {
        uint64_t puts = 0;
        for (uint32_t i = 0; i < e->h->count; i++) {
            value = writes(e, i) ? gt_map_find(e->of[i], keys[k]) : gt_bytes_of(NULL, 0);
            if (value.data != NULL && value.data[0] != 0xf7 && put_survives(e, i, keys[k])) puts |= bit(i);
        }
        int last = winner(e, puts);
        if (last >= 0) pairs[count++] = (gt_pair){keys[k], gt_map_find(e->of[last], keys[k])};
    }
    gt_write_map(out, pairs, count);
}

static void write_sum(const field_edits *e, gt_buf *out) {
    uint64_t sum = 0;
    int64_t by, result;
    for (uint32_t i = 0; i < e->h->count; i++) {
        if (writes(e, i) && !seen_by_unset(e, i) && gt_value_as_int64(e->of[i], &by)) sum += (uint64_t)by;
    }
    memcpy(&result, &sum, sizeof result);
    gt_write_int(out, result);
}

/* ---- deletion ---- */

static bool deletes(const history *h, uint32_t i) {
    bool deleted = false;
    gt_bytes tombstone = h->steps[i].delta.data == NULL ? gt_bytes_of(NULL, 0) : gt_map_find_int(h->steps[i].delta, 0);
    return tombstone.data != NULL && gt_value_as_bool(tombstone, &deleted) && deleted;
}

/* A sealed step says what can be seen without its delta: that it is there, if it is a first commit. */
static bool is_edit(const history *h, uint32_t i) {
    bool says_something = h->steps[i].delta.data != NULL && gt_value_count(h->steps[i].delta) > 0;
    return !deletes(h, i) && (says_something || h->past[i] == 0);
}

static bool is_deleted(const history *h, uint64_t counting) {
    for (uint32_t d = 0; d < h->count; d++) {
        bool cleared = false;
        if ((counting & bit(d)) == 0 || !deletes(h, d)) continue;
        for (uint32_t i = 0; i < h->count; i++) {
            cleared |= (counting & bit(i)) != 0 && is_edit(h, i) && !is_before(h, i, d);
        }
        if (!cleared) return true;
    }
    return false;
}

/* ---- all of it ---- */

static const struct {
    void (*write)(const field_edits *edits, gt_buf *out);
    bool is_single; /* there or not by its own rule */
} rules[] = {
    [GT_TYPE_STRING] = {write_single, true},
    [GT_TYPE_NUMBER] = {write_single, true},
    [GT_TYPE_BOOLEAN] = {write_single, true},
    [GT_TYPE_DATE] = {write_single, true},
    [GT_TYPE_BYTES] = {write_single, true},
    [GT_TYPE_REF] = {write_single, true},
    [GT_TYPE_ORDERSTAMP] = {write_single, true},
    [GT_TYPE_SET] = {write_set, false},
    [GT_TYPE_MAP] = {write_map, false},
    [GT_TYPE_COUNTER] = {write_sum, false},
    [GT_TYPE_TEXT] = {history_write_sequence, false},
    [GT_TYPE_LIST] = {history_write_sequence, false},
    [GT_TYPE_RICHTEXT] = {history_write_sequence, false},
};

static const char *fault_of(const char *words, const gt_field *field, gt_bytes expected, gt_bytes found,
                            gt_buf *detail) {
    gt_buf a, b;
    test_value_print(expected, &a);
    test_value_print(found, &b);
    test_text(detail, "%.*s: expected %s\n but was %s", (int)field->path.len, (const char *)field->path.data,
              (const char *)a.data, (const char *)b.data);
    gt_buf_free(&a);
    gt_buf_free(&b);
    return words;
}

static const char *fields_fault(const history *h, uint64_t which, int parent, gt_bytes state, size_t besides,
                                gt_buf *detail);

static const char *object_fault(const history *h, const field_edits *e, uint32_t node, gt_bytes found, gt_buf *detail) {
    if (is_there(e) != (found.data != NULL)) return "an object is there, or is not";
    return found.data == NULL ? NULL : fields_fault(h, e->which, (int)node, found, 0, detail);
}

static const char *field_fault(const history *h, uint64_t which, uint32_t node, gt_bytes found, gt_buf *detail) {
    field_edits e;
    const gt_field *field = h->fields->nodes[node].field;
    const char *fault = NULL;
    edits_of(h, which, node, &e);
    if (e.edited == 0 && found.data == NULL) return NULL;
    if (field->type == GT_TYPE_OBJECT) return object_fault(h, &e, node, found, detail);
    gt_buf expected;
    gt_buf_init(&expected, &gt_alloc_system);
    assert_non_null(rules[field->type].write);
    if (rules[field->type].is_single || is_there(&e)) rules[field->type].write(&e, &expected);
    gt_bytes wanted = expected.len == 0 ? gt_bytes_of(NULL, 0) : gt_buf_bytes(&expected);
    if ((wanted.data == NULL) != (found.data == NULL) || (wanted.data != NULL && !gt_bytes_equal(wanted, found))) {
        fault = fault_of("it is not what the rules say", field, wanted, found, detail);
    }
    gt_buf_free(&expected);
    return fault;
}

/* `besides`: pairs that are no fields. */
static const char *fields_fault(const history *h, uint64_t which, int parent, gt_bytes state, size_t besides,
                                gt_buf *detail) {
    const gt_schema *schema = parent == HISTORY_TOP ? h->fields->schema : h->fields->nodes[parent].field->fields;
    uint32_t first = parent == HISTORY_TOP ? 0 : (uint32_t)h->fields->nodes[parent].first_child;
    for (uint32_t i = 0; i < gt_schema_field_count(schema); i++) {
        gt_bytes found = gt_map_find(state, h->fields->nodes[first + i].field->name);
        const char *fault = field_fault(h, which, first + i, found, detail);
        if (fault != NULL) return fault;
        besides += found.data != NULL;
    }
    return gt_value_count(state) == besides ? NULL : "a field that the schema does not have";
}

const char *history_state_fault(const history *h, uint64_t which, gt_bytes state, gt_buf *detail) {
    bool is_marked = gt_map_find_int(state, 0).data != NULL;
    if (is_marked != is_deleted(h, history_counting(h, which))) return "the item is deleted, or is not";
    return fields_fault(h, which, HISTORY_TOP, state, is_marked, detail);
}
