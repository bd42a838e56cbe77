/* goat explain: where the fields of an item come from, the commits of each newest first. */
#include <string.h>

#include "cbor.h"
#include "commands.h"
#include "database.h"
#include "output.h"
#include "shown.h"
#include "text.h"

enum {
    ID_SHOWN = 6,
    SESSION_SHOWN = 4,
    LIMIT = 20,
    WIDTH_MIN = 60,
    EFFECT_COLUMN = 45,
    HEADS_SHOWN = 3,
    RULE_WIDTH = 78,
};

/* ---- as text ---- */

static void add_id(text *line, cbor id) {
    static const char hex[] = "0123456789abcdef";
    for (size_t i = 0; i < ID_SHOWN && i < id.len; i++) {
        text_add(line, &hex[id.data[i] >> 4], 1);
        text_add(line, &hex[id.data[i] & 15u], 1);
    }
}

static void add_number(text *line, uint64_t number) {
    char digits[24];
    int at = (int)sizeof digits;
    do {
        digits[--at] = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    text_add(line, digits + at, sizeof digits - (size_t)at);
}

/* Of a run of ids the first few. */
static void add_ids(text *line, cbor ids, bool others) {
    uint64_t count;
    cbor all = cbor_array(ids, &count);
    for (uint64_t i = 0; i < count && i < HEADS_SHOWN; i++) {
        text_add_c(line, i > 0 ? ", " : "");
        add_id(line, cbor_content(cbor_take(&all)));
    }
    if (count > HEADS_SHOWN || others) text_add_c(line, " and others");
}

/* On a terminal a line stays a line: what does not fit becomes "...". */
static void print_line(text *line, int column) {
    int width = out_width() - column, shown = 0; /* code points */
    size_t cut = 0;
    if (out_width() >= WIDTH_MIN) {
        for (size_t i = 0; i < line->len; i++) {
            if (((unsigned char)line->data[i] & 0xc0) != 0x80 && ++shown == width - 2) cut = i;
        }
        if (shown > width) {
            line->len = cut;
            text_add_c(line, "...");
        }
    }
    out_bytes(line->data, line->len);
    out_text("\n");
    text_free(line);
}

/* A text as it is, with quotes; anything else that has one line. */
static void add_key(text *line, cbor key) {
    cbor content = cbor_content(key);
    if (key.len > 0 && key.data[0] >> 5 == 3) {
        text_add_c(line, " ");
        text json = {0};
        text_add_json(&json, (const char *)content.data, content.len);
        text_add_shown(line, json.data, json.len);
        text_free(&json);
    } else if (key.len > 0 && key.data[0] >> 5 == 0) {
        text_add_c(line, " ");
        add_number(line, cbor_uint(key));
    }
}

static bool counts_elements(cbor what) {
    static const char *const words[] = {"inserted", "removed", "moved", "replaced", "formatted"};
    bool counts = false;
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        counts = counts || (what.len == strlen(words[i]) && memcmp(what.data, words[i], what.len) == 0);
    }
    return counts;
}

static void add_part(text *line, cbor part) {
    uint64_t count = cbor_uint(cbor_member(part, "count")), stands = cbor_uint(cbor_member(part, "stands"));
    cbor what = cbor_content(cbor_member(part, "what")), key = cbor_member(part, "key"), by = cbor_member(part, "by");
    text_add_shown(line, (const char *)what.data, what.len);
    add_key(line, key);
    if (by.len > 0) {
        bool is_negative = by.data[0] >> 5 == 1;
        text_add_c(line, is_negative ? " by -" : " by ");
        cbor magnitude = by;
        uint8_t head[9] = {0};
        if (is_negative && by.len <= sizeof head) { /* the same bytes, as a number that is not negative, and one more */
            memcpy(head, by.data, by.len);
            head[0] &= 0x1f;
            magnitude = (cbor){head, by.len};
        }
        add_number(line, cbor_uint(magnitude) + is_negative);
    } else if (count > 1 || (key.len == 0 && counts_elements(what))) {
        text_add_c(line, " ");
        add_number(line, count);
    }
    if (stands > 0 && stands < count) {
        text_add_c(line, " (");
        add_number(line, stands);
        text_add_c(line, " left)");
    }
}

