/* goat schema: registers schemas, and lists those that are known; schema_changes.c does the rest. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cbor.h"
#include "commands.h"
#include "database.h"
#include "input.h"
#include "json.h"
#include "output.h"
#include "schema_changes.h"
#include "shown.h"

enum { NAME_COLUMN = 22 };

/* Namespace and version of a definition, as it says them. */
static bool read_name(const text *definition, json_slice *members) {
    static const char *const names[] = {"ns", "version"};
    json_fault fault;
    return json_members((json_slice){definition->data, definition->len}, names, 2, members, NULL, &fault) &&
           json_is_string(members[0]) && members[1].data != NULL;
}

/* Whether that version stands already: what it changes of the one before was said when it was added. */
static bool is_known(const cli *run, const text *definition) {
    json_slice members[2];
    goat_buf schemas = {0};
    bool known = false;
    if (!read_name(definition, members) || goat_db_schemas(run->db, &schemas, NULL) != GOAT_OK) return false;
    text ns = {0};
    text_add(&ns, members[0].data, members[0].len); /* the text of a string is never longer than the string */
    ns.len = json_string_text(members[0], ns.data);
    text version = {0};
    text_add(&version, members[1].data, members[1].len);
    text_add(&version, "", 1);
    cbor all = cbor_array(cbor_of(&schemas), NULL);
    while (!known && all.len > 0) {
        cbor one = cbor_take(&all), name = cbor_content(cbor_member(one, "ns"));
        known = name.len == ns.len && memcmp(name.data, ns.data, ns.len) == 0 &&
                cbor_uint(cbor_member(one, "version")) == strtoull(version.data, NULL, 10);
    }
    text_free(&ns);
    text_free(&version);
    goat_buf_free(&schemas);
    return known;
}

/* What was registered, as the file says it. */
static void print_added(const cli *run, const char *name, const text *definition) {
    json_slice members[2];
    if (!read_name(definition, members)) return; /* it was accepted, so this cannot be */
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
    if (code == CLI_DONE && (checks || !is_known(run, &definition)))
        code = schema_check(run, name, definition.data, definition.len, checks);
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

/* Of a rule its value as JSON. */
static void print_rule(cbor name, cbor value) {
    goat_buf json = {0};
    cbor word = cbor_content(name);
    if (goat_value_to_json(value.data, value.len, &json, NULL) == GOAT_OK) {
        bool is_word = cbor_is_text(name, "merge"); /* without its quotes */
        out_text(", ");
        out_shown(word.data, word.len);
        out_text(" ");
        out_shown(json.data + is_word, json.size - 2 * is_word);
    }
    goat_buf_free(&json);
}

static void print_fields(cbor fields, int indent);

/* "  title                string, required, max_length 80", and what is in it, further in. */
static void print_field(cbor name, cbor field, int indent) {
    static const char *const told[] = {"type", "required", "fields", "description"};
    cbor said = cbor_content(name), type = cbor_content(cbor_member(field, "type"));
    int width = indent < NAME_COLUMN ? NAME_COLUMN - indent : 1;
    text shown = {0};
    text_add_shown(&shown, (const char *)said.data, said.len);
    out_print("%*s%-*.*s %.*s%s", indent, "", width, (int)shown.len, shown.data, (int)type.len, (const char *)type.data,
              cbor_bool(cbor_member(field, "required")) ? ", required" : "");
    text_free(&shown);
    cbor rules = cbor_map(field, NULL);
    while (rules.len > 0) {
        cbor rule = cbor_take(&rules), value = cbor_take(&rules);
        bool is_told = false;
        for (size_t i = 0; i < sizeof told / sizeof told[0]; i++) is_told = is_told || cbor_is_text(rule, told[i]);
        if (!is_told) print_rule(rule, value);
    }
    out_text("\n");
    print_fields(cbor_member(field, "fields"), indent + 2);
}

/* Objects are in each other as deeply as GOAT_OBJECT_DEPTH_MAX at most. */
static void print_fields(cbor fields, int indent) {
    cbor run = cbor_map(fields, NULL);
    while (run.len > 0) {
        cbor name = cbor_take(&run), field = cbor_take(&run);
        print_field(name, field, indent);
    }
}

static void print_definition(cbor definition) {
    cbor ns = cbor_content(cbor_member(definition, "ns"));
    out_shown(ns.data, ns.len);
    out_print(" %" PRIu64 "%s\n", cbor_uint(cbor_member(definition, "version")),
              cbor_bool(cbor_member(definition, "retired")) ? ", retired" : "");
    print_fields(cbor_member(definition, "fields"), 2);
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
