/* Makes the random histories of strategy_model.h. */
#include "support/strategy_model.h"

#include "support/test.h"

#include "merge/rich_runs.h"
#include "value/build.h"
#include "value/value.h"

enum { STEPS_MAX = STRATEGY_STEPS_MAX, ELEMENTS_MAX = STRATEGY_ELEMENTS_MAX, ROOT = -1, NONE = -2 };

typedef strategy_element element;
typedef strategy_history history;

static uint64_t bit(uint32_t step) { return strategy_bit(step); }

static uint32_t below(history *h, uint32_t end) { return test_random_below(&h->random, end); }

/* What the author of a step knows, in order; and what he sees of it. */
typedef struct author {
    uint32_t step, index;
    int known[ELEMENTS_MAX], seen[ELEMENTS_MAX];
    int known_count, seen_count;
    uint64_t said; /* of what he sees: what he moved, removed or gave a value */
    int last_gift; /* of attributes, that may go on; NONE */
} author;

static void look(const history *h, author *a, uint32_t step) {
    a->step = step;
    a->index = 0;
    a->said = 0;
    a->last_gift = NONE;
    a->seen_count = strategy_see(h, h->past[step], h->past[step], a->known, &a->known_count, a->seen);
}

/* What is left out of what he sees he discards; and what those before him did. */
static void discard(history *h, const author *a) {
    uint64_t past = h->past[a->step];
    static int list[ELEMENTS_MAX];
    int count = 0;
    for (int i = 0; i < h->element_count; i++) {
        bool known = false;
        if ((past & bit(h->elements[i].step)) == 0) continue;
        for (int k = 0; k < a->known_count; k++) known |= a->known[k] == i;
        bool was_discarded = (h->elements[i].discarded_by & past) != 0;
        if (was_discarded || !known || strategy_is_hidden(h, i, past)) list[count++] = i;
    }
    for (int i = 0; i < count; i++) h->elements[list[i]].discarded_by |= bit(a->step);
}

/* ---- making histories ---- */

static void remove_one(history *h, const author *a, int at) {
    h->elements[h->elements[at].of].removed_by |= bit(a->step);
}

/* Inserts directly before `next` (NONE: at the end). */
static int insert(history *h, author *a, int next, element e) {
    int at = 0, made = h->element_count++;
    assert_true(made < ELEMENTS_MAX && h->gift_count < ELEMENTS_MAX - 1);
    while (at < a->known_count && a->known[at] != next) at++;
    int before = at == 0 ? ROOT : a->known[at - 1];
    e.parent = before;
    e.step = a->step;
    e.index = a->index++;
    if (e.run == NONE) e.run = made;
    if (e.of == NONE) e.of = made;
    for (int i = 0; i < a->known_count; i++) {
        const element *other = &h->elements[a->known[i]];
        if (other->parent != before || other->left) continue;
        e.parent = a->known[at]; /* something hangs there, so something follows */
        e.left = true;
    }
    memmove(&a->known[at + 1], &a->known[at], (size_t)(a->known_count - at) * sizeof(int));
    a->known[at] = made;
    a->known_count++;
    h->elements[made] = e;
    return made;
}

static int insert_run(history *h, author *a, int next, const element *elements, int count) {
    int run = NONE;
    for (int i = 0; i < count; i++) {
        element e = elements[i];
        e.run = run;
        int made = insert(h, a, next, e);
        if (run == NONE) run = made;
    }
    return count;
}

/* The runs of a rich text that are inserted are as many as it takes; those of others are one. */
static void insert_all(history *h, author *a, int next, const element *elements, int count) {
    for (int i = 0, run; i < count; i += run) {
        for (run = 1; i + run < count; run++) {
            const element *one = &elements[i], *other = &elements[i + run];
            bool apart = one->letter == '@' || other->letter == '@' || one->attribute != other->attribute;
            if (h->type == GT_TYPE_RICHTEXT && apart) break;
        }
        insert_run(h, a, next, &elements[i], run);
    }
}

enum { INSERTED_MAX = 4 };

