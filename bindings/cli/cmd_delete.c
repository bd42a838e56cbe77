/* goat delete: deletes an item, or brings it back. */
#include "commands.h"
#include "edit.h"

int cmd_delete(cli *run) {
    text rest = {0};
    text_add_c(&rest, cli_has(run, "undo") ? "\"delete\":false" : "\"delete\":true");
    int code = edit_one(run, NULL, &rest);
    text_free(&rest);
    return code;
}
