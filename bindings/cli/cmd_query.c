/* goat query: the items that match a filter, as newline-delimited JSON. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "commands.h"
#include "database.h"
#include "edit.h"
#include "live.h"
#include "output.h"
#include "text.h"

enum { WINDOW = 1024 }; /* rows asked for at a time */

/* ---- The spec -------------------------------------------------------------------------------- */

static void add_name(text *spec, const char *name) {
    text_add_c(spec, spec->len > 1 ? ",\"" : "\"");
    text_add_c(spec, name);
    text_add_c(spec, "\":");
}

static void add_list(text *spec, const char *name, const char *words) {
    if (words == NULL) {
        return;
    }
    add_name(spec, name);
    text_add_c(spec, "[");
    for (const char *at = words; *at != '\0';) {
        size_t len = strcspn(at, ",");
        text_add_c(spec, at > words ? "," : "");
        text_add_json(spec, at, len);
        at += len + (at[len] == ',');
    }
    text_add_c(spec, "]");
}

static void add_number(text *spec, const char *name, const char *digits, uint32_t number) {
    if (digits != NULL) {
        char plain[16];
        add_name(spec, name);
        text_add(spec, plain, (size_t)snprintf(plain, sizeof plain, "%" PRIu32, number));
    }
}

static int make_spec(const cli *run, text *spec) {
    const char *where = cli_value(run, "where"), *ns = cli_value(run, "schema");
    uint32_t limit = 0, offset = 0;
    if (!cli_number(run, "limit", 0, UINT32_MAX, &limit) || !cli_number(run, "offset", 0, UINT32_MAX, &offset)) {
        return CLI_USAGE;
    }
    text_add_c(spec, "{");
    if (ns != NULL) {
        add_name(spec, "schema");
        text_add_json(spec, ns, strlen(ns));
    }
    if (where != NULL) {
        json_fault fault;
        if (!json_is_value(json_of(where), NULL, &fault)) {
            cli_error(run, "the filter is no JSON: byte %zu: %s", fault.position, fault.text);
            return CLI_NO;
        }
        add_name(spec, "where");
        text_add_c(spec, where);
    }
    add_list(spec, "sort", cli_value(run, "sort"));
    add_list(spec, "fields", cli_value(run, "fields"));
    add_number(spec, "offset", cli_value(run, "offset"), offset);
    add_number(spec, "limit", cli_value(run, "limit"), limit);
    text_add_c(spec, "}");
    return CLI_DONE;
}

/* ---- The answer ------------------------------------------------------------------------------ */

static int print_rows(cli *run, goat_query *query, uint32_t count) {
    goat_buf rows = {0};
    goat_error *error = NULL;
    int code = CLI_DONE;
    for (uint32_t at = 0; at < count && code == CLI_DONE && !out_failed(); at += WINDOW) {
        if (goat_query_rows_json(query, at, WINDOW, &rows, &error) != GOAT_OK) {
            code = cli_fail(run, run->operands[1], error);
            break;
        }
        out_bytes(rows.data, rows.size);
        if (count - at <= WINDOW) {
            break; /* the next position might not fit a number */
        }
    }
    goat_buf_free(&rows);
    return code;
}

static int answer(cli *run, const text *spec, live_edits *live) {
    goat_query *query = NULL;
    goat_error *error = NULL;
    uint32_t count = 0;
    int code = CLI_DONE;
    if (goat_query_open(run->repo, NULL, spec->data, spec->len, &query, NULL, &error) != GOAT_OK ||
        goat_query_count(query, &count, &error) != GOAT_OK) {
        code = cli_fail(run, run->operands[1], error);
    } else if (cli_has(run, "count")) {
        out_print(cli_has(run, "json") ? "{\"count\":%" PRIu32 "}\n" : "%" PRIu32 "\n", count);
    } else {
        code = print_rows(run, query, count);
    }
    if (code == CLI_DONE && live != NULL) {
        code = out_flush() ? live_run(live, query) : CLI_TROUBLE;
    }
    goat_query_free(query);
    return code;
}

/* ---- The command ----------------------------------------------------------------------------- */

static int check_options(const cli *run, live_edits *live) {
    static const char *const only_live[] = {"apply", "rate", "key", "keep-going"};
    for (size_t i = 0; i < sizeof only_live / sizeof only_live[0] && !cli_has(run, "live"); i++) {
        if (cli_has(run, only_live[i])) {
            return cli_usage(run, "--%s goes with --live", only_live[i]);
        }
    }
    return cli_number(run, "rate", 1, 1000000, &live->rate) ? CLI_DONE : CLI_USAGE;
}

static int run_query(cli *run, const text *spec, live_edits *live) {
    int code = live != NULL ? ingest_open(&live->in, cli_value(run, "apply")) : CLI_DONE;
    if (code == CLI_DONE) {
        code = cli_open(run, live == NULL);
    }
    if (code == CLI_DONE) {
        code = cli_open_repo(run, run->operands[1], CLI_REPO_MUST_EXIST);
    }
    if (code == CLI_DONE) {
        code = answer(run, spec, live);
    }
    return cli_close(run, code);
}

int cmd_query(cli *run) {
    const char *key = cli_value(run, "key");
    edit_lines lines = {.key = key != NULL ? key : "name", .schema = cli_value(run, "schema")};
    live_edits live = {.in = {.run = run,
                              .make = edit_make,
                              .context = &lines,
                              .batch_max = 1,
                              .keep_going = cli_has(run, "keep-going"),
                              .quiet = true}};
    bool is_live = cli_has(run, "live");
    text spec = {0};
    int code = check_options(run, &live);
    if (code == CLI_DONE) {
        code = make_spec(run, &spec);
    }
    if (code == CLI_DONE) {
        code = run_query(run, &spec, is_live ? &live : NULL);
    }
    if (is_live) {
        ingest_close(&live.in);
    }
    text_free(&spec);
    return code;
}
