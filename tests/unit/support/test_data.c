/* Reads with the C library alone, so that it works in Node as well. */
#include "support/test_data.h"

#include <stdio.h>
#include <stdlib.h>

static char *read_all(FILE *file, size_t *len) {
    char *bytes = NULL;
    size_t capacity = 0;
    *len = 0;
    do {
        capacity = capacity == 0 ? 65536 : capacity * 2;
        char *grown = realloc(bytes, capacity + 1);
        if (grown == NULL) {
            free(bytes);
            return NULL;
        }
        bytes = grown;
        *len += fread(bytes + *len, 1, capacity - *len, file);
    } while (*len == capacity);
    bytes[*len] = 0;
    return bytes;
}

char *test_data_read(const char *name, size_t *len) {
    const char *folder = getenv("GOAT_DATA");
    char path[1024];
    snprintf(path, sizeof path, "%s/%s", folder != NULL ? folder : GOAT_TEST_ROOT "/../shared/data", name);
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        printf("skipped: there is no %s in GOAT_DATA\n", name);
        return NULL;
    }
    char *bytes = read_all(file, len);
    fclose(file);
    return bytes;
}
