/* Random edits of every type, and histories of them. */
#include "support/undo_history.h"

#include "support/test.h"
#include "support/test_value.h"
#include "value/build.h"
#include "value/rich.h"
#include "value/value.h"

const char *const undo_fields[UNDO_FIELDS] = {"title", "done", "body", "list", "tags", "map", "votes", "rich", "card"};

static gt_bytes field_of(const gt_buf *state, const char *name) {
    return gt_map_find(gt_buf_bytes(state), gt_bytes_text(name));
}

static void random_text(test_random *random, char *out) {
    uint32_t len = 1 + test_random_below(random, 4);
    for (uint32_t i = 0; i < len; i++) out[i] = (char)('a' + test_random_below(random, 3));
    out[len] = '\0';
}

/* Inserts, removes or formats somewhere in a rich text. */
static void random_delta(test_random *random, const gt_field *field, gt_bytes base, const char *text, gt_buf *edit) {
    static const char *const attributes[] = {"{}", "{b: 1}", "{b: 2, i: 1}", "{b: null}"};
    uint32_t len = base.data == NULL ? 0 : (uint32_t)gt_rich_count(base), at = test_random_below(random, len + 1);
    const char *given = attributes[test_random_below(random, 4)];
    gt_buf notation;
    gt_buf_init(&notation, &gt_alloc_system);
    test_text(&notation, "[");
    if (at > 0) test_text(&notation, "{retain: %u}, ", (unsigned)at);
    uint32_t rest = len - at, kind = rest == 0 ? 0 : test_random_below(random, 4);
    if (kind < 2) test_text(&notation, "{insert: '%s', attributes: %s}, ", text, given);
    if (kind == 1 || kind == 2) test_text(&notation, "{delete: %u}", 1 + (unsigned)test_random_below(random, rest));
    if (kind == 3)
        test_text(&notation, "{retain: %u, attributes: %s}", 1 + (unsigned)test_random_below(random, rest), given);
    if (kind == 0) test_text(&notation, "{insert: {e: 1}}");
    test_text(&notation, "]");
    gt_bytes delta = test_value((const char *)notation.data);
    assert_int_equal(gt_edit_delta(field, base, delta, edit, NULL), GOAT_OK);
    test_value_free(delta);
    gt_buf_free(&notation);
}

/* Writes the name in an object, or types in its note. */
static void random_in_object(test_random *random, const gt_field *object, gt_bytes base, const char *text,
                             gt_buf *edit) {
    bool names = test_random_below(random, 2) == 0;
    const gt_field *field = gt_schema_field(object->fields, gt_bytes_text(names ? "name" : "note"));
    gt_bytes inner = base.data == NULL ? base : gt_map_find(base, field->name), content = {0};
    gt_write_map_head(edit, 1);
    gt_write_text(edit, field->name);
    if (names || inner.data == NULL || !gt_value_as_text(inner, &content)) {
        gt_write_text(edit, gt_bytes_text(text));
        return;
    }
    uint32_t at = test_random_below(random, (uint32_t)content.len + 1);
    gt_splice splice = {GOAT_UNIT_CODE_POINT, at, at < content.len && at % 2 == 0, gt_bytes_text(text)};
    assert_int_equal(gt_edit_splice(field, inner, &splice, edit, NULL), GOAT_OK);
}

