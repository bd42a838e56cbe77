/* Writes the golden vectors anew, for a change of the format that is meant, and their frames and commits as a
 * corpus for the fuzzer:
 *
 *     generate tests/vectors/commit tests/fuzz/corpus/batch
 *
 * Nothing runs this by itself; unit.commit_vectors_test compares what is kept with what the library makes. */
#include "support/commit_vectors.h"

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

int main(int argc, char **argv) {
    if (argc != 3) {
        fprintf(stderr, "usage: %s VECTORS CORPUS\n", argv[0]);
        return 2;
    }
    for (size_t i = 0; i < commit_vector_file_count; i++) {
        batch_maker maker;
        batch_maker_init(&maker);
        json_t *file = commit_vector_files[i].make(&maker), *cases = json_object_get(file, "cases");
        write_vectors(argv[1], commit_vector_files[i].name, file);
        for (size_t c = 0; c < json_array_size(cases); c++) {
            write_input(argv[2], commit_vector_files[i].name, json_array_get(cases, c));
        }
        json_decref(file);
        batch_maker_free(&maker);
    }
    return 0;
}
