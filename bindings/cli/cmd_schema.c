/* goat schema: registers schemas, and lists those that are known; schema_changes.c does the rest. */
#include <inttypes.h>
#include <string.h>

#include "cbor.h"
#include "commands.h"
#include "database.h"
#include "input.h"
#include "json.h"
#include "output.h"
#include "schema_changes.h"

/* What was registered, as the file says it. */
static void print_added(const cli *run, const char *name, const text *definition) {
    static const char *const names[] = {"ns", "version"};
    json_slice members[2];
    json_fault fault;
    if (!json_members((json_slice){definition->data, definition->len}, names, 2, members, NULL, &fault) ||
        members[0].data == NULL || members[1].data == NULL) {
        return; /* it was accepted, so this cannot be */
    }
    if (cli_has(run, "json")) {
        out_text("{\"file\":");
        out_json_text(name);
        out_print(",\"ns\":%.*s,\"version\":%.*s}\n", (int)members[0].len, members[0].data, (int)members[1].len,
                  members[1].data);
    } else {
        out_print("%.*s %.*s\n", (int)members[0].len - 2, members[0].data + 1, (int)members[1].len, members[1].data);
    }
}

static int add_file(cli *run, const char *name) {
    text definition = {0};
    json_fault fault;
    goat_error *error = NULL;
    int code = input_read(run, name, &definition);
    if (code == CLI_DONE && !json_is_value((json_slice){definition.data, definition.len}, NULL, &fault)) {
        cli_error(run, "%s: no JSON: byte %zu: %s", name, fault.position, fault.text);
        code = CLI_NO;
    }
    bool checks = cli_has(run, "check");
    if (code == CLI_DONE) code = schema_check(run, name, definition.data, definition.len, checks);
    if (code == CLI_DONE && !checks &&
        goat_db_add_schema(run->db, definition.data, definition.len, &error) != GOAT_OK) {
        code = cli_fail(run, name, error);
    }
    if (code == CLI_DONE && !checks) {
        print_added(run, name, &definition);
    }
    text_free(&definition);
    return code;
}

static int add_files(cli *run) {
    int code = cli_open(run, cli_has(run, "check"));
    for (int i = 2; i < run->operand_count && code == CLI_DONE; i++) {
        code = add_file(run, run->operands[i]);
    }
    if (run->db != NULL && !cli_has(run, "check")) {
        int flushed = cli_flush(run);
        code = code == CLI_DONE ? flushed : code;
    }
    return cli_close(run, code);
}

/* "  title string, required" */
static void print_field(cbor name, cbor field) {
    cbor said = cbor_content(name), type = cbor_content(cbor_member(field, "type"));
    out_print("  %-20.*s %.*s%s\n", (int)said.len, (const char *)said.data, (int)type.len, (const char *)type.data,
              cbor_bool(cbor_member(field, "required")) ? ", required" : "");
}

static void print_definition(cbor definition) {
    cbor ns = cbor_content(cbor_member(definition, "ns"));
    out_print("%.*s %" PRIu64 "%s\n", (int)ns.len, (const char *)ns.data, cbor_uint(cbor_member(definition, "version")),
              cbor_bool(cbor_member(definition, "retired")) ? ", retired" : "");
    uint64_t count;
    cbor fields = cbor_map(cbor_member(definition, "fields"), &count);
    for (uint64_t i = 0; i < count && fields.len > 0; i++) {
        cbor name = cbor_take(&fields), field = cbor_take(&fields);
        print_field(name, field);
    }
}

static int print_json(cli *run, cbor definition) {
    goat_buf json = {0};
    goat_error *error = NULL;
    int code = CLI_DONE;
    if (goat_value_to_json(definition.data, definition.len, &json, &error) != GOAT_OK) {
        code = cli_fail(run, NULL, error);
    } else {
        out_bytes(json.data, json.size);
        out_text("\n");
    }
    goat_buf_free(&json);
    return code;
}

static int list(cli *run) {
    goat_buf schemas = {0};
    goat_error *error = NULL;
    int code = cli_open(run, true);
    if (code == CLI_DONE && goat_db_schemas(run->db, &schemas, &error) != GOAT_OK) {
        code = cli_fail(run, run->operands[0], error);
    }
    uint64_t count;
    cbor all = cbor_array(cbor_of(&schemas), &count);
    for (uint64_t i = 0; i < count && code == CLI_DONE && all.len > 0; i++) {
        cbor definition = cbor_take(&all);
        if (cli_has(run, "json")) {
            code = print_json(run, definition);
        } else {
            print_definition(definition);
        }
    }
    goat_buf_free(&schemas);
    return cli_close(run, code);
}

int cmd_schema(cli *run) {
    const char *verb = run->operands[1];
    if (strcmp(verb, "list") == 0) {
        return run->operand_count == 2 ? list(run) : cli_usage(run, "list takes no more operands");
    }
    if (strcmp(verb, "add") == 0) {
        return run->operand_count > 2 ? add_files(run) : cli_usage(run, "add needs a file, or - for standard input");
    }
    if (strcmp(verb, "diff") == 0) {
        return run->operand_count == 5 ? schema_diff(run) : cli_usage(run, "diff needs a namespace and two versions");
    }
    if (strcmp(verb, "retire") == 0) {
        return run->operand_count == 4 ? schema_retire(run) : cli_usage(run, "retire needs a namespace and a version");
    }
    return cli_usage(run, "\"%s\" is none of add, list, diff, retire", verb);
}
