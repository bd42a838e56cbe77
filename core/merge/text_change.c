/* From one outcome of a text's history to another, through the identity of elements; for reverts. */
#include "merge/points.h"
#include "merge/sequence.h"
#include "merge/text_diff.h"
#include "merge/text_source.h"

#include "base/utf8.h"

goat_status gt_text_change(const gt_outcome *from, const gt_outcome *to, gt_buf *edit) {
    gt_sequence *before = gt_text_sequence(from->replay, &from->history);
    gt_sequence *after = gt_text_sequence(to->replay, &to->history);
    gt_text_source *sources = gt_text_sources_open(to->replay, &to->history);
    if (before == NULL || after == NULL || sources == NULL || !gt_sequence_align(before, after)) {
        return gt_no_memory(to->replay->diag);
    }
    gt_run_writer writer;
    gt_run_writer_init(&writer, edit->alloc);
    gt_element first;
    for (gt_span *a = gt_sequence_span(before, NULL), *b = gt_sequence_span(after, NULL); a != NULL;
         a = gt_sequence_span(before, a), b = gt_sequence_span(after, b)) {
        bool was = gt_sequence_is_left(before, a, &first), is = gt_sequence_is_left(after, b, &first);
        if (was && is) gt_run_keep(&writer, a->length);
        if (was && !is) gt_run_remove(&writer, a->length);
        if (was || !is) continue;
        gt_run_insert(&writer, gt_text_source_read(sources, to->replay, first, a->length));
    }
    gt_run_writer_end(&writer, edit);
    return GOAT_OK;
}

/* ---- a change carried over ---- */

/* What is undone and was done again stands in `seen` as other elements than in `now`, whose text is the same unless others
 * edited it: which of the one stand for which of the other. */
typedef struct doubles {
    gt_buf hidden, shown; /* the text that only `now` has, and that only `seen` has */
    uint32_t *shown_at;   /* of each element of `shown`: which of all that are seen, from 1 */
    uint32_t *double_of;  /* of each element of `hidden`: which of all that are seen stands for it; 0: none */
} doubles;

/* Text that is to be inserted. */
typedef struct insertion {
    struct insertion *next;
    gt_bytes text;
} insertion;

/* What becomes of what is seen; by element, from 1. */
typedef struct carried {
    uint8_t *goes;
    insertion **behind, **last_behind; /* 0: before the first */
} carried;

/* An outcome that is read from its beginning. */
typedef struct reading {
    const gt_replay *replay;
    gt_sequence *sequence;
    gt_text_source *sources;
    gt_span *span;
    gt_element first;
    bool is_left;
} reading;

static bool open_reading(reading *r, const gt_outcome *outcome) {
    *r = (reading){.replay = outcome->replay,
                   .sequence = gt_text_sequence(outcome->replay, &outcome->history),
                   .sources = gt_text_sources_open(outcome->replay, &outcome->history)};
    return r->sequence != NULL && r->sources != NULL;
}

static bool next_span(reading *r) {
    r->span = gt_sequence_span(r->sequence, r->span);
    r->is_left = r->span != NULL && gt_sequence_is_left(r->sequence, r->span, &r->first);
    return r->span != NULL;
}

static gt_bytes text_in(reading *r) { return gt_text_source_read(r->sources, r->replay, r->first, r->span->length); }

/* What the third has cut in the first is cut in the second too. */
static bool open_readings(reading r[3], const gt_outcome *const worlds[3]) {
    return open_reading(&r[0], worlds[0]) && open_reading(&r[1], worlds[1]) && open_reading(&r[2], worlds[2]) &&
           gt_sequence_align(r[0].sequence, r[1].sequence) && gt_sequence_align(r[0].sequence, r[2].sequence) &&
           gt_sequence_align(r[0].sequence, r[1].sequence);
}

static bool next_spans(reading r[3]) { return next_span(&r[0]) && next_span(&r[1]) && next_span(&r[2]); }

/* The elements of both are matched one by one where their texts are equal, and by a diff where they are not. */
static bool match(doubles *d) {
    gt_bytes hidden = gt_buf_bytes(&d->hidden), shown = gt_buf_bytes(&d->shown);
    uint64_t count = gt_utf8_count(hidden.data, hidden.len), from = 0, to = 0;
    gt_buf edit;
    gt_buf_init(&edit, d->hidden.alloc);
    gt_text_diff(hidden, shown, &edit);
    bool good = !gt_buf_failed(&edit), is_same = edit.len == 0;
    gt_run_iter iter = {0};
    if (good && !is_same) iter = gt_runs_of(gt_buf_bytes(&edit), count);
    gt_run run = {.kind = GT_RUN_KEEP, .count = count};
    while (good && (is_same || gt_run_next(&iter, &run))) {
        for (uint64_t i = 0; run.kind == GT_RUN_KEEP && i < run.count; i++) {
            d->double_of[from + i] = d->shown_at[to + i];
        }
        if (run.kind != GT_RUN_INSERT) from += run.count;
        if (run.kind != GT_RUN_REMOVE) to += run.count;
        if (is_same) break;
    }
    gt_buf_free(&edit);
    return good;
}

