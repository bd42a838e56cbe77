/* The schemas that a database knows: an array in order of namespace and version. It is small and seldom
 * grows; schemas themselves never move. */
#include "schema/schema.h"

struct gt_registry {
    const gt_alloc *alloc;
    gt_schema **schemas;
    size_t count, capacity;
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
        gt_schema_free(registry->schemas[i]);
    }
    gt_free(registry->alloc, registry->schemas);
    gt_free(registry->alloc, registry);
}

static bool is_before(const gt_schema *schema, gt_bytes ns, uint32_t version) {
    int order = gt_bytes_compare(gt_schema_ns(schema), ns);
    return order != 0 ? order < 0 : gt_schema_version(schema) < version;
}

/* The index of the first schema that is not before (ns, version). */
static size_t place_of(const gt_registry *registry, gt_bytes ns, uint32_t version) {
    size_t low = 0, high = registry->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (is_before(registry->schemas[middle], ns, version)) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static bool has_ns(const gt_registry *registry, size_t index, gt_bytes ns) {
    return index < registry->count && gt_bytes_equal(gt_schema_ns(registry->schemas[index]), ns);
}

const gt_schema *gt_registry_find(const gt_registry *registry, gt_bytes ns, uint32_t version) {
    size_t place = place_of(registry, ns, version);
    bool found = has_ns(registry, place, ns) && gt_schema_version(registry->schemas[place]) == version;
    return found ? registry->schemas[place] : NULL;
}

const gt_schema *gt_registry_newest(const gt_registry *registry, gt_bytes ns) {
    size_t place = place_of(registry, ns, UINT32_MAX);
    if (!has_ns(registry, place, ns)) { /* no version 2^32 - 1: it is the one before, if of that namespace */
        if (place == 0 || !has_ns(registry, place - 1, ns)) {
            return NULL;
        }
        place--;
    }
    return registry->schemas[place];
}

goat_status gt_registry_add(gt_registry *registry, gt_schema *schema, gt_diag *diag) {
    gt_bytes ns = gt_schema_ns(schema);
    uint32_t version = gt_schema_version(schema);
    const gt_schema *known = gt_registry_find(registry, ns, version);
    if (known != NULL && gt_bytes_equal(gt_schema_definition(known), gt_schema_definition(schema))) {
        gt_schema_free(schema);
        return GOAT_OK;
    }
    if (known != NULL) {
        return gt_fail(diag, GOAT_CONFLICT, "another definition stands under %.*s version %u", (int)ns.len,
                       (const char *)ns.data, (unsigned)version);
    }
    if (!gt_reserve(registry->alloc, (void **)&registry->schemas, registry->count, &registry->capacity,
                    sizeof(gt_schema *))) {
        return gt_no_memory(diag);
    }
    size_t place = place_of(registry, ns, version);
    memmove(registry->schemas + place + 1, registry->schemas + place, (registry->count - place) * sizeof(gt_schema *));
    registry->schemas[place] = schema;
    registry->count++;
    return GOAT_OK;
}

size_t gt_registry_count(const gt_registry *registry) { return registry->count; }
const gt_schema *gt_registry_at(const gt_registry *registry, size_t index) { return registry->schemas[index]; }
