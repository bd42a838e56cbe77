/* Schemas: what a namespace's items look like at one version (design section 3, 5, 7).
 *
 * A definition is a value (a map); its deterministic CBOR is what is stored, hashed and compared.
 * Here it is parsed, checked, and used: validation, defaults, plain JSON in and out. How concurrent
 * edits combine is core/merge's business. A parsed schema is immutable. */
#ifndef GT_SCHEMA_SCHEMA_H
#define GT_SCHEMA_SCHEMA_H

#include "base/buf.h"
#include "base/status.h"
#include "crypto/crypto.h"

typedef enum gt_type {
    GT_TYPE_STRING = 1,
    GT_TYPE_NUMBER = 2,
    GT_TYPE_BOOLEAN = 3,
    GT_TYPE_DATE = 4,
    GT_TYPE_BYTES = 5,
    GT_TYPE_REF = 6,
    GT_TYPE_SET = 7,
    GT_TYPE_MAP = 8,
    GT_TYPE_COUNTER = 9,
    GT_TYPE_LIST = 10,
    GT_TYPE_OBJECT = 11,
    GT_TYPE_TEXT = 12,
    GT_TYPE_RICHTEXT = 13,
    GT_TYPE_ORDERSTAMP = 14,
} gt_type;

/* How two concurrent values or insertions at one place combine, where the type lets a field choose. */
typedef enum gt_strategy {
    GT_STRATEGY_LATEST = 1, /* the later one */
    GT_STRATEGY_EITHER = 2, /* the one with the greatest commit id */
    GT_STRATEGY_BOTH = 3,   /* both, in the order of their commit ids */
    GT_STRATEGY_MERGED = 4, /* both, what they have in common once */
} gt_strategy;

typedef struct gt_pattern gt_pattern; /* schema/pattern.h */
typedef struct gt_schema gt_schema;

typedef struct gt_field {
    gt_bytes name;
    gt_bytes path; /* "address.city" for one in an object, else as the name; what diagnostics say */
    gt_type type;
    bool required;
    gt_bytes default_value; /* data NULL: none */
    gt_bytes enum_values;   /* an array; data NULL: none */
    gt_bytes min, max;      /* numbers (number, counter) or dates; data NULL: none */
    /* Code points of text (and embeds of rich text), bytes of bytes, elements of set, map, list; 0 and UINT64_MAX: none. */
    uint64_t min_length, max_length;
    gt_pattern *pattern; /* NULL: none */
    gt_strategy merge; /* what the definition says, or what the type does anyway; of set and counter it says nothing */
    /* What is in an object, as a schema of its own; NULL for every other type. Its default is filled in. */
    const gt_schema *fields;
} gt_field;

/* Parses a definition (deterministic CBOR, checked by gt_value_check). GOAT_OK; GOAT_INVALID with the
 * field and the rule of the definition that is wrong; GOAT_TOO_LARGE. */
goat_status gt_schema_parse(const gt_alloc *alloc, gt_hasher *hasher, gt_bytes definition, gt_schema **schema,
                            gt_diag *diag);
void gt_schema_free(gt_schema *schema);

gt_bytes gt_schema_ns(const gt_schema *schema);
uint32_t gt_schema_version(const gt_schema *schema);
const uint8_t *gt_schema_hash(const gt_schema *schema); /* 8 bytes */
gt_bytes gt_schema_definition(const gt_schema *schema);
size_t gt_schema_field_count(const gt_schema *schema);
const gt_field *gt_schema_field_at(const gt_schema *schema, size_t index); /* in order of encoded name */
const gt_field *gt_schema_field(const gt_schema *schema, gt_bytes name);   /* NULL: none; a hash lookup or as fast */

/* The fields that a path leads through, the one that it names last: "address.city" leads through two. Gives how many,
 * 0 where there is no such field. A name is a path too; where there are objects, no name has a dot. */
enum { GT_PATH_FIELDS_MAX = GOAT_OBJECT_DEPTH_MAX + 1 };
size_t gt_schema_path(const gt_schema *schema, gt_bytes path, const gt_field *fields[GT_PATH_FIELDS_MAX]);

/* Whether one value may stand in a field: type and limits, and what is in an object as if it were a state. GOAT_OK,
 * GOAT_WRONG_TYPE (rule "type"), GOAT_INVALID with the rule. `diag` gets the path of the field, and the rule. */
goat_status gt_schema_check_value(const gt_field *field, gt_bytes value, gt_diag *diag);

/* The type alone: GOAT_OK, GOAT_WRONG_TYPE (rule "type"); GOAT_INVALID where an object has a field that it cannot have.
 * What edits are held to; limits are for states. */
goat_status gt_schema_check_type(const gt_field *field, gt_bytes value, gt_diag *diag);