/* Where only some of what a commit did stands, first that, then what does not. */
static void add_parts(text *line, cbor commit, bool both) {
    const char *between = ": ";
    for (int round = both ? 0 : 1; round < 2; round++) {
        uint64_t count;
        cbor parts = cbor_array(cbor_member(commit, "parts"), &count);
        for (uint64_t i = 0; i < count && parts.len > 0; i++) {
            cbor part = cbor_take(&parts);
            bool stands = cbor_uint(cbor_member(part, "stands")) > 0;
            if (both && stands != (round == 0)) continue;
            text_add_c(line, between);
            add_part(line, part);
            between = ", ";
        }
        if (both && round == 0) between = "; not: ";
    }
}

static bool same_bytes(cbor a, cbor b) { return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0); }

static void print_commit(cbor commit, cbor schema) {
    cbor id = cbor_content(cbor_member(commit, "id")), session = cbor_content(cbor_member(commit, "session"));
    cbor effect = cbor_member(commit, "effect"), by = cbor_member(commit, "by"), own = cbor_member(commit, "schema");
    int64_t ms = 0;
    char time[CBOR_TIME_SIZE];
    uint64_t by_count;
    cbor_date(cbor_member(commit, "time"), &ms);
    cbor_time_text(ms, time);
    time[10] = ' ';
    time[19] = '\0'; /* to the second */
    out_hex(id.data, id.len < ID_SHOWN ? id.len : ID_SHOWN);
    out_print("  %s  ", time);
    out_hex(session.data, session.len < SESSION_SHOWN ? session.len : SESSION_SHOWN);
    out_text("  ");
    text line = {0};
    cbor_array(by, &by_count);
    cbor word = cbor_content(effect);
    if (cbor_is_text(effect, "unread")) {
        text_add_c(&line, "not read here");
    } else if (cbor_is_text(effect, "none")) {
        text_add_c(&line, "no effect");
    } else {
        text_add_shown(&line, (const char *)word.data, word.len);
    }
    if (cbor_is_text(effect, "overridden") && by_count > 0) {
        text_add_c(&line, " by ");
        add_ids(&line, by, cbor_bool(cbor_member(commit, "others")));
    }
    add_parts(&line, commit, cbor_is_text(effect, "part"));
    if (cbor_is_text(effect, "part") && by_count > 0) {
        text_add_c(&line, ", by ");
        add_ids(&line, by, cbor_bool(cbor_member(commit, "others")));
    }
    if (!same_bytes(own, schema)) {
        cbor pair = cbor_array(own, NULL), ns = cbor_content(cbor_take(&pair));
        text_add_c(&line, " (");
        text_add_shown(&line, (const char *)ns.data, ns.len);
        text_add_c(&line, " version ");
        add_number(&line, cbor_uint(cbor_take(&pair)));
        text_add_c(&line, ")");
    }
    print_line(&line, EFFECT_COLUMN);
}

static void print_commits(cbor commits, cbor schema, bool mixed) {
    uint64_t count;
    bool was_settled = false;
    cbor all = cbor_array(commits, &count);
    for (uint64_t i = 0; i < count && all.len > 0; i++) {
        cbor commit = cbor_take(&all);
        bool is_settled = cbor_bool(cbor_member(commit, "settled"));
        if (mixed && is_settled && !was_settled) out_text("-- the base; before it:\n");
        was_settled = is_settled;
        print_commit(commit, schema);
    }
}

static void print_value(goat_item *item, cbor name, text *line) {
    goat_buf json = {0};
    goat_error *error = NULL;
    if (goat_item_get_json(item, (const char *)name.data, name.len, &json, &error) == GOAT_OK) {
        text_add_c(line, " = ");
        text_add_shown(line, (const char *)json.data, json.size);
    } else {
        text_add_c(line, ", not set");
        goat_error_free(error);
    }
    goat_buf_free(&json);
}

/* Words, in lines of at most RULE_WIDTH. */
static void print_rule(cbor type, cbor rule) {
    text line = {0};
    text_add_c(&line, "  ");
    text_add_shown(&line, (const char *)type.data, type.len);
    text_add_c(&line, ":");
    for (size_t at = 0; at < rule.len;) {
        size_t len = 0;
        while (at + len < rule.len && rule.data[at + len] != ' ') len++;
        if (line.len + 1 + len > RULE_WIDTH) {
            print_line(&line, 0);
            text_add_c(&line, "   ");
        }
        text_add_c(&line, " ");
        text_add_shown(&line, (const char *)rule.data + at, len);
        at += len + 1;
    }
    print_line(&line, 0);
}

