#include "edit.h"

#include <stdio.h>
#include <string.h>

#include "cbor.h"
#include "database.h"
#include "output.h"

/* ---- One item -------------------------------------------------------------------------------- */

void edit_print(const cli *run, const char *did) {
    if (cli_has(run, "json")) {
        out_text("{\"path\":");
        out_json_text(run->operands[1]);
        out_print(",\"did\":\"%s\"}\n", did);
    }
}

static const char *what_it_did(const goat_buf *result) {
    if (cbor_uint(cbor_member(cbor_of(result), "created")) > 0) {
        return "created";
    }
    return cbor_uint(cbor_member(cbor_of(result), "changed")) > 0 ? "changed" : "unchanged";
}

int edit_one(cli *run, const char *ns, const text *rest) {
    char repo[CLI_REPO_PATH_SIZE];
    const char *path = run->operands[1], *key, *did = "unchanged";
    int code = cli_split_path(run, path, repo, &key);
    if (code != CLI_DONE) {
        return code;
    }
    text edits = {0};
    goat_buf result = {0};
    goat_error *error = NULL;
    text_add_c(&edits, "[{\"key\":");
    text_add_json(&edits, key, strlen(key));
    if (ns != NULL) {
        text_add_c(&edits, ",\"schema\":");
        text_add_json(&edits, ns, strlen(ns));
    }
    text_add_c(&edits, ",");
    text_add(&edits, rest->data, rest->len);
    text_add_c(&edits, "}]");
    code = cli_open(run, false);
    if (code == CLI_DONE && ns != NULL) {
        code = cli_look_for_schema(run, ns);
    }
    if (code == CLI_DONE) {
        code = cli_open_repo(run, repo, ns != NULL ? CLI_REPO_CREATE : CLI_REPO_MUST_EXIST);
    }
    if (code == CLI_DONE && goat_repo_apply_json(run->repo, edits.data, edits.len, 0, &result, &error) != GOAT_OK) {
        code = cli_fail(run, path, error);
    }
    if (code == CLI_DONE) {
        did = what_it_did(&result);
        code = cli_flush(run);
    }
    code = cli_close(run, code);
    if (code == CLI_DONE) {
        edit_print(run, did);
    }
    goat_buf_free(&result);
    text_free(&edits);
    return code;
}

/* ---- Fields of one item ------------------------------------------------------------------------ */

static int edit_each(cli *run, goat_tx *tx, edit_field *each, const char *message, bool *changed) {
    goat_item *item = NULL;
    goat_error *error = NULL;
    const char *path = run->operands[1];
    goat_buf result = {0};
    int code = CLI_DONE;
    if (goat_item_open(run->db, tx, path, strlen(path), &item, &error) != GOAT_OK) {
        code = cli_fail(run, path, error);
    }
    for (int i = 2; i < run->operand_count && code == CLI_DONE; i++) {
        code = each(run, item, run->operands[i]);
    }
    if (code == CLI_DONE &&
        goat_tx_commit(tx, message, message != NULL ? strlen(message) : 0, &result, &error) != GOAT_OK) {
        code = cli_fail(run, path, error);
    }
    uint64_t commits;
    cbor_array(cbor_member(cbor_of(&result), "commits"), &commits);
    *changed = commits > 0;
    goat_buf_free(&result);
    goat_item_free(item);
    return code;
}

int edit_fields(cli *run, edit_field *each, const char *message) {
    goat_tx *tx = NULL;
    goat_error *error = NULL;
    bool changed = false;
    int code = cli_open_item(run, false, CLI_REPO_MUST_EXIST, NULL);
    if (code == CLI_DONE && goat_tx_begin(run->repo, &tx, &error) != GOAT_OK) {
        code = cli_fail(run, run->operands[1], error);
    }
    if (code == CLI_DONE) {
        code = edit_each(run, tx, each, message, &changed);
    }
    if (code == CLI_DONE) {
        code = cli_flush(run);
    }
    goat_tx_free(tx);
    code = cli_close(run, code);
    if (code == CLI_DONE) {
        edit_print(run, changed ? "changed" : "unchanged");
    }
    return code;
}

/* ---- Lines ----------------------------------------------------------------------------------- */

bool edit_add_key(ingest *in, const char *name, json_slice value, char *why) {
    text_add_c(&in->edits, "\"key\":");
    if (json_is_string(value)) {
        text_add(&in->edits, value.data, value.len);
        return true;
    }
    if (json_is_integer(value)) { /* numbered documents are common */
        text_add_json(&in->edits, value.data, value.len);
        return true;
    }
    snprintf(why, INGEST_WHY_SIZE,
             value.data == NULL ? "there is no \"%s\", which is to be the key"
                                : "\"%s\" is the key and must be a string or an integer",
             name);
    return false;
}

static void add_member(ingest *in, const char *name, json_slice value) {
    if (value.data != NULL) {
        text_add_c(&in->edits, ",\"");
        text_add_c(&in->edits, name);
        text_add_c(&in->edits, "\":");
        text_add(&in->edits, value.data, value.len);
    }
}

enum { KEY, SET, UNSET, EDIT, CREATE, REPLACE, DELETE, SCHEMA, MEMBERS };

/* The schema under which an item may be created: what the line says, or the option. */
static bool add_schema(ingest *in, json_slice said, char *why) {
    const edit_lines *lines = in->context;
    if (said.data == NULL && lines->schema == NULL) {
        snprintf(why, INGEST_WHY_SIZE, "\"create\" needs a schema: --schema NS, or \"schema\" in the line");
        return false;
    }
    if (said.data != NULL) {
        add_member(in, "schema", said);
        return true;
    }
    text_add_c(&in->edits, ",\"schema\":");
    text_add_json(&in->edits, lines->schema, strlen(lines->schema));
    return true;
}

bool edit_make(ingest *in, json_slice line, char *why) {
    const edit_lines *lines = in->context;
    const char *names[MEMBERS] = {lines->key, "set", "unset", "edit", "create", "replace", "delete", "schema"};
    json_slice members[MEMBERS], other;
    json_fault fault;
    if (!json_members(line, names, MEMBERS, members, &other, &fault)) {
        snprintf(why, INGEST_WHY_SIZE, "column %zu: %s", fault.position + 1, fault.text);
        return false;
    }
    if (other.data != NULL) {
        snprintf(why, INGEST_WHY_SIZE, "%.*s is no part of an edit", (int)(other.len < 200 ? other.len : 200),
                 other.data);
        return false;
    }
    json_slice create = members[CREATE];
    if (create.data != NULL && (members[SET].data != NULL || members[UNSET].data != NULL ||
                                members[EDIT].data != NULL || members[REPLACE].data != NULL)) {
        snprintf(why, INGEST_WHY_SIZE,
                 "\"create\" stands alone: no \"set\", \"unset\", \"edit\" or \"replace\" beside it");
        return false;
    }
    text_add_c(&in->edits, "{");
    if (!edit_add_key(in, lines->key, members[KEY], why) ||
        (create.data != NULL && !add_schema(in, members[SCHEMA], why))) {
        return false;
    }
    if (create.data == NULL) {
        add_member(in, "schema", members[SCHEMA]);
    }
    add_member(in, "replace", create.data != NULL ? create : members[REPLACE]);
    add_member(in, "set", members[SET]);
    add_member(in, "unset", members[UNSET]);
    add_member(in, "edit", members[EDIT]);
    add_member(in, "delete", members[DELETE]);
    text_add_c(&in->edits, "}");
    return true;
}
