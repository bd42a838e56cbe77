/* The rules of core/merge/README.md, word by word. */
#include "support/merge_encode.h"

#include "support/test.h"

#include <stdlib.h>
#include <string.h>

static uint64_t bit(uint32_t step) { return UINT64_C(1) << step; }

/* Step i is in the set, not void, and can be read. */
static bool counts(const model *m, uint64_t which, uint32_t i) {
    return (which & bit(i)) != 0 && !m->steps[i].is_void && !m->steps[i].delta.is_sealed;
}

static bool is_before(const model *m, uint32_t a, uint32_t b) { return (m->steps[b].ancestors & bit(a)) != 0; }

/* The act of a step on one of the fields. */
static model_act act_on(const model_delta *delta, char field) {
    switch (field) {
    case 't': return delta->tags;
    case 'm': return delta->map;
    case 'l': return delta->list;
    case 'o': return delta->object;
    default: return delta->votes;
    }
}

static bool seen_by_unset(const model *m, uint64_t which, uint32_t step, char field) {
    for (uint32_t u = 0; u < m->count; u++) {
        const model_delta *delta = &m->steps[u].delta;
        bool unsets = delta->unsets_all || act_on(delta, field) == UNSET;
        if (counts(m, which, u) && unsets && is_before(m, step, u)) {
            return true;
        }
    }
    return false;
}

/* Whether one who unset the object around saw the step: what it wrote there is then as if it had not been. */
static bool is_forgotten(const model *m, uint64_t which, uint32_t step) {
    for (uint32_t u = 0; u < m->count; u++) {
        if (counts(m, which, u) && m->steps[u].delta.unsets_all && is_before(m, step, u)) {
            return true;
        }
    }
    return false;
}

/* A field is there if some edit of it, other than an unset, has been seen by no unset. */
static bool is_there(const model *m, uint64_t which, char field) {
    for (uint32_t i = 0; i < m->count; i++) {
        if (counts(m, which, i) && act_on(&m->steps[i].delta, field) == WRITE && !seen_by_unset(m, which, i, field)) {
            return true;
        }
    }
    return false;
}

static bool wins(const model *m, uint32_t a, uint32_t b) {
    if (!m->either) return model_compare_steps(&m->steps[b], &m->steps[a]) < 0;
    return memcmp(m->steps[a].id, m->steps[b].id, sizeof m->steps[a].id) > 0;
}

/* The one of some steps that is latest or, by `either`, has the greatest id among those that no other has seen. -1: none. */
static int winner(const model *m, uint64_t steps) {
    int best = -1;
    for (uint32_t i = 0; i < m->count; i++) {
        bool is_seen = false;
        for (uint32_t k = 0; k < m->count; k++) is_seen |= (steps & bit(k)) != 0 && is_before(m, i, k);
        if ((steps & bit(i)) == 0 || (m->either && is_seen)) continue;
        if (best < 0 || wins(m, i, (uint32_t)best)) best = (int)i;
    }
    return best;
}

/* The write or unset of `text` that counts; -1 for none. */
static int last_write(const model *m, uint64_t which) {
    uint64_t writes = 0;
    for (uint32_t i = 0; i < m->count; i++) {
        bool writes_it = counts(m, which, i) && m->steps[i].delta.text != NOTHING;
        if (writes_it && !is_forgotten(m, which, i)) writes |= bit(i);
    }
    return winner(m, writes);
}

/* Lists are written as a whole here, one element each time, which its author puts before all that he knows of: it hangs on
 * the first of these, or on nothing (-1). */
typedef struct list_tree {
    int parents[MODEL_STEPS_MAX];
    uint64_t inserted;
} list_tree;

/* Those that hang on `parent` stand before it in the order of their ids. */
static void list_order(const model *m, const list_tree *tree, uint64_t known, int parent, uint32_t *order,
                       uint32_t *count) {
    const uint8_t *last = NULL;
    for (;;) {
        int next = -1;
        for (uint32_t i = 0; i < m->count; i++) {
            if ((known & tree->inserted & bit(i)) == 0 || tree->parents[i] != parent) continue;
            const uint8_t *id = m->steps[i].id;
            if (last != NULL && memcmp(id, last, sizeof m->steps[i].id) <= 0) continue;
            if (next < 0 || memcmp(id, m->steps[next].id, sizeof m->steps[i].id) < 0) next = (int)i;
        }
        if (next < 0) return;
        list_order(m, tree, known, next, order, count);
        order[(*count)++] = (uint32_t)next;
        last = m->steps[next].id;
    }
}

