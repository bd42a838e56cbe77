#include "merge/arrangement.h"

#include "value/build.h"
#include "value/sort.h"

void gt_arrangement_init(gt_arrangement *a, uint64_t base_count, const gt_alloc *alloc) {
    *a = (gt_arrangement){.alloc = alloc, .base_count = base_count};
}

void gt_arrangement_free(gt_arrangement *a) { gt_free(a->alloc, a->pieces); }

static bool continues(const gt_piece *last, const gt_piece *piece) {
    if (last->first == GT_PIECE_NEW || piece->first == GT_PIECE_NEW) {
        return last->first == piece->first && last->values.data + last->values.len == piece->values.data;
    }
    return last->first + last->count == piece->first && last->moved == piece->moved && last->values.data == NULL &&
           piece->values.data == NULL;
}

void gt_arrangement_add(gt_arrangement *a, const gt_piece *piece) {
    gt_piece *last = a->count == 0 ? NULL : &a->pieces[a->count - 1];
    if (piece->count == 0) return;
    if (last != NULL && continues(last, piece)) {
        last->count += piece->count;
        last->values.len += piece->values.len;
        return;
    }
    a->failed =
        a->failed || !gt_reserve(a->alloc, (void **)(void *)&a->pieces, a->count, &a->capacity, sizeof(*a->pieces));
    if (!a->failed) a->pieces[a->count++] = *piece;
}

uint64_t gt_arrangement_size(const gt_arrangement *a) {
    uint64_t size = 0;
    for (size_t i = 0; i < a->count; i++) size += a->pieces[i].count;
    return size;
}

/* ---- of an edit ---- */

/* An element that is moved or given another value; once all are known, one of these for each. */
typedef struct touch {
    uint64_t at;    /* in the base */
    uint32_t order; /* of the run; NO_PLACE: it stays where it is */
    bool moves;
    gt_bytes value;
} touch;

typedef struct touches {
    touch *list;
    size_t count;
} touches;

#define NO_PLACE UINT32_MAX
#define REMOVED (UINT32_MAX - 1)

static bool touch_is_before(const void *a, const void *b) {
    const touch *x = a, *y = b;
    return x->at != y->at ? x->at < y->at : x->order < y->order;
}

