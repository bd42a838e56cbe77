/* goat revert: undoes commits, in whatever repositories they are.
 *
 * Everything is tried in all repositories first, without a change; so what is not there, or would break a schema, is said
 * before anything is reverted. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "cbor.h"
#include "commands.h"
#include "database.h"
#include "output.h"
#include "plain.h"
#include "shown.h"
#include "text.h"

enum { ID_SHOWN = 6 };

typedef struct target {
    char path[CLI_REPO_PATH_SIZE];
    bool is_listed;  /* it is known to be there */
    goat_repo *repo; /* open from the first try on while there is something to do in it */
    goat_buf tried;  /* what would be done */
} target;

typedef struct reverting {
    cli *run;
    target *targets;
    size_t count;
    const char *key;         /* of the item of --in; NULL: any */
    uint64_t items, skipped; /* that were printed */
} reverting;

/* ---- what is asked for ---- */

static void add_member(text *spec, const char *name, const char *value) {
    if (value == NULL) return;
    text_add_c(spec, spec->len > 1 ? "," : "");
    text_add_json(spec, name, strlen(name));
    text_add_c(spec, ":");
    text_add_json(spec, value, strlen(value));
}

/* About the last edits made here, whichever commits these are. */
static bool is_own(const cli *run) { return cli_has(run, "undo") || cli_has(run, "redo"); }

static void write_spec(const reverting *r, bool dry_run, text *spec) {
    const cli *run = r->run;
    text_add_c(spec, "{");
    for (int i = 1; i < run->operand_count; i++) {
        text_add_c(spec, i == 1 ? "\"commits\":[" : ",");
        text_add_json(spec, run->operands[i], strlen(run->operands[i]));
    }
    if (run->operand_count > 1) text_add_c(spec, "],\"lacks_some\":true");
    add_member(spec, "session", cli_value(run, "session"));
    add_member(spec, "since", cli_value(run, "since"));
    add_member(spec, "until", cli_value(run, "until"));
    add_member(spec, "message", cli_value(run, "message"));
    add_member(spec, "item", r->key);
    if (is_own(run)) {
        text_add_c(spec, spec->len > 1 ? "," : "");
        text_add_c(spec, cli_has(run, "undo") ? "\"undo\":true" : "\"redo\":true");
    }
    if (dry_run) text_add_c(spec, ",\"dry_run\":true");
    text_add_c(spec, "}");
}

static bool is_id(const char *operand) {
    size_t len = strlen(operand);
    for (size_t i = 0; i < len; i++) {
        if (!isxdigit((unsigned char)operand[i])) return false;
    }
    return len >= 8 && len <= 64;
}

/* RFC 3339 alone. The library takes a commit's time as a number too, and a year would be one, of 1970. */
static int read_time(const cli *run, const char *name, int64_t *ms) {
    const char *value = cli_value(run, name);
    if (value == NULL) return CLI_DONE;
    text json = {0};
    goat_buf date = {0};
    goat_error *error = NULL;
    int code = CLI_DONE;
    text_add_c(&json, "{\"$date\":");
    text_add_json(&json, value, strlen(value));
    text_add_c(&json, "}");
    goat_status status = goat_value_from_json(json.data, json.len, &date, &error);
    if (status == GOAT_INVALID || (status == GOAT_OK && !cbor_date(cbor_of(&date), ms))) {
        code = cli_usage(run, "--%s must be a time as RFC 3339 writes it, such as 2026-01-31T12:00:00Z, not \"%s\"",
                         name, value);
        goat_error_free(error);
    } else if (status != GOAT_OK) {
        code = cli_fail(run, NULL, error);
    }
    goat_buf_free(&date);
    text_free(&json);
    return code;
}

static int check_times(const cli *run) {
    int64_t since = INT64_MIN, until = INT64_MAX;
    int code = read_time(run, "since", &since);
    if (code == CLI_DONE) code = read_time(run, "until", &until);
    if (code == CLI_DONE && since > until) code = cli_usage(run, "--since is later than --until");
    return code;
}

static int check_usage(const cli *run) {
    const char *message = cli_value(run, "message");
    bool range = cli_has(run, "session") || cli_has(run, "since") || cli_has(run, "until");
    if (range + (run->operand_count > 1) + cli_has(run, "undo") + cli_has(run, "redo") != 1) {
        return cli_usage(run, "either commits are named, or --session, --since or --until, or --undo or --redo");
    }
    if (cli_has(run, "until") && !cli_has(run, "since") && !cli_has(run, "session")) {
        return cli_usage(run, "--until needs --since or --session");
    }
    for (int i = 1; i < run->operand_count; i++) {
        if (!is_id(run->operands[i])) {
            return cli_usage(run, "%s is no commit: 8 to 64 hexadecimal digits", run->operands[i]);
        }
    }
    if (cli_has(run, "session") && !is_id(cli_value(run, "session"))) {
        return cli_usage(run, "%s is no session: 8 to 64 hexadecimal digits", cli_value(run, "session"));
    }
    if (message != NULL && message[0] == '\0') return cli_usage(run, "--message is empty");
    return check_times(run);
}

