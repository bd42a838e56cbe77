#include "watch.h"

#include <stdlib.h>
#include <string.h>

#include "database.h"
#include "facts.h"
#include "output.h"
#include "shown.h"
#include "text.h"

struct watch {
    follow *follow;
    goat_repo **repos;
    size_t count;
    text paths; /* of them, each with a NUL behind it */
};

enum { LOOK_MS = 1000 };

/* ---- repositories ---- */

static bool is_open(const watch *w, cbor path) {
    for (size_t at = 0; at < w->paths.len; at += strlen(w->paths.data + at) + 1) {
        const char *one = w->paths.data + at;
        if (strlen(one) == path.len && memcmp(one, path.data, path.len) == 0) {
            return true;
        }
    }
    return false;
}

/* CLI_DONE: it is open now. */
static int open_repo(watch *w, cbor path) {
    cli *run = w->follow->run;
    goat_error *error = NULL;
    goat_repo **more = reallocarray(w->repos, w->count + 1, sizeof *more);
    if (more == NULL) {
        cli_error(run, "out of memory");
        return CLI_TROUBLE;
    }
    w->repos = more;
    if (goat_repo_open(run->db, (const char *)path.data, path.len, 0, &w->repos[w->count], NULL, &error) != GOAT_OK) {
        return cli_fail(run, w->follow->db, error);
    }
    w->count++;
    text_add(&w->paths, (const char *)path.data, path.len);
    text_add(&w->paths, "", 1);
    return CLI_DONE;
}

static int open_stored(watch *w) {
    cli *run = w->follow->run;
    goat_buf paths = {0};
    goat_error *error = NULL;
    if (goat_db_repos(run->db, &paths, NULL, &error) != GOAT_OK) {
        goat_buf_free(&paths);
        return cli_fail(run, w->follow->db, error);
    }
    uint64_t count;
    cbor all = cbor_array(cbor_of(&paths), &count);
    int code = CLI_DONE;
    for (uint64_t i = 0; code == CLI_DONE && i < count && all.len > 0; i++) {
        code = open_repo(w, cbor_content(cbor_take(&all)));
    }
    goat_buf_free(&paths);
    return code;
}

/* ---- lines ---- */

static const char *origin_name(uint64_t origin) {
    static const char *const names[] = {"own", "remote", "refused", "reverted"};
    return origin < sizeof names / sizeof names[0] ? names[origin] : "other";
}

static void print_line(const watch *w, cbor path, const char *origin, cbor fields) {
    bool json = cli_has(w->follow->run, "json");
    uint64_t count = 0;
    cbor all = cbor_array(fields, &count);
    if (json) {
        out_text("{\"path\":");
        out_json_string((const char *)path.data, path.len);
        out_print(",\"origin\":\"%s\",\"fields\":[", origin);
    } else {
        out_shown(path.data, path.len);
        out_print("  %-6s", origin);
    }
    for (uint64_t i = 0; i < count && all.len > 0; i++) {
        cbor name = cbor_content(cbor_take(&all));
        if (json) {
            out_text(i > 0 ? "," : "");
            out_json_string((const char *)name.data, name.len);
        } else {
            out_text(i > 0 ? ", " : "  ");
            out_shown(name.data, name.len);
        }
    }
    out_text(json ? "]}\n" : "\n");
}

/* [1, path, origin, revision, [field, …]] */
static void item_changed(const watch *w, cbor *change) {
    cbor path = cbor_content(cbor_take(change));
    uint64_t origin = cbor_uint(cbor_take(change));
    cbor_take(change);
    if (!facts_is_system(path)) {
        print_line(w, path, origin_name(origin), cbor_take(change));
    }
}

/* [5, what, path, message]: a repository that was not here before is opened, so that it is heard of from now on. */
static int sync_changed(watch *w, cbor *change) {
    cbor what = cbor_take(change), path = cbor_content(cbor_take(change)), message = cbor_content(cbor_take(change));
    if (cbor_is_text(what, "refused")) {
        cli_note(w->follow->run, "%.*s: the server refuses an edit: %.*s", (int)path.len, (const char *)path.data,
                 (int)message.len, (const char *)message.data);
    }
    if (!cbor_is_text(what, "even") || facts_is_system(path) || is_open(w, path)) {
        return CLI_DONE;
    }
    int code = open_repo(w, path);
    if (code == CLI_DONE) {
        print_line(w, path, "remote", (cbor){0});
    }
    return code;
}

static int print_changes(follow *f) {
    watch *w = f->context;
    goat_buf changes = {0};
    goat_error *error = NULL;
    int code = CLI_DONE;
    if (goat_db_advance(f->run->db, &changes, &error) != GOAT_OK) {
        goat_buf_free(&changes);
        return cli_fail(f->run, f->db, error);
    }
    uint64_t count;
    cbor all = cbor_array(cbor_of(&changes), &count);
    for (uint64_t i = 0; code == CLI_DONE && i < count && all.len > 0; i++) {
        cbor change = cbor_array(cbor_take(&all), NULL);
        switch (cbor_uint(cbor_take(&change))) {
        case GOAT_CHANGE_RESET: cli_note(f->run, "more has changed than is kept; some of it is not shown"); break;
        case GOAT_CHANGE_ITEM: item_changed(w, &change); break;
        case GOAT_CHANGE_SYNC: code = sync_changed(w, &change); break;
        default: break;
        }
    }
    goat_buf_free(&changes);
    follow_notice(f);
    return code == CLI_DONE && !out_flush() ? CLI_TROUBLE : code;
}

/* ---- life ---- */

int watch_begin(watch **w, follow *f) {
    *w = calloc(1, sizeof **w);
    if (*w == NULL) {
        cli_error(f->run, "out of memory");
        return CLI_TROUBLE;
    }
    (*w)->follow = f;
    f->changed = print_changes;
    f->context = *w;
    return open_stored(*w);
}

void watch_end(watch *w) {
    if (w == NULL) {
        return;
    }
    for (size_t i = 0; i < w->count; i++) {
        goat_repo_free(w->repos[i]);
    }
    free(w->repos);
    text_free(&w->paths);
    free(w);
}

int watch_run(watch *w) {
    int code = CLI_DONE;
    while (code == CLI_DONE) {
        waiter_answer answer = waiter_wait(&w->follow->waiter, -1, LOOK_MS);
        if (answer == WAITER_SIGNAL) {
            return CLI_DONE; /* which is how it is meant to end */
        }
        owner_tell(&w->follow->owner);
        code = answer == WAITER_FAILED ? CLI_TROUBLE : print_changes(w->follow);
    }
    return code;
}
