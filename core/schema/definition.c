/* Definitions: a map {ns, version, fields, description?} is read and judged. Each fault names the field
 * and the word of the definition that is wrong. A key that is not known is refused, because a rule that
 * is silently not applied is worse than none. field.c reads the rules of one field. */
#include "crypto/crypto.h"
#include "schema/parsed.h"
#include "value/build.h"

#include <stdio.h>

#define NAME(name) (int)(name).len, (const char *)(name).data

static goat_status refuse(gt_diag *diag, const char *rule, const char *words) {
    gt_fail(diag, GOAT_INVALID, "%s", words);
    gt_diag_rule(diag, rule);
    return GOAT_INVALID;
}

static bool is_ns_byte(uint8_t byte) {
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || (byte >= '0' && byte <= '9') ||
           byte == '.' || byte == '_' || byte == '-';
}

static goat_status read_ns(gt_schema *schema, gt_bytes value, gt_diag *diag) {
    bool good = gt_value_as_text(value, &schema->ns) && schema->ns.len >= 1 && schema->ns.len <= GT_NS_MAX;
    for (size_t i = 0; good && i < schema->ns.len; i++) {
        good = is_ns_byte(schema->ns.data[i]);
    }
    return good ? GOAT_OK : refuse(diag, "ns", "\"ns\" must be 1 to 64 of the characters A-Z a-z 0-9 . _ -");
}

static goat_status read_version(gt_schema *schema, gt_bytes value, gt_diag *diag) {
    int64_t version = 0;
    if (!gt_value_as_int64(value, &version) || version < 1 || version > UINT32_MAX) {
        return refuse(diag, "version", "\"version\" must be a whole number from 1 to 4294967295");
    }
    schema->version = (uint32_t)version;
    return GOAT_OK;
}

static goat_status refuse_field(gt_bytes path, const char *words, gt_diag *diag) {
    refuse(diag, "fields", words);
    gt_diag_field(diag, (const char *)path.data, path.len);
    return GOAT_INVALID;
}

/* "address" and "city" are "address.city". */
static bool join_path(gt_schema *schema, gt_field *field) {
    size_t outer = schema->path.len;
    field->path = field->name;
    if (outer == 0) {
        return true;
    }
    uint8_t *path = gt_arena_new(&schema->arena, outer + 1 + field->name.len, 1);
    if (path == NULL) {
        return false;
    }
    memcpy(path, schema->path.data, outer);
    path[outer] = '.';
    memcpy(path + outer + 1, field->name.data, field->name.len);
    field->path = gt_bytes_of(path, outer + 1 + field->name.len);
    return true;
}

static goat_status read_field(gt_schema *schema, gt_bytes name, gt_bytes rules, gt_diag *diag) {
    gt_field *field = &schema->fields[schema->field_count];
    *field = (gt_field){.name = name};
    if (!join_path(schema, field)) {
        return gt_no_memory(diag);
    }
    if (name.len < 1 || name.len > GOAT_FIELD_NAME_MAX) {
        return refuse_field(field->path, "the name of a field must have 1 to 128 bytes", diag);
    }
    schema->has_objects |= schema->depth > 0;
    goat_status status = gt_field_parse(schema, field, rules, diag);
    schema->has_objects |= field->type == GT_TYPE_OBJECT;
    return status;
}

/* A dot leads into an object; so where there are objects, "a.b" must not be a name as well. */
static goat_status check_names(const gt_schema *schema, gt_diag *diag) {
    for (size_t i = 0; schema->has_objects && i < schema->field_count; i++) {
        const gt_field *field = &schema->fields[i];
        if (memchr(field->name.data, '.', field->name.len) != NULL) {
            return refuse_field(field->path, "where there are objects, the name of a field has no dot", diag);
        }
    }
    return GOAT_OK;
}

static goat_status read_fields(gt_schema *schema, gt_bytes value, gt_diag *diag) {
    if (gt_value_kind(value) != GT_KIND_MAP) {
        return refuse(diag, "fields", "\"fields\" must be a map of names to rules");
    }
    size_t count = gt_value_count(value);
    if (count > GOAT_FIELDS_MAX) {
        gt_fail(diag, GOAT_TOO_LARGE, "a schema of more than %d fields", GOAT_FIELDS_MAX);
        gt_diag_rule(diag, "fields");
        return GOAT_TOO_LARGE;
    }
    schema->fields = gt_arena_new(&schema->arena, count, sizeof *schema->fields);
    if (schema->fields == NULL) {
        return gt_no_memory(diag);
    }
    gt_iter iter = gt_map_iter(value);
    gt_bytes name, rules;
    while (gt_map_next(&iter, &name, &rules)) {
        goat_status status = read_field(schema, name, rules, diag);
        if (status != GOAT_OK) {
            return status;
        }
        schema->field_count++;
    }
    goat_status status = check_names(schema, diag);
    return status == GOAT_OK && !gt_schema_index(schema) ? gt_no_memory(diag) : status;
}

