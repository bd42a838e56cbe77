/* One schema with every type under every strategy that is allowed, asked of the schema module itself. */
#include "support/history.h"

#include "support/test.h"
#include "support/test_schema.h"
#include "support/test_value.h"
#include "value/value.h"

#include <stdio.h>
#include <string.h>

static const char *const types[] = {"string", "number",  "boolean", "date", "bytes",    "ref",       "set",
                                    "map",    "counter", "list",    "text", "richtext", "orderstamp"};
static const char *const strategies[] = {"latest", "either", "both", "merged"};

static bool is_allowed(const char *type, const char *strategy) {
    char json[160];
    gt_schema *schema = NULL;
    gt_diag diag;
    snprintf(json, sizeof json, "{\"ns\":\"n\",\"version\":1,\"fields\":{\"x\":{\"type\":\"%s\",\"merge\":\"%s\"}}}",
             type, strategy);
    bool allowed = test_schema_parse(&gt_alloc_system, json, &schema, &diag) == GOAT_OK;
    gt_schema_free(schema);
    return allowed;
}

static void write_fields(gt_buf *json, uint32_t depth) {
    const char *between = "";
    for (size_t t = 0; t < sizeof types / sizeof *types; t++) {
        bool any = false;
        for (size_t s = 0; s < sizeof strategies / sizeof *strategies; s++) {
            if (!is_allowed(types[t], strategies[s])) continue;
            test_text(json, "%s\"%s_%s\":{\"type\":\"%s\",\"merge\":\"%s\"}", between, types[t], strategies[s],
                      types[t], strategies[s]);
            any = true;
            between = ",";
        }
        if (!any) test_text(json, "%s\"%s\":{\"type\":\"%s\"}", between, types[t], types[t]);
        between = ",";
    }
    if (depth == 0) return;
    test_text(json, ",\"object\":{\"type\":\"object\",\"fields\":{");
    write_fields(json, depth - 1);
    test_text(json, "}}");
}

static void add_nodes(history_fields *fields, const gt_schema *schema, int parent) {
    uint32_t first = fields->count, count = (uint32_t)gt_schema_field_count(schema);
    assert_true(first + count <= HISTORY_NODES_MAX);
    for (uint32_t i = 0; i < count; i++) {
        fields->nodes[first + i] = (history_node){gt_schema_field_at(schema, i), parent, 0};
    }
    fields->count += count;
    for (uint32_t i = first; i < first + count; i++) {
        if (fields->nodes[i].field->type != GT_TYPE_OBJECT) continue;
        fields->nodes[i].first_child = (int)fields->count;
        add_nodes(fields, fields->nodes[i].field->fields, (int)i);
    }
}

void history_fields_init(history_fields *fields, uint32_t depth) {
    *fields = (history_fields){0};
    gt_buf *json = &fields->json;
    gt_buf_init(json, &gt_alloc_system);
    test_text(json, "{\"ns\":\"model\",\"version\":1,\"fields\":{");
    write_fields(json, depth);
    test_text(json, "}}");
    fields->schema = test_schema((const char *)json->data);
    add_nodes(fields, fields->schema, HISTORY_TOP);
}

void history_fields_free(history_fields *fields) {
    gt_schema_free(fields->schema);
    gt_buf_free(&fields->json);
}

gt_bytes history_find(const history_fields *fields, gt_bytes state, uint32_t node) {
    const history_node *of = &fields->nodes[node];
    if (state.data == NULL) return state;
    if (of->parent != HISTORY_TOP) state = history_find(fields, state, (uint32_t)of->parent);
    return state.data == NULL ? state : gt_map_find(state, of->field->name);
}