static int random_elements(history *h, element *out) {
    uint32_t count = below(h, INSERTED_MAX + 1), attribute = below(h, 3);
    for (uint32_t i = 0; i < count; i++) {
        if (below(h, 4) == 0) attribute = below(h, 3);
        out[i] = (element){.letter = "aabb -"[below(h, 6)], .run = NONE, .of = NONE};
        if (h->type == GT_TYPE_RICHTEXT) out[i].attribute = (int)attribute;
        if (h->type == GT_TYPE_RICHTEXT && below(h, 8) == 0) out[i].letter = '@';
    }
    return (int)count;
}

/* ---- as bytes ---- */

static void write_attributes(gt_buf *out, int attribute) {
    if (attribute == 0) return;
    gt_write_map_head(out, 1);
    gt_write_text(out, gt_bytes_text("b"));
    gt_write_int(out, attribute);
}

/* Appends the insertion to a document, or to the runs of an edit. */
static void put(const element *e, gt_rich_writer *document, gt_rich_run_writer *runs) {
    gt_buf content, attributes;
    gt_buf_init(&content, &gt_alloc_system);
    gt_buf_init(&attributes, &gt_alloc_system);
    write_attributes(&attributes, e->attribute);
    if (e->letter == '@') {
        gt_write_map_head(&content, 1);
        gt_write_text(&content, gt_bytes_text("goat"));
        gt_write_int(&content, 1);
    } else {
        gt_buf_append(&content, &e->letter, 1);
    }
    gt_rich_piece piece = {gt_buf_bytes(&content), 1, gt_buf_bytes(&attributes), e->letter == '@'};
    if (document != NULL) gt_rich_put(document, &piece);
    if (runs != NULL) gt_rich_run_insert(runs, &piece);
    gt_buf_free(&content);
    gt_buf_free(&attributes);
}

static void write_list(gt_buf *out, const element *elements, int count) {
    for (int i = 0; i < count; i++) gt_write_int(out, elements[i].letter);
}

void strategy_write(gt_type type, gt_buf *out, const element *elements, int count) {
    if (type == GT_TYPE_LIST) {
        gt_write_array_head(out, (size_t)count);
        write_list(out, elements, count);
    } else if (type == GT_TYPE_TEXT) {
        size_t begin = out->len;
        for (int i = 0; i < count; i++) gt_buf_append(out, &elements[i].letter, 1);
        gt_write_text_around(out, begin);
    } else {
        gt_rich_writer writer;
        gt_rich_writer_init(&writer, out);
        for (int i = 0; i < count; i++) put(&elements[i], &writer, NULL);
        gt_rich_writer_end(&writer);
    }
}

/* The runs of an edit of any of the types. */
typedef struct writer {
    gt_type type;
    gt_run_writer plain;
    gt_rich_run_writer rich;
} writer;

static void begin_runs(writer *w, gt_type type) {
    w->type = type;
    if (type == GT_TYPE_RICHTEXT) {
        gt_rich_run_writer_init(&w->rich, &gt_alloc_system);
    } else {
        gt_run_writer_init(&w->plain, &gt_alloc_system);
    }
}

static void write_kept(writer *w, uint64_t count, int attribute) {
    gt_buf attributes;
    gt_buf_init(&attributes, &gt_alloc_system);
    if (attribute > 0) write_attributes(&attributes, attribute);
    if (attribute < 0) { /* takes it away */
        gt_write_map_head(&attributes, 1);
        gt_write_text(&attributes, gt_bytes_text("b"));
        gt_write_null(&attributes);
    }
    if (w->type == GT_TYPE_RICHTEXT) {
        gt_rich_run_keep(&w->rich, count, gt_buf_bytes(&attributes));
    } else {
        gt_run_keep(&w->plain, count);
    }
    gt_buf_free(&attributes);
}

static void write_removed(writer *w, uint64_t count) {
    if (w->type == GT_TYPE_RICHTEXT) {
        gt_rich_run_remove(&w->rich, count);
    } else {
        gt_run_remove(&w->plain, count);
    }
}

