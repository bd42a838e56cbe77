/* A parsed schema: its parts, fields by name, and states as a reader sees them. */
#include "schema/schema.h"

#include "schema/parsed.h"
#include "value/build.h"

void gt_schema_free(gt_schema *schema) {
    if (schema == NULL) {
        return;
    }
    for (size_t i = 0; i < schema->field_count; i++) {
        gt_field_end(&schema->fields[i]);
    }
    gt_arena_free(&schema->arena);
    gt_free(schema->alloc, schema);
}

/* What is said of a whole definition, for the fields of an object in it too. */
static const gt_schema *whole_of(const gt_schema *schema) {
    while (schema->outer != NULL) {
        schema = schema->outer;
    }
    return schema;
}

gt_bytes gt_schema_ns(const gt_schema *schema) { return whole_of(schema)->ns; }
uint32_t gt_schema_version(const gt_schema *schema) { return whole_of(schema)->version; }
const uint8_t *gt_schema_hash(const gt_schema *schema) { return schema->hash; }
gt_bytes gt_schema_definition(const gt_schema *schema) { return schema->definition; }
size_t gt_schema_field_count(const gt_schema *schema) { return schema->field_count; }
const gt_field *gt_schema_field_at(const gt_schema *schema, size_t index) { return &schema->fields[index]; }

/* ---- fields by name ---- */

/* FNV-1a. Whoever may write schemas chooses the names, so that collisions harm nobody else. */
static uint32_t hash_of_name(gt_bytes name) {
    uint32_t hash = 2166136261u;
    for (size_t i = 0; i < name.len; i++) {
        hash = (hash ^ name.data[i]) * 16777619u;
    }
    return hash ^ hash >> 15;
}

bool gt_schema_index(gt_schema *schema) {
    uint32_t size = 4;
    while (size < 2 * schema->field_count) {
        size *= 2;
    }
    schema->slots = gt_arena_new(&schema->arena, size, sizeof *schema->slots);
    if (schema->slots == NULL) {
        return false;
    }
    schema->slot_mask = size - 1;
    for (size_t i = 0; i < schema->field_count; i++) {
        uint32_t slot = hash_of_name(schema->fields[i].name) & schema->slot_mask;
        while (schema->slots[slot] != 0) {
            slot = (slot + 1) & schema->slot_mask;
        }
        schema->slots[slot] = (uint16_t)(i + 1);
    }
    return true;
}

_Static_assert(GOAT_FIELDS_MAX < UINT16_MAX, "a slot holds the number of every field");

const gt_field *gt_schema_field(const gt_schema *schema, gt_bytes name) {
    uint32_t slot = hash_of_name(name) & schema->slot_mask;
    for (; schema->slots[slot] != 0; slot = (slot + 1) & schema->slot_mask) {
        const gt_field *field = &schema->fields[schema->slots[slot] - 1];
        if (gt_bytes_equal(field->name, name)) {
            return field;
        }
    }
    return NULL;
}

size_t gt_schema_path(const gt_schema *schema, gt_bytes path, const gt_field *fields[GT_PATH_FIELDS_MAX]) {
    fields[0] = gt_schema_field(schema, path);
    if (fields[0] != NULL) {
        return 1;
    }
    for (size_t count = 0; schema != NULL && count < GT_PATH_FIELDS_MAX;) {
        const uint8_t *dot = path.len == 0 ? NULL : memchr(path.data, '.', path.len);
        size_t len = dot == NULL ? path.len : (size_t)(dot - path.data);
        const gt_field *field = gt_schema_field(schema, gt_bytes_of(path.data, len));
        if (field == NULL) {
            return 0;
        }
        fields[count++] = field;
        if (dot == NULL) {
            return count;
        }
        path = gt_bytes_of(dot + 1, path.len - len - 1);
        schema = field->fields;
    }
    return 0;
}

/* ---- reading ---- */

/* Walks a state and the fields together. Gives, in order, what a reader sees: a pair of the state, or a
 * field that is not there and has a default. */
typedef struct reader {
    const gt_schema *schema;
    size_t next_field;
    gt_iter state;
    gt_bytes key, value; /* of the state, not given yet; key.data is NULL at the end */
} reader;

static void advance(reader *r) {
    if (!gt_map_next(&r->state, &r->key, &r->value)) {
        r->key = gt_bytes_of(NULL, 0);
    }
}

static reader begin(const gt_schema *schema, gt_bytes state) {
    reader r = {.schema = schema, .state = gt_map_iter(state)};
    advance(&r);
    return r;
}

/* `*is_default`: the value is not in the state. `*field`: NULL if the schema does not have it. False at the end. */
static bool next(reader *r, const gt_field **found, gt_bytes *key, gt_bytes *value, bool *is_default) {
    *found = NULL;
    while (r->next_field < r->schema->field_count) {
        const gt_field *field = &r->schema->fields[r->next_field];
        int order = r->key.data == NULL ? -1 : gt_key_compare(field->name, r->key);
        if (order > 0) {
            break;
        }
        r->next_field++;
        if (order == 0) {
            *found = field;
            break;
        }
        if (field->default_value.data != NULL) {
            *found = field;
            *key = field->name;
            *value = field->default_value;
            *is_default = true;
            return true;
        }
    }
    if (r->key.data == NULL) {
        return false;
    }
    *key = r->key;
    *value = r->value;
    *is_default = false;
    advance(r);
    return true;
}

/* Whether a value is that of an object. */
static bool has_fields(const gt_field *field, gt_bytes value) {
    return field != NULL && field->fields != NULL && gt_value_kind(value) == GT_KIND_MAP;
}

void gt_field_read(const gt_field *field, gt_bytes value, gt_buf *out) {
    if (has_fields(field, value)) {
        gt_schema_read(field->fields, value, out);
    } else {
        gt_buf_append(out, value.data, value.len);
    }
}

bool gt_field_is_whole(const gt_field *field, gt_bytes value) {
    return !has_fields(field, value) || gt_schema_is_whole(field->fields, value);
}

void gt_schema_read(const gt_schema *schema, gt_bytes state, gt_buf *out) {
    const gt_field *field;
    gt_bytes key, value;
    bool is_default;
    size_t count = 0;
    for (reader r = begin(schema, state); next(&r, &field, &key, &value, &is_default);) {
        count++;
    }
    gt_write_map_head(out, count);
    for (reader r = begin(schema, state); next(&r, &field, &key, &value, &is_default);) {
        gt_write_text(out, key);
        if (is_default) { /* an object's is filled in already */
            gt_buf_append(out, value.data, value.len);
        } else {
            gt_field_read(field, value, out);
        }
    }
}

bool gt_schema_is_whole(const gt_schema *schema, gt_bytes state) {
    const gt_field *field;
    gt_bytes key, value;
    bool is_default;
    if (gt_map_find_int(state, 0).data != NULL) {
        return false;
    }
    for (reader r = begin(schema, state); next(&r, &field, &key, &value, &is_default);) {
        if (is_default || !gt_field_is_whole(field, value)) {
            return false;
        }
    }
    return true;
}