/* ---- where ---- */

static int add_target(reverting *r, const char *path, size_t len, bool is_listed) {
    if (len >= CLI_REPO_PATH_SIZE) return CLI_DONE;
    if (len > 5 && memcmp(path, "/sys/", 5) == 0) {
        if (is_listed) return CLI_DONE;
        cli_error(r->run, "%.*s: what is in /sys is not reverted", (int)len, path);
        return CLI_NO;
    }
    target *more = realloc(r->targets, (r->count + 1) * sizeof(*more));
    if (more == NULL) {
        cli_error(r->run, "out of memory");
        return CLI_TROUBLE;
    }
    r->targets = more;
    memset(&more[r->count], 0, sizeof(*more));
    more[r->count].is_listed = is_listed;
    memcpy(more[r->count++].path, path, len);
    return CLI_DONE;
}

static int find_all(reverting *r) {
    goat_buf paths = {0};
    goat_error *error = NULL;
    int code = CLI_DONE;
    if (goat_db_repos(r->run->db, &paths, NULL, &error) != GOAT_OK) code = cli_fail(r->run, r->run->operands[0], error);
    cbor all = cbor_array(cbor_of(&paths), NULL);
    while (code == CLI_DONE && all.len > 0) {
        cbor path = cbor_content(cbor_take(&all));
        code = add_target(r, (const char *)path.data, path.len, true);
    }
    goat_buf_free(&paths);
    return code;
}

static int find_targets(reverting *r) {
    const char *in = cli_value(r->run, "in");
    char repo[CLI_REPO_PATH_SIZE];
    if (in == NULL) return find_all(r);
    size_t slashes = 0;
    for (const char *at = in; *at != '\0'; at++) slashes += *at == '/';
    if (slashes < 3) return add_target(r, in, strlen(in), false);
    int code = cli_split_path(r->run, in, repo, &r->key);
    return code == CLI_DONE ? add_target(r, repo, strlen(repo), false) : code;
}

/* ---- what is said ---- */

/* The item as an object, its ids as hexadecimal and its fields in plain form. */
static void print_json(cbor item) {
    cbor members = cbor_map(item, NULL);
    for (const char *comma = "{"; members.len > 0; comma = ",") {
        cbor name = cbor_take(&members), value = cbor_take(&members), fields = cbor_map(value, NULL);
        out_text(comma);
        cbor_print(name);
        out_text(":");
        if (!cbor_is_text(name, "fields")) {
            cbor_print(value);
            continue;
        }
        out_text("{");
        for (const char *next = ""; fields.len > 0; next = ",") {
            cbor field = cbor_take(&fields), sides = cbor_map(cbor_take(&fields), NULL);
            out_text(next);
            cbor_print(field);
            out_text(":{");
            for (const char *then = ""; sides.len > 0; then = ",") {
                out_text(then);
                cbor_print(cbor_take(&sides));
                out_text(":");
                plain_print(cbor_take(&sides));
            }
            out_text("}");
        }
        out_text("}");
    }
    out_text("}\n");
}

static void print_item(cbor item) {
    cbor path = cbor_content(cbor_member(item, "path")), commit = cbor_content(cbor_member(item, "commit"));
    cbor fields = cbor_map(cbor_member(item, "fields"), NULL), deleted = cbor_member(item, "deleted");
    out_shown(path.data, path.len);
    if (commit.len > 0) {
        out_text("  ");
        out_hex(commit.data, commit.len < ID_SHOWN ? commit.len : ID_SHOWN);
    }
    out_text(fields.len == 0 && cbor_is_empty(deleted) ? "  (no change)\n" : "\n");
    if (!cbor_is_empty(deleted)) out_text(cbor_bool(deleted) ? "  deleted\n" : "  not deleted any more\n");
    while (fields.len > 0) {
        cbor name = cbor_content(cbor_take(&fields)), change = cbor_take(&fields);
        out_text("  ");
        out_shown(name.data, name.len);
        out_text(": ");
        plain_print_change(cbor_member(change, "before"), cbor_member(change, "after"), name.len + 4);
        out_text("\n");
    }
}

static void tell_skipped(const cli *run, cbor item) {
    cbor path = cbor_content(cbor_member(item, "path")), reason = cbor_member(item, "reason");
    const char *why = cbor_is_text(reason, "GOAT_NO_SCHEMA") ? "it is of a version of its schema that is not read here"
                      : cbor_is_text(reason, "GOAT_CORRUPT") ? "what is stored of it is damaged"
                                                             : "it cannot be read here";
    cli_error(run, "%.*s: left out, or some of its commits: %s", (int)path.len, (const char *)path.data, why);
}

