/* goat unset: takes fields away from an item, all in one commit. */
#include <string.h>

#include "commands.h"
#include "edit.h"
#include "output.h"

static int unset_field(cli *run, goat_item *item, const char *field) {
    goat_error *error = NULL;
    goat_status status = goat_item_unset(item, field, strlen(field), &error);
    return status == GOAT_OK ? CLI_DONE : cli_fail(run, run->operands[1], error);
}

int cmd_unset(cli *run) { return edit_fields(run, unset_field, NULL); }
