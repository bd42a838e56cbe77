#include "merge/contests.h"

#include "merge/slots.h"

typedef struct contest {
    struct contest *next;
    gt_element parent;
    bool left;
    const gt_node *winner; /* in the version looked at; NULL: nothing of it is there */
} contest;

struct gt_contests {
    const gt_field *field;
    const gt_nodes *nodes;
    gt_spans *spans;
    const gt_contents *contents;
    contest *first;
    gt_stretch *left_out, *spare;
    bool look_again;
};

gt_contests *gt_contests_new(const gt_field *field, const gt_nodes *nodes, gt_spans *spans,
                             const gt_contents *contents) {
    gt_contests *contests = gt_arena_new(spans->arena, 1, sizeof(*contests));
    if (contests == NULL) return NULL;
    *contests = (gt_contests){.field = field, .nodes = nodes, .spans = spans, .contents = contents};
    return contests;
}

bool gt_contests_add(gt_contests *contests, const gt_family *family) {
    contest *one = gt_arena_new(contests->spans->arena, 1, sizeof(*one));
    if (one == NULL) return false;
    *one = (contest){.next = contests->first, .parent = family->parent, .left = family->left};
    contests->first = one;
    return true;
}

void gt_contests_look_again(gt_contests *contests) { contests->look_again = true; }

const gt_stretch *gt_contests_left_out(const gt_contests *contests) { return contests->left_out; }

/* ---- marking ---- */

static void set_left_out(const gt_contests *contests, gt_span *span, bool lost, bool hidden) {
    gt_span_set_left_out(span, lost, hidden);
    if (span->slot != NULL) gt_slot_update(contests->nodes->replay, span->slot);
}

static bool leave_out(gt_contests *contests, gt_span *span, bool lost, bool hidden) {
    gt_stretch *one = contests->spare;
    if (one != NULL) {
        contests->spare = one->next;
    } else {
        one = gt_arena_new(contests->spans->arena, 1, sizeof(*one));
        if (one == NULL) return false;
    }
    *one = (gt_stretch){contests->left_out, span->first, span->length};
    contests->left_out = one;
    set_left_out(contests, span, lost, hidden);
    return true;
}

static void clear(gt_contests *contests) {
    while (contests->left_out != NULL) {
        gt_stretch *one = contests->left_out;
        gt_span *span = gt_spans_find(contests->spans, one->first);
        for (uint32_t count = one->count; count > 0; span = gt_span_next(span, GT_BY_ELEMENT)) {
            count -= span->length;
            set_left_out(contests, span, false, false);
        }
        contests->left_out = one->next;
        one->next = contests->spare;
        contests->spare = one;
    }
}

/* ---- one of several ---- */

/* What hangs on a node, with it, is a stretch of the whole. */
typedef struct extent {
    gt_span *first, *last;
} extent;

static extent extent_of(const gt_contests *contests, const gt_node *node) {
    return (extent){gt_spans_find(contests->spans, gt_node_leftmost(contests->nodes, node)),
                    gt_spans_find(contests->spans, gt_node_rightmost(contests->nodes, node))};
}

/* An insertion of the version looked at. */
static bool contends(const gt_contests *contests, const gt_node *node) {
    return !node->moves && gt_spans_find(contests->spans, node->first)->state != 0;
}

enum { GIVEN_UP = 0, EMPTY = 1, SHOWN = 2 };

/* One that shows something comes before one of which all was removed, and that before one which others had left out. */
static int rank_of(const gt_contests *contests, const gt_node *node) {
    extent all = extent_of(contests, node);
    contests->nodes->replay->work++;
    if (gt_spans_shown_before(all.last) + gt_span_shown(all.last) > gt_spans_shown_before(all.first)) return SHOWN;
    for (const gt_span *span = all.first;; span = gt_span_next(span, GT_BY_PLACE)) {
        if (span->state != 0 && span->discards == 0) return EMPTY;
        if (span == all.last) return GIVEN_UP;
    }
}

static const gt_node *winner_of(const gt_contests *contests, const contest *one) {
    const gt_node *winner = NULL;
    int best = GIVEN_UP;
    for (const gt_node *node = gt_nodes_family(contests->nodes, one->parent, one->left)->first; node != NULL;
         node = node->next) {
        if (!contends(contests, node)) continue;
        int rank = rank_of(contests, node);
        bool wins = winner == NULL || rank > best;
        if (!wins && rank == best) {
            wins = gt_step_wins(contests->nodes->replay, contests->field, node->first.step, winner->first.step);
        }
        if (wins) winner = node;
        if (wins) best = rank;
    }
    return winner;
}

static bool leave_out_losers(gt_contests *contests, const contest *one) {
    for (const gt_node *node = gt_nodes_family(contests->nodes, one->parent, one->left)->first; node != NULL;
         node = node->next) {
        if (node == one->winner || !contends(contests, node)) continue;
        if (gt_spans_find(contests->spans, node->first)->lost) continue; /* with that on which it hangs */
        extent all = extent_of(contests, node);
        for (gt_span *span = all.first;; span = gt_span_next(span, GT_BY_PLACE)) {
            contests->nodes->replay->work++;
            if (span->state != 0 && !span->lost && !leave_out(contests, span, true, false)) return false;
            if (span == all.last) break;
        }
    }
    return true;
}

