/* Reading traces: {startContent, endContent, txns: [{patches: [[position, removed, inserted], …], parents, agent}, …]}. */
#define _GNU_SOURCE
#include "trace.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

enum { BYTES_MAX = 512 * 1024 * 1024 };

static char *read_all(const char *path, size_t *len) {
    gzFile file = gzopen(path, "rb");
    size_t capacity = 1 << 20;
    char *bytes = malloc(capacity);
    if (file == NULL || bytes == NULL) trace_fail("%s cannot be read", path);
    *len = 0;
    for (int got; (got = gzread(file, bytes + *len, (unsigned)(capacity - *len))) != 0;) {
        if (got < 0 || capacity > BYTES_MAX) trace_fail("%s is no gzipped file, or too large", path);
        *len += (size_t)got;
        if (*len < capacity) continue;
        capacity *= 2;
        bytes = realloc(bytes, capacity);
        if (bytes == NULL) trace_fail("no memory for %s", path);
    }
    gzclose(file);
    return bytes;
}

static void *many(size_t count, size_t size) {
    void *made = calloc(count + 1, size);
    if (made == NULL) trace_fail("no memory for a trace");
    return made;
}

static char *copy_text(const json_t *value, size_t *len) {
    *len = json_string_length(value); /* 0 where there is none */
    char *copy = many(*len, 1);
    if (*len > 0) memcpy(copy, json_string_value(value), *len);
    return copy;
}

static uint32_t number_of(const json_t *value, const char *path) {
    json_int_t number = json_integer_value(value);
    if (!json_is_integer(value) || number < 0 || number > INT32_MAX) trace_fail("%s: a number is none", path);
    return (uint32_t)number;
}

typedef struct sums {
    size_t patches, parents, text;
} sums;

static sums sum_up(const json_t *txns) {
    sums all = {0};
    size_t i, j;
    json_t *txn, *patch;
    json_array_foreach(txns, i, txn) {
        all.parents += json_array_size(json_object_get(txn, "parents"));
        json_array_foreach(json_object_get(txn, "patches"), j, patch) {
            all.patches++;
            all.text += json_string_length(json_array_get(patch, 2));
        }
    }
    return all;
}

static void fill(trace *t, const json_t *txns, const char *path) {
    sums all = sum_up(txns);
    t->txn_count = (uint32_t)json_array_size(txns);
    t->patch_count = (uint32_t)all.patches;
    t->txns = many(t->txn_count, sizeof(*t->txns));
    t->patches = many(all.patches, sizeof(*t->patches));
    t->parents = many(all.parents, sizeof(*t->parents));
    t->texts = many(all.text, 1);
    trace_patch *patch_at = t->patches;
    uint32_t *parent_at = t->parents;
    char *text_at = t->texts;
    size_t i, j;
    json_t *txn, *patch, *parent;
    json_array_foreach(txns, i, txn) {
        trace_txn *to = &t->txns[i];
        const json_t *agent = json_object_get(txn, "agent");
        to->agent = agent == NULL ? 0 : number_of(agent, path);
        to->patches = patch_at;
        to->parents = parent_at;
        if (to->agent >= t->agents) trace_fail("%s: txn %zu has an agent too many", path, i);
        json_array_foreach(json_object_get(txn, "patches"), j, patch) {
            const json_t *text = json_array_get(patch, 2);
            patch_at->position = number_of(json_array_get(patch, 0), path);
            patch_at->removed = number_of(json_array_get(patch, 1), path);
            patch_at->text = text_at;
            patch_at->text_len = json_string_length(text);
            if (patch_at->text_len > 0) memcpy(text_at, json_string_value(text), patch_at->text_len);
            text_at += patch_at->text_len;
            patch_at++;
            to->patch_count++;
        }
        json_array_foreach(json_object_get(txn, "parents"), j, parent) {
            *parent_at = number_of(parent, path);
            if (*parent_at >= i) trace_fail("%s: txn %zu has a later one as its parent", path, i);
            parent_at++;
            to->parent_count++;
        }
    }
}

trace *trace_load(const char *path) {
    size_t len;
    json_error_t fault;
    char *bytes = read_all(path, &len);
    json_t *root = json_loadb(bytes, len, 0, &fault);
    free(bytes);
    if (root == NULL) trace_fail("%s: %s", path, fault.text);
    trace *t = many(1, sizeof(*t));
    const char *name = strrchr(path, '/');
    snprintf(t->name, sizeof(t->name), "%s", name == NULL ? path : name + 1);
    t->name[strcspn(t->name, ".")] = '\0';
    const json_t *kind = json_object_get(root, "kind"), *agents = json_object_get(root, "numAgents");
    t->is_concurrent = json_is_string(kind) && strcmp(json_string_value(kind), "concurrent") == 0;
    t->agents = agents == NULL ? 1 : number_of(agents, path);
    if (!json_is_string(json_object_get(root, "endContent"))) trace_fail("%s is no trace", path);
    t->start = copy_text(json_object_get(root, "startContent"), &t->start_len);
    t->end = copy_text(json_object_get(root, "endContent"), &t->end_len);
    fill(t, json_object_get(root, "txns"), path);
    json_decref(root);
    return t;
}

/* ---- a part of one ---- */

static size_t bytes_of(const char *text, size_t len, uint32_t points) {
    size_t at = 0;
    for (; at < len; at++) {
        if ((text[at] & 0xc0) != 0x80 && points-- == 0) break;
    }
    return at;
}

void trace_shorten(trace *t) {
    enum { EDITS = 2000 };
    if (t->patch_count <= EDITS) return;
    size_t most = t->start_len + 1;
    for (uint32_t i = 0; i < EDITS; i++) most += t->patches[i].text_len;
    char *text = many(most, 1);
    size_t len = t->start_len;
    memcpy(text, t->start, len);
    for (uint32_t i = 0; i < EDITS; i++) {
        const trace_patch *patch = &t->patches[i];
        size_t at = bytes_of(text, len, patch->position), gone = bytes_of(text + at, len - at, patch->removed);
        memmove(text + at + patch->text_len, text + at + gone, len - at - gone);
        if (patch->text_len > 0) memcpy(text + at, patch->text, patch->text_len);
        len += patch->text_len - gone;
    }
    free(t->end);
    t->end = text;
    t->end_len = len;
    t->patch_count = EDITS;
}

void trace_free(trace *t) {
    free(t->txns);
    free(t->patches);
    free(t->parents);
    free(t->texts);
    free(t->start);
    free(t->end);
    free(t);
}
