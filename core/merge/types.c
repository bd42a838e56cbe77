/* The table of types, and what they share. */
#include "merge/type.h"

#include "base/assert.h"
#include "base/utf8.h"
#include "value/rich.h"

static const gt_merge_type *const merge_types[] = {
    [GT_TYPE_STRING] = &gt_merge_single, [GT_TYPE_NUMBER] = &gt_merge_single, [GT_TYPE_BOOLEAN] = &gt_merge_single,
    [GT_TYPE_DATE] = &gt_merge_single,   [GT_TYPE_BYTES] = &gt_merge_single,  [GT_TYPE_REF] = &gt_merge_single,
    [GT_TYPE_SET] = &gt_merge_set,       [GT_TYPE_MAP] = &gt_merge_map,       [GT_TYPE_COUNTER] = &gt_merge_counter,
    [GT_TYPE_LIST] = &gt_merge_list,     [GT_TYPE_TEXT] = &gt_merge_text,     [GT_TYPE_ORDERSTAMP] = &gt_merge_single,
    [GT_TYPE_RICHTEXT] = &gt_merge_rich, [GT_TYPE_OBJECT] = &gt_merge_object,
};

const gt_merge_type *gt_merge_type_of(const gt_field *field) {
    GOAT_ASSERT((size_t)field->type < sizeof merge_types / sizeof merge_types[0]);
    return merge_types[field->type];
}

goat_status gt_edit_refuse(const gt_field *field, const char *words, gt_diag *diag) {
    gt_fail(diag, GOAT_INVALID, "the edit of \"%.*s\" %s", (int)field->path.len, (const char *)field->path.data, words);
    gt_diag_field(diag, (const char *)field->path.data, field->path.len);
    gt_diag_rule(diag, "type");
    return GOAT_INVALID;
}

goat_status gt_edit_refuse_run(const gt_field *field, const char *words, uint64_t at, gt_diag *diag) {
    gt_fail_at(diag, GOAT_INVALID, at, "the edit of \"%.*s\" %s: number %llu of its array", (int)field->path.len,
               (const char *)field->path.data, words, (unsigned long long)at);
    gt_diag_field(diag, (const char *)field->path.data, field->path.len);
    gt_diag_rule(diag, "type");
    return GOAT_INVALID;
}

gt_bytes gt_edit_base(const gt_field *field, gt_bytes base) {
    bool fits = base.data != NULL && gt_field_holds(field, base);
    return fits ? base : gt_bytes_of(NULL, 0);
}

static bool is_scalar(gt_kind kind) { return kind != GT_KIND_ARRAY && kind != GT_KIND_SET && kind != GT_KIND_MAP; }

bool gt_edit_is_plain(gt_bytes value) {
    gt_kind kind = gt_value_kind(value);
    if (is_scalar(kind)) {
        return kind != GT_KIND_UNDEFINED;
    }
    if (kind != GT_KIND_MAP) { /* the usual array or set has nothing inside its elements */
        gt_iter iter = gt_array_iter(value);
        gt_bytes element;
        bool simple = true;
        while (simple && gt_array_next(&iter, &element)) {
            kind = gt_value_kind(element);
            simple = is_scalar(kind) && kind != GT_KIND_UNDEFINED;
        }
        if (simple) {
            return true;
        }
    }
    return gt_value_check(value, 0, NULL) == GOAT_OK;
}

bool gt_edit_is_element(gt_bytes value) {
    return gt_edit_is_plain(value) && gt_value_is_within(value, GOAT_VALUE_DEPTH_MAX - 1);
}

bool gt_step_is_later(const gt_replay *replay, uint32_t a, uint32_t b) {
    const gt_step *x = &replay->steps[a], *y = &replay->steps[b];
    if (x->time != y->time) {
        return x->time > y->time;
    }
    return memcmp(x->id, y->id, GT_HASH_SIZE) > 0;
}

bool gt_step_wins(const gt_replay *replay, const gt_field *field, uint32_t a, uint32_t b) {
    if (field->merge != GT_STRATEGY_EITHER) return gt_step_is_later(replay, a, b);
    return memcmp(replay->steps[a].id, replay->steps[b].id, GT_HASH_SIZE) > 0;
}

bool gt_field_unset_past(gt_replay *replay, const gt_field_history *history, gt_past *past, bool *any) {
    *any = false;
    gt_past_init(past, &replay->ancestry);
    for (uint32_t i = 0; i < history->count; i++) {
        const gt_field_edit *edit = &history->edits[i];
        if (gt_edit_is_unset(edit->edit) && !gt_edit_is_void(replay, edit)) {
            *any = true;
            if (!gt_past_add(past, edit->step)) {
                return false;
            }
        }
    }
    return true;
}

bool gt_field_is_there(gt_replay *replay, const gt_field_history *history, bool *is_there) {
    gt_past unset;
    bool any_unset;
    if (!gt_field_unset_past(replay, history, &unset, &any_unset)) return false;
    *is_there = history->base.data != NULL && !any_unset;
    for (uint32_t i = 0; i < history->count && !*is_there; i++) {
        const gt_field_edit *edit = &history->edits[i];
        bool counts = !gt_edit_is_void(replay, edit) && !gt_edit_is_unset(edit->edit);
        *is_there = counts && !gt_past_has(&unset, edit->step);
    }
    return true;
}

/* ---- counted ---- */

static void write_head(gt_buf *out, bool is_map, size_t count) {
    if (is_map) {
        gt_write_map_head(out, count);
    } else {
        gt_write_array_head(out, count);
    }
}

gt_counted gt_counted_begin(gt_buf *out, bool is_map, size_t most) {
    gt_counted counted = {out, out->len, most, is_map};
    write_head(out, is_map, most);
    return counted;
}

void gt_counted_end(gt_counted *counted, size_t count) {
    gt_buf *out = counted->out;
    uint8_t heads[32];
    GOAT_ASSERT(count <= counted->places);
    if (count == counted->places || gt_buf_failed(out)) {
        return;
    }
    /* Both heads are written behind the contents, to see what they take, and the right one is put in
     * place of the other. */
    size_t end = out->len;
    write_head(out, counted->is_map, counted->places);
    size_t old_len = out->len - end;
    write_head(out, counted->is_map, count);
    if (gt_buf_failed(out)) {
        return;
    }
    size_t new_len = out->len - end - old_len;
    memcpy(heads, out->data + end + old_len, new_len);
    if (new_len != old_len) {
        uint8_t *contents = out->data + counted->begin + old_len;
        memmove(out->data + counted->begin + new_len, contents, end - counted->begin - old_len);
    }
    memcpy(out->data + counted->begin, heads, new_len);
    out->len = end - (old_len - new_len);
}

uint64_t gt_history_base_count(const gt_field_history *history) {
    gt_bytes text = {0};
    if (history->base.data == NULL) return 0;
    if (history->field->type == GT_TYPE_LIST) return gt_value_count(history->base);
    if (history->field->type == GT_TYPE_RICHTEXT) return gt_rich_count(history->base);
    gt_value_as_text(history->base, &text);
    return gt_utf8_count(text.data, text.len);
}
