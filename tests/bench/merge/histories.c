#include "histories.h"

#include "value/build.h"
#include "value/json.h"
#include "value/value.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ID = 32, KEYS_MAX = 5 };

static const char text_schema[] = "{\"ns\":\"page\",\"version\":1,\"fields\":{\"text\":{\"type\":\"text\"}}}";
static const char five_schema[] =
    "{\"ns\":\"task\",\"version\":1,\"fields\":{\"title\":{\"type\":\"string\"},\"done\":{\"type\":\"boolean\"},"
    "\"votes\":{\"type\":\"counter\"},\"tags\":{\"type\":\"set\"},\"more\":{\"type\":\"map\"}}}";

_Noreturn void histories_fail(const char *what) {
    fprintf(stderr, "bench_merge: %s\n", what);
    exit(3);
}

static void must(goat_status status, const char *what) {
    if (status != GOAT_OK) histories_fail(what);
}

static void *many(size_t count, size_t size) {
    void *made = calloc(count + 1, size);
    if (made == NULL) histories_fail("no memory");
    return made;
}

uint32_t history_random(history *h, uint32_t below) { /* splitmix64 */
    uint64_t z = (h->random += UINT64_C(0x9e3779b97f4a7c15));
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return (uint32_t)((z ^ (z >> 31)) >> 32) % below;
}

history history_new(const char *definition, const char *base, uint64_t seed) {
    history h = {.random = seed};
    gt_hasher *hasher = NULL;
    gt_buf bytes;
    gt_buf_init(&bytes, &gt_alloc_system);
    gt_buf_init(&h.base, &gt_alloc_system);
    must(gt_hasher_new(&gt_alloc_system, &hasher, NULL), "no hasher");
    must(gt_value_from_json_text(gt_bytes_text(definition), &bytes, NULL), "the schema cannot be read");
    must(gt_schema_parse(&gt_alloc_system, hasher, gt_buf_bytes(&bytes), &h.schema, NULL), "the schema is wrong");
    if (base != NULL) must(gt_value_from_json_text(gt_bytes_text(base), &h.base, NULL), "the base cannot be read");
    gt_buf_free(&bytes);
    gt_hasher_free(hasher);
    return h;
}

void history_free(history *h) {
    for (uint32_t i = 0; i < h->count; i++) {
        free((void *)(uintptr_t)h->steps[i].id);
        free((void *)(uintptr_t)h->steps[i].parents);
        free((void *)(uintptr_t)h->steps[i].delta.data);
    }
    free(h->steps);
    gt_buf_free(&h->base);
    gt_schema_free(h->schema);
}

void history_add(history *h, const uint32_t *parents, uint32_t parent_count, gt_buf *delta) {
    if (h->count == h->capacity) {
        h->capacity = 2 * h->capacity + 16;
        h->steps = realloc(h->steps, h->capacity * sizeof(*h->steps));
        if (h->steps == NULL) histories_fail("no memory");
    }
    uint8_t *id = many(ID, 1), *bytes = many(delta->len, 1);
    uint32_t *own = many(parent_count, sizeof(*own));
    for (int i = 0; i < ID; i++) id[i] = (uint8_t)history_random(h, 256);
    if (parent_count > 0) memcpy(own, parents, parent_count * sizeof(*own));
    memcpy(bytes, delta->data, delta->len);
    h->steps[h->count] = (gt_step){.id = id,
                                   .time = 1000 + h->count,
                                   .delta = gt_bytes_of(bytes, delta->len),
                                   .parents = own,
                                   .parent_count = parent_count};
    h->count++;
    gt_buf_free(delta);
}

static void replay(const history *h, const gt_step *steps, uint32_t count, gt_buf *state) {
    gt_bytes base = h->base.len == 0 ? (gt_bytes){0} : gt_buf_bytes(&h->base);
    must(gt_merge_replay(&gt_alloc_system, h->schema, base, steps, count, state, NULL, NULL), "no replay");
}

void history_replay(const history *h, gt_buf *state) { replay(h, h->steps, h->count, state); }

/* ---- one base, many heads ---- */

history history_of_heads(uint32_t heads) {
    history h = history_new(five_schema,
                            "{\"title\":\"goats\",\"done\":false,\"votes\":3,\"tags\":{\"$set\":[1,2]},"
                            "\"more\":{\"a\":1,\"b\":2}}",
                            heads);
    for (uint32_t i = 0; i < heads; i++) {
        char text[200];
        gt_buf wanted, delta;
        uint32_t count;
        gt_buf_init(&wanted, &gt_alloc_system);
        gt_buf_init(&delta, &gt_alloc_system);
        snprintf(text, sizeof(text),
                 "{\"title\":\"title "
                 "%u\",\"done\":true,\"votes\":%u,\"tags\":{\"$set\":[1,%u]},\"more\":{\"a\":%u,\"b\":2}}",
                 (unsigned)i, (unsigned)(4 + i), (unsigned)(10 + i), (unsigned)(2 + i));
        must(gt_value_from_json_text(gt_bytes_text(text), &wanted, NULL), "a head cannot be read");
        if (gt_merge_diff(h.schema, gt_buf_bytes(&h.base), gt_buf_bytes(&wanted), &delta, &count, NULL) != GOAT_OK ||
            count != 5) {
            histories_fail("a head has no edits");
        }
        gt_buf_free(&wanted);
        history_add(&h, NULL, 0, &delta);
    }
    return h;
}

