/* Texts, lists and rich texts by the rules. Edits are read here once more (core/commit/FORMAT.md 3.2, 3.6, 3.7). */
#include "support/history_rules.h"
#include "support/history_tree.h"
#include "support/test.h"
#include "value/build.h"
#include "value/value.h"

#include <string.h>

static tree the_tree;
static tree_author the_author;

/* An edit that is being read: whoever writes it stands behind `before`, with `at` of what he sees behind him. */
typedef struct reading {
    tree *t;
    tree_author *author;
    gt_type type;
    int at, before;
    tree_mark *going_on[3]; /* marks that may go on with the next element that is kept */
} reading;

static void stop_marks(reading *r) { memset(r->going_on, 0, sizeof r->going_on); }

static tree_mark *add_mark(reading *r, int at, gt_bytes name, gt_bytes value) {
    assert_true(r->t->mark_count < TREE_MARKS_MAX);
    tree_mark *mark = &r->t->marks[r->t->mark_count++];
    *mark = (tree_mark){r->author->step, name, value, at, at};
    return mark;
}

/* Attributes that are given to one element that is kept; data NULL: none. */
static void mark_one(reading *r, int at, gt_bytes attributes) {
    tree_mark *now[3] = {0};
    gt_bytes name, value;
    size_t count = 0;
    if (attributes.data == NULL) {
        stop_marks(r);
        return;
    }
    for (gt_iter iter = gt_map_iter(attributes); gt_map_next(&iter, &name, &value); count++) {
        for (size_t i = 0; i < 3 && r->going_on[i] != NULL; i++) {
            tree_mark *mark = r->going_on[i];
            if (gt_bytes_equal(mark->name, name) && gt_bytes_equal(mark->value, value)) now[count] = mark;
        }
        if (now[count] == NULL) now[count] = add_mark(r, at, name, value);
        now[count]->last = at;
    }
    memcpy(r->going_on, now, sizeof now);
}

static void keep(reading *r, uint64_t count, gt_bytes attributes) {
    for (; count > 0 && r->at < r->author->seen_count; count--) {
        r->before = r->author->seen[r->at++];
        mark_one(r, r->before, attributes);
    }
}

static void remove_some(reading *r, uint64_t count) {
    stop_marks(r);
    for (; count > 0 && r->at < r->author->seen_count; count--) {
        r->before = r->author->seen[r->at++];
        r->t->elements[r->t->elements[r->before].of].removed_by |= history_bit(r->author->step);
    }
}

static void insert_one(reading *r, const tree_element *element, int *run) {
    r->before = tree_insert(r->t, r->author, r->before, element, *run);
    if (*run == TREE_NONE) *run = r->before;
}

/* The code points of a text, or the elements of an array, one behind the other. */
static void insert_all(reading *r, gt_bytes inserted, gt_bytes attributes) {
    gt_bytes text, element;
    int run = TREE_NONE;
    if (gt_value_as_text(inserted, &text)) {
        for (size_t at = 0; at < text.len;) {
            size_t len = 1;
            while (at + len < text.len && (text.data[at + len] & 0xc0) == 0x80) len++;
            insert_one(
                r,
                &(tree_element){.of = TREE_NONE, .content = gt_bytes_of(text.data + at, len), .attributes = attributes},
                &run);
            at += len;
        }
        return;
    }
    for (gt_iter iter = gt_array_iter(inserted); gt_array_next(&iter, &element);) {
        insert_one(r, &(tree_element){.of = TREE_NONE, .content = element}, &run);
    }
}

/* With a strategy that leaves something out, an insertion stands directly before what its author sees behind it, and behind
 * what it takes the place of. */
static void go_behind_removed(reading *r, uint64_t removed) {
    if (r->t->strategy == GT_STRATEGY_BOTH) return;
    int next = r->at + (int)removed;
    r->before = tree_before(r->author, next < r->author->seen_count ? r->author->seen[next] : TREE_NONE);
}

static void insert_embed(reading *r, gt_bytes embed, gt_bytes attributes) {
    int run = TREE_NONE;
    insert_one(r, &(tree_element){.of = TREE_NONE, .content = embed, .attributes = attributes, .is_embed = true}, &run);
}

static void move_or_set(reading *r, gt_bytes what) {
    gt_bytes from = gt_map_find_int(what, 1), value = gt_map_find_int(what, 2);
    int64_t index = r->at;
    if (from.data != NULL) gt_value_as_int64(from, &index);
    bool is_there = index < r->author->seen_count;
    int of = is_there ? r->t->elements[r->author->seen[index]].of : TREE_NONE;
    if (is_there && value.data != NULL) add_mark(r, of, gt_bytes_of(NULL, 0), value);
    if (from.data == NULL) {
        keep(r, 1, gt_bytes_of(NULL, 0));
    } else if (is_there) {
        int run = TREE_NONE;
        insert_one(r, &(tree_element){.of = of}, &run);
    }
}

