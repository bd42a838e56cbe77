/* Rows, medians, and the two forms in which they are printed. */
#define _GNU_SOURCE
#include "bench.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { VALUES_MAX = 64, WORK_WIDTH = 52 };

typedef struct entry {
    row row;
    double values[WHO_COUNT][VALUES_MAX];
    int counts[WHO_COUNT];
} entry;

static entry *entries; /* as many as there are rows; they stay until the program ends */
static int entry_count, entry_capacity;
static entry *current;

static const char *const names[WHO_COUNT] = {"libgoat", "SQLite", "LMDB", "Yjs", "Automerge", "Loro", "Bloom", "floor"};

void row_begin(const char *work, const char *unit, double target, bool more_is_better) {
    for (int i = 0; i < entry_count; i++) {
        if (strcmp(entries[i].row.work, work) == 0) {
            current = &entries[i];
            return;
        }
    }
    if (entry_count == entry_capacity) {
        int capacity = 2 * entry_capacity + 32;
        entry *more = realloc(entries, (size_t)capacity * sizeof(*more));
        if (more == NULL) abort();
        entries = more;
        entry_capacity = capacity;
    }
    current = &entries[entry_count++];
    *current = (entry){.row = {work, unit, target, more_is_better}};
}

void row_add(peer who, double value) {
    if (current->counts[who] < VALUES_MAX) current->values[who][current->counts[who]++] = value;
}

static int ascending(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(entry *e, peer who) {
    int count = e->counts[who];
    if (count == 0) return NAN;
    qsort(e->values[who], (size_t)count, sizeof(double), ascending);
    return e->values[who][count / 2];
}

static const char *number(double value, char *text, size_t size) {
    if (isnan(value)) return "–";
    double a = fabs(value);
    snprintf(text, size, a >= 1000 ? "%.0f" : a >= 100 ? "%.0f" : a >= 10 ? "%.1f" : "%.2f", value);
    return text;
}

/* Width on the screen: a dash of three bytes takes one column. */
static void cell(const char *text, int width) {
    int len = 0;
    for (const char *p = text; *p != '\0'; p++) len += (*p & 0xc0) != 0x80;
    printf("%*s%s", width > len ? width - len : 1, "", text);
}

static bool is_empty(const entry *e) {
    for (int w = 0; w < WHO_COUNT; w++) {
        if (e->counts[w] > 0) return false;
    }
    return true;
}

/* What libgoat's figure is of the best one beside it, and whose that is; false: there is none. */
static bool compare(entry *e, double *ratio, const char **whose) {
    double own = median(e, GOAT), best = NAN;
    for (int w = 0; w < WHO_COUNT; w++) {
        double value = median(e, (peer)w);
        if (w == GOAT || w == FLOOR || isnan(value)) continue;
        if (!isnan(best) && (e->row.more_is_better ? value <= best : value >= best)) continue;
        best = value;
        *whose = names[w];
    }
    *ratio = own / best;
    return isfinite(*ratio);
}

static bool has_figures(int who) {
    for (int i = 0; i < entry_count; i++) {
        if (entries[i].counts[who] > 0) return true;
    }
    return false;
}

void report_table(void) {
    char text[32];
    bool shown[WHO_COUNT];
    printf("%-*s %-6s", WORK_WIDTH, "work", "unit");
    for (int w = 0; w < WHO_COUNT; w++) {
        shown[w] = has_figures(w);
        if (shown[w]) cell(names[w], 10);
    }
    cell("target", 10);
    printf("\n");
    for (int i = 0; i < entry_count; i++) {
        entry *e = &entries[i];
        if (is_empty(e)) continue;
        double own = median(e, GOAT), ratio = 0;
        const char *whose = "";
        printf("%-*s %-6s", WORK_WIDTH, e->row.work, e->row.unit);
        for (int w = 0; w < WHO_COUNT; w++) {
            if (shown[w]) cell(number(median(e, (peer)w), text, sizeof(text)), 10);
        }
        cell(e->row.target == 0 ? "–" : number(e->row.target, text, sizeof(text)), 10);
        bool met = e->row.more_is_better ? own >= e->row.target : own <= e->row.target;
        const char *verdict = e->row.target == 0 || isnan(own) ? "" : met ? "  met" : "  missed";
        if (compare(e, &ratio, &whose)) {
            printf("%-8s  %s x %s\n", verdict, number(ratio, text, sizeof(text)), whose);
        } else {
            printf("%s\n", verdict);
        }
    }
}

json_t *report_rows(void) {
    json_t *list = json_array();
    for (int i = 0; i < entry_count; i++) {
        entry *e = &entries[i];
        if (is_empty(e)) continue;
        json_t *object = json_pack("{s:s, s:s}", "work", e->row.work, "unit", e->row.unit);
        if (e->row.target != 0) json_object_set_new(object, "target", json_real(e->row.target));
        for (int w = 0; w < WHO_COUNT; w++) {
            double value = median(e, (peer)w);
            if (isnan(value)) continue;
            json_t *figures = json_pack("{s:f, s:f, s:f, s:i}", "median", value, "least", e->values[w][0], "most",
                                        e->values[w][e->counts[w] - 1], "rounds", e->counts[w]);
            json_object_set_new(object, names[w], figures);
        }
        json_array_append_new(list, object);
    }
    return list;
}

void report_json(void) {
    json_t *list = report_rows();
    json_dumpf(list, stdout, JSON_INDENT(2));
    printf("\n");
    json_decref(list);
}

double now_s(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

void check(goat_status status, goat_error *error, const char *what) {
    if (status == GOAT_OK) return;
    fprintf(stderr, "bench: %s: %s: %s %s\n", what, goat_status_name(status), goat_error_message(error),
            goat_error_detail(error, GOAT_DETAIL_PATH));
    exit(3);
}
