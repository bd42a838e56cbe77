#include "merge/marks.h"

#include "base/assert.h"
#include "value/rich.h"
#include "value/sort.h"

typedef struct mark {
    struct mark *before; /* that was added before it */
    uint32_t step;
    bool given_up;     /* another one is about its range, too */
    const gt_step *by; /* from gt_marks_begin() on */
    gt_element first, last;
    gt_bytes name, value;
    uint32_t name_number; /* and its place among all marks, by name, of one name the latest first */
    uint32_t rank;
    struct mark *next_begin, *next_end; /* others that begin or end at the same span */
    struct mark *next_of_run;           /* of one range, by name */
} mark;

/* What begins and ends at a span. */
typedef struct ends {
    const gt_span *span; /* NULL: a free place */
    mark *begins, *ends;
} ends;

enum { LEVELS = 6 }; /* 64 to the sixth is more than there are marks */

struct gt_marks {
    gt_replay *replay;
    const gt_spans *spans;
    mark *newest;
    uint32_t count;
    mark *last_run; /* the first of the last range that was added */
    /* from gt_marks_begin() on */
    mark **sorted;
    uint64_t *active[LEVELS]; /* by rank, as bits; a bit of a level above says that the word below is not 0 */
    uint32_t *name_ends;      /* by name: the rank behind its last mark */
    uint32_t name_count, active_count;
    ends *places; /* open addressing */
    size_t place_count;
    const gt_span *at; /* NULL: before the first */
    gt_past past;      /* of `past_of` */
    uint32_t past_of;
};

gt_marks *gt_marks_new(gt_replay *replay, const gt_spans *spans) {
    gt_marks *marks = gt_arena_new(spans->arena, 1, sizeof(*marks));
    if (marks == NULL) return NULL;
    marks->replay = replay;
    marks->spans = spans;
    return marks;
}

/* ---- adding ---- */

/* The element at a position; the span is cut before it, or behind it. False when there is no memory. */
static bool cut_at(gt_spans *spans, uint64_t position, bool behind, gt_element *element) {
    uint32_t within;
    gt_span *span = gt_spans_at(spans, position, &within);
    *element = (gt_element){span->first.step, span->first.index + within};
    uint32_t at = within + behind;
    return at == 0 || at == span->length || gt_span_split(spans, span, at) != NULL;
}

/* The mark of the range before this one that goes on in it. `*at` goes along that one's, as the names come in their order. */
static mark *find_same(mark **at, gt_bytes key, gt_bytes value) {
    while (*at != NULL && gt_key_compare((*at)->name, key) < 0) *at = (*at)->next_of_run;
    bool same = *at != NULL && gt_bytes_equal((*at)->name, key) && gt_bytes_equal((*at)->value, value);
    return same ? *at : NULL;
}

bool gt_marks_add(gt_marks *marks, gt_spans *spans, uint32_t step, uint64_t position, uint64_t count,
                  gt_bytes attributes, bool goes_on) {
    gt_element first, last;
    gt_bytes key, value;
    mark *at = goes_on ? marks->last_run : NULL, *first_of_run = NULL, **link = &first_of_run;
    if (!cut_at(spans, position, false, &first) || !cut_at(spans, position + count - 1, true, &last)) return false;
    for (gt_iter iter = gt_map_iter(attributes); gt_map_next(&iter, &key, &value);) {
        mark *same = find_same(&at, key, value);
        mark *one = gt_arena_new(spans->arena, 1, sizeof(*one));
        if (one == NULL || marks->count == UINT32_MAX) return false;
        *one = (mark){.before = marks->newest, .step = step, .first = first, .last = last, .name = key, .value = value};
        if (same != NULL) { /* one mark over both: the other gives its place up */
            one->first = same->first;
            same->given_up = true;
            marks->count--;
        }
        marks->newest = one;
        marks->count++;
        *link = one;
        link = &one->next_of_run;
    }
    marks->last_run = first_of_run;
    return true;
}

