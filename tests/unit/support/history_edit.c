/* What the numbers of a script mean: edits of each type of field, given what their author sees. */
#include "support/history.h"

#include "base/utf8.h"
#include "merge/rich_runs.h"
#include "support/test.h"
#include "value/build.h"

#include <stdio.h>
#include <string.h>

enum { UNSET_KINDS = 16, WHOLE_KINDS = 32, KINDS = 256 }; /* below the first: unset; below the second: a whole value */

/* The edit that is being written. */
typedef struct making {
    history *h;
    const history_event *event;
    uint32_t node;
    const gt_field *field;
    gt_bytes seen; /* its value; data NULL: there is none */
    gt_buf *out;
} making;

static const history_op *next_op(const making *m, uint32_t *at) {
    while (*at < m->event->op_count) {
        const history_op *op = &m->event->ops[(*at)++];
        if (op->node == m->node) return op;
    }
    return NULL;
}

/* ---- values ---- */

static int number_of(making *m, uint8_t a) { return m->h->is_unique ? 1000 + (int)m->h->made++ : a % 6; }

static void write_single(making *m, uint8_t a) {
    char text[32];
    int number = number_of(m, a);
    snprintf(text, sizeof text, m->field->type == GT_TYPE_REF ? "/data/r/i%d" : "text %d", number);
    switch (m->field->type) {
    case GT_TYPE_NUMBER: gt_write_int(m->out, number); break;
    case GT_TYPE_BOOLEAN: gt_write_bool(m->out, number % 2 != 0); break;
    case GT_TYPE_DATE: gt_write_date_ms(m->out, number); break;
    case GT_TYPE_BYTES: gt_write_bytes(m->out, gt_bytes_text(text)); break;
    case GT_TYPE_REF: gt_write_ref(m->out, gt_bytes_text(text)); break;
    case GT_TYPE_ORDERSTAMP:
        snprintf(text, sizeof text, "%c%013d", 'e' + number % 18, number);
        gt_write_text(m->out, gt_bytes_text(text));
        break;
    default: gt_write_text(m->out, gt_bytes_text(text)); break;
    }
}

/* Words of few letters with spaces between, to have something in common; or what stands nowhere else. */
static void add_character(making *m, uint32_t dice, gt_buf *text) {
    static const char *const letters[] = {"a", "a",  "b",        "b",         " ",
                                          "-", "\n", "\xd7\xa9", "e\xcc\x81", "\xf0\x9f\x90\x90"};
    if (!m->h->is_unique) {
        const char *letter = letters[dice % 10];
        gt_buf_append(text, letter, strlen(letter));
        return;
    }
    uint32_t c = 0x4e00 + m->h->made++;
    uint8_t bytes[3] = {(uint8_t)(0xe0 | c >> 12), (uint8_t)(0x80 | (c >> 6 & 63)), (uint8_t)(0x80 | (c & 63))};
    gt_buf_append(text, bytes, 3);
}

static void make_characters(making *m, const history_op *op, uint32_t most, gt_buf *text) {
    gt_buf_init(text, &gt_alloc_system);
    for (uint32_t i = 0; i < op->a % most; i++) add_character(m, op->b / 3u + i * (op->kind % 7u), text);
}

/* Two bits of `bits` for each name: nothing is said, removed, or one of two values. */
static void make_attributes(uint8_t bits, bool with_nulls, gt_buf *out) {
    static const char *const names[] = {"b", "h", "link"};
    size_t count = 0;
    gt_buf_init(out, &gt_alloc_system);
    for (int pass = 0; pass < 2; pass++) {
        for (int n = 0; n < 3; n++) {
            int said = bits >> (2 * n) & 3;
            if (said == 0 || (said == 1 && !with_nulls)) continue;
            if (pass == 0) {
                count++;
                continue;
            }
            gt_write_text(out, gt_bytes_text(names[n]));
            if (said == 1) {
                gt_write_null(out);
            } else {
                gt_write_int(out, said);
            }
        }
        if (pass == 0 && count == 0) return;
        if (pass == 0) gt_write_map_head(out, count);
    }
}

/* ---- types without places ---- */

