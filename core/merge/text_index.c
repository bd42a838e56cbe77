#include "merge/text_index.h"

#include "base/assert.h"
#include "base/utf8.h"
#include "merge/changes.h"
#include "merge/runs.h"
#include "merge/type.h"

/* A block that is edited has memory of its own, of BLOCK_MAX bytes; the others lie in the text that the index was made of.
 * Larger ones would cost more to count in, smaller ones more to go along. */
enum { BLOCK_MAX = 1024, BLOCK_AT_FIRST = BLOCK_MAX / 2 };

typedef gt_utf8_lengths lengths;

typedef struct block {
    uint8_t *text;
    uint32_t len, points, pairs;
    bool own;
} block;

struct gt_text_index {
    const gt_alloc *alloc;
    const gt_field *field;
    gt_bytes base;  /* a value; data NULL: unset */
    bool has_value; /* false: the field is unset, and the text that is none is empty */
    bool is_whole;  /* the edit is the value, and changes are not counted */
    block *blocks;  /* one at least */
    size_t count, capacity;
    size_t near;        /* where the last splice was, for the next is often near */
    lengths near_begin; /* what lies before it */
    lengths all;
    gt_changes changes;
};

typedef struct place {
    size_t block, offset;
    uint64_t points; /* before it */
} place;

/* ---- counting ---- */

static void add(lengths *to, const block *in) {
    to->bytes += in->len;
    to->points += in->points;
    to->pairs += in->pairs;
}

static void subtract(lengths *from, const block *in) {
    from->bytes -= in->len;
    from->points -= in->points;
    from->pairs -= in->pairs;
}

static void recount(block *in) {
    lengths found = gt_utf8_lengths_of(in->text, in->len);
    in->points = (uint32_t)found.points;
    in->pairs = (uint32_t)found.pairs;
}

static uint64_t units_of(const block *in, goat_unit unit) {
    return unit == GOAT_UNIT_BYTE ? in->len : unit == GOAT_UNIT_UTF16 ? in->points + in->pairs : in->points;
}

static uint64_t units_before(const lengths *before, goat_unit unit) {
    return unit == GOAT_UNIT_BYTE    ? before->bytes
           : unit == GOAT_UNIT_UTF16 ? before->points + before->pairs
                                     : before->points;
}

/* ---- blocks ---- */

static bool reserve(gt_text_index *index, size_t more) {
    size_t capacity = index->capacity;
    if (more <= capacity - index->count) return true;
    while (more > capacity - index->count) capacity += capacity / 2 + 8;
    block *blocks = gt_resize(index->alloc, index->blocks, capacity, sizeof(*blocks));
    if (blocks == NULL) return false;
    index->blocks = blocks;
    index->capacity = capacity;
    return true;
}

/* Bytes of a block that begins with `text`: as many as it holds at first, without splitting a code point. */
static size_t first_part(const uint8_t *text, size_t len) {
    return len <= BLOCK_AT_FIRST ? len : gt_utf8_cut(text, BLOCK_AT_FIRST);
}

static bool begin_blocks(gt_text_index *index, gt_bytes text) {
    if (!reserve(index, text.len / (BLOCK_AT_FIRST - 3) + 1)) return false;
    do {
        size_t len = first_part(text.data, text.len);
        block *made = &index->blocks[index->count++];
        *made = (block){.text = (uint8_t *)(uintptr_t)text.data, .len = (uint32_t)len}; /* read only: not its own */
        recount(made);
        add(&index->all, made);
        text = gt_bytes_of(text.data + len, text.len - len);
    } while (text.len > 0);
    return true;
}

static void free_blocks(const gt_text_index *index, size_t first, size_t end) {
    for (size_t i = first; i < end; i++) {
        if (index->blocks[i].own) gt_free(index->alloc, index->blocks[i].text);
    }
}

/* Makes blocks of `text`, which stays in one if it fits; gives how many, 0 when there is no memory. */
static size_t make_blocks(const gt_text_index *index, gt_bytes text, block *made) {
    size_t count = 0;
    bool fits = text.len <= BLOCK_MAX;
    do {
        size_t len = fits ? text.len : first_part(text.data, text.len);
        block *one = &made[count];
        *one = (block){.text = gt_resize(index->alloc, NULL, BLOCK_MAX, 1), .len = (uint32_t)len, .own = true};
        if (one->text == NULL) {
            while (count > 0) gt_free(index->alloc, made[--count].text);
            return 0;
        }
        if (len > 0) memcpy(one->text, text.data, len);
        recount(one);
        text = gt_bytes_of(text.data + len, text.len - len);
        count++;
    } while (text.len > 0);
    return count;
}

