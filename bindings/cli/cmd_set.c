/* goat set: gives fields of an item new values, all in one commit. */
#include <string.h>

#include "commands.h"
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

int cmd_set(cli *run) {
    for (int i = 2; i < run->operand_count; i++) {
        if (strchr(run->operands[i], '=') == NULL || run->operands[i][0] == '=') {
            return cli_usage(run, "\"%s\" is not FIELD=VALUE", run->operands[i]);
        }
    }
    return edit_fields(run, set_field, cli_value(run, "message"));
}
