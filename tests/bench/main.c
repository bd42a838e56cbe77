/* bench [--quick] [--json] [--rounds N]: measures libgoat and its peers on the same documents in one run. */
#define _GNU_SOURCE
#include "bench.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { QUICK_DOCUMENTS = 3000, ROUNDS = 5 };

const char import_work[] = "import, batches of 100, one flush";
const char open_read_work[] = "open and read one document";
const char point_read_work[] = "read one document, open database";
const char update_work[] = "change one document, on the disk";
const char filter_work[] = "section = shells sorted by name, first";

void rows_declare(const documents *docs) {
    double mib = (double)docs->bytes / 1e6;
    row_begin(import_work, "docs/s", 120000, true);
    row_begin("import from JSON, batches of 100, one flush", "docs/s", 50000, true);
    row_begin("stored bytes after import", "MB", 1.1 * mib, false);
    row_begin("open with checkpoint", "ms", 10, false);
    row_begin("open from the log alone, all verified", "ms", 400, false);
    row_begin(open_read_work, "ms", 0, false);
    row_begin("memory, all fields read once", "MB", 1.5 * mib, false);
    row_begin(point_read_work, "ns", 0, false);
    row_begin("read one field of an open item", "ns", 100, false);
    row_begin("set one field", "ns", 1000, false);
    row_begin("100 new items as one signed batch", "us", 300, false);
    row_begin(update_work, "us", 0, false);
    row_begin("the same, beyond one fdatasync", "us", 50, false);
    row_begin("16 threads, one change each, on the disk", "us", 0, false);
    row_begin(filter_work, "ms", 25, false);
    row_begin("the same query after one change", "us", 20, false);
}

static int usage(FILE *out) {
    fprintf(out,
            "usage: bench [--quick] [--json] [--rounds N]\n"
            "  --quick     %d documents, one round: shows that it runs, not how fast\n"
            "  --json      figures for machines: median, least, most of each row\n"
            "  --rounds N  rounds, %d otherwise\n",
            QUICK_DOCUMENTS, ROUNDS);
    return out == stdout ? 0 : 2;
}

/* 1 to 50; 0: the text is no such number. */
static int rounds_of(const char *text) {
    char *end;
    long rounds = strtol(text, &end, 10);
    return *text != '\0' && *end == '\0' && rounds >= 1 && rounds <= 50 ? (int)rounds : 0;
}

int main(int argc, char **argv) {
    if (argc == 3 && strcmp(argv[1], "--memory") == 0) return bench_goat_memory(argv[2]);
    bench_options options = {.rounds = ROUNDS, .program = argv[0]};
    bool json = false;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--quick") == 0) {
            options.quick = true;
            options.rounds = 1;
        } else if (strcmp(argv[i], "--json") == 0) {
            json = true;
        } else if (strcmp(argv[i], "--rounds") == 0 && i + 1 < argc && rounds_of(argv[i + 1]) > 0) {
            options.rounds = rounds_of(argv[++i]);
        } else {
            return usage(strcmp(argv[i], "--help") == 0 ? stdout : stderr);
        }
    }
    documents *docs = documents_load(options.quick ? QUICK_DOCUMENTS : SIZE_MAX);
    char folder[] = "build/bench-XXXXXX"; /* on the disk of the project, not in memory as /tmp may be */
    if (mkdtemp(folder) == NULL) {
        perror("bench: build/bench-XXXXXX");
        return 3;
    }
    options.folder = folder;
    if (!json) {
        printf("%zu %s documents, %.1f MB as compact JSON; medians of %d rounds\n\n", docs->count,
               docs->real ? "Debian" : "made-up", (double)docs->bytes / 1e6, options.rounds);
    }
    rows_declare(docs);
    bench_floor(&options);
    for (int round = 0; round < options.rounds; round++) { /* in turns, so that a noisy minute hits all */
        bench_goat(docs, &options);
        bench_sqlite(docs, &options);
        bench_lmdb(docs, &options);
    }
    if (json) {
        report_json();
    } else {
        report_table();
    }
    remove_folder(folder);
    documents_free(docs);
    return 0;
}