/* Puts blocks in the place of those from `first` to before `end`; there is room. */
static void put_blocks(gt_text_index *index, size_t first, size_t end, const block *made, size_t count) {
    block *blocks = index->blocks;
    for (size_t i = first; i < end; i++) subtract(&index->all, &blocks[i]);
    for (size_t i = 0; i < count; i++) add(&index->all, &made[i]);
    free_blocks(index, first, end);
    memmove(&blocks[first + count], &blocks[end], (index->count - end) * sizeof(*blocks));
    if (count > 0) memcpy(&blocks[first], made, count * sizeof(*made));
    index->count = index->count - (end - first) + count;
}

/* What is between two places becomes `text`, in new blocks. False when there is no memory, and nothing has changed. */
static bool rebuild(gt_text_index *index, place from, place to, gt_bytes text) {
    const block *first = &index->blocks[from.block], *last = &index->blocks[to.block];
    size_t end = to.block + 1, rest = last->len - to.offset, total = from.offset + text.len + rest;
    if (total == 0 && end - from.block < index->count) { /* nothing is left of them */
        put_blocks(index, from.block, end, NULL, 0);
        if (index->near == index->count) { /* it was the last */
            index->near--;
            subtract(&index->near_begin, &index->blocks[index->near]);
        }
        return true;
    }
    size_t most = total <= BLOCK_MAX ? 1 : total / (BLOCK_AT_FIRST - 3) + 1;
    uint8_t *joined = gt_resize(index->alloc, NULL, total + 1, 1);
    block *made = gt_new(index->alloc, most, sizeof(*made));
    size_t count = 0;
    if (joined != NULL && made != NULL && reserve(index, most)) {
        first = &index->blocks[from.block]; /* the list may have moved */
        last = &index->blocks[to.block];
        memcpy(joined, first->text, from.offset);
        if (text.len > 0) memcpy(joined + from.offset, text.data, text.len);
        memcpy(joined + from.offset + text.len, last->text + to.offset, rest);
        count = make_blocks(index, gt_bytes_of(joined, total), made);
    }
    if (count > 0) put_blocks(index, from.block, end, made, count);
    gt_free(index->alloc, joined);
    gt_free(index->alloc, made);
    return count > 0;
}

static bool replace(gt_text_index *index, place from, place to, gt_bytes text) {
    block *in = &index->blocks[from.block];
    size_t removed = to.offset - from.offset; /* if it is one block */
    if (from.block != to.block || !in->own || in->len - removed + text.len > BLOCK_MAX ||
        (in->len == removed && text.len == 0)) {
        return rebuild(index, from, to, text);
    }
    lengths gone = gt_utf8_lengths_of(in->text + from.offset, removed), come = gt_utf8_lengths_of(text.data, text.len);
    subtract(&index->all, in);
    memmove(in->text + from.offset + text.len, in->text + to.offset, in->len - to.offset);
    if (text.len > 0) memcpy(in->text + from.offset, text.data, text.len);
    in->len += (uint32_t)(come.bytes - gone.bytes);
    in->points += (uint32_t)(come.points - gone.points);
    in->pairs += (uint32_t)(come.pairs - gone.pairs);
    add(&index->all, in);
    return true;
}

/* ---- places ---- */

/* Goes `units` on from a place; false where that is outside of the text or inside of a code point. */
static bool go(const gt_text_index *index, goat_unit unit, uint64_t units, place *at) {
    for (;;) {
        const block *in = &index->blocks[at->block];
        size_t bytes = 0;
        uint64_t points = 0;
        if (at->offset == 0 && units > units_of(in, unit)) { /* all of it, without a look at what is in it */
            units -= units_of(in, unit);
            at->points += in->points;
        } else {
            bool good =
                gt_text_go(gt_bytes_of(in->text + at->offset, in->len - at->offset), unit, &units, &bytes, &points);
            at->points += points;
            at->offset += bytes;
            if (good) return true;
            if (at->offset < in->len) return false; /* inside of a code point */
        }
        if (at->block + 1 == index->count) return false;
        at->block++;
        at->offset = 0;
    }
}

