/* goat set: gives fields of an item new values, all in one commit. */
#include <string.h>

#include "cbor.h"
#include "commands.h"
#include "database.h"
#include "edit.h"
#include "json.h"
#include "output.h"

/* Sets one field. A value is JSON; where it is none, or the field does not take it as that, it is taken as
 * the text that it is, so that version=1.0 and title=Feed the goats mean what they look like. When both
 * are refused, the refusal of the JSON is told. */
static int set_field(cli *run, goat_item *item, const char *assignment) {
    size_t name_len = strcspn(assignment, "=");
    json_slice value = json_of(assignment + name_len + 1);
    json_fault fault;
    goat_error *error = NULL, *again = NULL;
    goat_status status = GOAT_INVALID;
    bool is_json = json_is_value(value, NULL, &fault);
    if (is_json) {
        status = goat_item_set_json(item, assignment, name_len, value.data, value.len, &error);
    }
    if (!is_json || status == GOAT_WRONG_TYPE) {
        text quoted = {0};
        text_add_json(&quoted, value.data, value.len);
        status = goat_item_set_json(item, assignment, name_len, quoted.data, quoted.len, &again);
        text_free(&quoted);
    }
    if (status == GOAT_OK || error != NULL) {
        goat_error_free(again);
        again = NULL;
    }
    if (status == GOAT_OK) {
        goat_error_free(error);
        return CLI_DONE;
    }
    return cli_fail(run, run->operands[1], error != NULL ? error : again);
}

static int set_fields(cli *run, goat_tx *tx, bool *changed) {
    goat_item *item = NULL;
    goat_error *error = NULL;
    const char *path = run->operands[1], *message = cli_value(run, "message");
    goat_buf result = {0};
    int code = CLI_DONE;
    if (goat_item_open(run->db, tx, path, strlen(path), &item, &error) != GOAT_OK) {
        code = cli_fail(run, path, error);
    }
    for (int i = 2; i < run->operand_count && code == CLI_DONE; i++) {
        code = set_field(run, item, run->operands[i]);
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

int cmd_set(cli *run) {
    for (int i = 2; i < run->operand_count; i++) {
        if (strchr(run->operands[i], '=') == NULL || run->operands[i][0] == '=') {
            return cli_usage(run, "\"%s\" is not FIELD=VALUE", run->operands[i]);
        }
    }
    goat_tx *tx = NULL;
    goat_error *error = NULL;
    bool changed = false;
    int code = cli_open_item(run, false, CLI_REPO_MUST_EXIST, NULL);
    if (code == CLI_DONE && goat_tx_begin(run->repo, &tx, &error) != GOAT_OK) {
        code = cli_fail(run, run->operands[1], error);
    }
    if (code == CLI_DONE) {
        code = set_fields(run, tx, &changed);
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
