/* goat apply: newline-delimited JSON, an edit a line. */
#include "commands.h"
#include "database.h"
#include "edit.h"

static int apply_to(cli *run, ingest *in) {
    int code = ingest_open(in, run->operand_count > 2 ? run->operands[2] : NULL);
    if (code == CLI_DONE) {
        code = cli_open(run, false);
    }
    if (code == CLI_DONE) {
        code = cli_open_repo(run, run->operands[1], CLI_REPO_CREATE);
    }
    if (code == CLI_DONE) {
        in->db = run->db;
        in->repo = run->repo;
        code = ingest_all(in);
        ingest_summary(in, code);
    }
    return cli_close(run, code);
}

int cmd_apply(cli *run) {
    const char *key = cli_value(run, "key");
    edit_lines lines = {.key = key != NULL ? key : "name", .schema = cli_value(run, "schema")};
    ingest in = {.run = run, .make = edit_make, .context = &lines};
    int code = ingest_options(&in);
    if (code == CLI_DONE) {
        code = apply_to(run, &in);
        ingest_close(&in);
    }
    return code;
}
