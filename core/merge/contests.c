/* Nothing is gone through that did not change. Spans whose state was set since
 * the last judgement are known (spans.h); each node counts what of it, and of
 * what hangs on it, stands and shows, and it is only when it comes to another
 * rank that the one above it hears of it. So a judgement costs in proportion to
 * what was taken back and done again, not to how many have met, and somebody
 * who writes thousands of insertions at one place makes nobody look at all of
 * them again and again. */
#include "merge/contests.h"

#include "base/assert.h"
#include "merge/rivals.h"
#include "merge/slots.h"
#include "value/sort.h"

typedef struct gt_contest {
    struct gt_contest *next;
    gt_element parent;
    bool left;
    gt_rivals rivals;
    gt_rival *winner; /* in the version looked at, if it is there */
} contest;

struct gt_contests {
    const gt_field *field;
    const gt_nodes *nodes;
    gt_spans *spans;
    const gt_contents *contents;
    contest *first;
    gt_rival *due; /* to be looked at */
    uint32_t random;
};

gt_contests *gt_contests_new(const gt_field *field, const gt_nodes *nodes, gt_spans *spans) {
    gt_contests *contests = gt_arena_new(spans->arena, 1, sizeof(*contests));
    if (contests == NULL) return NULL;
    *contests = (gt_contests){.field = field, .nodes = nodes, .spans = spans, .random = 0x9e3779b9};
    return contests;
}

void gt_contests_compare(gt_contests *contests, const gt_contents *contents) { contests->contents = contents; }

static bool merges(const gt_contests *contests) { return contests->field->merge == GT_STRATEGY_MERGED; }

/* ---- who meets ---- */

/* One that shows something comes before one of which all was removed, and that
 * before one which others had left out. */
enum { GIVEN_UP = 0, STANDS = 1, SHOWN = 2 };

static uint8_t rank_of(const gt_node *node) { return node->shown > 0 ? SHOWN : node->standing > 0 ? STANDS : GIVEN_UP; }

/* An insertion of the version looked at. */
static bool contends(const gt_contests *contests, const gt_node *node) {
    return !node->moves && gt_spans_find(contests->spans, node->first)->state != 0;
}

static void make_due(gt_contests *contests, gt_rival *rival) {
    if (rival->is_due) return;
    rival->is_due = true;
    rival->next_due = contests->due;
    contests->due = rival;
}

static gt_rival *take_due(gt_contests *contests) {
    gt_rival *rival = contests->due;
    if (rival == NULL) return NULL;
    contests->due = rival->next_due;
    rival->is_due = false;
    return rival;
}

/* Whoever was moved there does not take part. */
static bool add_rival(gt_contests *contests, contest *one, gt_node *node) {
    if (node->moves) return true;
    gt_rival *rival = node->rival = gt_arena_new(contests->spans->arena, 1, sizeof(*rival));
    if (rival == NULL) return false;
    contests->random = contests->random * 1664525 + 1013904223; /* any numbers do: no result depends on them */
    *rival = (gt_rival){.priority = contests->random, .node = node, .contest = one, .rank = rank_of(node)};
    rival->is_there = contends(contests, node);
    gt_rivals_add(&one->rivals, rival);
    make_due(contests, rival);
    return true;
}

bool gt_contests_add(gt_contests *contests, gt_family *family, gt_node *node) {
    if (family->count < 2) return true;
    if (family->contest != NULL) return add_rival(contests, family->contest, node);
    contest *one = family->contest = gt_arena_new(contests->spans->arena, 1, sizeof(*one));
    if (one == NULL) return false;
    *one = (contest){.next = contests->first, .parent = family->parent, .left = family->left};
    one->rivals = (gt_rivals){.replay = contests->nodes->replay, .field = contests->field};
    contests->first = one;
    for (node = family->first; node != NULL; node = node->next) {
        if (!add_rival(contests, one, node)) return false;
    }
    return true;
}

/* ---- what changed ---- */

