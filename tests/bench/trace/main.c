/* goat_bench trace [--quick] [--json] [--rounds N] [--deliveries N] [--no-peers] [FILE...]: editing traces of real people,
 * typed again into libgoat, and into Yjs, Automerge and Loro beside it. It asserts one thing: what a trace ends with.
 *
 * Ends with 1 where one ends otherwise, and with 77 where there are no traces but the one that is made up. */
#define _GNU_SOURCE
#include "trace.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { TRACES_MAX = 32, CODE_SKIPPED = 77, ROUNDS = 3, DELIVERIES = 20, TYPING_MINUTES = 10 };

typedef struct options {
    bool quick, json, peers;
    int rounds;
    char *paths[TRACES_MAX];
    int count;
} options;

static int usage(FILE *out) {
    fprintf(out,
            "usage: goat_bench trace [--quick] [--json] [--rounds N] [--deliveries N] [--no-peers] [FILE...]\n"
            "  FILE            a trace, gzipped JSON; otherwise those in $GOAT_DATA/traces\n"
            "  --quick         one round, the first edits of a trace only where it has one author, and no peers\n"
            "  --json          figures for machines\n"
            "  --rounds N      %d otherwise\n"
            "  --deliveries N  shuffled deliveries of each concurrent trace, %d otherwise\n"
            "  --no-peers      without Yjs, Automerge and Loro\n",
            ROUNDS, DELIVERIES);
    return out == stdout ? 0 : 2;
}

/* 0 to 1000; -1: the text is no such number. */
static int number_of(const char *text) {
    char *end;
    long number = strtol(text, &end, 10);
    return *text != '\0' && *end == '\0' && number >= 0 && number <= 1000 ? (int)number : -1;
}

static bool read_options(int argc, char **argv, options *o) {
    if (argc < 2 || strcmp(argv[1], "trace") != 0) return false;
    for (int i = 2; i < argc; i++) {
        bool has_more = i + 1 < argc;
        if (strcmp(argv[i], "--quick") == 0) {
            o->quick = true;
            o->peers = false;
            o->rounds = 1;
            trace_deliveries = 1;
        } else if (strcmp(argv[i], "--json") == 0) {
            o->json = true;
        } else if (strcmp(argv[i], "--no-peers") == 0) {
            o->peers = false;
        } else if (strcmp(argv[i], "--rounds") == 0 && has_more) {
            o->rounds = number_of(argv[++i]);
        } else if (strcmp(argv[i], "--deliveries") == 0 && has_more) {
            trace_deliveries = number_of(argv[++i]);
        } else if (argv[i][0] != '-' && o->count < TRACES_MAX) {
            o->paths[o->count++] = argv[i];
        } else {
            return false;
        }
    }
    return o->rounds > 0 && trace_deliveries >= 0;
}

static int ascending(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

/* All that lie beside the project. */
static void find_traces(options *o) {
    const char *data = getenv("GOAT_DATA");
    char folder[600];
    snprintf(folder, sizeof(folder), "%s/traces", data != NULL ? data : "../shared/data");
    DIR *entries = opendir(folder);
    for (const struct dirent *entry; entries != NULL && (entry = readdir(entries)) != NULL;) {
        size_t len = strlen(entry->d_name);
        if (len < 8 || strcmp(entry->d_name + len - 8, ".json.gz") != 0 || o->count == TRACES_MAX) continue;
        if (asprintf(&o->paths[o->count++], "%s/%s", folder, entry->d_name) < 0) trace_fail("no memory for a path");
    }
    if (entries != NULL) closedir(entries);
    qsort(o->paths, (size_t)o->count, sizeof(*o->paths), ascending);
    if (o->count == 0)
        fprintf(stderr, "skipped: no traces in %s; tests/bench/README.md says where they come from\n", folder);
}

static void measure(const options *o, const trace *t, bool delivers, const char *folder) {
    if (!t->is_concurrent) {
        measure_apart(measure_captured, t, GOAT, o->json, folder);
        measure_apart(measure_commits, t, GOAT, o->json, folder);
        measure_apart(measure_keys, t, GOAT, o->json, folder);
        return;
    }
    measure_apart(measure_concurrent, t, GOAT, o->json, folder);
    if (delivers && trace_deliveries > 0) measure_apart(measure_deliveries, t, GOAT, o->json, folder);
}

int main(int argc, char **argv) {
    options o = {.peers = true, .rounds = ROUNDS};
    trace *traces[TRACES_MAX + 1];
    trace_deliveries = DELIVERIES;
    if (argc == 2 && strcmp(argv[1], "--help") == 0) return usage(stdout);
    if (!read_options(argc, argv, &o)) return usage(stderr);
    if (o.count == 0) find_traces(&o);
    for (int i = 0; i < o.count; i++) {
        traces[i] = trace_load(o.paths[i]);
        if (o.quick && !traces[i]->is_concurrent) trace_shorten(traces[i]);
    }
    traces[o.count] = trace_of_typing(o.quick ? 1 : TYPING_MINUTES); /* beside those that were found */
    char folder[] = "build/bench-XXXXXX"; /* on the disk of the project, not in memory as /tmp may be */
    if (mkdtemp(folder) == NULL) trace_fail("build/bench-XXXXXX cannot be made");
    for (int round = 0; round < o.rounds; round++) { /* in turns, so that a noisy minute hits all */
        for (int i = 0; i <= o.count; i++) {
            if (!o.json)
                printf("%s: %u edits in %u txns\n", traces[i]->name, traces[i]->patch_count, traces[i]->txn_count);
            measure(&o, traces[i], round == 0 && i < o.count, folder);
        }
        measure_apart(measure_made_up, &made_up, GOAT, o.json, folder);
    }
    if (o.peers && o.count > 0) bench_trace_peers(o.paths, traces, o.count, o.json);
    if (o.json) {
        report_json();
    } else {
        printf("\n");
        report_table();
    }
    remove_folder(folder);
    for (int i = 0; i <= o.count; i++) trace_free(traces[i]);
    return is_wrong() ? 1 : o.count == 0 ? CODE_SKIPPED : 0;
}
