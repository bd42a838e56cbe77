#include "db/revert.h"

#include "base/utf8.h"
#include "value/date.h"
#include "value/json.h"
#include "value/value.h"

void gt_revert_spec_free(gt_revert_spec *spec) {
    gt_free(spec->alloc, spec->commits);
    gt_buf_free(&spec->item);
    gt_buf_free(&spec->message);
}

static goat_status refuse(const char *name, const char *words, gt_diag *diag) {
    gt_fail(diag, GOAT_INVALID, "\"%s\" %s", name, words);
    gt_diag_field(diag, name, strlen(name));
    return GOAT_INVALID;
}

/* ---- commits ---- */

bool gt_wanted_read(gt_bytes text, gt_wanted_id *wanted) {
    char padded[2 * GT_ID_SIZE];
    if (text.len < GT_PREFIX_DIGITS_MIN || text.len > sizeof(padded)) return false;
    memset(padded, '0', sizeof(padded));
    memcpy(padded, text.data, text.len);
    *wanted = (gt_wanted_id){.digits = (uint32_t)text.len, .row = GT_NONE};
    return gt_unhex(wanted->id.bytes, GT_ID_SIZE, padded, sizeof(padded));
}

bool gt_wanted_is(const gt_wanted_id *wanted, const gt_id *id) {
    return gt_id_begins(id, &wanted->id, wanted->digits);
}

static goat_status read_commits(gt_bytes array, gt_revert_spec *spec, gt_diag *diag) {
    if (gt_value_kind(array) != GT_KIND_ARRAY) return refuse("commits", "is not an array of ids", diag);
    size_t count = gt_value_count(array);
    gt_iter iter = gt_array_iter(array);
    gt_bytes element, text;
    if (count == 0 || count > GT_REVERTS_MAX) return refuse("commits", "names none, or too many", diag);
    spec->commits = gt_new(spec->alloc, count, sizeof(*spec->commits));
    if (spec->commits == NULL) return gt_no_memory(diag);
    while (gt_array_next(&iter, &element)) {
        gt_wanted_id *wanted = &spec->commits[spec->commit_count];
        if (!gt_value_as_text(element, &text) || !gt_wanted_read(text, wanted)) {
            return refuse("commits", "holds something other than ids: 8 to 64 hexadecimal digits each", diag);
        }
        spec->commit_count++;
    }
    return GOAT_OK;
}

/* ---- times ---- */

/* RFC 3339, of which the whole millisecond is meant; or a commit's time as a number in a text. */
static goat_status read_time(const char *name, gt_bytes value, bool last, gt_time *time, gt_diag *diag) {
    gt_bytes text;
    int64_t ms;
    if (!gt_value_as_text(value, &text) || text.len == 0) return refuse(name, "is not a time as text", diag);
    uint64_t number = 0;
    size_t digits = 0;
    while (digits < text.len && digits < 19 && text.data[digits] >= '0' && text.data[digits] <= '9') {
        number = number * 10 + (uint64_t)(text.data[digits++] - '0');
    }
    if (digits == text.len) {
        *time = number;
        return number <= GT_TIME_MAX ? GOAT_OK : refuse(name, "is later than any time", diag);
    }
    const char *fault = gt_date_fault(text, &ms);
    if (fault != NULL) {
        gt_fail(diag, GOAT_INVALID, "\"%s\": %s", name, fault);
        gt_diag_field(diag, name, strlen(name));
        return GOAT_INVALID;
    }
    *time = gt_time_of_ms(ms);
    if (last && *time < GT_TIME_MAX) *time |= UINT16_MAX;
    return GOAT_OK;
}

/* ---- all of it ---- */

static goat_status read_text(const char *name, gt_bytes value, size_t most, gt_buf *out, gt_diag *diag) {
    gt_bytes text;
    if (!gt_value_as_text(value, &text) || text.len == 0 || text.len > most) {
        return refuse(name, "is not a text, or too long", diag);
    }
    gt_buf_append(out, text.data, text.len);
    return gt_buf_failed(out) ? gt_no_memory(diag) : GOAT_OK;
}

