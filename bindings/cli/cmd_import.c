/* goat import: newline-delimited JSON, an item a line. */
#include <stdio.h>
#include <string.h>

#include "commands.h"
#include "database.h"
#include "edit.h"
#include "output.h"

typedef struct documents {
    const char *key;
    text head; /* `,"schema":"NS","replace":`, the same for every line */
} documents;

static bool make(ingest *in, json_slice line, char *why) {
    const documents *wanted = in->context;
    json_slice value;
    json_fault fault;
    if (!json_members(line, &wanted->key, 1, &value, NULL, &fault)) {
        snprintf(why, INGEST_WHY_SIZE, "column %zu: %s", fault.position + 1, fault.text);
        return false;
    }
    text_add_c(&in->edits, "{");
    if (!edit_add_key(in, wanted->key, value, why)) {
        return false;
    }
    text_add(&in->edits, wanted->head.data, wanted->head.len);
    in->raw = in->edits.len;
    text_add(&in->edits, line.data, line.len);
    text_add_c(&in->edits, "}");
    return true;
}

static int import_into(cli *run, ingest *in, const char *ns) {
    int code = ingest_open(in, run->operand_count > 2 ? run->operands[2] : NULL);
    if (code == CLI_DONE) {
        code = cli_open(run, false);
    }
    if (code == CLI_DONE) {
        code = cli_look_for_schema(run, ns);
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

int cmd_import(cli *run) {
    const char *ns = cli_value(run, "schema"), *key = cli_value(run, "key");
    if (ns == NULL || key == NULL) {
        return cli_usage(run, "--%s is required", ns == NULL ? "schema" : "key");
    }
    documents wanted = {.key = key};
    ingest in = {.run = run, .make = make, .context = &wanted};
    int code = ingest_options(&in);
    if (code != CLI_DONE) {
        return code;
    }
    text_add_c(&wanted.head, ",\"schema\":");
    text_add_json(&wanted.head, ns, strlen(ns));
    text_add_c(&wanted.head, ",\"replace\":");
    code = import_into(run, &in, ns);
    ingest_close(&in);
    text_free(&wanted.head);
    return code;
}