static size_t find_touch(const touches *t, uint64_t at) { /* the first that is not before it */
    size_t low = 0, high = t->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (t->list[middle].at < at) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

/* Puts what was said of one element together. */
static void unite(touches *t) {
    size_t kept = 0;
    for (size_t i = 0; i < t->count;) {
        touch one = t->list[i];
        if (!one.moves) one.order = NO_PLACE;
        for (i++; i < t->count && t->list[i].at == one.at; i++) {
            if (t->list[i].moves) one.order = t->list[i].order;
            if (t->list[i].value.data != NULL) one.value = t->list[i].value;
        }
        t->list[kept++] = one;
    }
    t->count = kept;
}

static bool find_touched(gt_arena *arena, gt_bytes edit, uint64_t base_count, touches *t) {
    size_t most = 0;
    uint64_t at = 0;
    uint32_t order = 0;
    gt_run run;
    for (gt_run_iter iter = gt_runs_of(edit, base_count); gt_run_next(&iter, &run);) {
        most += run.kind == GT_RUN_MOVE || run.kind == GT_RUN_SET;
    }
    if (most == 0) return true;
    t->list = gt_arena_new(arena, most, sizeof(*t->list));
    if (t->list == NULL) return false;
    for (gt_run_iter iter = gt_runs_of(edit, base_count); gt_run_next(&iter, &run); order++) {
        if (run.kind == GT_RUN_MOVE) t->list[t->count++] = (touch){run.from, order, true, run.value};
        if (run.kind == GT_RUN_SET) t->list[t->count++] = (touch){at++, order, false, run.value};
        if (run.kind == GT_RUN_KEEP || run.kind == GT_RUN_REMOVE) at += run.count;
    }
    gt_sort(t->list, t->count, sizeof(*t->list), touch_is_before);
    unite(t);
    at = 0;
    for (gt_run_iter iter = gt_runs_of(edit, base_count); gt_run_next(&iter, &run);) {
        if (run.kind == GT_RUN_INSERT || run.kind == GT_RUN_MOVE) continue;
        size_t i = run.kind == GT_RUN_REMOVE ? find_touch(t, at) : t->count;
        at += run.count;
        for (; i < t->count && t->list[i].at < at; i++) t->list[i].order = REMOVED;
    }
    return true;
}

/* Those of a stretch that stay where they are. */
static void add_kept(gt_arrangement *a, const touches *t, uint64_t at, uint64_t end) {
    for (size_t i = find_touch(t, at); i < t->count && t->list[i].at < end; i++) {
        const touch *one = &t->list[i];
        gt_arrangement_add(a, &(gt_piece){.first = at, .count = one->at - at});
        if (one->order == NO_PLACE)
            gt_arrangement_add(a, &(gt_piece){.first = one->at, .count = 1, .values = one->value});
        at = one->at + 1;
    }
    gt_arrangement_add(a, &(gt_piece){.first = at, .count = end - at});
}

void gt_arrangement_of_edit(gt_arrangement *a, gt_bytes edit) {
    gt_arena arena;
    touches t = {0};
    uint64_t at = 0;
    uint32_t order = 0;
    gt_run run;
    gt_arena_init(&arena, a->alloc);
    a->failed = a->failed || !find_touched(&arena, edit, a->base_count, &t);
    for (gt_run_iter iter = gt_runs_of(edit, a->base_count); !a->failed && gt_run_next(&iter, &run); order++) {
        if (run.kind == GT_RUN_INSERT) {
            gt_arrangement_add(a, &(gt_piece){.first = GT_PIECE_NEW, .count = run.count, .values = run.inserted});
        } else if (run.kind == GT_RUN_MOVE) {
            const touch *one = &t.list[find_touch(&t, run.from)];
            gt_piece piece = {.first = run.from, .count = 1, .values = one->value, .moved = true};
            if (one->order == order) gt_arrangement_add(a, &piece);
        } else {
            if (run.kind != GT_RUN_REMOVE) add_kept(a, &t, at, at + run.count);
            at += run.count;
        }
    }
    gt_arena_free(&arena);
}

/* ---- one after the other ---- */

/* Where the elements of inserted pieces begin, by piece; NULL: not looked for yet. */
typedef struct starts {
    gt_arena arena;
    const uint8_t ***of;
} starts;

static const uint8_t **find_starts(starts *all, size_t number, const gt_piece *piece) {
    if (all->of[number] != NULL) return all->of[number];
    const uint8_t **list = gt_arena_new(&all->arena, (size_t)piece->count + 1, sizeof(*list));
    const uint8_t *at = piece->values.data, *end = at + piece->values.len;
    for (uint64_t i = 0; list != NULL && i <= piece->count; i++) {
        list[i] = at;
        if (i < piece->count) at = gt_value_skip(at, end);
    }
    all->of[number] = list;
    return list;
}

/* So many elements of a piece from number `from` on; of no elements when there is no memory. */
static gt_piece part_of(starts *all, size_t number, const gt_piece *piece, uint64_t from, uint64_t count) {
    gt_piece part = *piece;
    part.count = count;
    if (piece->first != GT_PIECE_NEW) {
        part.first += from;
    } else if (count < piece->count) {
        const uint8_t **list = find_starts(all, number, piece);
        if (list == NULL) return (gt_piece){0};
        part.values = gt_bytes_of(list[from], (size_t)(list[from + count] - list[from]));
    }
    return part;
}

static void add_through(gt_arrangement *a, const gt_arrangement *first, const uint64_t *begins, starts *all,
                        const gt_piece *two) {
    uint64_t at = two->first, left = two->count;
    size_t low = 0, high = first->count; /* the piece that holds `at` */
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (begins[middle] <= at) {
            low = middle;
        } else {
            high = middle;
        }
    }
    for (; left > 0; low++) {
        uint64_t within = at - begins[low], rest = first->pieces[low].count - within;
        gt_piece part = part_of(all, low, &first->pieces[low], within, left < rest ? left : rest);
        a->failed = a->failed || part.count == 0;
        if (a->failed) return;
        at += part.count;
        left -= part.count;
        part.moved = part.moved || two->moved;
        if (two->values.data != NULL) part.values = two->values;
        gt_arrangement_add(a, &part);
    }
}

