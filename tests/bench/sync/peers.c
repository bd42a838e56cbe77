/* Yjs and Automerge, each with its own server, through tests/bench/peers. They are installed from npm into build/;
 * where that cannot be done, a word says so and the columns stay away. */
#define _GNU_SOURCE
#include "child.h"

#include <errno.h>
#include <string.h>

enum { EDITS = 300, LONGEST_S = 90 /* as run.mjs has it */ };

static void write_documents(const documents *docs, const char *path) {
    FILE *file = fopen(path, "w");
    if (file == NULL) lab_fail("%s: %s", path, strerror(errno));
    for (size_t i = 0; i < docs->count; i++) fprintf(file, "%s\n", docs->lines[i]);
    if (fclose(file) != 0) lab_fail("%s: %s", path, strerror(errno));
}

static void take_figures(const lab_plan *lab, peer who, const char *name, const json_t *figures) {
    samples visible = {0};
    size_t i;
    json_t *value;
    json_array_foreach(json_object_get(figures, "visible_ms"), i, value)
        samples_add(&visible, json_number_value(value));
    row_begin(row_visible_median, "", 0, false);
    row_add(who, samples_at(&visible, 50));
    row_begin(row_visible_99, "", 0, false);
    row_add(who, samples_at(&visible, 99));
    const json_t *load = json_object_get(figures, "load_ms");
    row_begin(row_clone_documents, "", 0, false);
    if (json_is_number(load)) {
        row_add(who, json_number_value(load) / 1e3);
    } else {
        lab_say(lab, "  %s has not loaded the documents in %d s, and has no figure for it", name, LONGEST_S);
    }
    samples_free(&visible);
}

static void run(const lab_plan *lab, peer who, const char *name, const char *folder, const char *path) {
    char script[CHILD_LINE_MAX + 16], edits[16];
    child c;
    json_error_t fault;
    snprintf(script, sizeof(script), "%s/run.mjs", folder);
    snprintf(edits, sizeof(edits), "%d", EDITS);
    child_start_program(&c, name,
                        (const char *[]){"node", "--max-old-space-size=8192", script, name, path, edits, NULL});
    json_t *figures = json_loadf(c.from, 0, &fault);
    if (child_end(&c) && figures != NULL) {
        take_figures(lab, who, name, figures);
    } else {
        lab_say(lab, "  %s has not come to an end, and is left out", name);
    }
    json_decref(figures);
}

void lab_peers(const lab_plan *lab, const documents *docs) {
    char folder[CHILD_LINE_MAX], path[256];
    child install;
    if (lab->quick) return;
    child_start_program(&install, "install", (const char *[]){"tests/bench/peers/install", NULL});
    bool heard = child_hear(&install, folder);
    if (!child_end(&install) || !heard) {
        lab_say(lab, "  Yjs and Automerge are not there (see above), and left out");
        return;
    }
    join(path, sizeof(path), lab->folder, "documents.ndjson");
    write_documents(docs, path);
    run(lab, YJS, "yjs", folder, path);
    run(lab, AUTOMERGE, "automerge", folder, path);
}
