/* The documents: Debian's package index from $GOAT_DATA (../shared/data from the project's root), or made-up
 * ones of the same shape where that is not there. */
#define _GNU_SOURCE
#include "bench.h"

#include <stdlib.h>
#include <string.h>

enum { BATCH = 100 };

const char package_schema[] =
    "{\"ns\":\"package\",\"version\":1,\"fields\":{\"name\":{\"type\":\"string\",\"required\":true},"
    "\"version\":{\"type\":\"string\"},\"section\":{\"type\":\"string\"},\"priority\":{\"type\":\"string\"},"
    "\"arch\":{\"type\":\"string\"},\"installed_kib\":{\"type\":\"number\",\"min\":0},"
    "\"size\":{\"type\":\"number\",\"min\":0},\"description\":{\"type\":\"string\"},\"sha256\":{\"type\":\"string\"},"
    "\"homepage\":{\"type\":\"string\"},\"source\":{\"type\":\"string\"},\"depends\":{\"type\":\"list\"},"
    "\"tags\":{\"type\":\"set\"}}}";

static void add(documents *docs, json_t *object) {
    char *line = json_dumps(object, JSON_COMPACT);
    docs->names = realloc(docs->names, (docs->count + 1) * sizeof(char *));
    docs->lines = realloc(docs->lines, (docs->count + 1) * sizeof(char *));
    docs->line_lens = realloc(docs->line_lens, (docs->count + 1) * sizeof(size_t));
    docs->names[docs->count] = strdup(json_string_value(json_object_get(object, "name")));
    docs->lines[docs->count] = line;
    docs->line_lens[docs->count] = strlen(line);
    docs->bytes += strlen(line);
    docs->count++;
}

static bool load_real(documents *docs, size_t most) {
    const char *data = getenv("GOAT_DATA");
    char command[1200];
    snprintf(command, sizeof(command), "gzip -dc '%s/debian-packages.ndjson.gz' 2>/dev/null",
             data != NULL ? data : "../shared/data");
    FILE *file = popen(command, "r");
    char *line = NULL;
    size_t capacity = 0;
    while (file != NULL && docs->count < most && getline(&line, &capacity, file) > 0) {
        json_t *object = json_loads(line, 0, NULL);
        if (json_is_object(object)) add(docs, object);
        json_decref(object);
    }
    free(line);
    if (file != NULL) pclose(file);
    return docs->count > 0;
}

static void make_up(documents *docs, size_t most) {
    static const char *const sections[] = {"libs", "games", "shells", "utils", "python", "doc", "net", "devel"};
    for (size_t i = 0; i < most; i++) {
        char name[32], hash[65];
        snprintf(name, sizeof(name), "package-%zu", i);
        for (int j = 0; j < 64; j++) hash[j] = "0123456789abcdef"[(i * 2654435761u >> (j % 28)) & 15];
        hash[64] = '\0';
        json_t *object = json_pack(
            "{s:s, s:s, s:s, s:s, s:s, s:i, s:i, s:s, s:s, s:s, s:[s,s,s], s:[s,s]}", "name", name, "version", "1.0-1",
            "section", sections[i * 7 % 97 % 8], "priority", "optional", "arch", "amd64", "installed_kib", (int)(i % 9000),
            "size", (int)(i * 37 % 900000), "description", "a package that was made up for a measurement", "sha256", hash,
            "homepage", "https://example.org/", "depends", "libc6 (>= 2.34)", "libgcc-s1 (>= 3.4)", "zlib1g", "tags",
            "implemented-in::c", "role::program");
        add(docs, object);
        json_decref(object);
    }
}

/* One batch of edits as JSON; with `wrapped` sets are marked, so that the text makes sense without a schema. */
static char *edits_of(const documents *docs, size_t first, size_t count, bool wrapped) {
    json_t *list = json_array();
    for (size_t i = first; i < first + count; i++) {
        json_t *object = json_loads(docs->lines[i], 0, NULL);
        json_t *tags = json_object_get(object, "tags");
        if (wrapped && tags != NULL) json_object_set_new(object, "tags", json_pack("{s:O}", "$set", tags));
        json_array_append_new(list, json_pack("{s:s, s:s, s:o}", "key", docs->names[i], "schema", "package", "replace",
                                              object));
    }
    char *text = json_dumps(list, JSON_COMPACT);
    json_decref(list);
    return text;
}

documents *documents_load(size_t most) {
    documents *docs = calloc(1, sizeof(*docs));
    docs->real = load_real(docs, most);
    if (!docs->real) make_up(docs, most == SIZE_MAX ? 60000 : most);
    docs->batch = BATCH;
    docs->batch_count = (docs->count + BATCH - 1) / BATCH;
    docs->edits = calloc(docs->batch_count, sizeof(goat_buf));
    docs->edits_json = calloc(docs->batch_count, sizeof(char *));
    for (size_t b = 0; b < docs->batch_count; b++) {
        size_t first = b * BATCH, count = docs->count - first < BATCH ? docs->count - first : BATCH;
        goat_error *error = NULL;
        char *wrapped = edits_of(docs, first, count, true);
        check(goat_value_from_json(wrapped, strlen(wrapped), &docs->edits[b], &error), error, "preparing documents");
        free(wrapped);
        docs->edits_json[b] = edits_of(docs, first, count, false);
    }
    return docs;
}

void documents_free(documents *docs) {
    for (size_t i = 0; i < docs->count; i++) {
        free(docs->names[i]);
        free(docs->lines[i]);
    }
    for (size_t b = 0; b < docs->batch_count; b++) {
        goat_buf_free(&docs->edits[b]);
        free(docs->edits_json[b]);
    }
    free(docs->names);
    free(docs->lines);
    free(docs->line_lens);
    free(docs->edits);
    free(docs->edits_json);
    free(docs);
}
