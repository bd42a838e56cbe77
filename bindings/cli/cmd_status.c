/* goat status: how a replica and its server stand, without asking the server. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cbor.h"
#include "commands.h"
#include "database.h"
#include "output.h"
#include "progress.h"
#include "remote.h"

enum { URL_SIZE = 512 };

/* Another process has it: who, and where more is to be learned. */
static int say_busy(const cli *run, goat_error *error) {
    char url[URL_SIZE], why[1024];
    const char *db = run->operands[0];
    cli_describe(error, db, why, sizeof why);
    goat_error_free(error);
    if (serving_read(db, url, sizeof url) && strncmp(url, "ws", 2) == 0) {
        cli_error(run, "%s; it serves %s: http%s/metrics and /healthz say how it is", why, url, url + 2);
    } else {
        cli_error(run, "%s; goat sync --watch and other writers have it alone", why);
    }
    return CLI_TROUBLE;
}

static int open_all(cli *run, goat_repo ***repos, uint64_t *count) {
    goat_buf paths = {0};
    goat_error *error = NULL;
    if (goat_db_repos(run->db, &paths, NULL, &error) != GOAT_OK) {
        goat_buf_free(&paths);
        return cli_fail(run, run->operands[0], error);
    }
    cbor all = cbor_array(cbor_of(&paths), count);
    int code = CLI_DONE;
    *repos = calloc(*count + 1, sizeof **repos);
    for (uint64_t i = 0; *repos != NULL && code == CLI_DONE && i < *count && all.len > 0; i++) {
        cbor path = cbor_content(cbor_take(&all));
        if (goat_repo_open(run->db, (const char *)path.data, path.len, 0, &(*repos)[i], NULL, &error) != GOAT_OK) {
            code = cli_fail(run, run->operands[0], error);
        }
    }
    goat_buf_free(&paths);
    return code;
}

static bool is_system(cbor path) { return path.len >= 5 && memcmp(path.data, "/sys/", 5) == 0; }

static void print_json_member(const char *name, const char *value) {
    out_print(",\"%s\":", name);
    if (value != NULL) {
        out_json_text(value);
    } else {
        out_text("null");
    }
}

static void print_json(const remote *r, cbor status) {
    char even[CBOR_TIME_SIZE];
    uint64_t count, pending = 0;
    if (r->even_ms != 0) {
        cbor_time_text(r->even_ms, even);
    }
    out_text("{\"url\":");
    if (r->url != NULL) {
        out_json_text(r->url);
    } else {
        out_text("null");
    }
    print_json_member("even", r->even_ms != 0 ? even : NULL);
    print_json_member("trouble", r->trouble);
    out_text(",\"repositories\":[");
    cbor all = cbor_array(cbor_member(status, "repositories"), &count);
    bool first = true;
    for (uint64_t i = 0; i < count && all.len > 0; i++) {
        cbor one = cbor_take(&all), path = cbor_content(cbor_member(one, "path"));
        if (is_system(path)) {
            continue;
        }
        uint64_t unsent = cbor_uint(cbor_member(one, "unsent"));
        out_text(first ? "{\"path\":" : ",{\"path\":");
        out_json_string((const char *)path.data, path.len);
        out_print(",\"commits\":%" PRIu64 ",\"pending\":%" PRIu64 "}", cbor_uint(cbor_member(one, "entries")), unsent);
        pending += unsent;
        first = false;
    }
    out_print("],\"pending\":%" PRIu64 "}\n", pending);
}

static void print_lines(const remote *r, cbor status) {
    char even[CBOR_TIME_SIZE];
    uint64_t count;
    if (r->even_ms != 0) {
        cbor_time_text(r->even_ms, even);
    }
    out_print("server        %s\n", r->url != NULL ? r->url : "none is known");
    if (r->url != NULL) {
        out_print("last even     %s\n", r->even_ms != 0 ? even : "never");
    }
    if (r->trouble != NULL) {
        out_print("last trouble  %s\n", r->trouble);
    }
    cbor all = cbor_array(cbor_member(status, "repositories"), &count);
    for (uint64_t i = 0; i < count && all.len > 0; i++) {
        cbor one = cbor_take(&all), path = cbor_content(cbor_member(one, "path"));
        if (is_system(path)) {
            continue;
        }
        char numbers[2][PROGRESS_NUMBER_SIZE];
        uint64_t unsent = cbor_uint(cbor_member(one, "unsent"));
        out_bytes(path.data, path.len);
        out_print("  %s commits", progress_number(cbor_uint(cbor_member(one, "entries")), numbers[0]));
        if (r->url != NULL && unsent > 0) {
            out_print(", %s not yet on the server's disk", progress_number(unsent, numbers[1]));
        }
        out_text("\n");
    }
}

static int print_status(cli *run) {
    remote r = {0};
    goat_repo **repos = NULL;
    uint64_t count = 0;
    goat_buf status = {0};
    goat_error *error = NULL;
    int code = remote_read(run, run->operands[0], &r);
    if (code == CLI_DONE) {
        code = open_all(run, &repos, &count);
    }
    if (code == CLI_DONE && goat_db_status(run->db, &status, &error) != GOAT_OK) {
        code = cli_fail(run, run->operands[0], error);
    }
    if (code == CLI_DONE && cli_has(run, "json")) {
        print_json(&r, cbor_of(&status));
    } else if (code == CLI_DONE) {
        print_lines(&r, cbor_of(&status));
    }
    for (uint64_t i = 0; repos != NULL && i < count; i++) {
        goat_repo_free(repos[i]);
    }
    free(repos);
    goat_buf_free(&status);
    remote_free(&r);
    return code;
}

int cmd_status(cli *run) {
    const char *path = run->operands[0];
    goat_config config = GOAT_CONFIG_INIT;
    config.flags = GOAT_OPEN_READ_ONLY;
    goat_error *error = NULL;
    goat_status status = goat_db_open(path, strlen(path), &config, &run->db, NULL, &error);
    if (status == GOAT_BUSY) {
        return say_busy(run, error);
    }
    if (status != GOAT_OK) {
        cli_fail(run, path, error);
        return status == GOAT_NOT_FOUND ? CLI_NO : CLI_TROUBLE;
    }
    return cli_close(run, print_status(run));
}
