#include "merge/points.h"

#include "base/utf8.h"
#include "merge/rich_runs.h"
#include "merge/text_diff.h"

/* A point is that of a character, or EMBED and where in the step's edit the value of an embed lies. */
#define EMBED (UINT32_C(1) << 31)

typedef struct points {
    gt_replay *replay;
    const gt_field_edit **edits; /* by step */
    uint32_t **of;               /* by step; NULL: not looked for yet */
    gt_contents contents;
} points;

static gt_run_iter runs_of(const gt_field_edit *edit) {
    bool is_rich = edit->field->type == GT_TYPE_RICHTEXT;
    return is_rich ? gt_rich_runs_of(edit->edit, UINT64_MAX) : gt_runs_of(edit->edit, UINT64_MAX);
}

static const uint32_t *points_of(points *p, uint32_t step) {
    const gt_field_edit *edit = p->edits[step];
    gt_run run;
    size_t count = 0;
    if (p->of[step] != NULL) return p->of[step];
    for (gt_run_iter iter = runs_of(edit); gt_run_next(&iter, &run);) {
        if (run.kind == GT_RUN_INSERT) count += (size_t)run.count;
    }
    uint32_t *all = gt_arena_new(&p->replay->arena, count, sizeof(*all));
    if (all == NULL) return NULL;
    count = 0;
    for (gt_run_iter iter = runs_of(edit); gt_run_next(&iter, &run);) {
        if (run.kind != GT_RUN_INSERT) continue;
        if (run.is_embed) all[count++] = EMBED | (uint32_t)(run.inserted.data - edit->edit.data);
        while (!run.is_embed && run.inserted.len > 0) all[count++] = gt_utf8_take(&run.inserted);
    }
    return p->of[step] = all;
}

/* 0, which splits and joins nothing, when there is no memory; that is said at the end. */
static uint32_t point_at(points *p, gt_element element) {
    const uint32_t *all = points_of(p, element.step);
    p->contents.failed |= all == NULL;
    return all == NULL ? 0 : all[element.index];
}

static gt_bytes embed_at(const points *p, uint32_t step, uint32_t point) {
    gt_bytes edit = p->edits[step]->edit;
    const uint8_t *begin = edit.data + (point & ~EMBED);
    return gt_bytes_of(begin, (size_t)(gt_value_skip(begin, edit.data + edit.len) - begin));
}

static bool same_point(void *context, gt_element a, gt_element b) {
    uint32_t x = point_at(context, a), y = point_at(context, b);
    if ((x & y & EMBED) == 0) return x == y;
    return gt_bytes_equal(embed_at(context, a.step, x), embed_at(context, b.step, y));
}

static bool is_of_word(void *context, gt_element element) {
    uint32_t point = point_at(context, element);
    return (point & EMBED) == 0 && (point >= 0x80 || gt_is_of_word((uint8_t)point));
}

/* NULL when there is no memory. */
static gt_contents *contents_of(gt_replay *replay, const gt_field_history *history) {
    points *p = gt_arena_new(&replay->arena, 1, sizeof(*p));
    if (p == NULL) return NULL;
    *p = (points){.replay = replay, .contents = {.context = p, .same = same_point, .is_of_word = is_of_word}};
    p->edits = gt_arena_new(&replay->arena, replay->step_count, sizeof(*p->edits));
    p->of = gt_arena_new(&replay->arena, replay->step_count, sizeof(*p->of));
    if (p->edits == NULL || p->of == NULL) return NULL;
    for (uint32_t i = 0; i < history->count; i++) p->edits[history->edits[i].step] = &history->edits[i];
    return &p->contents;
}

gt_sequence *gt_text_sequence(gt_replay *replay, const gt_field_history *history) {
    gt_contents *contents = NULL;
    if (history->field->merge == GT_STRATEGY_MERGED) {
        contents = contents_of(replay, history);
        if (contents == NULL) return NULL;
    }
    return gt_sequence_replay(replay, history, contents);
}