static void print_field(cbor field, cbor explanation, goat_item *item, bool is_now) {
    cbor name = cbor_content(cbor_member(field, "name")), type = cbor_content(cbor_member(field, "type"));
    cbor rule = cbor_content(cbor_member(field, "rule")), earlier = cbor_member(field, "earlier");
    uint64_t more = cbor_uint(cbor_member(field, "more")), count;
    bool is_default = cbor_is_text(cbor_member(field, "state"), "default");
    text line = {0};
    text_add_shown(&line, (const char *)name.data, name.len);
    if (is_now) print_value(item, name, &line);
    if (is_default) text_add_c(&line, " (the default)");
    if (!is_now && cbor_is_text(cbor_member(field, "state"), "unset")) text_add_c(&line, ", not set");
    out_text("\n");
    print_line(&line, 0);
    print_rule(type, rule);
    cbor_array(cbor_member(field, "commits"), &count);
    if (count > 0) out_text("COMMIT        TIME (UTC)           SESSION   EFFECT\n");
    bool is_merged = !same_bytes(cbor_member(explanation, "at"), cbor_member(explanation, "base"));
    print_commits(cbor_member(field, "commits"), cbor_member(explanation, "schema"), is_merged);
    if (more > 0) out_print("%llu more (--limit)\n", (unsigned long long)more);
    cbor effect = cbor_member(earlier, "effect");
    if (cbor_is_text(effect, "kept") || cbor_is_text(effect, "part") || cbor_is_text(effect, "unknown")) {
        cbor_array(cbor_member(earlier, "commits"), &count);
        text_add_c(&line, count == 0 ? "an upgrade of the schema" : "earlier history, up to ");
        add_ids(&line, cbor_member(earlier, "commits"), false);
        print_line(&line, 0);
    }
    if (cbor_bool(cbor_member(field, "limited"))) out_text("not everything was looked into: there is too much\n");
}

static void print_explanation(cbor explanation, goat_item *item, bool is_now) {
    uint64_t heads, base, count;
    text line = {0};
    cbor at = cbor_member(explanation, "at"), below = cbor_member(explanation, "base");
    cbor_array(at, &heads);
    cbor_array(below, &base);
    add_number(&line, heads);
    text_add_c(&line, heads == 1 ? " head: " : " heads: ");
    add_ids(&line, at, false);
    print_line(&line, 0);
    text_add_c(&line, base == 0 ? "base: the empty item" : "base: ");
    add_ids(&line, below, false);
    print_line(&line, 0);
    cbor deletions = cbor_member(explanation, "deletions");
    cbor_array(deletions, &count);
    if (count > 0) {
        out_text(cbor_bool(cbor_member(explanation, "deleted")) ? "\nthe item, deleted\n"
                                                                : "\nthe item, not deleted\n");
        print_commits(deletions, cbor_member(explanation, "schema"), false);
    }
    cbor fields = cbor_array(cbor_member(explanation, "fields"), &count);
    for (uint64_t i = 0; i < count && fields.len > 0 && !out_failed(); i++) {
        print_field(cbor_take(&fields), explanation, item, is_now);
    }
}

int cmd_explain(cli *run) {
    uint32_t limit = LIMIT;
    goat_item *item = NULL;
    goat_buf told = {0}, at = {0};
    goat_error *error = NULL;
    const char *field = run->operand_count > 2 ? run->operands[2] : NULL, *digits = cli_value(run, "at");
    if (!cli_number(run, "limit", 0, UINT32_MAX, &limit)) return CLI_USAGE;
    int code = cli_open_item(run, true, CLI_REPO_MUST_EXIST, &item);
    if (code == CLI_DONE && digits != NULL) code = cli_find_commit(run, item, digits, &at);
    if (code == CLI_DONE && goat_item_explain(item, field, field == NULL ? 0 : strlen(field), at.data, at.size, limit,
                                              &told, &error) != GOAT_OK) {
        code = cli_fail(run, run->operands[1], error);
    }
    if (code == CLI_DONE && cli_has(run, "json")) {
        cbor_print(cbor_of(&told));
        out_text("\n");
    } else if (code == CLI_DONE) {
        print_explanation(cbor_of(&told), item, digits == NULL);
    }
    goat_buf_free(&told);
    goat_buf_free(&at);
    goat_item_free(item);
    return cli_close(run, code);
}