/* The first block that ends at or behind a position is the one that a search begins in. */
static place find_near(gt_text_index *index, goat_unit unit, uint64_t position) {
    while (index->near > 0 && units_before(&index->near_begin, unit) >= position) {
        subtract(&index->near_begin, &index->blocks[--index->near]);
    }
    while (index->near + 1 < index->count) {
        const block *in = &index->blocks[index->near];
        if (units_before(&index->near_begin, unit) + units_of(in, unit) >= position) break;
        add(&index->near_begin, in);
        index->near++;
    }
    return (place){.block = index->near, .points = index->near_begin.points};
}

/* ---- splices ---- */

static uint64_t bytes_between(const gt_text_index *index, const place *from, const place *to) {
    uint64_t bytes = to->offset;
    if (from->block == to->block) return bytes - from->offset;
    for (size_t i = from->block; i < to->block; i++) bytes += index->blocks[i].len;
    return bytes - from->offset;
}

/* No item can be larger than this, so the text would never be captured. */
static bool is_too_large(const gt_text_index *index, const place *from, const place *to, gt_bytes text) {
    if (text.len == 0 || index->all.bytes + text.len <= GOAT_VALUE_MAX) return false;
    return index->all.bytes - bytes_between(index, from, to) + text.len > GOAT_VALUE_MAX;
}

static bool keeps_length(const gt_text_index *index, uint64_t removed, gt_bytes text) {
    uint64_t count = index->all.points - removed + gt_utf8_lengths_of(text.data, text.len).points;
    return count >= index->field->min_length && count <= index->field->max_length;
}

goat_status gt_text_index_splice(gt_text_index *index, const gt_splice *splice, bool *made, gt_diag *diag) {
    *made = false;
    place from = find_near(index, splice->unit, splice->position);
    uint64_t before = units_before(&index->near_begin, splice->unit);
    if (!go(index, splice->unit, splice->position - before, &from)) return gt_splice_refuse(splice, false, diag);
    place to = from;
    if (!go(index, splice->unit, splice->count, &to)) return gt_splice_refuse(splice, true, diag);
    *made = splice->count == 0 && splice->text.len == 0;
    uint64_t count_before = index->all.points, removed = to.points - from.points;
    if (*made || !keeps_length(index, removed, splice->text)) return GOAT_OK;
    if (is_too_large(index, &from, &to, splice->text)) {
        return gt_fail(diag, GOAT_TOO_LARGE, "the text would be larger than %d bytes", GOAT_VALUE_MAX);
    }
    if (!index->is_whole && !gt_changes_reserve(&index->changes)) return gt_no_memory(diag);
    if (!replace(index, from, to, splice->text)) return gt_no_memory(diag);
    index->has_value = *made = true;
    if (!index->is_whole) {
        gt_changes_splice(&index->changes, from.points, removed, index->all.points + removed - count_before);
    }
    return GOAT_OK;
}

/* ---- what it comes to ---- */

static void append_points(const gt_text_index *index, place *at, uint64_t points, gt_run_writer *writer) {
    while (points > 0) {
        const block *in = &index->blocks[at->block];
        gt_bytes rest = gt_bytes_of(in->text + at->offset, in->len - at->offset);
        uint64_t left = points;
        size_t bytes = 0;
        uint64_t some = 0;
        gt_text_go(rest, GOAT_UNIT_CODE_POINT, &left, &bytes, &some);
        if (writer != NULL) gt_run_insert(writer, gt_bytes_of(rest.data, bytes));
        points -= some;
        at->offset += bytes;
        if (points == 0) return;
        at->block++;
        at->offset = 0;
    }
}

/* Whether the text is what it was in the beginning, byte for byte. */
static bool is_base(const gt_text_index *index) {
    gt_bytes text = {0};
    size_t at = 0;
    if (index->base.data == NULL || !gt_value_as_text(index->base, &text) || text.len != index->all.bytes) return false;
    for (size_t i = 0; i < index->count; i++) {
        const block *in = &index->blocks[i];
        if (in->len > 0 && memcmp(text.data + at, in->text, in->len) != 0) return false;
        at += in->len;
    }
    return true;
}

