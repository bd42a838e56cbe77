/* The schemas that a database knows: an array in order of namespace and version, each with the upgrade from the version
 * before it. It is small and seldom grows; schemas themselves never move. */
#include "schema/schema.h"

#include "schema/parsed.h"

typedef struct known {
    gt_schema *schema;
    gt_upgrade *upgrade; /* from the version before; NULL: there is none, or the steps do not fit it */
    bool used, retired;
    bool lacks;  /* a call of it, or of one before it, is not there or not allowed */
    bool called; /* it, or one before it, has any */
} known;

struct gt_registry {
    const gt_alloc *alloc;
    known *list;
    size_t count, capacity;
    gt_host_call *calls;
    bool calls_are_off;
};

gt_registry *gt_registry_new(const gt_alloc *alloc) {
    gt_registry *registry = gt_new(alloc, 1, sizeof *registry);
    if (registry != NULL) {
        registry->alloc = alloc;
    }
    return registry;
}

void gt_registry_free(gt_registry *registry) {
    if (registry == NULL) {
        return;
    }
    for (size_t i = 0; i < registry->count; i++) {
        gt_upgrade_free(registry->list[i].upgrade);
        gt_schema_free(registry->list[i].schema);
    }
    while (registry->calls != NULL) {
        gt_host_call *call = registry->calls;
        registry->calls = call->next;
        gt_free(registry->alloc, call);
    }
    gt_free(registry->alloc, registry->list);
    gt_free(registry->alloc, registry);
}

/* ---- finding ---- */

static bool is_before(const gt_schema *schema, gt_bytes ns, uint32_t version) {
    int order = gt_bytes_compare(gt_schema_ns(schema), ns);
    return order != 0 ? order < 0 : gt_schema_version(schema) < version;
}