/* ---- looking ---- */

/* By name; the latest of one name first. Those of one step and name are never about one element. */
static bool stands_before(const void *x, const void *y) {
    const mark *a = *(const mark *const *)x, *b = *(const mark *const *)y;
    int order = gt_key_compare(a->name, b->name);
    if (order != 0) return order < 0;
    if (a->by->time != b->by->time) return a->by->time > b->by->time;
    order = memcmp(a->by->id, b->by->id, GT_HASH_SIZE);
    return order > 0;
}

static bool rank_all(gt_marks *marks) {
    gt_arena *arena = &marks->replay->arena;
    uint32_t count = 0;
    marks->sorted = gt_arena_new(arena, marks->count + 1u, sizeof(*marks->sorted));
    marks->name_ends = gt_arena_new(arena, marks->count + 1u, sizeof(*marks->name_ends));
    if (marks->sorted == NULL || marks->name_ends == NULL) return false;
    uint32_t bits = marks->count;
    for (int level = 0; level < LEVELS; level++) {
        bits = bits / 64 + 1;
        marks->active[level] = gt_arena_new(arena, bits, sizeof(*marks->active[level]));
        if (marks->active[level] == NULL) return false;
    }
    for (mark *one = marks->newest; one != NULL; one = one->before) {
        if (one->given_up) continue;
        one->by = &marks->replay->steps[one->step];
        one->next_begin = one->next_end = NULL;
        marks->sorted[count++] = one;
    }
    GOAT_ASSERT(count == marks->count);
    gt_sort(marks->sorted, count, sizeof(*marks->sorted), stands_before);
    for (uint32_t i = 0; i < count; i++) {
        mark *one = marks->sorted[i];
        if (i == 0 || !gt_bytes_equal(one->name, marks->sorted[i - 1]->name)) marks->name_count++;
        one->rank = i;
        one->name_number = marks->name_count - 1;
        marks->name_ends[one->name_number] = i + 1;
    }
    return true;
}

static ends *find_ends(const gt_marks *marks, const gt_span *span) {
    uint64_t mixed = (uint64_t)(uintptr_t)span * UINT64_C(0x9e3779b97f4a7c15);
    for (size_t at = (size_t)(mixed >> 32);; at++) {
        ends *found = &marks->places[at & (marks->place_count - 1)];
        if (found->span == NULL || found->span == span) return found;
    }
}

bool gt_marks_begin(gt_marks *marks) {
    marks->name_count = marks->active_count = 0;
    marks->at = NULL;
    marks->past_of = GT_OF_BASE;
    if (!rank_all(marks)) return false;
    for (marks->place_count = 4; marks->place_count < 4 * (size_t)marks->count;) marks->place_count *= 2;
    marks->places = gt_arena_new(&marks->replay->arena, marks->place_count, sizeof(*marks->places));
    if (marks->places == NULL) return false;
    for (uint32_t i = 0; i < marks->count; i++) {
        mark *one = marks->sorted[i];
        const gt_span *first = gt_spans_find(marks->spans, one->first), *last = gt_spans_find(marks->spans, one->last);
        ends *begin = find_ends(marks, first);
        begin->span = first;
        one->next_begin = begin->begins;
        begin->begins = one;
        ends *end = find_ends(marks, last);
        end->span = last;
        one->next_end = end->ends;
        end->ends = one;
    }
    gt_past_init(&marks->past, &marks->replay->ancestry);
    return true;
}

static void begin_mark(gt_marks *marks, const mark *one) {
    uint32_t at = one->rank;
    for (int level = 0; level < LEVELS; level++, at /= 64) marks->active[level][at / 64] |= UINT64_C(1) << at % 64;
    marks->active_count++;
}

static void end_mark(gt_marks *marks, const mark *one) {
    uint32_t at = one->rank;
    for (int level = 0; level < LEVELS; level++, at /= 64) {
        marks->active[level][at / 64] &= ~(UINT64_C(1) << at % 64);
        if (marks->active[level][at / 64] != 0) break;
    }
    marks->active_count--;
}