/* Whether a value is of the field's type; what is in an object is not looked at. */
bool gt_field_holds(const gt_field *field, gt_bytes value);

/* GOAT_INVALID, because these fields have none of that name. */
goat_status gt_schema_refuse_unknown(const gt_schema *schema, gt_bytes name, gt_diag *diag);

/* Whether a whole state (map field → value, an integer key 0 allowed) is valid: every value, required
 * fields (a default counts), no unknown field. GOAT_OK; GOAT_INVALID with field and rule, also for a wrong
 * type; GOAT_NO_MEMORY. */
goat_status gt_schema_check_state(const gt_schema *schema, gt_bytes state, gt_diag *diag);

/* Whether a merged state is within GT_STATE_SIZE_MAX and its fields within GT_FIELD_SIZE_MAX. One that is not may have been
 * cut; it is invalid by the rule "max_size", and stands for nothing but itself. */
bool gt_state_is_whole(gt_bytes state);

/* Appends the state as a reader sees it: without the integer key, with defaults filled in. Where there
 * is nothing to add or leave out, the bytes are the same. */
void gt_schema_read(const gt_schema *schema, gt_bytes state, gt_buf *out);

/* True when gt_schema_read would change nothing, so that the state's own bytes can be given out. */
bool gt_schema_is_whole(const gt_schema *schema, gt_bytes state);

/* The same for the value of one field: defaults inside of it are filled in. */
void gt_field_read(const gt_field *field, gt_bytes value, gt_buf *out);
bool gt_field_is_whole(const gt_field *field, gt_bytes value);

/* ---- known schemas of a database ---- */

typedef struct gt_registry gt_registry;

gt_registry *gt_registry_new(const gt_alloc *alloc);
void gt_registry_free(gt_registry *registry);

/* Adds a schema and takes it, unless it fails: then it is still the caller's. The same bytes again: GOAT_OK,
 * and `schema` is freed. GOAT_CONFLICT when other bytes stand there, GOAT_NO_MEMORY. One whose upgrade steps do not fit
 * the version before it is taken too: there is no way from that one to it, see gt_registry_way. */
goat_status gt_registry_add(gt_registry *registry, gt_schema *schema, gt_diag *diag);
/* Whether the upgrade steps of a schema that would be added fit the versions beside it; what gt_upgrade_new says. */
goat_status gt_registry_check(const gt_registry *registry, const gt_schema *schema, gt_diag *diag);
const gt_schema *gt_registry_find(const gt_registry *registry, gt_bytes ns, uint32_t version); /* NULL: none */

/* The host of this process has registered a version: it reads at no later one. */
void gt_registry_use(gt_registry *registry, gt_bytes ns, uint32_t version);
/* A version is retired, or taken back. False: nothing changed. */
bool gt_registry_retire(gt_registry *registry, gt_bytes ns, uint32_t version, bool retired);
bool gt_registry_is_retired(const gt_registry *registry, const gt_schema *schema);

/* The host's function that steps `call` of upgrades name; `run` NULL: it is gone. `*old` is the context of the one that it
 * takes the place of. GOAT_OK, GOAT_NO_MEMORY. A version that names one which is not there counts as not known: nothing is
 * read at it, nor at those behind it, and its commits are carried. So does every version with calls where they are off. */
goat_status gt_registry_set_call(gt_registry *registry, gt_bytes name, bool (*run)(void *, gt_bytes, gt_buf *),
                                 void *context, void **old, gt_diag *diag);
/* Goes through the contexts, and forgets the functions. NULL: there are no more. */
void *gt_registry_end_call(gt_registry *registry);
/* Calls are off in this network, or not. False: nothing changed. */
bool gt_registry_forbid_calls(gt_registry *registry, bool forbidden);
/* The newest version for digests: not retired, and nothing up to it is what a host's function said. */
const gt_schema *gt_registry_digested(const gt_registry *registry, gt_bytes ns);

/* The newest version that is not retired; the one at which the host reads: of those that it registered, if any is not
 * retired. NULL: none. */
const gt_schema *gt_registry_newest(const gt_registry *registry, gt_bytes ns);
const gt_schema *gt_registry_reading(const gt_registry *registry, gt_bytes ns);

/* The upgrade to the version behind one, NULL: there is none, or its steps do not fit. It moves when schemas are added. */
const struct gt_upgrade *gt_registry_upgrade(const gt_registry *registry, const gt_schema *from);
/* Whether what `from` wrote can be carried to `to`, of the same namespace: every upgrade between them is there. `*mark`
 * differs when the definitions on the way do, and is never 0. */
bool gt_registry_way(const gt_registry *registry, const gt_schema *from, const gt_schema *to, uint32_t *mark);

size_t gt_registry_count(const gt_registry *registry);
const gt_schema *gt_registry_at(const gt_registry *registry, size_t index); /* by namespace, version */

#endif