/* ---- one text ---- */

static gt_bytes text_of(const gt_buf *state) { return gt_map_find(gt_buf_bytes(state), gt_bytes_text("text")); }

/* The delta that splices a text, of which `state` is what its author sees. */
static gt_buf splice(const history *h, const gt_buf *state, uint64_t position, uint64_t removed, const char *put) {
    gt_buf delta;
    gt_splice edit = {.unit = GOAT_UNIT_CODE_POINT, .position = position, .count = removed, .text = gt_bytes_text(put)};
    gt_buf_init(&delta, &gt_alloc_system);
    gt_write_map_head(&delta, 1);
    gt_write_text(&delta, gt_bytes_text("text"));
    must(gt_edit_splice(gt_schema_field_at(h->schema, 0), text_of(state), &edit, &delta, NULL), "no splice");
    return delta;
}

typedef struct replica {
    bool *knows; /* by step */
    uint32_t *heads;
    uint32_t head_count;
} replica;

/* The view of what a replica knows. */
static void view_of(const history *h, const replica *one, gt_buf *state) {
    gt_step *steps = many(h->count, sizeof(*steps));
    uint32_t *places = many(h->count, sizeof(*places)), count = 0;
    uint32_t **parents = many(h->count, sizeof(*parents));
    for (uint32_t i = 0; i < h->count; i++) {
        if (!one->knows[i]) continue;
        steps[count] = h->steps[i];
        parents[count] = many(steps[count].parent_count, sizeof(**parents));
        for (uint32_t p = 0; p < steps[count].parent_count; p++) parents[count][p] = places[h->steps[i].parents[p]];
        steps[count].parents = parents[count];
        places[i] = count++;
    }
    gt_buf_clear(state);
    if (count > 0) replay(h, steps, count, state);
    if (count == 0) gt_buf_append(state, h->base.data, h->base.len);
    for (uint32_t i = 0; i < count; i++) free(parents[i]);
    free(parents);
    free(places);
    free(steps);
}

static void find_heads(const history *h, replica *one) {
    one->head_count = 0;
    for (uint32_t i = 0; i < h->count; i++) {
        bool is_head = one->knows[i];
        for (uint32_t j = i + 1; j < h->count && is_head; j++) {
            for (uint32_t p = 0; one->knows[j] && p < h->steps[j].parent_count; p++) {
                if (h->steps[j].parents[p] == i) is_head = false;
            }
        }
        if (is_head) one->heads[one->head_count++] = i;
    }
}

static void type_somewhere(history *h, replica *one, gt_buf *state) {
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz";
    char put[KEYS_MAX + 1] = {0};
    gt_bytes text;
    view_of(h, one, state);
    if (!gt_value_as_text(text_of(state), &text)) histories_fail("no text"); /* ASCII only */
    uint32_t at = history_random(h, (uint32_t)text.len + 1), removed = 0, keys = 1 + history_random(h, KEYS_MAX);
    if (history_random(h, 4) == 0 && at < text.len) removed = 1;
    for (uint32_t i = 0; i < keys; i++) put[i] = letters[history_random(h, 26)];
    gt_buf delta = splice(h, state, at, removed, put);
    find_heads(h, one);
    history_add(h, one->heads, one->head_count, &delta);
    one->knows[h->count - 1] = true;
}

history history_of_gossip(uint32_t replicas, uint32_t steps_each) {
    history h = history_new(text_schema, "{\"text\":\"The quick brown fox jumps over the lazy dog.\"}", steps_each);
    uint32_t all = replicas * steps_each;
    replica *list = many(replicas, sizeof(*list));
    gt_buf state;
    gt_buf_init(&state, &gt_alloc_system);
    for (uint32_t i = 0; i < replicas; i++) list[i] = (replica){many(all, 1), many(all, sizeof(uint32_t)), 0};
    for (uint32_t i = 0; i < all; i++) {
        replica *one = &list[history_random(&h, replicas)], *other = &list[history_random(&h, replicas)];
        for (uint32_t s = 0; history_random(&h, 2) == 0 && s < h.count; s++) one->knows[s] |= other->knows[s];
        type_somewhere(&h, one, &state);
    }
    for (uint32_t i = 0; i < replicas; i++) {
        free(list[i].knows);
        free(list[i].heads);
    }
    free(list);
    gt_buf_free(&state);
    return h;
}

history history_of_keys(uint32_t bytes) {
    static const char words[] = "so the goats went up the hill and ";
    history h = history_new(text_schema, NULL, bytes);
    char *text = many(bytes, 1);
    for (uint32_t i = 0; i < bytes; i++) text[i] = words[i % (sizeof(words) - 1)];
    gt_write_map_head(&h.base, 1);
    gt_write_text(&h.base, gt_bytes_text("text"));
    gt_write_text(&h.base, gt_bytes_of((const uint8_t *)text, bytes));
    free(text);
    for (uint32_t i = 0; i < 2; i++) {
        gt_buf delta = splice(&h, &h.base, bytes / 3 * (i + 1), 0, "x");
        history_add(&h, NULL, 0, &delta);
    }
    return h;
}
