#include "merge/rich_points.h"

#include "base/utf8.h"
#include "merge/rich_runs.h"
#include "merge/text_diff.h"

/* A code point; or an embed, which is none. */
typedef struct point {
    uint32_t character;
    gt_bytes embed; /* data NULL: a character */
} point;

typedef struct points {
    gt_replay *replay;
    const gt_field_edit **edits; /* by step */
    point **of;                  /* by step; NULL: not looked for yet */
    gt_contents contents;
} points;

static const point *points_of(points *p, uint32_t step) {
    gt_bytes edit = p->edits[step]->edit;
    gt_run run;
    size_t count = 0;
    if (p->of[step] != NULL) return p->of[step];
    for (gt_run_iter iter = gt_rich_runs_of(edit, UINT64_MAX); gt_rich_run_next(&iter, &run);) {
        if (run.kind == GT_RUN_INSERT) count += (size_t)run.count;
    }
    point *all = gt_arena_new(&p->replay->arena, count, sizeof(*all));
    if (all == NULL) return NULL;
    count = 0;
    for (gt_run_iter iter = gt_rich_runs_of(edit, UINT64_MAX); gt_rich_run_next(&iter, &run);) {
        if (run.kind == GT_RUN_INSERT && run.is_embed) all[count++].embed = run.inserted;
        while (run.kind == GT_RUN_INSERT && !run.is_embed && run.inserted.len > 0) {
            all[count++].character = gt_utf8_take(&run.inserted);
        }
    }
    return p->of[step] = all;
}

/* NULL when there is no memory, which is said at the end. */
static const point *point_at(points *p, gt_element element) {
    const point *all = points_of(p, element.step);
    p->contents.failed |= all == NULL;
    return all == NULL ? NULL : &all[element.index];
}

static bool same_point(void *context, gt_element a, gt_element b) {
    const point *x = point_at(context, a), *y = point_at(context, b);
    if (x == NULL || y == NULL || (x->embed.data == NULL) != (y->embed.data == NULL)) return false;
    return x->embed.data == NULL ? x->character == y->character : gt_bytes_equal(x->embed, y->embed);
}

static bool is_of_word(void *context, gt_element element) {
    const point *one = point_at(context, element);
    if (one == NULL || one->embed.data != NULL) return false;
    return one->character >= 0x80 || gt_is_of_word((uint8_t)one->character);
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

gt_sequence *gt_rich_sequence(gt_replay *replay, const gt_field_history *history) {
    gt_contents *contents = NULL;
    if (history->field->merge == GT_STRATEGY_MERGED) {
        contents = contents_of(replay, history);
        if (contents == NULL) return NULL;
    }
    return gt_sequence_replay(replay, history, gt_rich_count(history->base), contents);
}