static void write_elements(gt_buf *out, unsigned members) {
    gt_buf values;
    gt_bytes elements[8];
    size_t count = 0;
    gt_buf_init(&values, &gt_alloc_system);
    for (int i = 0; i < 8; i++) {
        if (members >> i & 1) gt_write_int(&values, i);
    }
    for (size_t at = 0; at < values.len; at++) elements[count++] = gt_bytes_of(values.data + at, 1);
    gt_write_set(out, elements, count);
    gt_buf_free(&values);
}

static void write_set(making *m) {
    unsigned added = 0, removed = 0;
    const history_op *op;
    for (uint32_t at = 0; (op = next_op(m, &at)) != NULL;) {
        unsigned one = 1u << op->a % 6;
        added = op->kind % 8 < 5 ? added | one : added & ~one;
        removed = op->kind % 8 < 5 ? removed & ~one : removed | one;
    }
    if (removed == 0) {
        write_elements(m->out, added);
        return;
    }
    gt_write_map_head(m->out, added != 0 ? 2 : 1);
    if (added != 0) {
        gt_write_int(m->out, 0);
        write_elements(m->out, added);
    }
    gt_write_int(m->out, 1);
    write_elements(m->out, removed);
}

static void write_map(making *m) {
    static const char *const names[] = {"a", "b", "key", "a longer key"};
    gt_pair pairs[4];
    gt_buf values[4];
    const history_op *op;
    size_t count = 0;
    for (size_t i = 0; i < 4; i++) gt_buf_init(&values[i], &gt_alloc_system);
    for (uint32_t at = 0; (op = next_op(m, &at)) != NULL;) {
        gt_buf *value = &values[op->a % 4];
        value->len = 0;
        if (op->kind % 8 < 5) {
            gt_write_int(value, number_of(m, op->b));
        } else {
            gt_write_undefined(value);
        }
    }
    for (size_t i = 0; i < 4; i++) {
        if (values[i].len > 0) pairs[count++] = (gt_pair){gt_bytes_text(names[i]), gt_buf_bytes(&values[i])};
    }
    gt_write_map(m->out, pairs, count);
    for (size_t i = 0; i < 4; i++) gt_buf_free(&values[i]);
}

static void write_increment(making *m) {
    const history_op *op;
    uint64_t sum = 0;
    for (uint32_t at = 0; (op = next_op(m, &at)) != NULL;) {
        sum += op->kind % 32 == 31 ? (uint64_t)INT64_MAX : (uint64_t)(op->a % 20) - 10;
    }
    int64_t by;
    memcpy(&by, &sum, sizeof by);
    gt_write_int(m->out, by);
}

static void write_last(making *m) {
    const history_op *op, *last = NULL;
    for (uint32_t at = 0; (op = next_op(m, &at)) != NULL;) last = op;
    write_single(m, last->a);
}

/* ---- text ---- */

static uint64_t least(uint64_t a, uint64_t b) { return a < b ? a : b; }

static void write_text(making *m) {
    gt_run_writer writer;
    gt_buf text;
    gt_bytes characters = {0};
    const history_op *op;
    if (m->seen.data != NULL) gt_value_as_text(m->seen, &characters);
    uint64_t left = characters.data == NULL ? 0 : gt_utf8_count(characters.data, characters.len);
    gt_run_writer_init(&writer, &gt_alloc_system);
    for (uint32_t at = 0; (op = next_op(m, &at)) != NULL;) {
        uint64_t keep = op->skip % (left + 1), removed;
        gt_run_keep(&writer, keep);
        make_characters(m, op, 5, &text);
        gt_run_insert(&writer, gt_buf_bytes(&text));
        gt_buf_free(&text);
        removed = least(left - keep, op->b % 4);
        gt_run_remove(&writer, removed);
        left -= keep + removed;
    }
    gt_run_writer_end(&writer, m->out);
}

/* ---- lists ---- */

static void make_number(making *m, uint8_t a, gt_buf *value) {
    gt_buf_init(value, &gt_alloc_system);
    gt_write_int(value, number_of(m, a));
}

/* Elements that a list's edit names, as bits: those that come late are not looked at. */
typedef struct naming {
    uint64_t at, count, named;
} naming;

static bool is_free(const making *m, const naming *n, uint64_t index) {
    return m->h->is_wild || (index < 64 && (n->named >> index & 1) == 0);
}

