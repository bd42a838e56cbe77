/* goat log: the commits of an item, newest first. */
#include <string.h>

#include "cbor.h"
#include "commands.h"
#include "database.h"
#include "output.h"
#include "shown.h"
#include "text.h"

enum {
    ID_SHOWN = 6,
    ID_SIZE = 32,
    SESSION_SHOWN = 4,
    KIND_WIDTH = 8,
    WINDOW = 1024,
    FIELDS_COLUMN = 56,
    FIELDS_WIDTH_MIN = 12
};

static void add_fields(text *line, cbor commit) {
    uint64_t count;
    cbor fields = cbor_array(cbor_member(commit, "fields"), &count);
    for (uint64_t i = 0; i < count && fields.len > 0; i++) {
        cbor name = cbor_content(cbor_take(&fields));
        text_add_c(line, i > 0 ? ", " : "");
        text_add_shown(line, (const char *)name.data, name.len);
    }
    cbor message = cbor_content(cbor_member(commit, "message"));
    if (message.len > 0) {
        text_add_c(line, "  ");
        text json = {0};
        text_add_json(&json, (const char *)message.data, message.len);
        text_add_shown(line, json.data, json.len);
        text_free(&json);
    }
}

/* On a terminal a line stays a line: what does not fit becomes "...". */
static void cut_to_width(text *line) {
    int width = out_width() - FIELDS_COLUMN;
    int shown = 0; /* code points */
    if (out_width() == 0 || width < FIELDS_WIDTH_MIN) {
        return;
    }
    size_t cut = 0; /* where three columns are left */
    for (size_t i = 0; i < line->len; i++) {
        if (((unsigned char)line->data[i] & 0xc0) != 0x80 && ++shown == width - 2) {
            cut = i;
        }
    }
    if (shown > width) {
        line->len = cut;
        text_add_c(line, "...");
    }
}

static void print_commit(cbor commit) {
    cbor id = cbor_content(cbor_member(commit, "id")), session = cbor_content(cbor_member(commit, "session"));
    cbor kind = cbor_content(cbor_member(commit, "kind"));
    int64_t ms = 0;
    char time[CBOR_TIME_SIZE];
    cbor_date(cbor_member(commit, "time"), &ms);
    cbor_time_text(ms, time);
    time[10] = ' ';
    time[19] = '\0'; /* to the second */
    out_hex(id.data, id.len < ID_SHOWN ? id.len : ID_SHOWN);
    const char *mark = cbor_bool(cbor_member(commit, "head"))     ? "*"
                       : cbor_bool(cbor_member(commit, "hidden")) ? "-"
                                                                  : " ";
    out_print("%s  %s  ", mark, time);
    out_hex(session.data, session.len < SESSION_SHOWN ? session.len : SESSION_SHOWN);
    text rest = {0};
    out_text("  ");
    out_shown(kind.data, kind.len);
    out_print("%*s", kind.len < KIND_WIDTH ? (int)(KIND_WIDTH - kind.len) + 2 : 2, "");
    add_fields(&rest, commit);
    cut_to_width(&rest);
    out_bytes(rest.data, rest.len);
    out_text("\n");
    text_free(&rest);
}

/* Prints a page; `last` becomes the id of its last commit, behind which the next one begins. */
static void print_page(const cli *run, cbor all, uint8_t last[ID_SIZE]) {
    while (all.len > 0) {
        cbor commit = cbor_take(&all), id = cbor_content(cbor_member(commit, "id"));
        if (cli_has(run, "json")) {
            cbor_print(commit);
            out_text("\n");
        } else {
            print_commit(commit);
        }
        if (id.len == ID_SIZE) {
            memcpy(last, id.data, ID_SIZE);
        }
    }
}

/* Prints up to `limit` commits: those before `before`, or (with an empty one) from the newest on. */
static int print_all(cli *run, goat_item *item, const goat_buf *before, uint32_t limit) {
    goat_buf commits = {0};
    uint8_t last[ID_SIZE] = {0};
    const uint8_t *from = before->size == ID_SIZE ? before->data : NULL;
    int code = CLI_DONE;
    for (uint64_t got = WINDOW; code == CLI_DONE && got == WINDOW && limit > 0 && !out_failed(); from = last) {
        uint32_t window = limit < WINDOW ? limit : WINDOW;
        goat_error *error = NULL;
        if (goat_item_commits(item, from, ID_SIZE, window, &commits, &error) != GOAT_OK) {
            code = cli_fail(run, run->operands[1], error);
        } else {
            print_page(run, cbor_array(cbor_of(&commits), &got), last);
            limit -= window;
        }
    }
    goat_buf_free(&commits);
    return code;
}

int cmd_log(cli *run) {
    uint32_t limit = UINT32_MAX;
    const char *digits = cli_value(run, "before");
    goat_buf before = {0};
    goat_item *item = NULL;
    if (!cli_number(run, "limit", 0, UINT32_MAX, &limit)) {
        return CLI_USAGE;
    }
    int code = cli_open_item(run, true, CLI_REPO_MUST_EXIST, &item);
    if (code == CLI_DONE && digits != NULL) {
        code = cli_find_commit(run, item, digits, &before);
    }
    if (code == CLI_DONE && !cli_has(run, "json")) {
        out_text("COMMIT         TIME (UTC)           SESSION   KIND      FIELDS\n");
    }
    if (code == CLI_DONE) {
        code = print_all(run, item, &before, limit);
    }
    goat_buf_free(&before);
    goat_item_free(item);
    return cli_close(run, code);
}
