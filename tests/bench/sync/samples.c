#define _GNU_SOURCE
#include "lab.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static void reserve(samples *s, size_t more) {
    if (s->count + more <= s->capacity) return;
    s->capacity = (s->count + more) * 2;
    s->values = realloc(s->values, s->capacity * sizeof(double));
    if (s->values == NULL) lab_fail("no memory for measurements");
}

void samples_add(samples *s, double value) {
    reserve(s, 1);
    s->values[s->count++] = value;
    s->sorted = false;
}

static int ascending(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

double samples_at(samples *s, double percent) {
    if (s->count == 0) return NAN;
    if (!s->sorted) qsort(s->values, s->count, sizeof(double), ascending);
    s->sorted = true;
    size_t rank = (size_t)ceil((double)s->count * percent / 100);
    return s->values[rank == 0 ? 0 : rank - 1];
}

void samples_free(samples *s) {
    free(s->values);
    *s = (samples){0};
}

void samples_write(const samples *s, const char *path) {
    FILE *file = fopen(path, "w");
    if (file == NULL || fwrite(s->values, sizeof(double), s->count, file) != s->count || fclose(file) != 0) {
        lab_fail("%s: %s", path, strerror(errno));
    }
}

void samples_read(samples *s, const char *path) {
    FILE *file = fopen(path, "r");
    double value;
    if (file == NULL) lab_fail("%s: %s", path, strerror(errno));
    while (fread(&value, sizeof(value), 1, file) == 1) samples_add(s, value);
    fclose(file);
    remove(path);
}
