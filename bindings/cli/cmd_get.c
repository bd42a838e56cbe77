/* goat get: one item, or one field of it. */
#include <string.h>

#include "commands.h"
#include "database.h"
#include "json.h"
#include "output.h"
#include "pretty.h"
#include "text.h"

/* The item's handle stays open in `*item` for the caller to end. */
static int look(cli *run, goat_item **item) {
    int code = cli_open_item(run, true, CLI_REPO_MUST_EXIST, item);
    goat_error *error = NULL;
    uint32_t state = 0;
    if (code == CLI_DONE && goat_item_state(*item, &state, &error) != GOAT_OK) {
        code = cli_fail(run, run->operands[1], error);
    }
    if (code == CLI_DONE && (state & GOAT_ITEM_DELETED) != 0 && !cli_has(run, "deleted")) {
        cli_error(run, "%s: deleted (--deleted shows it all the same)", run->operands[1]);
        code = CLI_NO;
    }
    return code;
}

static void print_value(const cli *run, const goat_buf *json) {
    json_slice value = {(const char *)json->data, json->size};
    if (cli_has(run, "json")) {
        out_bytes(value.data, value.len);
    } else if (cli_has(run, "field") && json_is_string(value)) {
        text plain = {0};
        text_add(&plain, value.data, value.len); /* the text of a string is never longer than the string */
        plain.len = json_string_text(value, plain.data);
        out_bytes(plain.data, plain.len);
        text_free(&plain);
    } else {
        pretty_print(value);
    }
    out_text("\n");
}

int cmd_get(cli *run) {
    goat_item *item = NULL;
    goat_buf json = {0};
    goat_error *error = NULL;
    const char *field = cli_value(run, "field");
    int code = look(run, &item);
    if (code == CLI_DONE) {
        goat_status status = field != NULL ? goat_item_get_json(item, field, strlen(field), &json, &error)
                                           : goat_item_read_json(item, &json, NULL, &error);
        code = status == GOAT_OK ? CLI_DONE : cli_fail(run, run->operands[1], error);
    }
    if (code == CLI_DONE) {
        print_value(run, &json);
    }
    goat_buf_free(&json);
    goat_item_free(item);
    return cli_close(run, code);
}