/* Who wins is found out while nothing is left out, so that what can be seen of a node is what was not removed of it. */
static bool leave_one(gt_contests *contests) {
    for (contest *one = contests->first; one != NULL; one = one->next) one->winner = winner_of(contests, one);
    for (const contest *one = contests->first; one != NULL; one = one->next) {
        if (!leave_out_losers(contests, one)) return false;
    }
    return true;
}

/* ---- what is there twice ---- */

static gt_span *begin_at(gt_spans *spans, gt_element element) {
    gt_span *span = gt_spans_find(spans, element);
    uint32_t at = element.index - span->first.index;
    return at == 0 ? span : gt_span_split(spans, span, at);
}

/* What was given another value is not the same any more. */
static bool is_as_inserted(const gt_span *span) { return span->slot == NULL || span->slot->of->valued == 0; }

/* Hides so many elements from `twin` on where those from `first` on were not removed. */
static bool hide_twins(gt_contests *contests, gt_element twin, gt_element first, uint32_t count) {
    gt_spans *spans = contests->spans;
    while (count > 0) {
        const gt_span *stays = gt_spans_find(spans, first);
        gt_span *span = begin_at(spans, twin);
        if (span == NULL) return false;
        uint32_t length = stays->length - (first.index - stays->first.index);
        if (length > span->length) length = span->length;
        if (length > count) length = count;
        /* Whatever comes of it, so that the spans are the same whichever steps are void. */
        if (length < span->length && gt_span_split(spans, span, length) == NULL) return false;
        bool twins = stays->state == 1 && is_as_inserted(stays) && is_as_inserted(span);
        if (twins && !span->hidden && !leave_out(contests, span, false, true)) return false;
        twin.index += length;
        first.index += length;
        count -= length;
    }
    return true;
}

static bool leave_out_twins(gt_contests *contests, const gt_node *node, const gt_node *earlier) {
    gt_overlap found = gt_overlap_of(contests->contents, node, earlier);
    contests->nodes->replay->work++;
    for (int i = 0; i < 2; i++) {
        gt_element twin = {node->first.step, node->first.index + found.parts[i].at};
        gt_element first = {earlier->first.step, earlier->first.index + found.parts[i].earlier_at};
        if (!hide_twins(contests, twin, first, found.parts[i].count)) return false;
    }
    return true;
}

static bool leave_each_once(gt_contests *contests) {
    for (const contest *one = contests->first; one != NULL; one = one->next) {
        const gt_node *first = gt_nodes_family(contests->nodes, one->parent, one->left)->first;
        for (const gt_node *node = first->next; node != NULL; node = node->next) {
            if (!contends(contests, node)) continue;
            for (const gt_node *earlier = first; earlier != node; earlier = earlier->next) {
                if (contends(contests, earlier) && !leave_out_twins(contests, node, earlier)) return false;
            }
        }
    }
    return true;
}

/* ---- who lost ---- */

static void tell_losers(const gt_contests *contests, const contest *one, gt_contest_lost *lost, void *context) {
    for (const gt_node *node = gt_nodes_family(contests->nodes, one->parent, one->left)->first; node != NULL;
         node = node->next) {
        if (one->winner == NULL || node == one->winner || !contends(contests, node)) continue;
        extent all = extent_of(contests, node);
        for (const gt_span *span = all.first;; span = gt_span_next(span, GT_BY_PLACE)) {
            lost(context, span->first.step, one->winner->first.step);
            if (span == all.last) break;
        }
    }
}

static void tell_twins(const gt_contests *contests, const contest *one, gt_contest_lost *lost, void *context) {
    const gt_node *first = gt_nodes_family(contests->nodes, one->parent, one->left)->first;
    for (const gt_node *node = first; node != NULL; node = node->next) {
        for (const gt_node *earlier = first; contends(contests, node) && earlier != node; earlier = earlier->next) {
            if (!contends(contests, earlier)) continue;
            gt_overlap found = gt_overlap_of(contests->contents, node, earlier);
            if (found.parts[0].count + found.parts[1].count > 0) lost(context, node->first.step, earlier->first.step);
        }
    }
}

void gt_contests_losses(const gt_contests *contests, gt_contest_lost *lost, void *context) {
    for (const contest *one = contests->first; one != NULL; one = one->next) {
        if (contests->field->merge == GT_STRATEGY_MERGED) {
            tell_twins(contests, one, lost, context);
        } else {
            tell_losers(contests, one, lost, context);
        }
    }
}

bool gt_contests_judge(gt_contests *contests) {
    if (!contests->look_again) return true;
    contests->look_again = false;
    clear(contests);
    return contests->field->merge == GT_STRATEGY_MERGED ? leave_each_once(contests) : leave_one(contests);
}