static void move_here(making *m, naming *n, const history_op *op, gt_run_writer *writer) {
    bool beyond = m->h->is_wild && op->b % 8 == 0;
    uint64_t from = beyond ? n->count + op->a : n->count == 0 ? 0 : op->a % n->count;
    gt_buf value;
    if (!beyond && (n->count == 0 || !is_free(m, n, from))) return;
    gt_buf_init(&value, &gt_alloc_system);
    if (op->kind % 4 == 0) gt_write_int(&value, number_of(m, op->b));
    gt_run_move(writer, from, value.len > 0 ? gt_buf_bytes(&value) : gt_bytes_of(NULL, 0));
    if (from < 64) n->named |= UINT64_C(1) << from;
    gt_buf_free(&value);
}

static void write_list(making *m) {
    naming n = {.count = m->seen.data == NULL ? 0 : gt_value_count(m->seen)};
    gt_run_writer writer;
    const history_op *op;
    gt_run_writer_init(&writer, &gt_alloc_system);
    for (uint32_t at = 0; (op = next_op(m, &at)) != NULL;) {
        uint64_t keep = op->skip % (n.count - n.at + 1);
        gt_run_keep(&writer, keep);
        n.at += keep;
        gt_buf value;
        uint32_t what = op->kind % 8;
        bool is_here = n.at < n.count && is_free(m, &n, n.at);
        if (what < 3) {
            make_number(m, op->a, &value);
            gt_run_insert_values(&writer, gt_buf_bytes(&value), 1);
            gt_buf_free(&value);
        } else if (what < 5) {
            move_here(m, &n, op, &writer);
        } else if (is_here) {
            if (n.at < 64) n.named |= UINT64_C(1) << n.at;
            n.at++;
            if (what == 5) {
                make_number(m, op->a, &value);
                gt_run_set(&writer, gt_buf_bytes(&value));
                gt_buf_free(&value);
            } else {
                gt_run_remove(&writer, 1);
            }
        }
    }
    gt_run_writer_end(&writer, m->out);
}

/* ---- rich text ---- */

static void make_piece(making *m, const history_op *op, gt_buf *content, gt_buf *attributes, gt_rich_piece *piece) {
    make_attributes(op->b, false, attributes);
    *piece = (gt_rich_piece){.attributes = gt_buf_bytes(attributes), .is_embed = op->kind % 8 == 0};
    if (piece->is_embed) {
        gt_buf_init(content, &gt_alloc_system);
        gt_write_map_head(content, 1);
        gt_write_text(content, gt_bytes_text("image"));
        gt_write_int(content, number_of(m, op->a));
        piece->count = 1;
    } else {
        make_characters(m, op, 4, content);
        piece->count = gt_utf8_count(content->data, content->len);
    }
    piece->content = gt_buf_bytes(content);
}

static void write_rich(making *m) {
    gt_rich_run_writer writer;
    gt_buf content, attributes;
    gt_rich_piece piece;
    const history_op *op;
    uint64_t left = gt_rich_count(m->seen);
    gt_rich_run_writer_init(&writer, &gt_alloc_system);
    for (uint32_t at = 0; (op = next_op(m, &at)) != NULL;) {
        uint64_t keep = op->skip % (left + 1), count = least(left - keep, 1 + op->a % 4);
        gt_rich_run_keep(&writer, keep, gt_bytes_of(NULL, 0));
        left -= keep;
        uint32_t what = op->kind % 8;
        if (what < 4) {
            make_piece(m, op, &content, &attributes, &piece);
            if (piece.count > 0) gt_rich_run_insert(&writer, &piece);
            gt_buf_free(&content);
            gt_buf_free(&attributes);
        } else if (what < 6) {
            gt_rich_run_remove(&writer, count);
            left -= count;
        } else {
            make_attributes(op->b, true, &attributes);
            gt_rich_run_keep(&writer, count, gt_buf_bytes(&attributes));
            gt_buf_free(&attributes);
            left -= count;
        }
    }
    gt_rich_run_writer_end(&writer, m->out);
}

/* ---- all of them ---- */

