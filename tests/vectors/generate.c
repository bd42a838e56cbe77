/* Writes the golden vectors anew, for a change of a format that is meant, and their frames, commits, messages and
 * packets as corpora for the fuzzers:
 *
 *     generate tests/vectors tests/fuzz/corpus
 *
 * Nothing runs this by itself; unit.commit_vectors_test and unit.sync_vectors_test compare what is kept with what the
 * library makes. */
#include "support/commit_vectors.h"
#include "support/sync_vectors.h"

#include "base/utf8.h"

#include <stdio.h>
#include <stdlib.h>

static _Noreturn void stop(const char *path) {
    fprintf(stderr, "%s: cannot be written\n", path);
    exit(1);
}

static void write_vectors(const char *folder, const char *name, const json_t *file) {
    char path[4096];
    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *out = fopen(path, "w");
    if (out == NULL || json_dumpf(file, out, JSON_INDENT(1)) != 0 || fputc('\n', out) == EOF || fclose(out) != 0) {
        stop(path);
    }
    printf("%s: %zu cases\n", path, json_array_size(json_object_get(file, "cases")));
}

/* Letters and digits of the case's name, '-' for everything else. */
static void name_input(char *path, size_t capacity, const char *folder, const char *file, const char *name) {
    size_t len = (size_t)snprintf(path, capacity, "%s/%.*s-", folder, (int)strcspn(file, "."), file);
    for (; *name != '\0' && len + 1 < capacity; name++) {
        bool plain = (*name >= 'a' && *name <= 'z') || (*name >= '0' && *name <= '9');
        if (plain || path[len - 1] != '-') {
            path[len++] = plain ? *name : '-';
        }
    }
    path[len] = '\0';
}

static void write_input(const char *folder, const char *file, const json_t *vector) {
    static const char *const fields[] = {"frame", "bytes", "header", "payload"};
    char path[4096];
    name_input(path, sizeof path, folder, file, json_string_value(json_object_get(vector, "name")));
    FILE *out = fopen(path, "wb");
    if (out == NULL) {
        stop(path);
    }
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        const char *hex = json_string_value(json_object_get(vector, fields[i]));
        for (; hex != NULL && *hex != '\0'; hex += 2) {
            uint8_t byte = 0;
            if (!gt_unhex(&byte, 1, hex, 2) || fputc(byte, out) == EOF) {
                stop(path);
            }
        }
    }
    if (fclose(out) != 0) {
        stop(path);
    }
}

static void put(FILE *out, const uint8_t *bytes, size_t len, const char *path) {
    if (fwrite(bytes, 1, len, out) != len) stop(path);
}

/* What one side of an exchange was told, as fuzz_sync.c reads it: which end it is and how far it had come, then packets
 * behind their lengths. */
static void write_exchange(const char *folder, const json_t *exchange, bool to_server) {
    char path[4096];
    name_input(path, sizeof path, folder, to_server ? "server." : "client.",
               json_string_value(json_object_get(exchange, "name")));
    const json_t *packets = json_object_get(exchange, "packets");
    FILE *out = fopen(path, "wb");
    if (out == NULL) stop(path);
    uint8_t state = to_server ? 1 : 0;
    put(out, &state, 1, path);
    for (size_t i = 0; i < json_array_size(packets); i++) {
        const json_t *packet = json_array_get(packets, i);
        const char *hex = json_string_value(json_object_get(packet, "bytes"));
        bool from_client = strcmp(json_string_value(json_object_get(packet, "from")), "C") == 0;
        size_t len = strlen(hex) / 2;
        uint8_t head[2] = {(uint8_t)len, (uint8_t)(len >> 8)};
        if (from_client != to_server) continue;
        put(out, head, sizeof head, path);
        for (size_t b = 0; b < len; b++) {
            uint8_t byte = 0;
            if (!gt_unhex(&byte, 1, hex + 2 * b, 2)) stop(path);
            put(out, &byte, 1, path);
        }
    }
    if (fclose(out) != 0) stop(path);
}

static const char *below(char *room, size_t capacity, const char *folder, const char *name) {
    (void)snprintf(room, capacity, "%s/%s", folder, name);
    return room;
}

static void write_commits(const char *vectors, const char *corpora) {
    char corpus[4096];
    for (size_t i = 0; i < commit_vector_file_count; i++) {
        batch_maker maker;
        batch_maker_init(&maker);
        json_t *file = commit_vector_files[i].make(&maker), *cases = json_object_get(file, "cases");
        write_vectors(vectors, commit_vector_files[i].name, file);
        below(corpus, sizeof corpus, corpora, commit_vector_files[i].corpus);
        for (size_t c = 0; c < json_array_size(cases); c++) {
            write_input(corpus, commit_vector_files[i].name, json_array_get(cases, c));
        }
        json_decref(file);
        batch_maker_free(&maker);
    }
}

static void write_sync(const char *vectors, const char *messages, const char *sync) {
    for (size_t i = 0; i < sync_vector_file_count; i++) {
        json_t *file = sync_vector_files[i].make(), *cases = json_object_get(file, "cases");
        write_vectors(vectors, sync_vector_files[i].name, file);
        for (size_t c = 0; c < json_array_size(cases); c++) {
            const json_t *one = json_array_get(cases, c);
            if (json_object_get(one, "bytes") != NULL) {
                write_input(messages, sync_vector_files[i].name, one);
            } else if (json_object_get(one, "packets") != NULL) {
                write_exchange(sync, one, true);
                write_exchange(sync, one, false);
            }
        }
        json_decref(file);
    }
}

int main(int argc, char **argv) {
    char a[4096], b[4096], c[4096];
    if (argc != 3) {
        fprintf(stderr, "usage: %s VECTORS CORPUS\n", argv[0]);
        return 2;
    }
    write_commits(below(a, sizeof a, argv[1], "commit"), argv[2]);
    write_sync(below(a, sizeof a, argv[1], "sync"), below(b, sizeof b, argv[2], "message"),
               below(c, sizeof c, argv[2], "sync"));
    return 0;
}
