#include "merge/rich_diff.h"

#include "merge/rich_runs.h"
#include "merge/text_diff.h"
#include "value/build.h"

/* One of the two documents, as far as it was gone through. */
typedef struct side {
    gt_iter iter;
    gt_rich_piece piece;
} side;

static bool fill(side *s) { return s->piece.count > 0 || gt_rich_next(&s->iter, &s->piece); }

static gt_rich_piece take(side *s, uint64_t most) {
    return gt_rich_take(&s->piece, most < s->piece.count ? most : s->piece.count);
}

typedef struct differ {
    side before, after;
    gt_rich_run_writer writer;
    gt_buf attributes;
} differ;

static void insert(differ *d, uint64_t count) {
    while (count > 0 && fill(&d->after)) {
        gt_rich_piece piece = take(&d->after, count);
        gt_rich_run_insert(&d->writer, &piece);
        count -= piece.count;
    }
}

static void remove_old(differ *d, uint64_t count) {
    gt_rich_run_remove(&d->writer, count);
    while (count > 0 && fill(&d->before)) count -= take(&d->before, count).count;
}

/* The text of both is the same here. An embed is U+FFFC in it, so that what stands there may still be another; and attributes
 * that no edit may give to what stands already come with new elements. */
static void keep(differ *d, uint64_t count) {
    while (count > 0 && fill(&d->before) && fill(&d->after)) {
        gt_rich_piece old = take(&d->before, count < d->after.piece.count ? count : d->after.piece.count);
        gt_rich_piece new = take(&d->after, old.count);
        bool same = old.is_embed == new.is_embed && (!old.is_embed || gt_bytes_equal(old.content, new.content));
        d->attributes.len = 0;
        gt_rich_attributes_diff(old.attributes, new.attributes, &d->attributes);
        if (same && d->attributes.len <= GT_RICH_ATTRIBUTES_MAX) {
            gt_rich_run_keep(&d->writer, old.count, gt_buf_bytes(&d->attributes));
        } else {
            gt_rich_run_insert(&d->writer, &new);
            gt_rich_run_remove(&d->writer, old.count);
        }
        count -= old.count;
    }
}

static void write(differ *d, gt_bytes text_edit) {
    gt_run_iter iter = gt_runs_of(text_edit, UINT64_MAX);
    for (gt_run run; gt_run_next(&iter, &run);) {
        if (run.kind == GT_RUN_KEEP) keep(d, run.count);
        if (run.kind == GT_RUN_INSERT) insert(d, run.count);
        if (run.kind == GT_RUN_REMOVE) remove_old(d, run.count);
    }
}

void gt_rich_diff_along(gt_bytes before, gt_bytes after, gt_bytes text_edit, gt_buf *edit) {
    differ d = {.before.iter = gt_array_iter(before), .after.iter = gt_array_iter(after)};
    gt_buf_init(&d.attributes, edit->alloc);
    gt_rich_run_writer_init(&d.writer, edit->alloc);
    if (text_edit.len > 0) write(&d, text_edit);
    keep(&d, UINT64_MAX); /* what no run speaks of any more */
    if (gt_buf_failed(&d.attributes)) edit->failed = true;
    gt_rich_run_writer_end(&d.writer, edit);
    gt_buf_free(&d.attributes);
}

void gt_rich_diff(gt_bytes before, gt_bytes after, gt_buf *edit) {
    gt_buf old, new, text_edit;
    gt_buf_init(&old, edit->alloc);
    gt_buf_init(&new, edit->alloc);
    gt_buf_init(&text_edit, edit->alloc);
    gt_buf_reserve(&old, 1); /* so that an empty text lies somewhere, too */
    gt_buf_reserve(&new, 1);
    gt_rich_plain(before, &old);
    gt_rich_plain(after, &new);
    gt_text_diff(gt_buf_bytes(&old), gt_buf_bytes(&new), &text_edit);
    if (gt_buf_failed(&old) || gt_buf_failed(&new) || gt_buf_failed(&text_edit)) {
        edit->failed = true;
    } else {
        gt_rich_diff_along(before, after, gt_buf_bytes(&text_edit), edit);
    }
    gt_buf_free(&text_edit);
    gt_buf_free(&new);
    gt_buf_free(&old);
}