static void random_field(undo_history *h, const gt_buf *view, uint32_t which, gt_buf *edit) {
    test_random *random = &h->random;
    const gt_field *field = gt_schema_field(h->schema, gt_bytes_text(undo_fields[which]));
    gt_bytes base = field_of(view, undo_fields[which]);
    char text[8];
    gt_buf value;
    gt_buf_init(&value, &gt_alloc_system);
    if (test_random_below(random, 20) == 0) {
        gt_edit_diff(field, base, (gt_bytes){0}, edit, NULL);
        gt_buf_free(&value);
        return;
    }
    random_text(random, text);
    if (which == 0) {
        gt_write_text(edit, gt_bytes_text(text));
    } else if (which == 1) {
        gt_write_bool(edit, test_random_below(random, 2) == 0);
    } else if (which == 2) {
        uint32_t len = base.data == NULL ? 0 : (uint32_t)base.len - 1; /* short enough for one byte of head, mostly */
        gt_bytes content = {0};
        if (base.data != NULL && gt_value_as_text(base, &content)) len = (uint32_t)content.len;
        uint32_t at = test_random_below(random, len + 1), count = test_random_below(random, len - at + 1);
        gt_splice splice = {GOAT_UNIT_CODE_POINT, at, test_random_below(random, 2) == 0 ? 0 : count,
                            gt_bytes_text(text)};
        if (test_random_below(random, 4) == 0) splice.text.len = 0;
        assert_int_equal(gt_edit_splice(field, base, &splice, edit, NULL), GOAT_OK);
    } else if (which == 3) {
        uint32_t len = base.data == NULL ? 0 : (uint32_t)gt_value_count(base), kind = test_random_below(random, 5);
        if (len == 0 || kind < 2) {
            gt_write_array_head(&value, 2);
            gt_write_int(&value, test_random_below(random, 5));
            gt_write_text(&value, gt_bytes_text(text));
            gt_edit_list_insert(field, base, test_random_below(random, len + 1), gt_buf_bytes(&value), edit, NULL);
        } else if (kind == 2) {
            gt_edit_list_remove(field, base, test_random_below(random, len), 1, edit, NULL);
        } else if (kind == 3) {
            gt_edit_list_move(field, base, test_random_below(random, len), test_random_below(random, len), edit, NULL);
        } else {
            gt_write_text(&value, gt_bytes_text(text));
            gt_edit_list_set(field, base, test_random_below(random, len), gt_buf_bytes(&value), edit, NULL);
        }
    } else if (which == 4) {
        text[1] = '\0';
        gt_write_text(&value, gt_bytes_text(text));
        if (test_random_below(random, 2) == 0) {
            gt_edit_add(field, gt_buf_bytes(&value), edit, NULL);
        } else {
            gt_edit_remove(field, base, gt_buf_bytes(&value), edit, NULL);
        }
    } else if (which == 5) {
        text[1] = '\0';
        gt_write_int(&value, test_random_below(random, 9));
        gt_bytes put = test_random_below(random, 3) == 0 ? (gt_bytes){0} : gt_buf_bytes(&value);
        gt_edit_put(field, base, gt_bytes_text(text), put, edit, NULL);
    } else if (which == 6) {
        gt_edit_increment(field, (int64_t)test_random_below(random, 9) - 4, edit, NULL);
    } else if (which == 7) {
        random_delta(random, field, base, text, edit);
    } else {
        random_in_object(random, field, base, text, edit);
    }
    gt_buf_free(&value);
}

uint32_t undo_random_edit(undo_history *h, uint64_t known, uint32_t fields, bool deletes) {
    gt_pair pairs[9];
    gt_buf view, edits[9], delta;
    size_t count = 0;
    gt_buf_init(&view, &gt_alloc_system);
    gt_buf_init(&delta, &gt_alloc_system);
    undo_replay(h, known, 0, &view);
    for (uint32_t i = 0; i < 9; i++) {
        gt_buf_init(&edits[i], &gt_alloc_system);
        if ((fields >> i & 1) == 0 || test_random_below(&h->random, 3) == 0) continue;
        random_field(h, &view, i, &edits[i]);
        if (edits[i].len > 0) pairs[count++] = (gt_pair){gt_bytes_text(undo_fields[i]), gt_buf_bytes(&edits[i])};
    }
    if (deletes && test_random_below(&h->random, 10) == 0) {
        gt_write_map_head(&delta, 1);
        gt_write_int(&delta, 0);
        gt_write_bool(&delta, test_random_below(&h->random, 3) > 0);
    } else {
        gt_write_map(&delta, pairs, count);
    }
    uint32_t step = undo_add_step(h, known, gt_buf_bytes(&delta));
    for (uint32_t i = 0; i < 9; i++) gt_buf_free(&edits[i]);
    gt_buf_free(&view);
    gt_buf_free(&delta);
    return step;
}

uint64_t undo_random_some(undo_history *h, uint64_t of) {
    uint64_t some_of = 0;
    for (uint32_t i = 0; i < h->count; i++) {
        if (test_random_below(&h->random, 3) == 0) some_of |= of & undo_bit(i);
    }
    return some_of;
}

void undo_random_history(undo_history *h, uint32_t steps, uint32_t authors, uint32_t reverts, uint64_t *by) {
    uint64_t known[UNDO_AUTHORS_MAX];
    undo_begin(h);
    uint32_t first = undo_edit(h, 0, "{body: 'abc', list: [1, 2, 3], title: 'x', card: {note: 'ab'}}");
    for (uint32_t i = 0; i < UNDO_AUTHORS_MAX; i++) {
        known[i] = undo_bit(first);
        by[i] = 0;
    }
    by[0] = undo_bit(first);
    while (h->count < steps) {
        uint32_t one = test_random_below(&h->random, authors), other = test_random_below(&h->random, authors);
        uint32_t event = test_random_below(&h->random, 100), step;
        if (event < 35) {
            known[one] |= known[other];
            continue;
        }
        uint64_t wanted = test_random_below(&h->random, 2) == 0 ? undo_bit(test_random_below(&h->random, h->count))
                                                                : undo_random_some(h, known[one]);
        if (test_random_below(&h->random, 100) < reverts) {
            step = undo_revert(h, known[one], wanted & known[one]);
            if (step == UINT32_MAX) continue;
        } else {
            step = undo_random_edit(h, known[one], 0x1ff, true);
        }
        known[one] |= undo_bit(step);
        by[one] |= undo_bit(step);
    }
}
