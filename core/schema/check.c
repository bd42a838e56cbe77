/* Whether values are what their schema asks for. States are sorted as the fields are, so a state is
 * checked in one walk over both; a rule that a field does not have costs one comparison. */
#include "schema/schema.h"

#include "base/utf8.h"
#include "schema/parsed.h"
#include "schema/pattern.h"
#include "value/build.h"
#include "value/date.h"
#include "value/orderstamp.h"
#include "value/rich.h"

#include <stdio.h>

/* A field's path for a printf "%.*s". */
#define NAME(name) (int)(name).len, (const char *)(name).data

static goat_status broken(const gt_field *field, const char *rule, goat_status status, gt_diag *diag) {
    gt_diag_field(diag, (const char *)field->path.data, field->path.len);
    gt_diag_rule(diag, rule);
    return status;
}

static goat_status check_rich(const gt_field *field, gt_bytes value, gt_diag *diag) {
    uint64_t position;
    const char *fault = gt_rich_fault(value, false, &position);
    if (fault == NULL) return GOAT_OK;
    gt_fail_at(diag, GOAT_WRONG_TYPE, position, "\"%.*s\" is of type richtext and %s: number %llu of its array",
               NAME(field->path), fault, (unsigned long long)position);
    return broken(field, "type", GOAT_WRONG_TYPE, diag);
}

goat_status gt_schema_refuse_unknown(const gt_schema *schema, gt_bytes name, gt_diag *diag) {
    char path[GT_DIAG_NAME_MAX];
    gt_bytes ns = gt_schema_ns(schema);
    snprintf(path, sizeof path, "%.*s%s%.*s", NAME(schema->path), schema->path.len > 0 ? "." : "", NAME(name));
    gt_fail(diag, GOAT_INVALID, "%.*s version %u has no field \"%s\"", NAME(ns), (unsigned)gt_schema_version(schema),
            path);
    gt_diag_field(diag, path, strlen(path));
    gt_diag_rule(diag, "unknown_field");
    return GOAT_INVALID;
}

static bool has_kind(const gt_field *field, gt_bytes value) {
    return (gt_type_kinds(field->type) >> gt_value_kind(value) & 1) != 0;
}

bool gt_field_holds(const gt_field *field, gt_bytes value) {
    uint64_t position;
    bool is_rich = field->type == GT_TYPE_RICHTEXT;
    return has_kind(field, value) && (!is_rich || gt_rich_fault(value, false, &position) == NULL);
}

static goat_status check_kind(const gt_field *field, gt_bytes value, gt_diag *diag) {
    if (has_kind(field, value)) {
        return field->type == GT_TYPE_RICHTEXT ? check_rich(field, value, diag) : GOAT_OK;
    }
    gt_fail(diag, GOAT_WRONG_TYPE, "\"%.*s\" is of type %s and cannot be %s", NAME(field->path),
            gt_type_name(field->type), gt_kind_name(gt_value_kind(value)));
    return broken(field, "type", GOAT_WRONG_TYPE, diag);
}

static goat_status check_types(const gt_schema *schema, gt_bytes object, gt_diag *diag) {
    gt_iter iter = gt_map_iter(object);
    gt_bytes name, value;
    goat_status status = GOAT_OK;
    while (status == GOAT_OK && gt_map_next(&iter, &name, &value)) {
        const gt_field *field = gt_schema_field(schema, name);
        status =
            field == NULL ? gt_schema_refuse_unknown(schema, name, diag) : gt_schema_check_type(field, value, diag);
    }
    return status;
}

goat_status gt_schema_check_type(const gt_field *field, gt_bytes value, gt_diag *diag) {
    goat_status status = check_kind(field, value, diag);
    return status == GOAT_OK && field->fields != NULL ? check_types(field->fields, value, diag) : status;
}

/* ---- limits ---- */

/* A value of a schema as text for a message. */
static void print_value(char *text, size_t size, gt_bytes value) {
    int64_t whole;
    double number;
    gt_bytes string;
    if (gt_value_as_int64(value, &whole)) {
        snprintf(text, size, "%lld", (long long)whole);
    } else if (gt_value_as_double(value, &number)) {
        snprintf(text, size, "%.15g", number);
    } else if (gt_value_as_text(value, &string)) {
        size_t shown = string.len < size - 3 ? string.len : gt_utf8_cut(string.data, size - 3);
        snprintf(text, size, "\"%.*s\"", (int)shown, (const char *)string.data);
    } else if (gt_value_as_date_ms(value, &whole)) {
        char date[GT_DATE_TEXT_MAX];
        snprintf(text, size, "%.*s", (int)gt_date_write(date, whole), date);
    } else {
        snprintf(text, size, "%s", gt_kind_name(gt_value_kind(value)));
    }
}