enum { SEEN, NOW, THEN };

static bool find_doubles(const gt_outcome *const worlds[3], doubles *d) {
    reading o[3];
    gt_arena *arena = &worlds[SEEN]->replay->arena;
    uint64_t elements = 0, shown = 0;
    uint32_t seen = 0;
    if (!open_readings(o, worlds)) return false;
    for (const gt_span *span = NULL; (span = gt_sequence_span(o[SEEN].sequence, span)) != NULL;) {
        elements += span->length;
    }
    d->shown_at = gt_arena_new(arena, (size_t)elements + 1, sizeof(*d->shown_at));
    d->double_of = gt_arena_new(arena, (size_t)elements + 1, sizeof(*d->double_of));
    if (d->shown_at == NULL || d->double_of == NULL) return false;
    while (next_spans(o)) {
        bool was_seen = o[SEEN].is_left;
        uint32_t count = o[SEEN].span->length, before = seen;
        if (was_seen) seen += count;
        if (was_seen == o[NOW].is_left) continue;
        gt_bytes text = text_in(&o[was_seen ? SEEN : NOW]);
        gt_buf_append(was_seen ? &d->shown : &d->hidden, text.data, text.len);
        for (uint32_t i = 0; was_seen && i < count; i++) d->shown_at[shown++] = before + 1 + i;
    }
    return !gt_buf_failed(&d->shown) && !gt_buf_failed(&d->hidden) && match(d);
}

/* What comes in stands behind that which stands before it in `now`, or behind what stands for that. Gives how many are seen;
 * UINT32_MAX without memory. */
static uint32_t carry(const gt_outcome *const worlds[3], const doubles *d, carried *c) {
    reading o[3];
    gt_arena *arena = &worlds[SEEN]->replay->arena;
    uint32_t seen = 0, behind = 0;
    uint64_t hidden = 0;
    if (!open_readings(o, worlds)) return UINT32_MAX;
    while (next_spans(o)) {
        uint32_t length = o[SEEN].span->length;
        bool was = o[NOW].is_left, is = o[THEN].is_left;
        if (o[SEEN].is_left) {
            if (was && !is) memset(c->goes + seen + 1, 1, length);
            seen += length;
            if (was) behind = seen;
        } else if (was) {
            for (uint32_t i = 0; i < length; i++) {
                uint32_t other = d->double_of[hidden++];
                if (other != 0) behind = other;
                if (other != 0 && !is) c->goes[other] = 1;
            }
        } else if (is) {
            insertion *one = gt_arena_new(arena, 1, sizeof(*one));
            if (one == NULL) return UINT32_MAX;
            one->text = text_in(&o[THEN]);
            if (c->last_behind[behind] == NULL) {
                c->behind[behind] = one;
            } else {
                c->last_behind[behind]->next = one;
            }
            c->last_behind[behind] = one;
        }
    }
    return seen;
}

static void write_carried(const carried *c, uint32_t seen, gt_run_writer *writer) {
    for (uint32_t i = 0; i <= seen; i++) {
        if (i > 0 && c->goes[i]) gt_run_remove(writer, 1);
        if (i > 0 && !c->goes[i]) gt_run_keep(writer, 1);
        for (const insertion *one = c->behind[i]; one != NULL; one = one->next) gt_run_insert(writer, one->text);
    }
}

static bool carry_text(const gt_outcome *const worlds[3], doubles *d, gt_run_writer *writer) {
    gt_arena *arena = &worlds[SEEN]->replay->arena;
    carried c;
    gt_sequence *seen = gt_text_sequence(worlds[SEEN]->replay, &worlds[SEEN]->history);
    size_t count = 1;
    gt_span *span = NULL;
    gt_element first;
    uint32_t length;
    if (seen == NULL) return false;
    while (gt_sequence_next(seen, &span, &first, &length)) count += length;
    c.goes = gt_arena_new(arena, count, 1);
    c.behind = gt_arena_new(arena, count, sizeof(insertion *));
    c.last_behind = gt_arena_new(arena, count, sizeof(insertion *));
    if (c.goes == NULL || c.behind == NULL || c.last_behind == NULL || !find_doubles(worlds, d)) return false;
    uint32_t all = carry(worlds, d, &c);
    if (all == UINT32_MAX) return false;
    write_carried(&c, all, writer);
    return true;
}

goat_status gt_text_carry(const gt_outcome *seen, const gt_outcome *now, const gt_outcome *then, gt_buf *edit) {
    const gt_outcome *const worlds[3] = {seen, now, then};
    doubles d = {0};
    gt_run_writer writer;
    gt_buf_init(&d.hidden, edit->alloc);
    gt_buf_init(&d.shown, edit->alloc);
    gt_run_writer_init(&writer, edit->alloc);
    bool good = carry_text(worlds, &d, &writer);
    gt_run_writer_end(&writer, edit);
    gt_buf_free(&d.hidden);
    gt_buf_free(&d.shown);
    return good ? GOAT_OK : gt_no_memory(then->replay->diag);
}
