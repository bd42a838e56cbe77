#include "merge/text_source.h"

#include "base/utf8.h"

gt_text_source *gt_text_sources_open(gt_replay *replay, const gt_field_history *history) {
    gt_text_source *sources = gt_arena_new(&replay->arena, (size_t)replay->step_count + 1, sizeof(*sources));
    if (sources == NULL) return NULL;
    if (history->base.data != NULL) gt_value_as_text(history->base, &sources[replay->step_count].rest);
    for (uint32_t i = 0; i < history->count; i++) {
        const gt_field_edit *edit = &history->edits[i];
        if (!gt_edit_is_unset(edit->edit)) sources[edit->step].iter = gt_runs_of(edit->edit, UINT64_MAX);
    }
    return sources;
}

gt_bytes gt_text_source_read(gt_text_source *sources, const gt_replay *replay, gt_element element, uint32_t count) {
    gt_text_source *from = &sources[element.step == GT_OF_BASE ? replay->step_count : element.step];
    uint32_t first = element.index;
    while (from->next < first || from->rest.len == 0) {
        gt_run run;
        size_t len = gt_utf8_bytes(from->rest, first - from->next);
        from->next += (uint32_t)gt_utf8_count(from->rest.data, len);
        from->rest = gt_bytes_behind(from->rest, len);
        if (from->rest.len > 0) continue;
        if (!gt_run_next(&from->iter, &run)) return gt_bytes_of(NULL, 0);
        if (run.kind == GT_RUN_INSERT) from->rest = run.inserted;
    }
    gt_bytes text = gt_bytes_of(from->rest.data, gt_utf8_bytes(from->rest, count));
    from->rest = gt_bytes_behind(from->rest, text.len);
    from->next += count;
    return text;
}