static goat_status check_enum(const gt_field *field, gt_bytes value, gt_diag *diag) {
    gt_bytes allowed;
    gt_iter iter = gt_array_iter(field->enum_values);
    while (gt_array_next(&iter, &allowed)) {
        if (gt_value_equal(allowed, value)) {
            return GOAT_OK;
        }
    }
    /* As many of them as fit into one line. */
    char list[160] = "", one[48];
    size_t len = 0;
    iter = gt_array_iter(field->enum_values);
    while (gt_array_next(&iter, &allowed)) {
        print_value(one, sizeof one, allowed);
        if (len + strlen(one) + 8 > sizeof list) {
            snprintf(list + len, sizeof list - len, ", …");
            break;
        }
        len += (size_t)snprintf(list + len, sizeof list - len, "%s%s", len == 0 ? "" : ", ", one);
    }
    gt_fail(diag, GOAT_INVALID, "\"%.*s\" must be one of %s", NAME(field->path), list);
    return broken(field, "enum", GOAT_INVALID, diag);
}

static goat_status check_range(const gt_field *field, gt_bytes value, gt_diag *diag) {
    char text[64];
    if (field->min.data != NULL && gt_value_compare(value, field->min) < 0) {
        print_value(text, sizeof text, field->min);
        gt_fail(diag, GOAT_INVALID, "\"%.*s\" must be at least %s", NAME(field->path), text);
        return broken(field, "min", GOAT_INVALID, diag);
    }
    if (field->max.data != NULL && gt_value_compare(value, field->max) > 0) {
        print_value(text, sizeof text, field->max);
        gt_fail(diag, GOAT_INVALID, "\"%.*s\" must be at most %s", NAME(field->path), text);
        return broken(field, "max", GOAT_INVALID, diag);
    }
    return GOAT_OK;
}

static uint64_t length_of(const gt_field *field, gt_bytes value) {
    gt_bytes string;
    if (field->type == GT_TYPE_RICHTEXT) return gt_rich_count(value);
    if (gt_value_as_text(value, &string)) {
        return gt_utf8_count(string.data, string.len);
    }
    return gt_value_as_bytes(value, &string) ? string.len : gt_value_count(value);
}

static const char *unit_of_length(gt_type type) {
    switch (type) {
    case GT_TYPE_STRING:
    case GT_TYPE_RICHTEXT:
    case GT_TYPE_TEXT: return "character";
    case GT_TYPE_BYTES: return "byte";
    case GT_TYPE_MAP: return "key";
    default: return "element";
    }
}

static goat_status check_length(const gt_field *field, gt_bytes value, gt_diag *diag) {
    uint64_t length = length_of(field, value);
    if (length >= field->min_length && length <= field->max_length) {
        return GOAT_OK;
    }
    bool is_short = length < field->min_length;
    uint64_t limit = is_short ? field->min_length : field->max_length;
    gt_fail(diag, GOAT_INVALID, "\"%.*s\" must have %s %llu %s%s", NAME(field->path), is_short ? "at least" : "at most",
            (unsigned long long)limit, unit_of_length(field->type), limit == 1 ? "" : "s");
    return broken(field, is_short ? "min_length" : "max_length", GOAT_INVALID, diag);
}

static goat_status check_pattern(const gt_field *field, gt_bytes text, gt_diag *diag) {
    switch (gt_pattern_find(field->pattern, text)) {
    case GT_MATCH_YES: return GOAT_OK;
    case GT_MATCH_NO_MEMORY: return gt_no_memory(diag);
    case GT_MATCH_LIMIT:
        gt_fail(diag, GOAT_INVALID, "\"%.*s\" is too long or too hard to compare with its pattern", NAME(field->path));
        break;
    default: gt_fail(diag, GOAT_INVALID, "\"%.*s\" does not match its pattern", NAME(field->path)); break;
    }
    return broken(field, "pattern", GOAT_INVALID, diag);
}

static goat_status check_stamp(const gt_field *field, gt_bytes value, gt_diag *diag) {
    gt_bytes text = gt_bytes_of(NULL, 0);
    gt_value_as_text(value, &text);
    const char *fault = gt_orderstamp_fault(text, NULL);
    if (fault == NULL) return GOAT_OK;
    gt_fail(diag, GOAT_INVALID, "\"%.*s\" is no order stamp: it %s", NAME(field->path), fault);
    return broken(field, "type", GOAT_INVALID, diag);
}

