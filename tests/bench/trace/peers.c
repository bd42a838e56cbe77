/* Yjs, Automerge and Loro on the same traces, through tests/bench/peers. They are installed from npm into
 * build/; where that cannot be done, a word says so and the columns stay away. */
#define _GNU_SOURCE
#include "trace.h"

#include "../sync/child.h"

static const struct {
    const char *name;
    peer who;
} libraries[] = {{"yjs", YJS}, {"automerge", AUTOMERGE}, {"loro", LORO}};

static void run(const trace *t, const char *path, const char *folder, int library, const char *kind, bool quiet) {
    const char *name = libraries[library].name;
    char script[CHILD_LINE_MAX + 16];
    child c;
    snprintf(script, sizeof(script), "%s/trace.mjs", folder);
    child_start_program(&c, name, (const char *[]){"node", "--expose-gc", script, name, path, kind, NULL});
    json_t *list = json_loadf(c.from, 0, NULL);
    if (child_end(&c) && list != NULL) {
        take_report(t, libraries[library].who, quiet, list);
    } else if (!quiet) {
        printf("  %s has not come to an end, and is left out\n", name);
    }
    json_decref(list);
}

void bench_trace_peers(char *const *paths, trace *const *traces, int count, bool quiet) {
    char folder[CHILD_LINE_MAX];
    child install;
    child_start_program(&install, "install", (const char *[]){"tests/bench/peers/install", NULL});
    bool heard = child_hear(&install, folder);
    if (!child_end(&install) || !heard) {
        if (!quiet) printf("Yjs, Automerge and Loro are not there (see above), and left out\n");
        return;
    }
    for (int i = 0; i < count; i++) {
        for (int library = 0; library < 3; library++) {
            if (traces[i]->is_concurrent) {
                run(traces[i], paths[i], folder, library, "replicas", quiet);
            } else {
                run(traces[i], paths[i], folder, library, "captured", quiet);
                run(traces[i], paths[i], folder, library, "commits", quiet);
            }
        }
    }
}
