/* goat ls: the repositories of a database, or the items of a repository; a path a line. */
#include <string.h>

#include "cbor.h"
#include "commands.h"
#include "database.h"
#include "output.h"
#include "shown.h"
#include "text.h"

enum { WINDOW = 4096 }; /* rows asked for at a time */

static void print_path(const cli *run, const char *repo, cbor name) {
    bool json = cli_has(run, "json");
    text path = {0};
    if (repo != NULL) {
        text_add_c(&path, repo);
        text_add_c(&path, "/");
    }
    text_add(&path, (const char *)name.data, name.len);
    out_text(json ? "{\"path\":" : "");
    if (json) {
        out_json_string(path.data, path.len);
    } else {
        out_shown(path.data, path.len);
    }
    out_text(json ? "}\n" : "\n");
    text_free(&path);
}

static int list_repos(cli *run) {
    goat_buf paths = {0};
    goat_error *error = NULL;
    if (goat_db_repos(run->db, &paths, NULL, &error) != GOAT_OK) {
        goat_buf_free(&paths);
        return cli_fail(run, run->operands[0], error);
    }
    uint64_t count;
    cbor all = cbor_array(cbor_of(&paths), &count);
    for (uint64_t i = 0; i < count && all.len > 0; i++) {
        print_path(run, NULL, cbor_content(cbor_take(&all)));
    }
    goat_buf_free(&paths);
    return CLI_DONE;
}

static int list_items(cli *run) {
    static const char spec[] = "{\"fields\":[]}"; /* without an order rows come by key */
    goat_query *query = NULL;
    goat_buf rows = {0};
    goat_error *error = NULL;
    uint64_t count = WINDOW;
    int code = cli_open_repo(run, run->operands[1], CLI_REPO_MUST_EXIST);
    if (code == CLI_DONE && goat_query_open(run->repo, NULL, spec, strlen(spec), &query, NULL, &error) != GOAT_OK) {
        code = cli_fail(run, run->operands[1], error);
    }
    for (uint32_t at = 0; code == CLI_DONE && count == WINDOW && !out_failed(); at += WINDOW) {
        if (goat_query_rows(query, at, WINDOW, &rows, &error) != GOAT_OK) {
            code = cli_fail(run, run->operands[1], error);
            break;
        }
        cbor all = cbor_array(cbor_of(&rows), &count);
        for (uint64_t i = 0; i < count && all.len > 0; i++) {
            cbor row = cbor_array(cbor_take(&all), NULL);
            print_path(run, run->operands[1], cbor_content(cbor_take(&row)));
        }
    }
    goat_buf_free(&rows);
    goat_query_free(query);
    return code;
}

int cmd_ls(cli *run) {
    int code = cli_open(run, true);
    if (code == CLI_DONE) {
        code = run->operand_count > 1 ? list_items(run) : list_repos(run);
    }
    return cli_close(run, code);
}
