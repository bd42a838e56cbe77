/* Walking dotted paths. One deviation from MongoDB: a number beyond the end of an array is a missing
 * value, so that "tags.7": null and "tags.7": {"$exists": false} say the same. */
#include "query/field.h"

typedef struct walk {
    const gt_field_path *path;
    gt_field_visit visit;
    void *context;
} walk;

static const gt_bytes missing = {NULL, 0};

static bool is_array(gt_bytes value) {
    gt_kind kind = gt_value_kind(value);
    return kind == GT_KIND_ARRAY || kind == GT_KIND_SET;
}

static void parse_segment(gt_bytes name, gt_field_segment *segment) {
    bool leading_zero = name.len > 1 && name.data[0] == '0'; /* "007" is a name, no number */
    *segment = (gt_field_segment){name, name.len > 0 && name.len < 10 && !leading_zero, 0};
    for (size_t i = 0; segment->is_index && i < name.len; i++) {
        segment->is_index = name.data[i] >= '0' && name.data[i] <= '9';
        segment->index = segment->index * 10 + (uint64_t)(name.data[i] - '0');
    }
}

goat_status gt_field_path_parse(gt_arena *arena, gt_bytes text, gt_field_path *path, gt_diag *diag) {
    size_t count = 1;
    for (size_t i = 0; i < text.len; i++) {
        count += text.data[i] == '.';
    }
    if (count > GT_FIELD_SEGMENTS_MAX) {
        return gt_fail(diag, GOAT_TOO_LARGE, "a path has at most %d names", GT_FIELD_SEGMENTS_MAX);
    }
    path->count = count;
    path->segments = gt_arena_new(arena, count, sizeof(gt_field_segment));
    if (path->segments == NULL) {
        return gt_no_memory(diag);
    }
    size_t begin = 0, at = 0;
    for (size_t i = 0; i <= text.len; i++) {
        if (i == text.len || text.data[i] == '.') {
            parse_segment(gt_bytes_of(text.data + begin, i - begin), &path->segments[at++]);
            begin = i + 1;
        }
    }
    return GOAT_OK;
}

static bool walk_from(const walk *w, size_t at, gt_bytes value, const gt_schema *fields);

bool gt_field_walk_end(gt_bytes value, gt_field_visit visit, void *context) {
    gt_bytes element;
    if (visit(context, value, false)) {
        return true;
    }
    if (!is_array(value)) {
        return false;
    }
    for (gt_iter iter = gt_array_iter(value); gt_array_next(&iter, &element);) {
        if (visit(context, element, true)) {
            return true;
        }
    }
    return false;
}

/* The path goes on by the name `at` through every map of an array. */
static bool walk_through(const walk *w, size_t at, gt_bytes array) {
    gt_bytes element;
    for (gt_iter iter = gt_array_iter(array); gt_array_next(&iter, &element);) {
        if (gt_value_kind(element) == GT_KIND_MAP && walk_from(w, at, element, NULL)) {
            return true;
        }
    }
    return false;
}

/* The name `at` is a number: an element of the array, or a name in the maps that it holds. */
static bool walk_index(const walk *w, size_t at, gt_bytes array) {
    const gt_field_segment *segment = &w->path->segments[at];
    gt_bytes element;
    uint64_t index = 0;
    bool found = false;
    for (gt_iter iter = gt_array_iter(array); gt_array_next(&iter, &element); index++) {
        if (index == segment->index) {
            found = true;
            if (walk_from(w, at + 1, element, NULL)) {
                return true;
            }
        }
        gt_bytes named = gt_map_find(element, segment->name);
        if (named.data != NULL) {
            found = true;
            if (walk_from(w, at + 1, named, NULL)) {
                return true;
            }
        }
    }
    return !found && w->visit(w->context, missing, false);
}

/* What is in a field of `schema` (NULL: unknown), if that is an object; else NULL. */
static const gt_schema *fields_of(const gt_schema *schema, gt_bytes name) {
    const gt_field *field = schema == NULL ? NULL : gt_schema_field(schema, name);
    return field == NULL ? NULL : field->fields;
}

/* `value` has been reached by the names before `at`. If it is an object, `fields` are its own. */
static bool walk_from(const walk *w, size_t at, gt_bytes value, const gt_schema *fields) {
    for (; at < w->path->count; at++) {
        const gt_field_segment *segment = &w->path->segments[at];
        if (is_array(value)) {
            return segment->is_index ? walk_index(w, at, value) : walk_through(w, at, value);
        }
        value = gt_field_value(value, fields, segment->name);
        fields = fields_of(fields, segment->name);
        if (value.data == NULL) {
            return w->visit(w->context, missing, false);
        }
    }
    return gt_field_walk_end(value, w->visit, w->context);
}

bool gt_field_walk(const gt_field_path *path, gt_bytes state, const gt_schema *schema, gt_field_visit visit,
                   void *context) {
    walk w = {path, visit, context};
    gt_bytes value = gt_field_value(state, schema, path->segments[0].name);
    return value.data == NULL ? visit(context, missing, false)
                              : walk_from(&w, 1, value, fields_of(schema, path->segments[0].name));
}

gt_bytes gt_field_value(gt_bytes state, const gt_schema *schema, gt_bytes name) {
    gt_bytes value = gt_map_find(state, name);
    if (value.data == NULL && schema != NULL) {
        const gt_field *field = gt_schema_field(schema, name);
        return field == NULL ? missing : field->default_value;
    }
    return value;
}