static void write_inserted(writer *w, const element *elements, int count) {
    gt_buf values;
    gt_buf_init(&values, &gt_alloc_system);
    if (w->type == GT_TYPE_RICHTEXT) {
        for (int i = 0; i < count; i++) put(&elements[i], NULL, &w->rich);
    } else if (w->type == GT_TYPE_LIST) {
        write_list(&values, elements, count);
        gt_run_insert_values(&w->plain, gt_buf_bytes(&values), (uint64_t)count);
    } else {
        for (int i = 0; i < count; i++) gt_buf_append(&values, &elements[i].letter, 1);
        gt_run_insert(&w->plain, gt_buf_bytes(&values));
    }
    gt_buf_free(&values);
}

static void end_runs(writer *w, gt_buf *edit) {
    if (w->type == GT_TYPE_RICHTEXT) {
        gt_rich_run_writer_end(&w->rich, edit);
    } else {
        gt_run_writer_end(&w->plain, edit);
    }
}

/* ---- edits ---- */

static void give(history *h, const author *a, int first, int last, int value) {
    h->gifts[h->gift_count++] = (strategy_gift){a->step, first, last, value};
}

/* So many of what is seen are kept; of a rich text with an attribute, of a list maybe with another value. */
static void keep(history *h, author *a, int at, int count, writer *w) {
    int attribute = h->type == GT_TYPE_RICHTEXT && below(h, 3) == 0 ? 1 + (int)below(h, 3) : 0;
    if (attribute == 3) attribute = -1;
    int value = attribute < 0 ? 0 : attribute;
    if (attribute == 0) {
        a->last_gift = NONE;
    } else if (a->last_gift >= 0 && h->gifts[a->last_gift].value == value) {
        h->gifts[a->last_gift].last = a->seen[at + count - 1];
    } else {
        a->last_gift = h->gift_count;
        give(h, a, a->seen[at], a->seen[at + count - 1], value);
    }
    bool sets = h->type == GT_TYPE_LIST && at < 64 && (a->said & bit((uint32_t)at)) == 0 && below(h, 6) == 0;
    if (!sets) {
        write_kept(w, (uint64_t)count, attribute);
        return;
    }
    gt_buf other;
    gt_buf_init(&other, &gt_alloc_system);
    int letter = "abc"[below(h, 3)];
    gt_write_int(&other, letter);
    gt_run_set(&w->plain, gt_buf_bytes(&other));
    gt_buf_free(&other);
    give(h, a, h->elements[a->seen[at]].of, 0, letter);
    a->said |= bit((uint32_t)at);
    write_kept(w, (uint64_t)count - 1, 0);
}

/* What stands elsewhere comes before `next`. */
static void move_one(history *h, author *a, int next, int removed_from, int removed_to, writer *w) {
    if (a->seen_count == 0) return;
    int from = (int)below(h, (uint32_t)a->seen_count);
    bool removes = removed_from <= from && from < removed_to;
    if (from >= 64 || removes || (a->said & bit((uint32_t)from)) != 0) return;
    int of = h->elements[a->seen[from]].of;
    a->said |= bit((uint32_t)from);
    insert(h, a, next, (element){.run = NONE, .of = of});
    gt_run_move(&w->plain, (uint64_t)from, gt_bytes_of(NULL, 0));
}

