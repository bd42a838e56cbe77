#include "merge/text_diff.h"

#include "base/utf8.h"

typedef enum level { LINES, WORDS } level;

typedef struct differ {
    const gt_alloc *alloc;
    gt_run_writer writer;
    bool failed;
} differ;

static void compare(differ *d, gt_bytes before, gt_bytes after, level by);

/* ---- tokens ---- */

bool gt_is_of_word(uint8_t byte) {
    uint8_t lower = byte | 0x20;
    return byte >= 0x80 || (byte >= '0' && byte <= '9') || (lower >= 'a' && lower <= 'z') || byte == '_';
}

static size_t token_len(gt_bytes text, level by) {
    size_t len = 0;
    if (by == LINES) {
        const uint8_t *end = memchr(text.data, '\n', text.len);
        return end == NULL ? text.len : (size_t)(end - text.data) + 1;
    }
    while (len < text.len && gt_is_of_word(text.data[len])) len++;
    return len == 0 ? 1 : len;
}

static bool cut(gt_arena *arena, gt_bytes text, level by, gt_tokens *out) {
    uint32_t count = 0;
    for (size_t at = 0; at < text.len; count++) at += token_len(gt_bytes_behind(text, at), by);
    if (!gt_tokens_init(out, arena, count)) return false;
    for (size_t at = 0; at < text.len;) {
        size_t len = token_len(gt_bytes_behind(text, at), by);
        out->pieces[out->count++] = gt_bytes_of(text.data + at, len);
        at += len;
    }
    return true;
}

/* ---- writing ---- */

static uint64_t count_of(gt_bytes text) { return gt_utf8_count(text.data, text.len); }

/* What two words have in common at one end, in whole code points. */
static size_t common(gt_bytes a, gt_bytes b, bool at_end) {
    size_t most = a.len < b.len ? a.len : b.len, len = 0;
    while (len < most && (at_end ? a.data[a.len - 1 - len] == b.data[b.len - 1 - len] : a.data[len] == b.data[len]))
        len++;
    if (at_end) {
        while (len > 0 && (a.data[a.len - len] & 0xc0) == 0x80) len--;
    } else {
        while (len > 0 && len < a.len && (a.data[len] & 0xc0) == 0x80) len--;
        while (len > 0 && len < b.len && (b.data[len] & 0xc0) == 0x80) len--;
    }
    return len;
}

static gt_bytes part(gt_bytes text, size_t begin, size_t end) {
    return gt_bytes_of(text.data + begin, text.len - begin - end);
}

/* One word for another, or several: ends that are the same stay where that is most of the shorter one. */
static void replace(differ *d, gt_bytes before, gt_bytes after) {
    size_t begin = common(before, after, false);
    gt_bytes rest_before = part(before, begin, 0), rest_after = part(after, begin, 0);
    size_t end = common(rest_before, rest_after, true), shorter = before.len < after.len ? before.len : after.len;
    if (2 * (begin + end) < shorter) begin = end = 0;
    gt_run_keep(&d->writer, count_of(gt_bytes_of(before.data, begin)));
    gt_run_insert(&d->writer, part(after, begin, end));
    gt_run_remove(&d->writer, count_of(part(before, begin, end)));
    gt_run_keep(&d->writer, count_of(gt_bytes_of(before.data + before.len - end, end)));
}

static gt_bytes join(const gt_tokens *of, uint32_t from, uint32_t to) {
    if (from == to) return gt_bytes_of("", 0); /* ends of it are taken: not NULL */
    const uint8_t *begin = of->pieces[from].data, *end = of->pieces[to - 1].data + of->pieces[to - 1].len;
    return gt_bytes_of(begin, (size_t)(end - begin));
}

static void write(differ *d, const gt_tokens *before, const gt_tokens *after, level by) {
    uint32_t i = 0, j = 0;
    while (i < before->count || j < after->count) {
        uint32_t i0 = i, j0 = j;
        while (i < before->count && before->marks[i]) i++;
        while (j < after->count && after->marks[j]) j++;
        gt_bytes gone = join(before, i0, i), come = join(after, j0, j);
        if (by == LINES && gone.len > 0 && come.len > 0) {
            compare(d, gone, come, WORDS);
        } else {
            replace(d, gone, come);
        }
        for (; i < before->count && j < after->count && !before->marks[i] && !after->marks[j]; i++, j++) {
            gt_run_keep(&d->writer, count_of(before->pieces[i]));
        }
    }
}

static void compare(differ *d, gt_bytes before, gt_bytes after, level by) {
    gt_arena arena;
    gt_tokens a = {0}, b = {0};
    gt_arena_init(&arena, d->alloc);
    d->failed = d->failed || !cut(&arena, before, by, &a) || !cut(&arena, after, by, &b) ||
                !gt_tokens_compare(&a, &b, d->alloc);
    if (!d->failed) write(d, &a, &b, by);
    gt_arena_free(&arena);
}

void gt_text_diff(gt_bytes before, gt_bytes after, gt_buf *edit) {
    differ d = {.alloc = edit->alloc};
    gt_run_writer_init(&d.writer, edit->alloc);
    compare(&d, before, after, LINES);
    if (d.failed) d.writer.runs.failed = true;
    gt_run_writer_end(&d.writer, edit);
}
