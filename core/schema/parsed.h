/* A parsed schema as it lies in memory. Only for the files of this module. */
#ifndef GT_SCHEMA_PARSED_H
#define GT_SCHEMA_PARSED_H

#include "base/arena.h"
#include "schema/schema.h"
#include "schema/upgrade.h"
#include "value/value.h"

enum { GT_NS_MAX = 64, GT_SCHEMA_HASH_SHORT = 8 };

struct gt_schema {
    const gt_alloc *alloc;
    gt_arena arena; /* holds everything below but the patterns */
    gt_bytes definition;
    gt_bytes ns;
    uint32_t version;
    const gt_schema *outer; /* what the object stands in whose fields these are; NULL for those of items */
    gt_bytes path;          /* of that object */
    uint32_t depth;         /* objects around them */
    bool has_objects;
    uint8_t hash[GT_SCHEMA_HASH_SHORT];
    gt_field *fields; /* in the order of their encoded names, which is that of states and deltas */
    size_t field_count;
    uint16_t *slots; /* open addressing by name: index + 1, 0 is free */
    uint32_t slot_mask;
    gt_upgrade_step *steps; /* from the version before */
    size_t step_count;
};

/* The kinds that a type may hold, as bits 1 << gt_kind. */
uint32_t gt_type_kinds(gt_type type);

/* The words for a type, such as "string"; NULL for a number that is none. */
const char *gt_type_name(gt_type type);

/* GT_TYPE_… of a definition's "type"; 0 if there is none of that name. */
gt_type gt_type_of_name(gt_bytes name);

/* Fills in `schema->slots`. False when there is no memory. */
bool gt_schema_index(gt_schema *schema);

/* `*value`, in the plain form that definitions have (text for a date, an array for a set), becomes a value of the type;
 * what is new lies in the arena. GOAT_OK, GOAT_WRONG_TYPE, GOAT_NO_MEMORY. */
goat_status gt_plain_value(const gt_alloc *alloc, gt_arena *arena, gt_type type, gt_bytes *value);

/* Reads "upgrade" of a definition. */
goat_status gt_upgrade_parse(gt_schema *schema, gt_bytes value, gt_diag *diag);

/* Reads what is in an object, a map of names to rules, and gives it to the field. */
goat_status gt_object_parse(const gt_schema *outer, gt_field *object, gt_bytes fields, gt_diag *diag);

/* Reads one field's rules, a map, the name and the path being there. `schema` is there to allocate from. */
goat_status gt_field_parse(gt_schema *schema, gt_field *field, gt_bytes rules, gt_diag *diag);

/* Frees what a field holds outside of the schema's arena. */
void gt_field_end(gt_field *field);

#endif
