/* Deltas and states: maps of fields (FORMAT.md sections 3 and 4).
 *
 * What has no form of an edit in it is one value, and gt_value_check_first() says all about it. Else there are
 * two looks. The walk here finds the end, stays in bounds, and holds the forms of edits to their places;
 * it keeps its own stack, so that depth costs no recursion. Then gt_value_check() judges everything that
 * makes bytes a value. A view goes by the walk alone: what follows from it is that whoever reads the value
 * later stays within it. */
#include "commit/read.h"

#include "value/value.h"

/* An array, set or map that has been opened. */
typedef struct level {
    uint64_t left; /* items; keys and values of a map count apart */
    bool is_map;
    bool edits;     /* only maps with texts as keys lead here, so forms of edits may stand here */
    bool operation; /* such a form: a map with integers as keys */
    bool int_key;   /* the last key was an integer */
    bool zero_key;  /* it was 0 */
    bool runs;      /* the array of runs of an edit: {0: [run, …]} */
    bool run;       /* a map in it, which has integers as keys and values behind them */
    bool around;    /* not in the value that is made of the edit: does not count as deep */
} level;

typedef struct walk {
    gt_reader *reader;
    uint32_t depth, depth_max;
    uint32_t around; /* how many of them are that */
    bool plain;
    level levels[GT_EDIT_DEPTH_MAX + 1]; /* the first is the place of the item itself */
} walk;

/* In a delta a field that is a map with integer keys is one layer deeper than what it makes of the field, with
 * runs in it two: a set or list that is edited is still to be within the depth of values. Inside of such a form there
 * is no other, so there are never more of these. */
enum { FIELD_DEPTH_MAX = GOAT_VALUE_DEPTH_MAX - 1 };
_Static_assert((int)FIELD_DEPTH_MAX + 2 < (int)GT_EDIT_DEPTH_MAX, "the stack is deep enough");

/* Opens `layers` more; the innermost has `left` items. */
static bool open(walk *w, const uint8_t *at, uint32_t layers, uint64_t left, bool is_map) {
    level inner = {.left = left, .is_map = is_map}, *outer = &w->levels[w->depth];
    const gt_reader *reader = w->reader;
    inner.edits = is_map && outer->edits && !outer->operation;
    inner.operation = inner.edits && left > 0 && reader->next < reader->end &&
                      *reader->next >> 5 == GT_CBOR_UINT; /* sorted: the first */
    inner.runs = !is_map && layers == 1 && outer->operation && outer->int_key;
    inner.run = is_map && outer->runs;
    inner.around = inner.operation || (inner.runs && outer->zero_key);
    w->around += inner.around;
    if (w->depth + layers > w->depth_max + w->around) {
        return gt_refuse_large(w->reader, at, "arrays, maps and tags are too deep inside each other");
    }
    for (; layers > 1; layers--) {
        w->levels[++w->depth] = (level){0};
    }
    w->levels[++w->depth] = inner;
    return true;
}

static bool pass(walk *w, const uint8_t *at, uint64_t len) {
    if (len > gt_reader_left(w->reader)) {
        return gt_refuse(w->reader, at, "it is cut short");
    }
    w->reader->next += len;
    return true;
}

static bool walk_key(walk *w) {
    const uint8_t *at = w->reader->next;
    unsigned major;
    uint64_t argument;
    if (!gt_read_head(w->reader, &major, &argument)) {
        return false;
    }
    level *map = &w->levels[w->depth];
    map->int_key = major == GT_CBOR_UINT;
    map->zero_key = map->int_key && argument == 0;
    if (major == GT_CBOR_TEXT) {
        return pass(w, at, argument);
    }
    if (!map->int_key || (!map->edits && !map->run)) {
        return gt_refuse(w->reader, at, "a map's key is not a text");
    }
    w->plain = false;
    return true;
}

/* What is behind a tag's head: a date's number, a ref's text, a set's array. */
static bool walk_tagged(walk *w, const uint8_t *at, uint64_t tag) {
    const uint8_t *inner = w->reader->next;
    unsigned major;
    uint64_t argument;
    if (!gt_read_head(w->reader, &major, &argument)) {
        return false;
    }
    if (tag == GT_TAG_SET && major == GT_CBOR_ARRAY) {
        return argument <= gt_reader_left(w->reader) ? open(w, at, 2, argument, false)
                                                     : gt_refuse(w->reader, inner, "it is cut short");
    }
    if (!open(w, at, 1, 0, false)) {
        return false;
    }
    if (tag == GT_TAG_REF && major == GT_CBOR_TEXT) {
        return pass(w, inner, argument);
    }
    /* Seconds are bounded here already, because readers turn them into milliseconds. */
    bool whole = major <= GT_CBOR_NEGATIVE && argument <= GT_DATE_MAX_MS / 1000;
    bool number = whole || (major == GT_CBOR_SIMPLE && (*inner & 31) >= 25);
    return (tag == GT_TAG_DATE && number) || gt_refuse(w->reader, at, "a tag before what it does not belong to");
}

static bool walk_simple(walk *w, const uint8_t *at) {
    if (*at == GT_CBOR_UNDEFINED) {
        w->plain = false;
        return w->levels[w->depth].edits || gt_refuse(w->reader, at, "undefined is no value");
    }
    bool known = *at == GT_CBOR_FALSE || *at == GT_CBOR_TRUE || *at == GT_CBOR_NULL || (*at & 31) >= 25;
    return known || gt_refuse(w->reader, at, "a simple value other than false, true and null");
}