void gt_marks_go_to(gt_marks *marks, const gt_span *span) {
    while (marks->count > 0 && marks->at != span) {
        const ends *here = marks->at == NULL ? NULL : find_ends(marks, marks->at);
        for (const mark *one = here == NULL ? NULL : here->ends; one != NULL; one = one->next_end) end_mark(marks, one);
        marks->at = marks->at == NULL ? gt_span_first(marks->spans, GT_BY_PLACE) : gt_span_next(marks->at, GT_BY_PLACE);
        here = find_ends(marks, marks->at);
        for (const mark *one = here->begins; one != NULL; one = one->next_begin) begin_mark(marks, one);
        marks->replay->work++;
    }
}

/* Whether the author of `inserter` had seen `step`, which may be his own. False in `*good` when there is no memory. */
static bool has_seen(gt_marks *marks, uint32_t inserter, uint32_t step, bool *good) {
    if (inserter == GT_OF_BASE || step > inserter) return false;
    if (step == inserter) return true;
    if (marks->past_of != inserter) {
        gt_past_clear(&marks->past);
        *good = gt_past_add(&marks->past, inserter);
        marks->past_of = inserter;
    }
    return *good && gt_past_has(&marks->past, step);
}

static uint32_t first_bit(uint64_t word) {
    uint32_t at = 0;
    for (uint32_t half = 32; half > 0; half /= 2) {
        if ((word & ((UINT64_C(1) << half) - 1)) != 0) continue;
        word >>= half;
        at += half;
    }
    return at;
}

/* The first active rank from `from` on; the count of marks for none. Up to where anything is, and down to what it is. */
static uint32_t next_active(const gt_marks *marks, uint32_t from) {
    uint32_t at = from, bits = marks->count;
    int level = 0;
    for (; level < LEVELS && at < bits; level++, bits = bits / 64 + 1, at = at / 64 + 1) {
        uint64_t word = marks->active[level][at / 64] >> at % 64;
        if (word == 0) continue;
        at += first_bit(word);
        while (level-- > 0) at = 64 * at + first_bit(marks->active[level][at]);
        return at;
    }
    return marks->count;
}

/* Of the marks of one name from `rank` on, which is active, the latest that is about the elements at hand; NULL: none. */
static const mark *find_latest(gt_marks *marks, uint32_t rank, uint32_t end, uint32_t inserter, bool *good) {
    for (; rank < end; rank = next_active(marks, rank + 1)) {
        const mark *one = marks->sorted[rank];
        marks->replay->work++;
        if (!has_seen(marks, inserter, one->step, good)) return *good ? one : NULL;
    }
    return NULL;
}

bool gt_marks_attributes(gt_marks *marks, uint32_t inserter, gt_bytes own, gt_buf *out) {
    bool good = true;
    if (marks->active_count == 0) {
        if (own.data != NULL) gt_buf_append(out, own.data, own.len);
        return true;
    }
    gt_buf given;
    gt_buf_init(&given, out->alloc);
    gt_counted counted = gt_counted_begin(&given, true, marks->name_count);
    size_t count = 0;
    for (uint32_t rank = next_active(marks, 0), end; good && rank < marks->count; rank = next_active(marks, end)) {
        end = marks->name_ends[marks->sorted[rank]->name_number]; /* the order of names is that of keys */
        const mark *latest = find_latest(marks, rank, end, inserter, &good);
        if (latest == NULL) continue;
        gt_write_text(&given, latest->name);
        gt_buf_append(&given, latest->value.data, latest->value.len);
        count++;
    }
    gt_counted_end(&counted, count);
    good = good && !gt_buf_failed(&given);
    if (good) gt_rich_attributes_compose(own, gt_buf_bytes(&given), false, out);
    gt_buf_free(&given);
    return good;
}
