/* goat unset: takes fields away from an item. */
#include <string.h>

#include "commands.h"
#include "edit.h"

int cmd_unset(cli *run) {
    text rest = {0};
    text_add_c(&rest, "\"unset\":[");
    for (int i = 2; i < run->operand_count; i++) {
        text_add_c(&rest, i > 2 ? "," : "");
        text_add_json(&rest, run->operands[i], strlen(run->operands[i]));
    }
    text_add_c(&rest, "]");
    int code = edit_one(run, NULL, &rest);
    text_free(&rest);
    return code;
}
