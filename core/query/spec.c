/* The spec of a query from its JSON text. Unknown members are refused: a misspelt "limti" would
 * otherwise return everything. */
#include "query/spec.h"

#include "value/build.h"
#include "value/json.h"
#include "value/sort.h"

static goat_status refuse(gt_bytes name, const char *message, gt_diag *diag) {
    gt_fail(diag, GOAT_INVALID, "%s", message);
    gt_diag_field(diag, (const char *)name.data, name.len);
    return GOAT_INVALID;
}

static goat_status copy_text(gt_spec *spec, gt_bytes text, gt_bytes *copy, gt_diag *diag) {
    uint8_t *bytes = gt_arena_copy(&spec->arena, text.len > 0 ? text.data : (const uint8_t *)"", text.len);
    *copy = gt_bytes_of(bytes, text.len);
    return bytes == NULL ? gt_no_memory(diag) : GOAT_OK;
}

static goat_status parse_sort(gt_spec *spec, gt_bytes name, gt_bytes list, gt_diag *diag) {
    size_t count = gt_value_count(list);
    if (gt_value_kind(list) != GT_KIND_ARRAY) return refuse(name, "\"sort\" must be an array of field names", diag);
    if (count > GT_QUERY_SORT_MAX) return gt_fail(diag, GOAT_TOO_LARGE, "more than %d sort fields", GT_QUERY_SORT_MAX);
    spec->sort = gt_arena_new(&spec->arena, count + 1, sizeof(*spec->sort));
    if (spec->sort == NULL) return gt_no_memory(diag);
    gt_iter iter = gt_array_iter(list);
    gt_bytes element, text;
    goat_status status = GOAT_OK;
    while (status == GOAT_OK && gt_array_next(&iter, &element)) {
        gt_sort_field *field = &spec->sort[spec->sort_count++];
        if (!gt_value_as_text(element, &text) || text.len == 0) {
            return refuse(name, "\"sort\" must be an array of field names", diag);
        }
        field->descending = text.data[0] == '-';
        if (field->descending) text = gt_bytes_behind(text, 1);
        if (text.len == 0) return refuse(name, "\"sort\" must be an array of field names", diag);
        status = copy_text(spec, text, &text, diag);
        if (status == GOAT_OK) status = gt_field_path_parse(&spec->arena, text, &field->path, diag);
    }
    return status;
}

static bool is_before(const void *a, const void *b) {
    return gt_key_compare(*(const gt_bytes *)a, *(const gt_bytes *)b) < 0;
}

static goat_status parse_fields(gt_spec *spec, gt_bytes name, gt_bytes list, gt_diag *diag) {
    size_t count = gt_value_count(list), kept = 0;
    if (gt_value_kind(list) != GT_KIND_ARRAY) return refuse(name, "\"fields\" must be an array of field names", diag);
    if (count > GT_QUERY_FIELDS_MAX) return gt_fail(diag, GOAT_TOO_LARGE, "more than %d fields", GT_QUERY_FIELDS_MAX);
    spec->fields = gt_arena_new(&spec->arena, count + 1, sizeof(*spec->fields));
    if (spec->fields == NULL) return gt_no_memory(diag);
    gt_iter iter = gt_array_iter(list);
    gt_bytes element, text;
    while (gt_array_next(&iter, &element)) {
        if (!gt_value_as_text(element, &text)) return refuse(name, "\"fields\" must be an array of field names", diag);
        goat_status status = copy_text(spec, text, &spec->fields[kept++], diag);
        if (status != GOAT_OK) return status;
    }
    if (kept > 0) gt_sort(spec->fields, kept, sizeof(*spec->fields), is_before);
    for (size_t i = 0; i < kept; i++) { /* each once */
        if (i == 0 || !gt_bytes_equal(spec->fields[i], spec->fields[spec->field_count - 1])) {
            spec->fields[spec->field_count++] = spec->fields[i];
        }
    }
    return GOAT_OK;
}

static goat_status parse_number(gt_bytes name, gt_bytes value, uint32_t *number, gt_diag *diag) {
    int64_t given;
    if (!gt_value_as_int64(value, &given) || given < 0 || given > UINT32_MAX) {
        return refuse(name, "must be a whole number from 0 to 4294967295", diag);
    }
    *number = (uint32_t)given;
    return GOAT_OK;
}

static goat_status parse_member(gt_spec *spec, gt_bytes name, gt_bytes value, gt_diag *diag) {
    if (gt_bytes_equal(name, gt_bytes_text("schema"))) {
        gt_bytes ns;
        if (!gt_value_as_text(value, &ns)) return refuse(name, "\"schema\" must be a namespace", diag);
        return copy_text(spec, ns, &spec->ns, diag);
    }
    if (gt_bytes_equal(name, gt_bytes_text("where"))) {
        return gt_filter_compile(spec->arena.alloc, value, &spec->filter, diag);
    }
    if (gt_bytes_equal(name, gt_bytes_text("sort"))) return parse_sort(spec, name, value, diag);
    if (gt_bytes_equal(name, gt_bytes_text("fields"))) return parse_fields(spec, name, value, diag);
    if (gt_bytes_equal(name, gt_bytes_text("offset"))) return parse_number(name, value, &spec->offset, diag);
    if (gt_bytes_equal(name, gt_bytes_text("limit"))) return parse_number(name, value, &spec->limit, diag);
    return refuse(name, "a query has no such member", diag);
}

goat_status gt_spec_parse(const gt_alloc *alloc, gt_bytes text, gt_spec *spec, gt_diag *diag) {
    *spec = (gt_spec){.limit = UINT32_MAX};
    gt_arena_init(&spec->arena, alloc);
    if (text.len == 0) return GOAT_OK;
    if (text.len > GT_QUERY_SPEC_MAX) {
        return gt_fail(diag, GOAT_TOO_LARGE, "a query of more than %d bytes", GT_QUERY_SPEC_MAX);
    }
    gt_buf value;
    gt_buf_init(&value, alloc);
    goat_status status = gt_value_from_json_text(text, &value, diag);
    if (status == GOAT_OK && gt_value_kind(gt_buf_bytes(&value)) != GT_KIND_MAP) {
        status = gt_fail(diag, GOAT_INVALID, "a query must be an object");
    }
    gt_bytes name, member;
    gt_iter iter = status == GOAT_OK ? gt_map_iter(gt_buf_bytes(&value)) : (gt_iter){0};
    while (status == GOAT_OK && gt_map_next(&iter, &name, &member)) status = parse_member(spec, name, member, diag);
    gt_buf_free(&value);
    return status;
}

void gt_spec_free(gt_spec *spec) {
    gt_filter_drop(spec->filter);
    gt_arena_free(&spec->arena);
}