/* Of rich text the characters are looked at, without attributes. */
static goat_status check_text(const gt_field *field, gt_bytes value, const gt_alloc *alloc, gt_diag *diag) {
    gt_bytes text = gt_bytes_of(NULL, 0);
    gt_buf plain;
    if (field->type != GT_TYPE_RICHTEXT) {
        gt_value_as_text(value, &text);
        return check_pattern(field, text, diag);
    }
    gt_buf_init(&plain, alloc);
    gt_buf_reserve(&plain, 1);
    gt_rich_plain(value, &plain);
    goat_status status = gt_buf_failed(&plain) ? gt_no_memory(diag) : check_pattern(field, gt_buf_bytes(&plain), diag);
    gt_buf_free(&plain);
    return status;
}

static goat_status check_size(const gt_field *field, gt_bytes value, gt_diag *diag) {
    if (value.len <= GT_FIELD_SIZE_MAX) return GOAT_OK;
    gt_fail(diag, GOAT_INVALID, "\"%.*s\" is larger than %d bytes", NAME(field->path), GT_FIELD_SIZE_MAX);
    return broken(field, "max_size", GOAT_INVALID, diag);
}

goat_status gt_schema_check_value(const gt_field *field, gt_bytes value, gt_diag *diag) {
    goat_status status = check_kind(field, value, diag);
    if (status == GOAT_OK && field->fields != NULL) {
        status = gt_schema_check_state(field->fields, value, diag);
        return status == GOAT_OK ? check_size(field, value, diag) : status;
    }
    if (status == GOAT_OK) status = check_size(field, value, diag);
    if (status == GOAT_OK && field->type == GT_TYPE_ORDERSTAMP) {
        status = check_stamp(field, value, diag);
    }
    if (status == GOAT_OK && (field->min.data != NULL || field->max.data != NULL)) {
        status = check_range(field, value, diag);
    }
    if (status == GOAT_OK && (field->min_length > 0 || field->max_length != UINT64_MAX)) {
        status = check_length(field, value, diag);
    }
    if (status == GOAT_OK && field->enum_values.data != NULL) {
        status = check_enum(field, value, diag);
    }
    if (status == GOAT_OK && field->pattern != NULL) {
        status = check_text(field, value, gt_pattern_alloc(field->pattern), diag);
    }
    return status;
}

/* ---- states ---- */

static goat_status check_missing(const gt_field *field, gt_diag *diag) {
    if (!field->required || field->default_value.data != NULL) {
        return GOAT_OK;
    }
    gt_fail(diag, GOAT_INVALID, "\"%.*s\" is required", NAME(field->path));
    return broken(field, "required", GOAT_INVALID, diag);
}

/* A document with a field of the wrong type is an invalid document. */
static goat_status as_part_of_a_state(goat_status status, gt_diag *diag) {
    if (status != GOAT_WRONG_TYPE) {
        return status;
    }
    if (diag != NULL) {
        diag->status = GOAT_INVALID;
    }
    return GOAT_INVALID;
}

goat_status gt_schema_check_state(const gt_schema *schema, gt_bytes state, gt_diag *diag) {
    const gt_field *field = schema->fields, *end = schema->fields + schema->field_count;
    gt_iter iter = gt_map_iter(state);
    gt_bytes key, value;
    goat_status status;

    if (state.len > GT_STATE_SIZE_MAX) {
        gt_fail(diag, GOAT_INVALID, "the item is larger than %d bytes", GT_STATE_SIZE_MAX);
        gt_diag_rule(diag, "max_size");
        return GOAT_INVALID;
    }
    while (gt_map_next(&iter, &key, &value)) {
        for (; field < end && gt_key_compare(field->name, key) < 0; field++) {
            if ((status = check_missing(field, diag)) != GOAT_OK) {
                return status;
            }
        }
        if (field == end || !gt_bytes_equal(field->name, key)) {
            return gt_schema_refuse_unknown(schema, key, diag);
        }
        if ((status = gt_schema_check_value(field, value, diag)) != GOAT_OK) {
            return as_part_of_a_state(status, diag);
        }
        field++;
    }
    for (; field < end; field++) {
        if ((status = check_missing(field, diag)) != GOAT_OK) {
            return status;
        }
    }
    return GOAT_OK;
}

bool gt_state_is_whole(gt_bytes state) {
    gt_bytes key, value;
    bool whole = state.len <= GT_STATE_SIZE_MAX;
    if (state.len <= GT_FIELD_SIZE_MAX) return true;
    for (gt_iter iter = gt_map_iter(state); whole && gt_map_next_pair(&iter, &key, &value);) {
        whole = value.len <= GT_FIELD_SIZE_MAX;
    }
    return whole;
}