/* The index of the first schema that is not before (ns, version). */
static size_t place_of(const gt_registry *registry, gt_bytes ns, uint32_t version) {
    size_t low = 0, high = registry->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (is_before(registry->list[middle].schema, ns, version)) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static bool has_ns(const gt_registry *registry, size_t index, gt_bytes ns) {
    return index < registry->count && gt_bytes_equal(gt_schema_ns(registry->list[index].schema), ns);
}

static known *find(const gt_registry *registry, gt_bytes ns, uint32_t version) {
    size_t place = place_of(registry, ns, version);
    bool found = has_ns(registry, place, ns) && gt_schema_version(registry->list[place].schema) == version;
    return found ? &registry->list[place] : NULL;
}

const gt_schema *gt_registry_find(const gt_registry *registry, gt_bytes ns, uint32_t version) {
    const known *found = find(registry, ns, version);
    return found == NULL ? NULL : found->schema;
}

static const gt_schema *newest(const gt_registry *registry, gt_bytes ns, bool used) {
    const gt_schema *found = NULL;
    for (size_t place = place_of(registry, ns, 0); has_ns(registry, place, ns); place++) {
        const known *at = &registry->list[place];
        if (!at->lacks && !at->retired && (at->used || !used)) {
            found = at->schema;
        }
    }
    return found;
}

const gt_schema *gt_registry_newest(const gt_registry *registry, gt_bytes ns) { return newest(registry, ns, false); }

const gt_schema *gt_registry_reading(const gt_registry *registry, gt_bytes ns) {
    const gt_schema *used = newest(registry, ns, true);
    return used != NULL ? used : newest(registry, ns, false);
}

const gt_schema *gt_registry_digested(const gt_registry *registry, gt_bytes ns) {
    const gt_schema *found = NULL;
    for (size_t place = place_of(registry, ns, 0); has_ns(registry, place, ns); place++) {
        const known *at = &registry->list[place];
        if (!at->called && !at->retired) found = at->schema;
    }
    return found;
}

/* ---- calls ---- */

/* Which versions can be read, after a call came or went, or a version came. */
static void look_at_calls(gt_registry *registry) {
    for (size_t i = 0; i < registry->count; i++) {
        known *at = &registry->list[i];
        const known *before = i > 0 && has_ns(registry, i - 1, gt_schema_ns(at->schema)) ? at - 1 : NULL;
        gt_bytes missing;
        bool has = gt_schema_has_calls(at->schema);
        bool lacks =
            has && (registry->calls_are_off || !gt_schema_calls_are_there(at->schema, registry->calls, &missing));
        gt_upgrade_link(at->upgrade, registry->calls);
        at->called = has || (before != NULL && before->called);
        at->lacks = lacks || (before != NULL && before->lacks);
    }
}

static gt_host_call *find_call(const gt_registry *registry, gt_bytes name) {
    gt_host_call *call = registry->calls;
    while (call != NULL && !gt_bytes_equal(gt_bytes_of(call->name, call->name_len), name)) call = call->next;
    return call;
}

goat_status gt_registry_set_call(gt_registry *registry, gt_bytes name, bool (*run)(void *, gt_bytes, gt_buf *),
                                 void *context, void **old, gt_diag *diag) {
    gt_host_call *call = find_call(registry, name);
    *old = call == NULL ? NULL : call->context;
    if (call == NULL) {
        call = gt_new(registry->alloc, 1, sizeof(*call) + name.len);
        if (call == NULL) return gt_no_memory(diag);
        call->name_len = name.len;
        memcpy(call->name, name.data, name.len);
        call->next = registry->calls;
        registry->calls = call;
    }
    call->run = run;
    call->context = context;
    look_at_calls(registry);
    return GOAT_OK;
}

void *gt_registry_end_call(gt_registry *registry) {
    for (gt_host_call *call = registry->calls; call != NULL; call = call->next) {
        void *context = call->context;
        call->run = NULL;
        call->context = NULL;
        if (context != NULL) return context;
    }
    return NULL;
}

bool gt_registry_forbid_calls(gt_registry *registry, bool forbidden) {
    bool changes = registry->calls_are_off != forbidden;
    registry->calls_are_off = forbidden;
    if (changes) look_at_calls(registry);
    return changes;
}

/* ---- what is said of them ---- */

void gt_registry_use(gt_registry *registry, gt_bytes ns, uint32_t version) {
    known *found = find(registry, ns, version);
    if (found != NULL) {
        found->used = true;
    }
}

bool gt_registry_retire(gt_registry *registry, gt_bytes ns, uint32_t version, bool retired) {
    known *found = find(registry, ns, version);
    bool changes = found != NULL && found->retired != retired;
    if (changes) {
        found->retired = retired;
    }
    return changes;
}

bool gt_registry_is_retired(const gt_registry *registry, const gt_schema *schema) {
    const known *found = find(registry, gt_schema_ns(schema), gt_schema_version(schema));
    return found != NULL && found->retired;
}

/* ---- adding ---- */

/* The upgrades into and out of a schema that would stand at `place`. Without `lenient` steps that do not fit are an error;
 * with it there is no upgrade then. */
static goat_status bind(const gt_registry *registry, size_t place, const gt_schema *schema, bool lenient,
                        gt_upgrade **in, gt_upgrade **out, gt_diag *diag) {
    goat_status status = GOAT_OK;
    gt_bytes ns = gt_schema_ns(schema);
    *in = *out = NULL;
    if (place > 0 && has_ns(registry, place - 1, ns)) {
        status = gt_upgrade_new(registry->alloc, registry->list[place - 1].schema, schema, in, lenient ? NULL : diag);
    }
    if ((status == GOAT_OK || (lenient && status != GOAT_NO_MEMORY)) && has_ns(registry, place, ns)) {
        status = gt_upgrade_new(registry->alloc, schema, registry->list[place].schema, out, lenient ? NULL : diag);
    }
    if (status == GOAT_NO_MEMORY || (status != GOAT_OK && !lenient)) {
        gt_upgrade_free(*in);
        return status == GOAT_NO_MEMORY ? gt_no_memory(diag) : status;
    }
    return GOAT_OK;
}

goat_status gt_registry_check(const gt_registry *registry, const gt_schema *schema, gt_diag *diag) {
    gt_upgrade *in, *out;
    gt_bytes ns = gt_schema_ns(schema);
    if (find(registry, ns, gt_schema_version(schema)) != NULL) {
        return GOAT_OK;
    }
    gt_bytes missing;
    size_t place = place_of(registry, ns, gt_schema_version(schema));
    if (registry->calls_are_off && gt_schema_has_calls(schema)) {
        gt_fail(diag, GOAT_FORBIDDEN, "calls of the host are off in this network");
        gt_diag_rule(diag, "upgrade");
        return GOAT_FORBIDDEN;
    }
    if (!gt_schema_calls_are_there(schema, registry->calls, &missing)) {
        gt_fail(diag, GOAT_INVALID, "the upgrade calls \"%.*s\", which this process does not have", (int)missing.len,
                (const char *)missing.data);
        gt_diag_rule(diag, "upgrade");
        return GOAT_INVALID;
    }
    goat_status status = bind(registry, place, schema, false, &in, &out, diag);
    if (status == GOAT_OK) {
        gt_upgrade_free(in);
        gt_upgrade_free(out);
    }
    return status;
}

goat_status gt_registry_add(gt_registry *registry, gt_schema *schema, gt_diag *diag) {
    gt_bytes ns = gt_schema_ns(schema);
    uint32_t version = gt_schema_version(schema);
    const gt_schema *present = gt_registry_find(registry, ns, version);
    if (present != NULL && gt_bytes_equal(gt_schema_definition(present), gt_schema_definition(schema))) {
        gt_schema_free(schema);
        return GOAT_OK;
    }
    if (present != NULL) {
        return gt_fail(diag, GOAT_CONFLICT, "another definition stands under %.*s version %u", (int)ns.len,
                       (const char *)ns.data, (unsigned)version);
    }
    if (!gt_reserve(registry->alloc, (void **)&registry->list, registry->count, &registry->capacity,
                    sizeof *registry->list)) {
        return gt_no_memory(diag);
    }
    gt_upgrade *in, *out;
    size_t place = place_of(registry, ns, version);
    goat_status status = bind(registry, place, schema, true, &in, &out, diag);
    if (status != GOAT_OK) {
        return status;
    }
    known *at = &registry->list[place];
    if (has_ns(registry, place, ns)) {
        gt_upgrade_free(at->upgrade);
        at->upgrade = out;
    }
    memmove(at + 1, at, (registry->count - place) * sizeof *at);
    *at = (known){.schema = schema, .upgrade = in};
    registry->count++;
    look_at_calls(registry);
    return GOAT_OK;
}

/* ---- ways ---- */

const gt_upgrade *gt_registry_upgrade(const gt_registry *registry, const gt_schema *from) {
    gt_bytes ns = gt_schema_ns(from);
    size_t place = place_of(registry, ns, gt_schema_version(from)) + 1;
    return has_ns(registry, place, ns) ? registry->list[place].upgrade : NULL;
}

bool gt_registry_way(const gt_registry *registry, const gt_schema *from, const gt_schema *to, uint32_t *mark) {
    gt_bytes ns = gt_schema_ns(from);
    size_t place = place_of(registry, ns, gt_schema_version(from)) + 1;
    uint32_t mixed = 2166136261u;
    bool whole = gt_schema_version(from) <= gt_schema_version(to);
    for (; whole && has_ns(registry, place, ns); place++) {
        const known *at = &registry->list[place];
        if (gt_schema_version(at->schema) > gt_schema_version(to)) break;
        whole = at->upgrade != NULL;
        for (size_t i = 0; i < GT_SCHEMA_HASH_SHORT; i++) mixed = (mixed ^ gt_schema_hash(at->schema)[i]) * 16777619u;
    }
    *mark = mixed | 1;
    return whole;
}

size_t gt_registry_count(const gt_registry *registry) { return registry->count; }
const gt_schema *gt_registry_at(const gt_registry *registry, size_t index) { return registry->list[index].schema; }