/* What can be seen of it while nothing is left out. */
static uint8_t level_of(const gt_span *span) {
    if (span->state == 1 && !span->falls_back) return SHOWN;
    return span->state != 0 && span->discards == 0 ? STANDS : GIVEN_UP;
}

/* Of a part of a node what is seen is another: the node is told, and what it
 * hangs on, as far as it makes a difference. */
static void tell(gt_contests *contests, gt_node *node, uint8_t before, uint8_t now) {
    for (; node != NULL && before != now; node = node->parent) {
        uint8_t rank = rank_of(node);
        node->standing = node->standing - (before >= STANDS) + (now >= STANDS);
        node->shown = node->shown - (before >= SHOWN) + (now >= SHOWN);
        before = rank;
        now = rank_of(node);
        if (now != before && node->rival != NULL) make_due(contests, node->rival);
        contests->nodes->replay->work++;
    }
}

/* What was given another value is not the same any more. */
static bool is_as_inserted(const gt_span *span) { return span->slot == NULL || span->slot->of->valued == 0; }

/* What was taken back and done again is as it was when it was judged last. */
static void take_change(gt_contests *contests, gt_span *span) {
    gt_node *node = span->node;
    gt_rival *rival = node->rival;
    uint8_t before = span->level, now = level_of(span);
    bool was_valued = span->is_valued;
    span->level = now;
    span->is_valued = !is_as_inserted(span);
    if (!merges(contests)) tell(contests, node, before, now);
    if (rival == NULL) return;
    bool comes = gt_element_is(span->first, node->first) && rival->is_there != (span->state != 0);
    if (comes) rival->is_there = !rival->is_there;
    bool differs = merges(contests) && ((before == SHOWN) != (now == SHOWN) || was_valued != span->is_valued);
    if (comes || differs) make_due(contests, rival);
}

static void take_changes(gt_contests *contests) {
    for (gt_span *span; (span = gt_spans_take_changed(contests->spans)) != NULL;) {
        contests->nodes->replay->work++;
        if (span->node != NULL) take_change(contests, span);
    }
    for (gt_rival *rival = contests->due; rival != NULL; rival = rival->next_due) {
        rival->rank = rank_of(rival->node);
        gt_rivals_update(&rival->contest->rivals, rival);
    }
}

