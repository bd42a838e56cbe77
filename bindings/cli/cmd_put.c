/* goat put: creates an item, or makes it equal to a document. */
#include <string.h>

#include "commands.h"
#include "edit.h"
#include "input.h"
#include "output.h"

int cmd_put(cli *run) {
    text document = {0}, rest = {0};
    int code = CLI_DONE;
    if (strcmp(run->operands[2], "-") == 0) {
        code = input_read(run, "-", &document);
    } else {
        text_add_c(&document, run->operands[2]);
    }
    json_slice value;
    json_fault fault;
    if (code == CLI_DONE && !json_is_value((json_slice){document.data, document.len}, &value, &fault)) {
        cli_error(run, "the document is no JSON: byte %zu: %s", fault.position, fault.text);
        code = CLI_NO;
    } else if (code == CLI_DONE && !json_is_object(value)) {
        cli_error(run, "the document must be a JSON object");
        code = CLI_NO;
    }
    if (code == CLI_DONE) {
        text_add_c(&rest, "\"replace\":");
        text_add(&rest, value.data, value.len);
        code = edit_one(run, cli_value(run, "schema"), &rest);
    }
    text_free(&document);
    text_free(&rest);
    return code;
}