static gt_bytes second_of(gt_bytes array, gt_bytes *first) {
    gt_bytes second = {0};
    gt_iter iter = gt_array_iter(array);
    gt_array_next(&iter, first);
    if (!gt_array_next(&iter, &second)) second = gt_bytes_of(NULL, 0);
    return second;
}

static bool puts_something_in(gt_type type, gt_bytes run) {
    gt_bytes first;
    int64_t number;
    switch (gt_value_kind(run)) {
    case GT_KIND_INT: return false;
    case GT_KIND_MAP: return gt_map_find_int(run, 1).data != NULL;
    case GT_KIND_ARRAY: second_of(run, &first); return type == GT_TYPE_LIST || !gt_value_as_int64(first, &number);
    default: return true;
    }
}

/* How much is removed behind what is put in at one place; `runs` are those behind the one at hand. */
static uint64_t removed_behind(gt_type type, gt_iter runs) {
    gt_bytes run;
    int64_t count;
    while (gt_array_next(&runs, &run)) {
        if (puts_something_in(type, run)) continue;
        return gt_value_as_int64(run, &count) && count < 0 ? (uint64_t)-count : 0;
    }
    return 0;
}

/* `rest`: the runs behind it. */
static void read_run(reading *r, gt_bytes run, gt_iter rest) {
    int64_t count;
    gt_bytes first, none = {0};
    if (puts_something_in(r->type, run)) {
        stop_marks(r);
        go_behind_removed(r, removed_behind(r->type, rest));
    }
    if (gt_value_as_int64(run, &count)) {
        if (count > 0) {
            keep(r, (uint64_t)count, none);
        } else {
            remove_some(r, (uint64_t)-count);
        }
    } else if (r->type == GT_TYPE_RICHTEXT && gt_value_kind(run) == GT_KIND_ARRAY) {
        gt_bytes attributes = second_of(run, &first);
        if (gt_value_as_int64(first, &count)) {
            keep(r, (uint64_t)count, attributes);
        } else if (gt_value_kind(first) == GT_KIND_TEXT) {
            insert_all(r, first, attributes);
        } else {
            insert_embed(r, first, attributes);
        }
    } else if (gt_value_kind(run) == GT_KIND_MAP) {
        move_or_set(r, run);
    } else {
        insert_all(r, run, none);
    }
}

static void read_document(reading *r, gt_bytes document) {
    gt_bytes insertion;
    for (gt_iter iter = gt_array_iter(document); gt_array_next(&iter, &insertion);) {
        gt_bytes content = gt_map_find(insertion, gt_bytes_text("insert"));
        gt_bytes attributes = gt_map_find(insertion, gt_bytes_text("attributes"));
        if (gt_value_kind(content) == GT_KIND_TEXT) {
            insert_all(r, content, attributes);
        } else {
            insert_embed(r, content, attributes);
        }
    }
}

/* `edit` data NULL: unset. */
static void read_edit(tree *t, gt_type type, uint32_t step, gt_bytes edit) {
    reading r = {.t = t, .author = &the_author, .type = type, .before = TREE_ROOT};
    tree_look(t, &the_author, step);
    if (edit.data != NULL && gt_value_kind(edit) == GT_KIND_MAP) {
        gt_bytes run;
        for (gt_iter iter = gt_array_iter(gt_map_find_int(edit, 0)); gt_array_next(&iter, &run);)
            read_run(&r, run, iter);
        return;
    }
    int seen = the_author.seen_count;
    go_behind_removed(&r, (uint64_t)seen);
    if (edit.data != NULL && type == GT_TYPE_RICHTEXT) {
        read_document(&r, edit);
    } else if (edit.data != NULL) {
        insert_all(&r, edit, gt_bytes_of(NULL, 0));
    }
    for (int i = 0; i < seen; i++) {
        t->elements[t->elements[the_author.seen[i]].of].removed_by |= history_bit(step);
    }
}

/* ---- what is left ---- */

static gt_bytes value_of(const tree *t, int of, uint64_t counting) {
    const tree_mark *best = NULL;
    for (int i = 0; i < t->mark_count; i++) {
        const tree_mark *m = &t->marks[i];
        if (m->first != of || (counting & history_bit(m->step)) == 0) continue;
        if (best == NULL || m->step == best->step || tree_is_later(t->h, m->step, best->step)) best = m;
    }
    return best == NULL ? t->elements[of].content : best->value;
}

