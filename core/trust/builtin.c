/* The schemas that every database knows: certificates and schemas themselves. Their bytes are part of the
 * format (tests/vectors); other bytes are another version. */
#include "trust/trust.h"
#include "value/build.h"
#include "value/json.h"
#include "value/value.h"

#include <stdio.h>

static const char *const definitions[] = {
    "{\"ns\":\"" GT_SESSION_NS "\",\"version\":1,\"fields\":{"
    "\"public_key\":{\"type\":\"bytes\",\"required\":true,\"min_length\":32,\"max_length\":32},"
    "\"role\":{\"type\":\"string\",\"required\":true,\"enum\":[\"root\",\"server\",\"user\",\"anonymous\"]},"
    "\"owner\":{\"type\":\"string\"},"
    "\"expires\":{\"type\":\"date\"}}}",
    "{\"ns\":\"" GT_SCHEMA_NS "\",\"version\":1,\"fields\":{"
    "\"ns\":{\"type\":\"string\",\"required\":true},"
    "\"version\":{\"type\":\"number\",\"required\":true},"
    "\"definition\":{\"type\":\"map\",\"required\":true},"
    "\"retired\":{\"type\":\"boolean\"}}}",
};

goat_status gt_builtin_register(gt_registry *registry, const gt_alloc *alloc, gt_hasher *hasher, gt_diag *diag) {
    goat_status status = GOAT_OK;
    for (size_t i = 0; status == GOAT_OK && i < sizeof(definitions) / sizeof(definitions[0]); i++) {
        gt_schema *schema = NULL;
        gt_buf definition;
        gt_buf_init(&definition, alloc);
        status = gt_value_from_json_text(gt_bytes_text(definitions[i]), &definition, diag);
        if (status == GOAT_OK) status = gt_schema_parse(alloc, hasher, gt_buf_bytes(&definition), &schema, diag);
        if (status == GOAT_OK) {
            status = gt_registry_add(registry, schema, diag);
            if (status != GOAT_OK) gt_schema_free(schema);
        }
        gt_buf_free(&definition);
    }
    return status;
}

bool gt_is_reserved_ns(gt_bytes ns) {
    return ns.len >= 3 && memcmp(ns.data, "sys", 3) == 0 && (ns.len == 3 || ns.data[3] == '.');
}

bool gt_is_builtin(const gt_schema *schema) {
    gt_bytes ns = gt_schema_ns(schema);
    return gt_bytes_equal(ns, gt_bytes_text(GT_SESSION_NS)) || gt_bytes_equal(ns, gt_bytes_text(GT_SCHEMA_NS));
}

void gt_schema_item_key(const gt_schema *schema, gt_buf *key) {
    char version[16];
    int len = snprintf(version, sizeof(version), "@%u", gt_schema_version(schema));
    gt_bytes ns = gt_schema_ns(schema);
    gt_buf_append(key, ns.data, ns.len);
    gt_buf_append(key, version, (size_t)len);
}

void gt_schema_item_delta(const gt_schema *schema, gt_buf *delta) {
    gt_bytes definition = gt_schema_definition(schema);
    gt_write_map_head(delta, 3);
    gt_write_text(delta, gt_bytes_text("ns"));
    gt_write_text(delta, gt_schema_ns(schema));
    gt_write_text(delta, gt_bytes_text("version"));
    gt_write_int(delta, gt_schema_version(schema));
    gt_write_text(delta, gt_bytes_text("definition"));
    gt_buf_append(delta, definition.data, definition.len);
}

gt_bytes gt_schema_item_definition(gt_bytes state) {
    gt_bytes definition = gt_map_find(state, gt_bytes_text("definition"));
    bool is_map = definition.data != NULL && gt_value_kind(definition) == GT_KIND_MAP;
    return is_map ? definition : (gt_bytes){0};
}