/* A whole value, in place of all that is seen. */
static void write_whole(making *m, const history_op *op) {
    gt_buf content, attributes;
    gt_rich_piece piece;
    gt_rich_writer rich;
    switch (m->field->type) {
    case GT_TYPE_TEXT:
        make_characters(m, op, 5, &content);
        gt_write_text(m->out, gt_buf_bytes(&content));
        gt_buf_free(&content);
        break;
    case GT_TYPE_LIST:
        gt_write_array_head(m->out, op->a % 4);
        for (int i = 0; i < op->a % 4; i++) gt_write_int(m->out, number_of(m, (uint8_t)(op->b + i)));
        break;
    default:
        gt_rich_writer_init(&rich, m->out);
        make_piece(m, op, &content, &attributes, &piece);
        if (piece.count > 0) gt_rich_put(&rich, &piece);
        gt_rich_writer_end(&rich);
        gt_buf_free(&content);
        gt_buf_free(&attributes);
        break;
    }
}

static uint32_t write_fields(history *h, const history_event *event, int parent, gt_bytes seen, gt_buf *out);

static void write_object(making *m, bool is_said) {
    gt_buf inner;
    gt_buf_init(&inner, &gt_alloc_system);
    uint32_t count = write_fields(m->h, m->event, (int)m->node, m->seen, &inner);
    if (count > 0 || is_said) {
        gt_write_map_head(m->out, count);
        gt_buf_append(m->out, inner.data, inner.len);
    }
    gt_buf_free(&inner);
}

/* Appends nothing where no op is about the field. */
static void write_edit(making *m) {
    const history_op *first = NULL;
    uint32_t at = 0;
    first = next_op(m, &at);
    if (first != NULL && first->kind < UNSET_KINDS) {
        gt_write_undefined(m->out);
        return;
    }
    if (m->field->type == GT_TYPE_OBJECT) {
        write_object(m, first != NULL);
        return;
    }
    if (first == NULL) return;
    bool has_places =
        m->field->type == GT_TYPE_TEXT || m->field->type == GT_TYPE_LIST || m->field->type == GT_TYPE_RICHTEXT;
    size_t begin = m->out->len;
    switch (m->field->type) {
    case GT_TYPE_SET: write_set(m); return;
    case GT_TYPE_MAP: write_map(m); return;
    case GT_TYPE_COUNTER: write_increment(m); return;
    case GT_TYPE_TEXT:
        if (first->kind >= WHOLE_KINDS) write_text(m);
        break;
    case GT_TYPE_LIST:
        if (first->kind >= WHOLE_KINDS) write_list(m);
        break;
    case GT_TYPE_RICHTEXT:
        if (first->kind >= WHOLE_KINDS) write_rich(m);
        break;
    default: write_last(m); return;
    }
    if (has_places && m->out->len == begin) write_whole(m, first); /* nothing came of it, or it is one */
}

static uint32_t write_fields(history *h, const history_event *event, int parent, gt_bytes seen, gt_buf *out) {
    const gt_schema *schema = parent == HISTORY_TOP ? h->fields->schema : h->fields->nodes[parent].field->fields;
    uint32_t first = parent == HISTORY_TOP ? 0 : (uint32_t)h->fields->nodes[parent].first_child, count = 0;
    gt_buf edit;
    gt_buf_init(&edit, &gt_alloc_system);
    for (uint32_t i = 0; i < gt_schema_field_count(schema); i++) {
        const gt_field *field = gt_schema_field_at(schema, i);
        making m = {h, event, first + i, field, {0}, &edit};
        if (seen.data != NULL) m.seen = gt_map_find(seen, field->name);
        edit.len = 0;
        write_edit(&m);
        if (edit.len == 0) continue;
        gt_write_text(out, field->name);
        gt_buf_append(out, edit.data, edit.len);
        count++;
    }
    gt_buf_free(&edit);
    return count;
}

void history_write_delta(history *h, const history_event *event, gt_bytes view, gt_buf *delta) {
    gt_buf inner;
    gt_buf_init(&inner, &gt_alloc_system);
    uint32_t count = write_fields(h, event, HISTORY_TOP, view, &inner);
    bool says_so = event->deletes != 0;
    gt_write_map_head(delta, count + says_so);
    if (says_so) {
        gt_write_int(delta, 0);
        gt_write_bool(delta, event->deletes == 1);
    }
    gt_buf_append(delta, inner.data, inner.len);
    gt_buf_free(&inner);
}
