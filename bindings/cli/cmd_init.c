/* goat init: a new database with its root key. */
#include <string.h>

#include "cbor.h"
#include "commands.h"
#include "database.h"
#include "output.h"

static int print_new(cli *run) {
    goat_buf info = {0};
    goat_error *error = NULL;
    if (goat_db_info(run->db, &info, &error) != GOAT_OK) {
        goat_buf_free(&info);
        return cli_fail(run, run->operands[0], error);
    }
    static const char *const ids[] = {"network", "root", "session"};
    bool json = cli_has(run, "json");
    if (json) {
        out_text("{\"path\":");
        out_json_text(run->operands[0]);
    } else {
        out_print("%s: network ", run->operands[0]);
    }
    for (size_t i = 0; i < (json ? 3 : 1); i++) {
        cbor id = cbor_content(cbor_member(cbor_of(&info), ids[i]));
        if (json) {
            out_print(",\"%s\":\"", ids[i]);
        }
        out_hex(id.data, id.len);
        out_text(json ? "\"" : "");
    }
    out_text(json ? "}\n" : "\n");
    goat_buf_free(&info);
    return CLI_DONE;
}

int cmd_init(cli *run) {
    const char *path = run->operands[0];
    goat_config config = GOAT_CONFIG_INIT;
    config.flags = GOAT_OPEN_CREATE | GOAT_OPEN_EXCLUSIVE;
    goat_error *error = NULL;
    goat_status status = goat_db_open(path, strlen(path), &config, &run->db, NULL, &error);
    if (status != GOAT_OK) {
        int code = cli_fail(run, path, error);
        return status == GOAT_FORBIDDEN || status == GOAT_NOT_FOUND ? CLI_TROUBLE : code;
    }
    int code = cli_flush(run);
    if (code == CLI_DONE) {
        code = print_new(run);
    }
    return cli_close(run, code);
}