static void grow_list_tree(const model *m, list_tree *tree) {
    uint32_t order[MODEL_STEPS_MAX];
    tree->inserted = 0;
    for (uint32_t i = 0; i < m->count; i++) { /* parents come first */
        uint32_t count = 0;
        if (m->steps[i].delta.is_sealed || m->steps[i].delta.list != WRITE) continue;
        list_order(m, tree, m->steps[i].ancestors, -1, order, &count);
        tree->parents[i] = count == 0 ? -1 : (int)order[0];
        tree->inserted |= bit(i);
    }
}

static bool changes_list(const model *m, uint32_t i) {
    const model_delta *delta = &m->steps[i].delta;
    return !delta->is_sealed && (delta->list != NOTHING || delta->unsets_all);
}

/* Whether step w writes or unsets the list and its author saw the element of step i: nothing between them did the same,
 * void steps being as good as others to him. */
static bool removes_element(const model *m, uint32_t w, uint32_t i) {
    if (!changes_list(m, w) || !is_before(m, i, w)) return false;
    for (uint32_t x = 0; x < m->count; x++) {
        if (changes_list(m, x) && is_before(m, x, w) && is_before(m, i, x)) return false;
    }
    return true;
}

static bool element_survives(const model *m, uint64_t which, uint32_t i) {
    for (uint32_t w = 0; w < m->count; w++) {
        if (counts(m, which, w) && removes_element(m, w, i)) return false;
    }
    return counts(m, which, i);
}

static void write_list_state(const model *m, uint64_t which, gt_buf *out) {
    list_tree tree;
    uint32_t order[MODEL_STEPS_MAX], count = 0, left = 0;
    grow_list_tree(m, &tree);
    list_order(m, &tree, which, -1, order, &count);
    for (uint32_t i = 0; i < count; i++) {
        if (element_survives(m, which, order[i])) order[left++] = order[i];
    }
    gt_write_array_head(out, left);
    for (uint32_t i = 0; i < left; i++) gt_write_int(out, m->steps[order[i]].delta.list_value);
}

static bool add_survives(const model *m, uint64_t which, uint32_t add, unsigned element) {
    for (uint32_t r = 0; r < m->count; r++) {
        const model_delta *delta = &m->steps[r].delta;
        if (counts(m, which, r) && delta->tags == WRITE && (delta->removed & element) != 0 && is_before(m, add, r)) {
            return false;
        }
    }
    return !seen_by_unset(m, which, add, 't');
}

static unsigned members(const model *m, uint64_t which) {
    unsigned result = 0;
    for (uint32_t i = 0; i < m->count; i++) {
        const model_delta *delta = &m->steps[i].delta;
        for (unsigned e = 1; counts(m, which, i) && delta->tags == WRITE && e < 1u << MODEL_ELEMENTS; e <<= 1) {
            if ((delta->added & e) != 0 && add_survives(m, which, i, e)) {
                result |= e;
            }
        }
    }
    return result;
}

static bool put_survives(const model *m, uint64_t which, uint32_t put, size_t key) {
    for (uint32_t r = 0; r < m->count; r++) {
        const model_delta *delta = &m->steps[r].delta;
        if (counts(m, which, r) && delta->map == WRITE && delta->keys[key].act == UNSET && is_before(m, put, r)) {
            return false;
        }
    }
    return !seen_by_unset(m, which, put, 'm');
}

static void write_map_state(const model *m, uint64_t which, gt_buf *out) {
    model_map made;
    model_map_begin(&made);
    for (size_t key = 0; key < MODEL_KEYS; key++) {
        uint64_t puts = 0;
        for (uint32_t i = 0; i < m->count; i++) {
            const model_delta *delta = &m->steps[i].delta;
            bool is_put = counts(m, which, i) && delta->map == WRITE && delta->keys[key].act == WRITE;
            if (is_put && put_survives(m, which, i, key)) puts |= bit(i);
        }
        int last = winner(m, puts);
        if (last >= 0) {
            size_t begin = made.values.len;
            gt_write_int(&made.values, m->steps[last].delta.keys[key].value);
            model_map_add(&made, model_key(key), begin);
        }
    }
    model_map_end(&made, -1, out);
}