static gt_schema *new_schema(const gt_alloc *alloc) {
    gt_schema *schema = gt_new(alloc, 1, sizeof *schema);
    if (schema != NULL) {
        schema->alloc = alloc;
        gt_arena_init(&schema->arena, alloc);
    }
    return schema;
}

static goat_status refuse_depth(const gt_field *object, gt_diag *diag) {
    gt_fail(diag, GOAT_TOO_LARGE, "\"%.*s\": more than %d objects inside each other", NAME(object->path),
            GOAT_OBJECT_DEPTH_MAX);
    gt_diag_field(diag, (const char *)object->path.data, object->path.len);
    gt_diag_rule(diag, "fields");
    return GOAT_TOO_LARGE;
}

goat_status gt_object_parse(const gt_schema *outer, gt_field *object, gt_bytes fields, gt_diag *diag) {
    if (outer->depth == GOAT_OBJECT_DEPTH_MAX) {
        return refuse_depth(object, diag);
    }
    gt_schema *made = new_schema(outer->alloc);
    if (made == NULL) {
        return gt_no_memory(diag);
    }
    made->outer = outer;
    made->definition = fields;
    made->path = object->path;
    made->depth = outer->depth + 1;
    goat_status status = read_fields(made, fields, diag);
    if (status == GOAT_OK) {
        object->fields = made;
        return GOAT_OK;
    }
    if (diag != NULL && diag->field[0] == 0) {
        gt_diag_field(diag, (const char *)object->path.data, object->path.len);
    }
    gt_schema_free(made);
    return status;
}

static goat_status read_part(gt_schema *schema, gt_bytes key, gt_bytes value, gt_diag *diag) {
    gt_bytes text;
    char word[32];
    snprintf(word, sizeof word, "%.*s", NAME(key));
    if (gt_bytes_equal(key, gt_bytes_text("ns"))) {
        return read_ns(schema, value, diag);
    }
    if (gt_bytes_equal(key, gt_bytes_text("version"))) {
        return read_version(schema, value, diag);
    }
    if (gt_bytes_equal(key, gt_bytes_text("fields"))) {
        return read_fields(schema, value, diag);
    }
    if (gt_bytes_equal(key, gt_bytes_text("description"))) {
        return gt_value_as_text(value, &text) ? GOAT_OK : refuse(diag, "description", "\"description\" must be a text");
    }
    if (gt_bytes_equal(key, gt_bytes_text("upgrade"))) {
        return gt_upgrade_parse(schema, value, diag);
    }
    gt_fail(diag, GOAT_INVALID, "\"%s\" is not a word of schema definitions", word);
    gt_diag_rule(diag, word);
    return GOAT_INVALID;
}

static goat_status read_definition(gt_schema *schema, gt_diag *diag) {
    if (gt_value_kind(schema->definition) != GT_KIND_MAP) {
        return refuse(diag, "", "a schema definition must be a map with \"ns\", \"version\" and \"fields\"");
    }
    gt_iter iter = gt_map_iter(schema->definition);
    gt_bytes key, value;
    while (gt_map_next(&iter, &key, &value)) {
        goat_status status = read_part(schema, key, value, diag);
        if (status != GOAT_OK) {
            return status;
        }
    }
    if (schema->ns.data == NULL) {
        return refuse(diag, "ns", "\"ns\" is missing");
    }
    if (schema->version == 0) {
        return refuse(diag, "version", "\"version\" is missing");
    }
    return schema->fields != NULL ? GOAT_OK : refuse(diag, "fields", "\"fields\" is missing");
}

goat_status gt_schema_parse(const gt_alloc *alloc, gt_hasher *hasher, gt_bytes definition, gt_schema **schema,
                            gt_diag *diag) {
    uint8_t hash[GT_HASH_SIZE];
    *schema = NULL;
    gt_schema *made = new_schema(alloc);
    if (made == NULL) {
        return gt_no_memory(diag);
    }
    const uint8_t *copy = gt_arena_copy(&made->arena, definition.data, definition.len);
    made->definition = gt_bytes_of(copy, definition.len);
    goat_status status = copy == NULL ? gt_no_memory(diag) : read_definition(made, diag);
    if (status != GOAT_OK) {
        gt_schema_free(made);
        return status;
    }
    gt_hash(hasher, copy, definition.len, hash);
    memcpy(made->hash, hash, sizeof made->hash);
    *schema = made;
    return GOAT_OK;
}
