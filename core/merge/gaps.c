#include "merge/gaps.h"

static gt_element last_element(const gt_span *span) {
    return (gt_element){span->first.step, span->first.index + span->length - 1};
}

/* Between two neighbours, `after` (NULL: the end) beginning a span: it hangs on the one before it, unless that has right
 * children already: then on the one that follows. */
static gt_gap between(gt_element before, const gt_span *after) {
    bool left = after != NULL && gt_element_is(after->before, before);
    return (gt_gap){.before = before, .parent = left ? after->first : before, .left = left};
}

static gt_gap inside(gt_element before) {
    return (gt_gap){.before = before, .parent = {before.step, before.index + 1}, .left = true};
}

gt_gap gt_gap_behind(const gt_spans *spans, uint64_t position) {
    if (position == 0) return between(GT_ELEMENT_ROOT, gt_span_next_known(spans, NULL));
    uint32_t within;
    gt_span *span = gt_spans_at(spans, position - 1, &within);
    gt_element before = {span->first.step, span->first.index + within};
    if (within + 1 < span->length) return inside(before);
    return between(before, gt_span_next_known(spans, span));
}

gt_gap gt_gap_before(const gt_spans *spans, uint64_t position) {
    gt_span *span = NULL;
    if (position < gt_spans_shown(spans)) {
        uint32_t within;
        span = gt_spans_at(spans, position, &within);
        if (within > 0) return inside((gt_element){span->first.step, span->first.index + within - 1});
    }
    const gt_span *before = gt_span_previous_known(spans, span);
    return between(before == NULL ? GT_ELEMENT_ROOT : last_element(before), span);
}