static void set_left_out(const gt_contests *contests, gt_span *span, uint32_t lost, bool hidden) {
    gt_span_set_left_out(span, lost, hidden);
    if (span->slot != NULL) gt_slot_update(contests->nodes->replay, span->slot);
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

/* Rivals to be marked, or not to be any more. */
typedef struct turned {
    gt_rival **list;
    size_t count, room;
    bool failed;
} turned;

static void add_turned(const gt_contests *contests, turned *all, gt_rival *rival) {
    if (all->count == all->room) {
        size_t room = 2 * all->room + 8;
        gt_rival **more = gt_arena_new(&contests->nodes->replay->arena, room, sizeof(*more));
        all->failed = all->failed || more == NULL;
        if (more == NULL) return;
        if (all->count > 0) memcpy(more, all->list, all->count * sizeof(*more));
        all->list = more;
        all->room = room;
    }
    all->list[all->count++] = rival;
}

static void turn(const gt_contests *contests, gt_rival *rival, bool lost, turned *all) {
    if (rival->lost == lost) return;
    rival->lost = lost;
    add_turned(contests, all, rival);
}

/* Of those that are not there it does not matter whether they have lost, for nothing that hangs on them is there either. They
 * are judged when they come. */
static void judge_due(gt_contests *contests, turned *losers, turned *others) {
    for (gt_rival *rival; (rival = take_due(contests)) != NULL;) {
        contest *one = rival->contest;
        gt_rival *winner = one->winner;
        const gt_rival *best = gt_rivals_best(&one->rivals);
        if (best != winner) {
            if (winner != NULL && winner->is_there) turn(contests, winner, true, losers);
            one->winner = best == NULL ? NULL : best->node->rival;
            if (best != NULL) turn(contests, one->winner, false, others);
        }
        if (rival->is_there) {
            bool lost = rival != one->winner;
            turn(contests, rival, lost, lost ? losers : others);
        }
    }
}

static void mark(const gt_contests *contests, const gt_rival *rival, int by) {
    extent all = extent_of(contests, rival->node);
    for (gt_span *span = all.first;; span = gt_span_next(span, GT_BY_PLACE)) {
        contests->nodes->replay->work++;
        set_left_out(contests, span, by > 0 ? span->lost + 1 : span->lost - 1, span->hidden);
        if (span == all.last) break;
    }
}

/* Those in what hangs on it that were not marked because it was. */
static void uncover(const gt_contests *contests, const gt_rival *rival, turned *losers) {
    extent all = extent_of(contests, rival->node);
    for (const gt_span *span = all.first;; span = gt_span_next(span, GT_BY_PLACE)) {
        gt_rival *one = span->node == NULL ? NULL : span->node->rival;
        if (one != NULL && one->lost && one->is_covered && gt_element_is(span->first, one->node->first)) {
            one->is_covered = false;
            add_turned(contests, losers, one);
        }
        if (span == all.last) break;
    }
}

/* What a node hangs on came before it. */
static bool is_above(const void *a, const void *b) {
    return (*(gt_rival *const *)a)->node->number < (*(gt_rival *const *)b)->node->number;
}

/* A loser is marked with all that hangs on it, but for what hangs on another one: so a chain of losers, each on the one before,
 * is marked once. */
static bool leave_one(gt_contests *contests) {
    turned losers = {0}, others = {0};
    judge_due(contests, &losers, &others);
    for (size_t i = 0; i < others.count; i++) {
        gt_rival *rival = others.list[i];
        if (!rival->is_covered) {
            mark(contests, rival, -1);
            uncover(contests, rival, &losers);
        }
        rival->is_covered = false;
    }
    if (losers.count > 1) gt_sort(losers.list, losers.count, sizeof(gt_rival *), is_above);
    for (size_t i = 0; i < losers.count; i++) {
        gt_rival *rival = losers.list[i];
        rival->is_covered = gt_spans_find(contests->spans, rival->node->first)->lost > 0;
        if (!rival->is_covered) mark(contests, rival, 1);
    }
    return !losers.failed && !others.failed;
}

/* ---- what is there twice ---- */

static gt_span *begin_at(gt_spans *spans, gt_element element) {
    gt_span *span = gt_spans_find(spans, element);
    uint32_t at = element.index - span->first.index;
    return at == 0 ? span : gt_span_split(spans, span, at);
}

/* Hides so many elements from `twin` on where those from `first` on were not
 * removed. */
static bool hide_twins(const gt_contests *contests, gt_element twin, gt_element first, uint32_t count) {
    gt_spans *spans = contests->spans;
    while (count > 0) {
        contests->nodes->replay->work++;
        const gt_span *stays = gt_spans_find(spans, first);
        gt_span *span = begin_at(spans, twin);
        if (span == NULL) return false;
        uint32_t length = stays->length - (first.index - stays->first.index);
        if (length > span->length) length = span->length;
        if (length > count) length = count;
        /* Whatever comes of it, so that the spans are the same whichever steps are
     * void. */
        if (length < span->length && gt_span_split(spans, span, length) == NULL) return false;
        bool twins = stays->state == 1 && is_as_inserted(stays) && is_as_inserted(span);
        if (twins && !span->hidden) set_left_out(contests, span, 0, true);
        twin.index += length;
        first.index += length;
        count -= length;
    }
    return true;
}

static bool leave_out_twins(const gt_contests *contests, gt_rival *rival, const gt_node *earlier) {
    const gt_node *node = rival->node;
    uint64_t *work = &contests->nodes->replay->work;
    gt_overlap found;
    ++*work;
    if (!gt_overlaps_find(&rival->overlaps, contests->spans->arena, contests->contents, node, earlier, work, &found)) {
        return false;
    }
    for (int i = 0; i < 2; i++) {
        gt_element twin = {node->first.step, node->first.index + found.parts[i].at};
        gt_element first = {earlier->first.step, earlier->first.index + found.parts[i].earlier_at};
        if (!hide_twins(contests, twin, first, found.parts[i].count)) return false;
    }
    return true;
}

static void show_twins(const gt_contests *contests, const gt_node *node) {
    gt_span *span = gt_spans_find(contests->spans, node->first);
    for (uint32_t count = node->length; count > 0; span = gt_span_next(span, GT_BY_ELEMENT)) {
        count -= span->length;
        if (span->hidden) set_left_out(contests, span, 0, false);
    }
}

/* Of a node what is compared is another: so it may be for itself and for those
 * behind it that are compared with it. */
static void make_due_behind(gt_contests *contests) {
    gt_rival *first = contests->due;
    for (gt_rival *changed = first; changed != NULL; changed = changed->next_due) {
        gt_rival *rival = gt_rival_next(changed);
        for (int i = 0; i < GT_CONTEST_COMPARED_MAX && rival != NULL; i++, rival = gt_rival_next(rival)) {
            make_due(contests, rival); /* before `first`, so it is not gone on from there */
        }
    }
}

static bool leave_each_once(gt_contests *contests) {
    make_due_behind(contests);
    for (gt_rival *rival; (rival = take_due(contests)) != NULL;) {
        if (!rival->is_there) continue;
        show_twins(contests, rival->node);
        const gt_rival *earlier = gt_rival_previous(rival);
        for (int i = 0; i < GT_CONTEST_COMPARED_MAX && earlier != NULL; i++, earlier = gt_rival_previous(earlier)) {
            if (!leave_out_twins(contests, rival, earlier->node)) return false;
        }
    }
    return true;
}

/* ---- who lost ---- */

static void tell_losers(const gt_contests *contests, const contest *one, gt_contest_lost *lost, void *context) {
    for (const gt_node *node = gt_nodes_family(contests->nodes, one->parent, one->left)->first; node != NULL;
         node = node->next) {
        const gt_rival *rival = node->rival;
        if (one->winner == NULL || rival == NULL || rival == one->winner || !rival->is_there) continue;
        extent all = extent_of(contests, node);
        for (const gt_span *span = all.first;; span = gt_span_next(span, GT_BY_PLACE)) {
            lost(context, span->first.step, one->winner->node->first.step);
            if (span == all.last) break;
        }
    }
}

static void tell_twins(const gt_contests *contests, const contest *one, gt_contest_lost *lost, void *context) {
    for (const gt_node *node = gt_nodes_family(contests->nodes, one->parent, one->left)->first; node != NULL;
         node = node->next) {
        if (node->rival == NULL || !node->rival->is_there) continue;
        const gt_rival *earlier = gt_rival_previous(node->rival);
        for (int i = 0; i < GT_CONTEST_COMPARED_MAX && earlier != NULL; i++, earlier = gt_rival_previous(earlier)) {
            uint64_t *work = &contests->nodes->replay->work;
            gt_overlap found = gt_overlap_of(contests->contents, node, earlier->node, work);
            uint32_t count = found.parts[0].count + found.parts[1].count;
            if (count > 0) lost(context, node->first.step, earlier->node->first.step);
        }
    }
}

void gt_contests_losses(const gt_contests *contests, gt_contest_lost *lost, void *context) {
    for (const contest *one = contests->first; one != NULL; one = one->next) {
        if (merges(contests)) {
            tell_twins(contests, one, lost, context);
        } else {
            tell_losers(contests, one, lost, context);
        }
    }
}

bool gt_contests_judge(gt_contests *contests) {
    take_changes(contests);
    return merges(contests) ? leave_each_once(contests) : leave_one(contests);
}