uint64_t gt_text_index_count(const gt_text_index *index) { return index->all.points; }

bool gt_text_index_is_edit(const gt_text_index *index) {
    if (!index->is_whole) return !gt_changes_are_none(&index->changes);
    return index->has_value ? !is_base(index) : index->base.data != NULL;
}

void gt_text_index_value(const gt_text_index *index, gt_buf *value) {
    size_t begin = value->len;
    if (!index->has_value) return;
    if (gt_buf_reserve(value, (size_t)index->all.bytes + 16) == NULL) return;
    for (size_t i = 0; i < index->count; i++) gt_buf_append(value, index->blocks[i].text, index->blocks[i].len);
    gt_write_text_around(value, begin);
}

void gt_text_index_edit(const gt_text_index *index, gt_buf *edit) {
    gt_run_writer writer;
    place at = {0};
    if (!gt_text_index_is_edit(index)) return;
    if (index->is_whole) {
        if (index->has_value) gt_text_index_value(index, edit);
        if (!index->has_value) gt_write_undefined(edit);
        return;
    }
    gt_run_writer_init(&writer, edit->alloc);
    for (size_t i = 0; i + 1 < index->changes.count; i++) { /* what is kept at the end is not said */
        const gt_change *change = &index->changes.list[i];
        uint64_t kept = change->kept;
        while (at.offset == 0 && kept >= index->blocks[at.block].points && at.block + 1 < index->count) {
            kept -= index->blocks[at.block++].points;
        }
        append_points(index, &at, kept, NULL);
        gt_run_keep(&writer, change->kept);
        append_points(index, &at, change->inserted, &writer);
        gt_run_remove(&writer, change->removed);
    }
    gt_run_writer_end(&writer, edit);
}

/* ---- life ---- */

/* The changes that an edit of runs makes, one after the other. */
static bool take_runs(gt_text_index *index, gt_bytes edit, uint64_t base_count) {
    gt_run_iter iter = gt_runs_of(edit, base_count);
    uint64_t position = 0;
    for (gt_run run; gt_run_next(&iter, &run);) {
        if (!gt_changes_reserve(&index->changes)) return false;
        if (run.kind == GT_RUN_REMOVE) gt_changes_splice(&index->changes, position, run.count, 0);
        if (run.kind == GT_RUN_INSERT) gt_changes_splice(&index->changes, position, 0, run.count);
        if (run.kind != GT_RUN_REMOVE) position += run.count;
    }
    return true;
}

static bool begin(gt_text_index *index, gt_bytes edit, gt_bytes value) {
    gt_bytes text = gt_bytes_of("", 0), before = text;
    if (value.data != NULL) gt_value_as_text(value, &text);
    index->has_value = value.data != NULL;
    index->is_whole = index->base.data == NULL || (edit.data != NULL && gt_value_kind(edit) != GT_KIND_MAP);
    if (!begin_blocks(index, text)) return false;
    if (index->is_whole) return true;
    gt_value_as_text(index->base, &before);
    uint64_t base_count = edit.data == NULL ? index->all.points : gt_utf8_lengths_of(before.data, before.len).points;
    return gt_changes_init(&index->changes, index->alloc, base_count) &&
           (edit.data == NULL || take_runs(index, edit, base_count));
}

goat_status gt_text_index_new(const gt_alloc *alloc, const gt_field *field, gt_bytes base, gt_bytes edit,
                              gt_bytes value, gt_text_index **out, gt_diag *diag) {
    gt_text_index *index = gt_new(alloc, 1, sizeof(*index));
    *out = NULL;
    if (index == NULL) return gt_no_memory(diag);
    index->alloc = index->changes.alloc = alloc;
    index->field = field;
    index->base = gt_edit_base(field, base);
    if (!begin(index, edit, gt_edit_base(field, value))) {
        gt_text_index_free(index);
        return gt_no_memory(diag);
    }
    *out = index;
    return GOAT_OK;
}

void gt_text_index_free(gt_text_index *index) {
    if (index == NULL) return;
    free_blocks(index, 0, index->count);
    gt_free(index->alloc, index->blocks);
    gt_changes_free(&index->changes);
    gt_free(index->alloc, index);
}