void gt_arrangement_through(gt_arrangement *a, const gt_arrangement *first, const gt_arrangement *second) {
    uint64_t *begins = gt_new(a->alloc, first->count + 1, sizeof(*begins));
    starts all;
    gt_arena_init(&all.arena, a->alloc);
    all.of = gt_arena_new(&all.arena, first->count + 1, sizeof(*all.of));
    a->failed = a->failed || begins == NULL || all.of == NULL || first->failed || second->failed;
    for (size_t i = 0; !a->failed && i < first->count; i++) begins[i + 1] = begins[i] + first->pieces[i].count;
    for (size_t i = 0; !a->failed && i < second->count; i++) {
        const gt_piece *piece = &second->pieces[i];
        if (piece->first == GT_PIECE_NEW) {
            gt_arrangement_add(a, piece);
        } else {
            add_through(a, first, begins, &all, piece);
        }
    }
    gt_arena_free(&all.arena);
    gt_free(a->alloc, begins);
}

/* ---- on a base ---- */

/* Where the elements of a list begin: found going forward, or in a table where elements have changed places. */
typedef struct finder {
    const uint8_t *at, *end;
    uint64_t index, count;
    const uint8_t **table;
} finder;

static bool finder_init(finder *f, gt_arena *arena, gt_bytes list, bool any_moved) {
    gt_iter iter = {NULL, NULL, 0};
    if (list.data != NULL) iter = gt_array_iter(list);
    *f = (finder){.at = iter.next, .end = iter.end, .count = iter.left};
    if (!any_moved || f->count == 0) return true;
    f->table = gt_arena_new(arena, (size_t)f->count, sizeof(*f->table));
    if (f->table == NULL) return false;
    for (uint64_t i = 0; i < f->count; i++) {
        f->table[i] = f->at;
        f->at = gt_value_skip(f->at, f->end);
    }
    return true;
}

static const uint8_t *find(finder *f, uint64_t index) {
    if (index >= f->count) return f->end;
    if (f->table != NULL) return f->table[index];
    for (; f->index < index; f->index++) f->at = gt_value_skip(f->at, f->end);
    return f->at;
}

void gt_arrangement_simplify(gt_arrangement *a, gt_bytes base) {
    finder f;
    if (base.data == NULL || !finder_init(&f, NULL, base, false)) return;
    for (size_t i = 0; i < a->count; i++) {
        gt_piece *piece = &a->pieces[i];
        if (piece->first == GT_PIECE_NEW || piece->moved || piece->values.data == NULL) continue;
        const uint8_t *at = find(&f, piece->first), *behind = gt_value_skip(at, f.end);
        if (gt_value_equal(piece->values, gt_bytes_of(at, (size_t)(behind - at)))) piece->values = (gt_bytes){0};
    }
}

void gt_arrangement_apply(gt_arrangement *a, gt_bytes base, gt_buf *value) {
    gt_arena arena;
    finder f;
    bool any_moved = false;
    for (size_t i = 0; i < a->count; i++) any_moved |= a->pieces[i].moved;
    gt_arena_init(&arena, a->alloc);
    if (a->failed || !finder_init(&f, &arena, base, any_moved)) {
        value->failed = true;
    } else {
        gt_write_array_head(value, (size_t)gt_arrangement_size(a));
        for (size_t i = 0; i < a->count; i++) {
            const gt_piece *piece = &a->pieces[i];
            gt_bytes values = piece->values;
            if (values.data == NULL) {
                const uint8_t *begin = find(&f, piece->first);
                values = gt_bytes_of(begin, (size_t)(find(&f, piece->first + piece->count) - begin));
            }
            gt_buf_append(value, values.data, values.len);
        }
    }
    gt_arena_free(&arena);
}
