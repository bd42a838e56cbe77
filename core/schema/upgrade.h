/* Upgrades: how what was written at one version of a schema is read at the next (README.md, "Upgrades").
 *
 * A definition lists steps. Bound to the version before it they come to routes: each carries what is in one
 * field of the old version, or under one key of it, to a place of the new one, through operations on single
 * values. A route looks at nothing but its own field, so that an edit is carried as a state is: applying an
 * edit and then upgrading gives the bytes that upgrading both and then applying gives. States are carried
 * here, edits in core/merge. A bound upgrade is immutable. */
#ifndef GT_SCHEMA_UPGRADE_H
#define GT_SCHEMA_UPGRADE_H

#include "schema/schema.h"

enum { GT_UPGRADE_STEPS_MAX = 4096, GT_UPGRADE_KEY_MAX = 512 };

typedef enum gt_upgrade_kind {
    GT_UPGRADE_RENAME = 1,
    GT_UPGRADE_DEFAULT,
    GT_UPGRADE_COPY,
    GT_UPGRADE_MOVE,
    GT_UPGRADE_CONVERT,
    GT_UPGRADE_DROP,
    GT_UPGRADE_MAP,
    GT_UPGRADE_CALL,
} gt_upgrade_kind;

/* A step as it was written. Values are in the form of the definition. */
typedef struct gt_upgrade_step {
    gt_upgrade_kind kind;
    gt_bytes from, from_key; /* a field, or with a key (data not NULL) what is under it in a map */
    gt_bytes to, to_key;     /* of rename, copy, move */
    gt_type type;            /* of convert and call; 0: it stays what it is */
    gt_bytes call;           /* of call: the name of the host's function */
    gt_bytes value;          /* of default */
    gt_bytes values;         /* of map: an array of [from, to] */
    gt_bytes otherwise;      /* of convert, map and call; data NULL: none */
} gt_upgrade_step;

typedef enum gt_upgrade_op_kind {
    GT_OP_CONVERT, /* to another type */
    GT_OP_MAP,     /* other values for some */
    GT_OP_FILL,    /* a value where there is none */
    GT_OP_TYPE,    /* what is of another type is none */
    GT_OP_CALL,    /* what a function of the host makes of it */
} gt_upgrade_op_kind;

/* A function of the host, by its name in a registry. It appends a value, or nothing, and must give the same for the same
 * value whenever and wherever it is asked. */
typedef bool gt_call_fn(void *context, gt_bytes value, gt_buf *out);
typedef struct gt_host_call {
    struct gt_host_call *next;
    gt_call_fn *run; /* NULL: there is none */
    void *context;
    size_t name_len;
    char name[];
} gt_host_call;

/* An operation on a value, or on none. */
typedef struct gt_upgrade_op {
    gt_upgrade_op_kind kind;
    gt_type from, to;
    gt_bytes otherwise;       /* data NULL: what cannot be converted is no value, what is not mapped stays */
    gt_bytes value;           /* of fill */
    gt_bytes name;            /* of call */
    const gt_host_call *call; /* NULL: not linked, so that nothing comes of it */
    gt_bytes *pairs;          /* of map: a value, what it becomes, … */
    size_t pair_count;
} gt_upgrade_op;

typedef struct gt_upgrade_route {
    const gt_field *source; /* NULL: `constant` is what every item has that was made before */
    gt_bytes source_key;    /* data NULL: the whole field; else of a map or an object */
    gt_bytes *left_out;     /* keys of the source that are carried elsewhere */
    size_t left_out_count;
    gt_upgrade_op *ops; /* on the value; of a map on each value in it */
    size_t op_count;
    gt_bytes constant;
    const gt_field *target;
    gt_bytes target_key; /* as source_key */
    /* While it is being bound: */
    gt_bytes name;
    gt_type type;
    size_t named_by; /* number of the last step that named it, from 1; 0: none did */
} gt_upgrade_route;

typedef struct gt_upgrade gt_upgrade;

/* Binds the steps of `to` to the version before, `from`, of the same namespace. GOAT_INVALID: a step names what is not
 * there, or does what is not allowed; the message has its number, the field is named, the rule is "upgrade".
 * Both schemas must outlive it. */
goat_status gt_upgrade_new(const gt_alloc *alloc, const gt_schema *from, const gt_schema *to, gt_upgrade **upgrade,
                           gt_diag *diag);
void gt_upgrade_free(gt_upgrade *upgrade); /* NULL is accepted */

const gt_schema *gt_upgrade_from(const gt_upgrade *upgrade);
const gt_schema *gt_upgrade_to(const gt_upgrade *upgrade);
/* By target, those with keys by key. */
const gt_upgrade_route *gt_upgrade_routes(const gt_upgrade *upgrade, size_t *count);

/* The field that a route carries, and the one to which: in an object that of its key; NULL: a key of a map, which is no
 * field. */
const gt_field *gt_upgrade_origin(const gt_upgrade_route *route);
const gt_field *gt_upgrade_place(const gt_upgrade_route *route);

/* Whether what concurrent edits come to is carried as they are: a state that several edits came to, upgraded, is then what
 * the upgraded edits come to. Where not, that holds only for edits one after the other. */
bool gt_upgrade_is_exact(const gt_upgrade *upgrade);

/* Looks for what the calls of an upgrade, and the steps of a schema, are about: `first` is a list. False: some are not
 * there. */
bool gt_upgrade_link(gt_upgrade *upgrade, const gt_host_call *first);
bool gt_schema_has_calls(const gt_schema *schema);
bool gt_schema_calls_are_there(const gt_schema *schema, const gt_host_call *first, gt_bytes *missing);

/* Appends the state at the new version; `state` as core/commit/FORMAT.md section 4 has it. */
void gt_upgrade_state(const gt_upgrade *upgrade, gt_bytes state, gt_buf *out);

/* Appends what becomes of a value (data NULL: none) on a route; nothing: it is none. */
void gt_upgrade_value(const gt_upgrade_route *route, gt_bytes value, gt_buf *out);
/* The same for a map of values: keys that are carried elsewhere are left out. `undefined` under a key, as edits have it,
 * stays. */
void gt_upgrade_map(const gt_upgrade_route *route, gt_bytes map, gt_buf *out);

/* The same for what is in an object, values or edits: of its fields those that both versions have with the same type, but
 * for those that are carried elsewhere. */
void gt_upgrade_object(const gt_upgrade_route *route, gt_bytes map, gt_buf *out);

/* Whether fields of one type can be converted to another; the list is in README.md. */
bool gt_can_convert(gt_type from, gt_type to);
/* Appends the value converted; nothing where this one cannot be. */
void gt_convert(gt_type from, gt_type to, gt_bytes value, gt_buf *out);

#endif