static goat_status read_flag(const char *name, gt_bytes value, bool *flag, gt_diag *diag) {
    return gt_value_as_bool(value, flag) ? GOAT_OK : refuse(name, "is neither true nor false", diag);
}

static bool is_key(gt_bytes key, const char *name) { return gt_bytes_equal(key, gt_bytes_text(name)); }

typedef struct asked {
    bool undo, redo, range;
} asked;

static goat_status read_member(gt_bytes key, gt_bytes value, gt_revert_spec *spec, asked *what, gt_diag *diag) {
    if (is_key(key, "commits")) return read_commits(value, spec, diag);
    if (is_key(key, "item")) return read_text("item", value, GOAT_KEY_MAX, &spec->item, diag);
    if (is_key(key, "message")) return read_text("message", value, GT_MESSAGE_MAX, &spec->message, diag);
    if (is_key(key, "undo")) return read_flag("undo", value, &what->undo, diag);
    if (is_key(key, "redo")) return read_flag("redo", value, &what->redo, diag);
    if (is_key(key, "dry_run")) return read_flag("dry_run", value, &spec->dry_run, diag);
    if (is_key(key, "lacks_some")) return read_flag("lacks_some", value, &spec->lacks_some, diag);
    bool since = is_key(key, "since"), until = is_key(key, "until"), session = is_key(key, "session");
    what->range = what->range || since || until || session;
    if (since) return read_time("since", value, false, &spec->since, diag);
    if (until) return read_time("until", value, true, &spec->until, diag);
    if (session) {
        gt_bytes text;
        bool good = gt_value_as_text(value, &text) && gt_wanted_read(text, &spec->session);
        spec->has_session = true;
        return good ? GOAT_OK : refuse("session", "is not an id: 8 to 64 hexadecimal digits", diag);
    }
    return gt_fail(diag, GOAT_INVALID, "a revert is not described by \"%.*s\"", (int)key.len, (const char *)key.data);
}

static goat_status read_all(gt_bytes map, gt_revert_spec *spec, gt_diag *diag) {
    asked what = {false, false, false};
    gt_bytes key, value, name;
    goat_status status = GOAT_OK;
    if (gt_value_kind(map) != GT_KIND_MAP) return gt_fail(diag, GOAT_INVALID, "what to revert is not an object");
    for (gt_iter iter = gt_map_iter(map); status == GOAT_OK && gt_map_next_pair(&iter, &key, &value);) {
        status = gt_value_as_text(key, &name) ? read_member(name, value, spec, &what, diag) : GOAT_INVALID;
    }
    if (status != GOAT_OK) return status;
    if (what.undo + what.redo + what.range + (spec->commit_count > 0) != 1) {
        return gt_fail(diag, GOAT_INVALID, "one of commits, a session or range of time, undo and redo is to be named");
    }
    spec->kind = what.undo    ? GT_REVERT_UNDO
                 : what.redo  ? GT_REVERT_REDO
                 : what.range ? GT_REVERT_RANGE
                              : GT_REVERT_COMMITS;
    return GOAT_OK;
}

goat_status gt_revert_spec_read(gt_bytes json, const gt_alloc *alloc, gt_revert_spec *spec, gt_diag *diag) {
    gt_buf value;
    *spec = (gt_revert_spec){.alloc = alloc, .until = GT_TIME_MAX};
    gt_buf_init(&spec->item, alloc);
    gt_buf_init(&spec->message, alloc);
    gt_buf_init(&value, alloc);
    goat_status status = gt_value_from_json_text(json, &value, diag);
    if (status == GOAT_OK) status = read_all(gt_buf_bytes(&value), spec, diag);
    gt_buf_free(&value);
    if (status != GOAT_OK) gt_revert_spec_free(spec);
    return status;
}