static bool walk_one(walk *w) {
    const uint8_t *at = w->reader->next;
    unsigned major;
    uint64_t argument;
    if (!gt_read_head(w->reader, &major, &argument)) {
        return false;
    }
    switch (major) {
    case GT_CBOR_UINT:
    case GT_CBOR_NEGATIVE: return true;
    case GT_CBOR_BYTES:
    case GT_CBOR_TEXT: return pass(w, at, argument);
    case GT_CBOR_TAG: return walk_tagged(w, at, argument);
    case GT_CBOR_SIMPLE: return walk_simple(w, at);
    default: break;
    }
    if (argument > gt_reader_left(w->reader)) {
        return gt_refuse(w->reader, at, "it is cut short");
    }
    bool is_map = major == GT_CBOR_MAP;
    return open(w, at, 1, is_map ? 2 * argument : argument, is_map);
}

bool gt_read_item(gt_reader *reader, uint32_t depth_max, bool edits, bool *plain) {
    walk w;
    w.reader = reader;
    w.depth = 0;
    w.depth_max = depth_max;
    w.around = 0;
    w.plain = true;
    w.levels[0] = (level){.left = 1, .edits = edits};
    for (;;) {
        level *now = &w.levels[w.depth];
        if (now->left == 0) {
            w.around -= now->around;
            if (w.depth-- == 0) {
                *plain = *plain && w.plain;
                return true;
            }
            continue;
        }
        now->left--;
        bool is_key = now->is_map && now->left % 2 == 1;
        if (is_key ? !walk_key(&w) : !walk_one(&w)) {
            return false;
        }
    }
}

/* Key 0: `true` deletes, `false` undeletes. */
static bool read_deleted(gt_reader *reader, bool state) {
    const uint8_t *at = reader->next;
    unsigned major;
    uint64_t argument;
    if (!gt_read_head(reader, &major, &argument)) {
        return false;
    }
    if (*at != GT_CBOR_TRUE && (state || *at != GT_CBOR_FALSE)) {
        return gt_refuse(reader, at, state ? "key 0 of a state is not true" : "key 0 of a delta is not true or false");
    }
    return true;
}

static bool read_field(gt_reader *reader, bool state, bool is_first, bool *plain) {
    const uint8_t *at = reader->next;
    unsigned major;
    uint64_t argument;
    if (!gt_read_head(reader, &major, &argument)) {
        return false;
    }
    if (major == GT_CBOR_UINT && argument == 0 && is_first) {
        *plain = false;
        return read_deleted(reader, state);
    }
    if (major != GT_CBOR_TEXT) {
        return gt_refuse(reader, at, "a field's name is not a text");
    }
    if (argument == 0) {
        return gt_refuse(reader, at, "a field's name is empty");
    }
    if (argument > GOAT_FIELD_NAME_MAX) {
        return gt_refuse_large(reader, at, "a field's name is longer than 128 bytes");
    }
    if (argument > gt_reader_left(reader)) {
        return gt_refuse(reader, at, "it is cut short");
    }
    reader->next += argument;
    return gt_read_item(reader, FIELD_DEPTH_MAX, !state, plain);
}

/* Fields without any form of an edit, which is what most commits have: they are one value, and one look
 * decides that. False, with nothing refused, if there is more to it. */
static bool read_plain_fields(gt_reader *reader, gt_bytes *fields) {
    gt_bytes rest = gt_bytes_of(reader->next, gt_reader_left(reader));
    if (gt_value_check_first(rest, 0, &rest.len, NULL) != GOAT_OK || gt_value_kind(rest) != GT_KIND_MAP) {
        return false;
    }
    gt_iter iter = gt_map_iter(rest);
    for (const uint8_t *p = iter.next; iter.left > 0; iter.left--) {
        size_t low = *p & 31, len = low == 24 ? p[1] : low; /* of the name; its head has more bytes if it is longer */
        if (low == 0 || low > 24 || len > GOAT_FIELD_NAME_MAX) {
            return false;
        }
        p = gt_value_skip(p + 1 + (low == 24) + len, iter.end);
    }
    *fields = rest;
    reader->next += rest.len;
    return true;
}

bool gt_read_fields(gt_reader *reader, bool state, gt_bytes *fields, bool *plain) {
    const uint8_t *at = reader->next;
    uint64_t count;
    *plain = true;
    if (!reader->viewing && read_plain_fields(reader, fields)) {
        return true;
    }
    if (!gt_read_of(reader, GT_CBOR_MAP, &count, state ? "a state is not a map" : "a delta is not a map")) {
        return false;
    }
    for (uint64_t i = 0; i < count; i++) {
        if (!read_field(reader, state, i == 0, plain)) {
            return false;
        }
    }
    *fields = gt_bytes_of(at, (size_t)(reader->next - at));
    if (fields->len > GOAT_VALUE_MAX) {
        return gt_refuse_large(reader, at, state ? "a state of more than 16 MiB" : "a delta of more than 16 MiB");
    }
    if (reader->viewing) {
        return true;
    }
    reader->status = gt_value_check(*fields, *plain ? 0 : GT_VALUE_EDIT, reader->diag);
    if (reader->status != GOAT_OK && reader->diag != NULL && reader->diag->position != GT_NO_POSITION) {
        reader->diag->position += (uint64_t)(at - reader->begin);
    }
    return reader->status == GOAT_OK;
}