/* Adds to what was printed before. */
static void print_result(reverting *r, const goat_buf *result) {
    bool json = cli_has(r->run, "json");
    uint64_t items, skipped;
    cbor done = cbor_array(cbor_member(cbor_of(result), "items"), &items);
    cbor left = cbor_array(cbor_member(cbor_of(result), "skipped"), &skipped);
    while (done.len > 0) {
        cbor item = cbor_take(&done);
        if (json) {
            print_json(item);
        } else {
            print_item(item);
        }
    }
    while (left.len > 0) {
        cbor item = cbor_take(&left);
        if (json) print_json(item);
        tell_skipped(r->run, item);
    }
    r->items += items;
    r->skipped += skipped;
}

/* ---- what is done ---- */

/* What there is of a result when it fails stands, and is printed first. */
static int revert_in(reverting *r, target *at, bool dry_run, goat_buf *result) {
    goat_error *error = NULL;
    text spec = {0};
    cli *run = r->run;
    int code = CLI_DONE;
    if (at->repo == NULL) {
        code = cli_open_repo(run, at->path, at->is_listed ? CLI_REPO_LISTED : CLI_REPO_MUST_EXIST);
        at->repo = run->repo;
        run->repo = NULL;
    }
    if (code == CLI_DONE) {
        write_spec(r, dry_run, &spec);
        if (goat_repo_revert(at->repo, spec.data, spec.len, result, NULL, &error) != GOAT_OK) {
            print_result(r, result);
            out_flush();
            code = cli_fail(run, at->path, error);
        }
    }
    text_free(&spec);
    return code;
}

static bool begins_with(cbor id, const char *operand) {
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; operand[i] != '\0'; i++) {
        unsigned half = i % 2 == 0 ? id.data[i / 2] >> 4 : id.data[i / 2] & 15u;
        if (digits[half] != tolower((unsigned char)operand[i])) return false;
    }
    return true;
}

/* Each commit that was named is to be in one repository. */
static int check_found(const reverting *r) {
    for (int i = 1; i < r->run->operand_count; i++) {
        size_t found = 0;
        for (size_t k = 0; k < r->count; k++) {
            cbor ids = cbor_array(cbor_member(cbor_of(&r->targets[k].tried), "found"), NULL);
            bool here = false;
            while (ids.len > 0) {
                cbor id = cbor_content(cbor_take(&ids));
                here = here || (id.len == 32 && begins_with(id, r->run->operands[i]));
            }
            found += here;
        }
        if (found == 1) continue;
        cli_error(r->run, found == 0 ? "%s: no such commit" : "%s: several commits have ids that begin so",
                  r->run->operands[i]);
        return CLI_NO;
    }
    return CLI_DONE;
}

static bool has_items(const goat_buf *result) {
    uint64_t count;
    cbor_array(cbor_member(cbor_of(result), "items"), &count);
    return count > 0;
}

static void leave(target *at) {
    goat_repo_free(at->repo);
    at->repo = NULL;
}

static int revert_all(reverting *r) {
    bool dry_run = cli_has(r->run, "dry-run");
    int code = find_targets(r);
    if (code == CLI_DONE && is_own(r->run) && r->count > 1) {
        return cli_usage(r->run, "there are several repositories: --in says in which one");
    }
    for (size_t i = 0; i < r->count && code == CLI_DONE; i++) {
        code = revert_in(r, &r->targets[i], true, &r->targets[i].tried);
        if (dry_run || !has_items(&r->targets[i].tried)) leave(&r->targets[i]);
    }
    if (code == CLI_DONE) code = check_found(r);
    bool begun = code == CLI_DONE;
    for (size_t i = 0; i < r->count && code == CLI_DONE; i++) {
        goat_buf result = {0};
        bool tried_only = dry_run || !has_items(&r->targets[i].tried);
        if (!tried_only) code = revert_in(r, &r->targets[i], false, &result);
        if (code == CLI_DONE) print_result(r, tried_only ? &r->targets[i].tried : &result);
        goat_buf_free(&result);
        leave(&r->targets[i]);
    }
    if (code == CLI_DONE && r->items == 0 && r->skipped == 0) cli_error(r->run, "there is nothing to revert");
    if (code == CLI_DONE && (r->items == 0 || r->skipped > 0)) code = CLI_NO;
    if (!begun || dry_run) return code;
    int flushed = cli_flush(r->run); /* also where one has failed: the others' reverts stand */
    return code == CLI_DONE || flushed != CLI_DONE ? flushed : code;
}

int cmd_revert(cli *run) {
    reverting r = {.run = run};
    int code = check_usage(run);
    if (code != CLI_DONE) return code;
    code = cli_open(run, cli_has(run, "dry-run"));
    if (code == CLI_DONE) code = revert_all(&r);
    for (size_t i = 0; i < r.count; i++) {
        leave(&r.targets[i]);
        goat_buf_free(&r.targets[i].tried);
    }
    free(r.targets);
    return cli_close(run, code);
}
