/* goat schema diff, retire and add --check: versions of a schema side by side. */
#include "schema_changes.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cbor.h"
#include "database.h"
#include "output.h"
#include "shown.h"

static void print_change(cbor change) {
    cbor risk = cbor_content(cbor_member(change, "risk")), message = cbor_content(cbor_member(change, "message"));
    out_print("%-8" PRIu64 "%-9.*s", cbor_uint(cbor_member(change, "version")), (int)risk.len, (const char *)risk.data);
    out_shown(message.data, message.len);
    out_text("\n");
}

/* `prints`: all of them, on standard output. Otherwise notes of those by which data is lost or refused. */
static void tell(cli *run, const char *name, cbor changes, bool prints) {
    uint64_t count;
    cbor all = cbor_array(changes, &count);
    for (uint64_t i = 0; i < count && all.len > 0; i++) {
        cbor change = cbor_take(&all);
        cbor risk = cbor_content(cbor_member(change, "risk"));
        cbor message = cbor_content(cbor_member(change, "message"));
        if (prints && cli_has(run, "json")) {
            cbor_print(change);
            out_text("\n");
        } else if (prints) {
            print_change(change);
        } else if (risk.len > 0) {
            cli_note(run, "%s: %.*s: %.*s", name, (int)risk.len, (const char *)risk.data, (int)message.len,
                     (const char *)message.data);
        }
    }
}

int schema_check(cli *run, const char *name, const char *definition, size_t len, bool prints) {
    goat_buf changes = {0};
    goat_error *error = NULL;
    int code = CLI_DONE;
    if (goat_db_check_schema(run->db, definition, len, &changes, &error) != GOAT_OK) {
        code = cli_fail(run, name, error);
    } else {
        tell(run, name, cbor_of(&changes), prints);
    }
    goat_buf_free(&changes);
    return code;
}

static bool read_version(const cli *run, const char *text, uint32_t *version) {
    char *end = NULL;
    errno = 0;
    unsigned long long value = strtoull(text, &end, 10);
    if (text[0] < '0' || text[0] > '9' || *end != '\0' || errno != 0 || value < 1 || value > UINT32_MAX) {
        cli_usage(run, "a version must be a whole number from 1 to 4294967295, not \"%s\"", text);
        return false;
    }
    *version = (uint32_t)value;
    return true;
}

int schema_diff(cli *run) {
    uint32_t from, to;
    if (!read_version(run, run->operands[3], &from) || !read_version(run, run->operands[4], &to)) return CLI_USAGE;
    const char *ns = run->operands[2];
    goat_buf changes = {0};
    goat_error *error = NULL;
    int code = cli_open(run, true);
    if (code == CLI_DONE && goat_db_schema_changes(run->db, ns, strlen(ns), from, to, &changes, &error) != GOAT_OK) {
        code = cli_fail(run, ns, error);
    }
    if (code == CLI_DONE) tell(run, ns, cbor_of(&changes), true);
    goat_buf_free(&changes);
    return cli_close(run, code);
}

int schema_retire(cli *run) {
    uint32_t version;
    bool retires = !cli_has(run, "undo");
    if (!read_version(run, run->operands[3], &version)) return CLI_USAGE;
    const char *ns = run->operands[2];
    goat_error *error = NULL;
    int code = cli_open(run, false);
    if (code == CLI_DONE && goat_db_retire_schema(run->db, ns, strlen(ns), version, retires, &error) != GOAT_OK) {
        code = cli_fail(run, ns, error);
    }
    if (run->db != NULL) {
        int flushed = cli_flush(run);
        code = code == CLI_DONE ? flushed : code;
    }
    if (code == CLI_DONE && cli_has(run, "json")) {
        out_text("{\"ns\":");
        out_json_text(ns);
        out_print(",\"version\":%" PRIu32 ",\"retired\":%s}\n", version, retires ? "true" : "false");
    } else if (code == CLI_DONE) {
        out_print("%s %" PRIu32 " is %s\n", ns, version, retires ? "retired" : "in use");
    }
    return cli_close(run, code);
}