/* The value of one attribute of an element; data NULL: none. `places`: where each element stands. */
static gt_bytes attribute_of(const tree *t, int at, gt_bytes name, uint64_t counting, const int *places) {
    const tree_element *e = &t->elements[at];
    const tree_mark *best = NULL;
    gt_bytes own = e->attributes.data == NULL ? e->attributes : gt_map_find(e->attributes, name);
    for (int i = 0; i < t->mark_count; i++) {
        const tree_mark *m = &t->marks[i];
        if (!gt_bytes_equal(m->name, name) || (counting & history_bit(m->step)) == 0) continue;
        bool covers = places[m->first] <= places[at] && places[at] <= places[m->last];
        bool was_seen = m->step == e->step || (t->h->past[e->step] & history_bit(m->step)) != 0;
        if (!covers || was_seen) continue;
        if (best == NULL || tree_is_later(t->h, m->step, best->step)) best = m;
    }
    if (best == NULL) return own;
    return gt_value_kind(best->value) == GT_KIND_NULL ? gt_bytes_of(NULL, 0) : best->value;
}

static void write_attributes(const tree *t, int at, uint64_t counting, const int *places, gt_buf *out) {
    static const char *const names[] = {"b", "h", "link"};
    gt_pair pairs[3];
    size_t count = 0;
    for (size_t n = 0; n < 3; n++) {
        gt_bytes value = attribute_of(t, at, gt_bytes_text(names[n]), counting, places);
        if (value.data != NULL) pairs[count++] = (gt_pair){gt_bytes_text(names[n]), value};
    }
    out->len = 0;
    if (count > 0) gt_write_map(out, pairs, count);
}

static void end_insertion(gt_buf *insertions, size_t *count, gt_buf *content, const gt_buf *attributes, bool is_text) {
    if (content->len == 0) return;
    ++*count;
    gt_write_map_head(insertions, attributes->len > 0 ? 2 : 1);
    gt_write_text(insertions, gt_bytes_text("insert"));
    if (is_text) {
        gt_write_text(insertions, gt_buf_bytes(content));
    } else {
        gt_buf_append(insertions, content->data, content->len);
    }
    content->len = 0;
    if (attributes->len == 0) return;
    gt_write_text(insertions, gt_bytes_text("attributes"));
    gt_buf_append(insertions, attributes->data, attributes->len);
}

/* Neighbours with the same attributes are one insertion; an embed is one by itself. */
static void write_document(const tree *t, const int *left, int left_count, uint64_t counting, const int *places,
                           gt_buf *out) {
    gt_buf insertions, content, attributes, next;
    size_t count = 0;
    gt_buf_init(&insertions, &gt_alloc_system);
    gt_buf_init(&content, &gt_alloc_system);
    gt_buf_init(&attributes, &gt_alloc_system);
    gt_buf_init(&next, &gt_alloc_system);
    for (int i = 0; i < left_count; i++) {
        const tree_element *e = &t->elements[left[i]];
        write_attributes(t, left[i], counting, places, &next);
        if (e->is_embed || !gt_bytes_equal(gt_buf_bytes(&attributes), gt_buf_bytes(&next))) {
            end_insertion(&insertions, &count, &content, &attributes, true);
        }
        attributes.len = 0;
        gt_buf_append(&attributes, next.data, next.len);
        gt_buf_append(&content, e->content.data, e->content.len);
        if (e->is_embed) end_insertion(&insertions, &count, &content, &attributes, false);
    }
    end_insertion(&insertions, &count, &content, &attributes, true);
    gt_write_array_head(out, count);
    gt_buf_append(out, insertions.data, insertions.len);
    gt_buf_free(&insertions);
    gt_buf_free(&content);
    gt_buf_free(&attributes);
    gt_buf_free(&next);
}

void history_write_sequence(const field_edits *edits, gt_buf *out) {
    static int left[TREE_ELEMENTS_MAX], places[TREE_ELEMENTS_MAX];
    tree *t = &the_tree;
    gt_type type = edits->field->type;
    tree_init(t, edits->h, edits->field);
    for (uint32_t step = 0; step < edits->h->count; step++) {
        bool is_unset = field_is_unset(edits, step);
        if (is_unset || (edits->edited & history_bit(step)) != 0) {
            read_edit(t, type, step, is_unset ? gt_bytes_of(NULL, 0) : edits->of[step]);
        }
    }
    int count = tree_left(t, edits->which, left, places);
    if (type == GT_TYPE_RICHTEXT) {
        write_document(t, left, count, edits->counting, places, out);
    } else if (type == GT_TYPE_LIST) {
        gt_write_array_head(out, (size_t)count);
        for (int i = 0; i < count; i++) {
            gt_bytes value = value_of(t, t->elements[left[i]].of, edits->counting);
            gt_buf_append(out, value.data, value.len);
        }
    } else {
        gt_buf text;
        gt_buf_init(&text, &gt_alloc_system);
        for (int i = 0; i < count; i++) {
            gt_buf_append(&text, t->elements[left[i]].content.data, t->elements[left[i]].content.len);
        }
        gt_write_text(out, gt_buf_bytes(&text));
        gt_buf_free(&text);
    }
}
