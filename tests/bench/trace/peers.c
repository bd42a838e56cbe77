/* Yjs, Automerge and Loro on the same traces of one author, through tests/bench/peers. They are installed from npm into
 * build/; where that cannot be done, a word says so and the columns stay away. Traces of several authors are left out:
 * these go back to older versions again and again, for which the three need a copy of the document each time. */
#define _GNU_SOURCE
#include "trace.h"

#include <stdlib.h>
#include <string.h>

enum { COMMAND_MAX = 1200 };

static const struct {
    const char *name;
    peer who;
} libraries[] = {{"yjs", YJS}, {"automerge", AUTOMERGE}, {"loro", LORO}};

/* Where they are; false: nowhere. */
static bool install(char folder[600]) {
    FILE *out = popen("tests/bench/peers/install", "r");
    if (out == NULL) return false;
    bool heard = fgets(folder, 600, out) != NULL;
    if (pclose(out) != 0 || !heard) return false;
    folder[strcspn(folder, "\n")] = '\0';
    return true;
}

static void run(const trace *t, const char *path, const char *folder, int library, const char *kind, bool quiet) {
    char command[COMMAND_MAX];
    snprintf(command, sizeof(command), "node --expose-gc '%s/trace.mjs' %s '%s' %s", folder, libraries[library].name,
             path, kind);
    FILE *out = popen(command, "r");
    json_t *list = out == NULL ? NULL : json_loadf(out, 0, NULL);
    if (out != NULL && pclose(out) == 0 && list != NULL) {
        take_report(t, libraries[library].who, quiet, list);
    } else if (!quiet) {
        printf("  %s has not come to an end, and is left out\n", libraries[library].name);
    }
    json_decref(list);
}

void bench_trace_peers(char *const *paths, trace *const *traces, int count, bool quiet) {
    char folder[600];
    if (!install(folder)) {
        if (!quiet) printf("Yjs, Automerge and Loro are not there (see above), and left out\n");
        return;
    }
    for (int i = 0; i < count; i++) {
        if (traces[i]->is_concurrent) continue;
        for (int library = 0; library < 3; library++) {
            run(traces[i], paths[i], folder, library, "captured", quiet);
            run(traces[i], paths[i], folder, library, "commits", quiet);
        }
    }
}
