/* bench_sync [--quick] [--json] [--rounds N] [--only PART]: what it costs to keep two machines equal, Yjs and Automerge
 * beside it. As bench, it prints targets and asserts nothing but that what was synced is equal. */
#define _GNU_SOURCE
#include "actor.h"
#include "pair.h"

#include "value/value.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { QUICK_DOCUMENTS = 2000, ROUNDS = 5 };

static json_t *notes;

void lab_note(const char *name, json_t *value) {
    json_t *list = json_object_get(notes, name);
    if (list == NULL) {
        list = json_array();
        json_object_set_new(notes, name, list);
    }
    json_array_append_new(list, value);
}

void lab_root_key(goat_db *db, uint8_t root_key[32]) {
    goat_error *error = NULL;
    goat_buf info = {0};
    gt_bytes root;
    check(goat_db_info(db, &info, &error), error, "info");
    gt_bytes value = gt_map_find(gt_bytes_of(info.data, info.size), gt_bytes_text("root"));
    if (!gt_value_as_bytes(value, &root) || root.len != 32) lab_fail("a database does not name its root");
    memcpy(root_key, root.data, 32);
    goat_buf_free(&info);
}

static void declare(void) {
    row_begin(row_clone_documents, "s", 2, false);
    row_begin(row_clone_small, "s", 25, false);
    row_begin(row_clone_memory, "MiB", 64, false);
    row_begin(row_visible_median, "ms", 3, false);
    row_begin(row_visible_99, "ms", 15, false);
    row_begin(row_safe_median, "ms", 0, false);
    row_begin(row_flood_verified_99, "ms", 50, false);
    row_begin(row_flood_counted_99, "ms", 50, false);
    row_begin(row_flood_safe_99, "ms", 0, false);
    row_begin(row_flood_processor, "%", 0, false);
    row_begin(row_reconnect_small, "B", 256, false);
    row_begin(row_reconnect_large, "B", 256, false);
    row_begin(row_reconnect_trips, "", 1, false);
    row_begin(row_point_bytes, "kB", 40, false);
    row_begin(row_point_trips, "", 3, false);
    row_begin(row_without_bytes, "kB", 250, false);
    row_begin(row_without_trips, "", 0, false);
    row_begin(row_idle_plain, "KiB", 24, false);
    row_begin(row_idle_tls, "KiB", 48, false);
    row_begin(row_idle_processor, "%", 2, false);
}

/* ---- the parts ---- */

static const struct {
    const char *name, *words;
    void (*run)(const lab_plan *lab, const documents *docs);
} parts[] = {
    {"floor", "what the machine costs", lab_floor}, {"clone", "clones", lab_clone},
    {"live", "one edit at a time", lab_live},       {"flood", "many edits", lab_flood},
    {"idle", "idle connections", lab_idle},         {"reconcile", "becoming equal again", lab_reconcile},
    {"peers", "Yjs and Automerge", lab_peers},
};
enum { PARTS = sizeof(parts) / sizeof(*parts) };

static int usage(FILE *out) {
    fprintf(out,
            "usage: bench_sync [--quick] [--json] [--rounds N] [--only PART]...\n"
            "  --quick      small numbers: shows that it runs, not how fast\n"
            "  --json       figures for machines\n"
            "  --rounds N   clones of the documents, %d otherwise\n"
            "  --only PART  this part, and others that are named so:",
            ROUNDS);
    for (int i = 0; i < PARTS; i++) fprintf(out, " %s", parts[i].name);
    fprintf(out, "\n");
    return out == stdout ? 0 : 2;
}

/* 1 to 50; 0: the text is no such number. */
static int rounds_of(const char *text) {
    char *end;
    long rounds = strtol(text, &end, 10);
    return *text != '\0' && *end == '\0' && rounds >= 1 && rounds <= 50 ? (int)rounds : 0;
}

static bool choose(const char *name, bool chosen[PARTS]) {
    for (int i = 0; i < PARTS; i++) {
        if (strcmp(parts[i].name, name) == 0) return chosen[i] = true;
    }
    return false;
}

/* Figures of a busy machine are not worth much. */
static void say_load(const lab_plan *lab) {
    double load;
    if (getloadavg(&load, 1) != 1) return;
    lab_say(lab, "%ld processors, load of the last minute %.1f\n", sysconf(_SC_NPROCESSORS_ONLN), load);
}

static void report(bool json) {
    if (!json) {
        report_table();
        return;
    }
    json_object_set_new(notes, "rows", report_rows());
    json_dumpf(notes, stdout, JSON_INDENT(2));
    printf("\n");
}

int main(int argc, char **argv) {
    if (argc > 2 && strcmp(argv[1], "--child") == 0) return actor_main(argc - 2, argv + 2);
    lab_plan lab = {.program = argv[0], .rounds = ROUNDS};
    bool chosen[PARTS] = {false}, some = false;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--quick") == 0) {
            lab.quick = true;
            lab.rounds = 1;
        } else if (strcmp(argv[i], "--json") == 0) {
            lab.quiet = true;
        } else if (strcmp(argv[i], "--rounds") == 0 && i + 1 < argc && rounds_of(argv[i + 1]) > 0) {
            lab.rounds = rounds_of(argv[++i]);
        } else if (strcmp(argv[i], "--only") == 0 && i + 1 < argc && choose(argv[i + 1], chosen)) {
            some = true;
            i++;
        } else {
            return usage(strcmp(argv[i], "--help") == 0 ? stdout : stderr);
        }
    }
    documents *docs = documents_load(lab.quick ? QUICK_DOCUMENTS : SIZE_MAX);
    char folder[] = "build/bench-XXXXXX"; /* on the disk of the project, not in memory as /tmp may be */
    if (mkdtemp(folder) == NULL) lab_fail("build/bench-XXXXXX cannot be made");
    lab.folder = folder;
    notes = json_object();
    lab_say(&lab, "%zu %s documents, %.1f MB as compact JSON", docs->count, docs->real ? "Debian" : "made-up",
            (double)docs->bytes / 1e6);
    say_load(&lab);
    declare();
    for (int i = 0; i < PARTS; i++) {
        if (some && !chosen[i]) continue;
        lab_say(&lab, "%s", parts[i].words);
        uint64_t begin = now_us();
        parts[i].run(&lab, docs);
        lab_say(&lab, "  %.0f s\n", (double)(now_us() - begin) / 1e6);
    }
    lab_say(&lab, "%s", "");
    report(lab.quiet);
    remove_folder(folder);
    documents_free(docs);
    json_decref(notes);
    return 0;
}
