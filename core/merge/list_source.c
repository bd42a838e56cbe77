#include "merge/list_source.h"

/* Where the elements that a step inserted lie, by index; those of the base behind the last step. */
typedef struct source {
    gt_bytes edit;
    const uint8_t **values; /* NULL: not looked for yet */
} source;

struct gt_list_source {
    gt_replay *replay;
    source *sources;
    gt_contents contents; /* how it is compared with the strategy `merged`; and the sequence, whatever the strategy */
};

static bool open_source(gt_list_source *list, source *from, uint32_t step) {
    gt_replay *replay = list->replay;
    bool is_base = step == replay->step_count;
    uint64_t seen = is_base ? 0 : gt_sequence_seen_by(gt_list_sequence(list), step), count = 0;
    gt_run run;
    for (gt_run_iter iter = gt_runs_of(from->edit, seen); gt_run_next(&iter, &run);) {
        if (run.kind == GT_RUN_INSERT || run.kind == GT_RUN_MOVE) count += run.count;
    }
    from->values = gt_arena_new(&replay->arena, (size_t)count + 1, sizeof(*from->values));
    if (from->values == NULL) return false;
    count = 0;
    for (gt_run_iter iter = gt_runs_of(from->edit, seen); gt_run_next(&iter, &run);) {
        const uint8_t *at = run.inserted.data, *end = at == NULL ? NULL : at + run.inserted.len;
        for (uint64_t i = 0; run.kind == GT_RUN_INSERT && i < run.count; i++, at = gt_value_skip(at, end)) {
            from->values[count++] = at;
        }
        if (run.kind == GT_RUN_MOVE) count++;
    }
    return true;
}

gt_bytes gt_list_read(gt_list_source *list, gt_element first, uint32_t count) {
    uint32_t step = first.step == GT_OF_BASE ? list->replay->step_count : first.step;
    source *from = &list->sources[step];
    if (from->values == NULL && !open_source(list, from, step)) return gt_bytes_of(NULL, 0);
    const uint8_t *begin = from->values[first.index], *last = from->values[first.index + count - 1];
    const uint8_t *end = gt_value_skip(last, from->edit.data + from->edit.len);
    return gt_bytes_of(begin, (size_t)(end - begin));
}

gt_sequence *gt_list_sequence(const gt_list_source *list) { return list->contents.sequence; }

static bool same_value(void *context, gt_element a, gt_element b) {
    gt_list_source *list = context;
    gt_bytes x = gt_list_read(list, a, 1), y = gt_list_read(list, b, 1);
    list->contents.failed |= x.data == NULL || y.data == NULL;
    return x.data != NULL && y.data != NULL && gt_bytes_equal(x, y);
}

gt_list_source *gt_list_open(gt_replay *replay, const gt_field_history *history) {
    gt_list_source *list = gt_arena_new(&replay->arena, 1, sizeof(*list));
    if (list == NULL) return NULL;
    *list = (gt_list_source){.replay = replay, .contents = {.context = list, .same = same_value}};
    list->sources = gt_arena_new(&replay->arena, (size_t)replay->step_count + 1, sizeof(*list->sources));
    if (list->sources == NULL) return NULL;
    list->sources[replay->step_count].edit = history->base;
    for (uint32_t i = 0; i < history->count; i++) {
        list->sources[history->edits[i].step].edit = history->edits[i].edit;
    }
    return gt_sequence_replay(replay, history, &list->contents) == NULL ? NULL : list;
}