static int64_t sum_of(const model *m, uint64_t which) {
    uint64_t sum = 0;
    for (uint32_t i = 0; i < m->count; i++) {
        if (counts(m, which, i) && m->steps[i].delta.votes == WRITE && !seen_by_unset(m, which, i, 'v')) {
            sum += (uint64_t)m->steps[i].delta.increment;
        }
    }
    int64_t result;
    memcpy(&result, &sum, sizeof result);
    return result;
}

/* A sealed step says what can be seen without its delta: that it is there, if it is a first commit. */
static bool is_edit(const model *m, uint64_t which, uint32_t i) {
    const model_step *step = &m->steps[i];
    const model_delta *delta = &step->delta;
    bool says_something =
        !delta->is_sealed &&
        (delta->tombstone == 0 || delta->text != NOTHING || delta->list != NOTHING || delta->tags != NOTHING ||
         delta->map != NOTHING || delta->votes != NOTHING || delta->object != NOTHING);
    bool deletes = !delta->is_sealed && delta->tombstone == 1;
    return (which & bit(i)) != 0 && !step->is_void && !deletes && (says_something || step->parent_count == 0);
}

static bool is_deleted(const model *m, uint64_t which) {
    for (uint32_t d = 0; d < m->count; d++) {
        bool cleared = false;
        for (uint32_t e = 0; e < m->count; e++) {
            cleared |= is_edit(m, which, e) && !is_before(m, e, d);
        }
        if (counts(m, which, d) && m->steps[d].delta.tombstone == 1 && !cleared) {
            return true;
        }
    }
    return false;
}

static void write_state(const model *m, uint64_t which, int tombstone, gt_buf *out);

/* The history of the object's fields by themselves: to unset the object is to unset all of them at once. */
static void write_object_state(const model *m, uint64_t which, gt_buf *out) {
    model *inner = calloc(1, sizeof *inner);
    assert_non_null(inner);
    *inner = *m;
    for (uint32_t i = 0; i < m->count; i++) {
        const model_delta *delta = &m->steps[i].delta;
        model_delta *to = &inner->steps[i].delta;
        *to = delta->object == WRITE ? *delta->inner : (model_delta){.tombstone = -1};
        to->unsets_all = delta->object == UNSET || delta->unsets_all;
        to->is_sealed = delta->is_sealed;
    }
    write_state(inner, which, -1, out);
    free(inner);
}

void model_state(const model *m, uint64_t which, gt_buf *out) {
    write_state(m, which, is_deleted(m, which) ? 1 : -1, out);
}

static void write_state(const model *m, uint64_t which, int tombstone, gt_buf *out) {
    model_map made;
    model_map_begin(&made);
    int text = last_write(m, which);
    size_t begin = 0;
    if (text >= 0 && m->steps[text].delta.text == WRITE) {
        model_write_text(&made.values, m->steps[text].delta.text_value);
        model_map_add(&made, "text", begin);
    }
    begin = made.values.len;
    if (is_there(m, which, 'l')) {
        write_list_state(m, which, &made.values);
        model_map_add(&made, "list", begin);
    }
    begin = made.values.len;
    if (is_there(m, which, 't')) {
        model_write_set(&made.values, members(m, which));
        model_map_add(&made, "tags", begin);
    }
    begin = made.values.len;
    if (is_there(m, which, 'm')) {
        write_map_state(m, which, &made.values);
        model_map_add(&made, "map", begin);
    }
    begin = made.values.len;
    if (is_there(m, which, 'v')) {
        gt_write_int(&made.values, sum_of(m, which));
        model_map_add(&made, "votes", begin);
    }
    begin = made.values.len;
    if (is_there(m, which, 'o')) {
        write_object_state(m, which, &made.values);
        model_map_add(&made, "object", begin);
    }
    model_map_end(&made, tombstone, out);
}
