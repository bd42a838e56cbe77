/* goat verify: checks everything that is stored. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cbor.h"
#include "commands.h"
#include "database.h"
#include "output.h"
#include "progress.h"
#include "shown.h"

enum { ID_SHOWN = 6 }; /* bytes of an id, for people */

static void print_text(cbor item, const char *before) {
    cbor content = cbor_content(item);
    if (content.len > 0) {
        out_text(before);
        out_shown(content.data, content.len);
    }
}

static void print_id(cbor fault, const char *name) {
    cbor id = cbor_content(cbor_member(fault, name));
    if (id.len > 0) {
        out_print(", %s ", name);
        out_hex(id.data, id.len < ID_SHOWN ? id.len : ID_SHOWN);
    }
}

/* "/data/x: torn: 17 bytes … (at 4711, batch 0123456789ab)" */
static void print_fault(cbor fault) {
    print_text(cbor_member(fault, "path"), "");
    print_text(cbor_member(fault, "kind"), ": ");
    print_text(cbor_member(fault, "message"), ": ");
    cbor offset = cbor_member(fault, "offset");
    if (!cbor_is_empty(offset)) {
        out_print(", at byte %" PRIu64, cbor_uint(offset));
    }
    print_id(fault, "batch");
    print_id(fault, "commit");
    out_text("\n");
}

static const char *size_text(uint64_t bytes, char *text) {
    if (bytes < 1000000) {
        snprintf(text, PROGRESS_NUMBER_SIZE, "%" PRIu64 " bytes", bytes);
    } else {
        snprintf(text, PROGRESS_NUMBER_SIZE, "%.1f MB", (double)bytes / 1e6);
    }
    return text;
}

/* Gives the number of faults. */
static uint64_t print_report(cbor report, double seconds) {
    uint64_t count;
    cbor faults = cbor_array(cbor_member(report, "faults"), &count);
    for (uint64_t i = 0; i < count && faults.len > 0; i++) {
        print_fault(cbor_take(&faults));
    }
    char numbers[5][PROGRESS_NUMBER_SIZE];
    out_print("%s batches, %s commits, %s signatures, %s in %.2f s: %s fault%s\n",
              progress_number(cbor_uint(cbor_member(report, "batches")), numbers[0]),
              progress_number(cbor_uint(cbor_member(report, "commits")), numbers[1]),
              progress_number(cbor_uint(cbor_member(report, "signatures")), numbers[2]),
              size_text(cbor_uint(cbor_member(report, "bytes")), numbers[3]), seconds,
              count == 0 ? "no" : progress_number(count, numbers[4]), count == 1 ? "" : "s");
    return count;
}

int cmd_verify(cli *run) {
    const char *repo = run->operand_count > 1 ? run->operands[1] : NULL;
    goat_buf report = {0};
    goat_error *error = NULL;
    uint64_t faults = 0;
    int code = cli_open(run, true);
    double begun = progress_now();
    if (code == CLI_DONE &&
        goat_db_verify(run->db, repo, repo != NULL ? strlen(repo) : 0, &report, NULL, &error) != GOAT_OK) {
        code = cli_fail(run, repo != NULL ? repo : run->operands[0], error);
    }
    if (code == CLI_DONE && cli_has(run, "json")) {
        cbor_array(cbor_member(cbor_of(&report), "faults"), &faults);
        cbor_print(cbor_of(&report));
        out_text("\n");
    } else if (code == CLI_DONE) {
        faults = print_report(cbor_of(&report), progress_now() - begun);
    }
    goat_buf_free(&report);
    return cli_close(run, code == CLI_DONE && faults > 0 ? CLI_NO : code);
}