static void random_runs(history *h, author *a, gt_buf *edit) {
    writer w;
    begin_runs(&w, h->type);
    uint32_t busy = 1 + below(h, 4);
    bool keeps = below(h, 2) == 0;
    for (int at = 0; at <= a->seen_count; keeps = true) {
        int kept = keeps && at < a->seen_count ? 1 : 0, removed = 0;
        while (kept > 0 && at + kept < a->seen_count && below(h, 4) >= busy - 1) kept++;
        if (kept > 0) keep(h, a, at, kept, &w);
        at += kept;
        for (int most = (int)below(h, 3); removed < most && at + removed < a->seen_count; removed++) {
            if (at + removed < 64 && (a->said & bit((uint32_t)(at + removed))) != 0) break; /* it was moved */
        }
        int next = at + removed < a->seen_count ? a->seen[at + removed] : NONE;
        for (int i = 0; i < 2; i++) {
            element elements[INSERTED_MAX];
            int count = random_elements(h, elements);
            insert_all(h, a, next, elements, count);
            write_inserted(&w, elements, count);
            if (count > 0) a->last_gift = NONE;
            if (h->type != GT_TYPE_LIST || below(h, 2) == 0) break;
            move_one(h, a, next, at, at + removed, &w);
            if (below(h, 2) == 0) break;
            if (w.plain.values > 0) break; /* nothing was moved: these would be of one run with what comes */
        }
        for (int i = 0; i < removed; i++) {
            remove_one(h, a, a->seen[at + i]);
            if (at + i < 64) a->said |= bit((uint32_t)(at + i));
        }
        write_removed(&w, (uint64_t)removed);
        if (removed > 0) a->last_gift = NONE;
        at += removed;
        if (at >= a->seen_count || below(h, 3) == 0) break;
    }
    end_runs(&w, edit);
}

static void random_edit(history *h, uint32_t step) {
    static author a;
    gt_buf edit, *out = &h->deltas[step];
    uint32_t dice = below(h, 20);
    look(h, &a, step);
    discard(h, &a);
    gt_buf_init(&edit, &gt_alloc_system);
    h->unsets[step] = dice == 0;
    if (dice == 0) {
        for (int i = 0; i < a.seen_count; i++) remove_one(h, &a, a.seen[i]);
        gt_write_undefined(&edit);
    } else if (dice > 1) {
        random_runs(h, &a, &edit);
    }
    if (edit.len == 0) { /* a whole value, in place of all that is seen */
        element elements[INSERTED_MAX];
        int count = random_elements(h, elements);
        insert_all(h, &a, NONE, elements, count);
        for (int i = 0; i < a.seen_count; i++) remove_one(h, &a, a.seen[i]);
        strategy_write(h->type, &edit, elements, count);
    }
    gt_buf_init(out, &gt_alloc_system);
    gt_write_map_head(out, 1);
    gt_write_text(out, gt_bytes_text("t"));
    gt_buf_append(out, edit.data, edit.len);
    gt_buf_free(&edit);
}

/* The heads of some of the steps before this one. */
static void random_parents(history *h, uint32_t step) {
    uint64_t known = 0, heads;
    uint32_t branches = 1 + test_random_below(&h->random, 3), count = 0;
    for (uint32_t i = 0; step > 0 && i < branches; i++) {
        uint32_t back = 1 + test_random_below(&h->random, step < 8 ? step : 8);
        known |= h->past[step - back] | bit(step - back);
    }
    heads = known;
    for (uint32_t i = 0; i < step; i++) {
        if (known & bit(i)) heads &= ~h->past[i];
    }
    h->steps[step].time = 1 + test_random_below(&h->random, 3); /* many are equal */
    for (uint32_t i = 0; i < step; i++) {
        if ((heads & bit(i)) == 0) continue;
        h->parents[step][count++] = i;
        if (h->steps[i].time >= h->steps[step].time) h->steps[step].time += h->steps[i].time;
    }
    h->past[step] = known;
    h->steps[step].parents = h->parents[step];
    h->steps[step].parent_count = count;
}

void strategy_make(strategy_history *h, uint32_t count) {
    h->count = count;
    h->element_count = h->gift_count = 0;
    for (uint32_t step = 0; step < count; step++) {
        h->steps[step] = (gt_step){.id = h->ids[step]};
        test_random_fill(&h->random, h->ids[step], 32);
        random_parents(h, step);
        random_edit(h, step);
        h->steps[step].delta = gt_buf_bytes(&h->deltas[step]);
        h->steps[step].is_void = test_random_below(&h->random, 14) == 0;
    }
}

void strategy_free(strategy_history *h) {
    for (uint32_t i = 0; i < h->count; i++) gt_buf_free(&h->deltas[i]);
}
