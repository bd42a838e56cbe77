/* The rules of one field of a definition. Values among them (default, enum, min, max) may stand in the
 * form that plain JSON has: text for a date, bytes or a ref, an array for a set. */
#include "schema/parsed.h"
#include "schema/pattern.h"
#include "value/base64.h"
#include "value/build.h"
#include "value/date.h"
#include "value/path.h"

#include <stdio.h>

#define NAME(name) (int)(name).len, (const char *)(name).data
#define TYPE(type) (1u << GT_TYPE_##type)

enum {
    SINGLE_TYPES = TYPE(STRING) | TYPE(NUMBER) | TYPE(BOOLEAN) | TYPE(DATE) | TYPE(BYTES) | TYPE(REF),
    RANGE_TYPES = TYPE(NUMBER) | TYPE(COUNTER) | TYPE(DATE),
    SEQUENCE_TYPES = TYPE(TEXT) | TYPE(RICHTEXT) | TYPE(LIST),
    LENGTH_TYPES = TYPE(STRING) | TYPE(BYTES) | TYPE(SET) | TYPE(MAP) | TYPE(LIST) | TYPE(TEXT) | TYPE(RICHTEXT),
};

typedef struct parse {
    gt_schema *schema;
    gt_field *field;
    gt_diag *diag;
} parse;

typedef goat_status rule_reader(parse *p, const char *rule, gt_bytes value);

static goat_status refuse(parse *p, const char *rule, const char *words) {
    gt_fail(p->diag, GOAT_INVALID, "\"%.*s\": \"%s\" %s", NAME(p->field->path), rule, words);
    gt_diag_field(p->diag, (const char *)p->field->path.data, p->field->path.len);
    gt_diag_rule(p->diag, rule);
    return GOAT_INVALID;
}

/* A lower layer has said what is wrong: adds where. */
static goat_status refuse_as_said(parse *p, const char *rule, goat_status status) {
    if (status == GOAT_NO_MEMORY || p->diag == NULL) {
        return status;
    }
    char words[GT_DIAG_MESSAGE_MAX];
    memcpy(words, p->diag->message, sizeof words);
    gt_fail(p->diag, status, "\"%.*s\": \"%s\": %s", NAME(p->field->path), rule, words);
    gt_diag_field(p->diag, (const char *)p->field->path.data, p->field->path.len);
    gt_diag_rule(p->diag, rule);
    return status;
}

/* ---- values in plain form ---- */

/* A set of the elements of an array. */
static void write_set_of(gt_arena *arena, gt_bytes array, gt_buf *out) {
    size_t count = gt_value_count(array), i = 0;
    gt_bytes *elements = gt_arena_new(arena, count, sizeof *elements);
    if (elements == NULL) {
        out->failed = true;
        return;
    }
    for (gt_iter iter = gt_array_iter(array); gt_array_next(&iter, &elements[i]); i++) {
    }
    gt_write_set(out, elements, count);
}

static void write_bytes_of(gt_bytes text, gt_buf *out) {
    size_t len = 0;
    uint8_t *decoded = gt_buf_reserve(out, text.len + 1); /* at least as much as comes out */
    if (decoded == NULL || !gt_base64_read(decoded, &len, text)) {
        return;
    }
    gt_buf bytes;
    gt_buf_init(&bytes, out->alloc);
    gt_write_bytes(&bytes, gt_bytes_of(decoded, len));
    gt_buf_append(out, bytes.data, bytes.len);
    out->failed |= gt_buf_failed(&bytes);
    gt_buf_free(&bytes);
}

/* Writes what `value` stands for in a field of that type; nothing where it stands for itself. */
static void write_plain(gt_arena *arena, gt_type type, gt_bytes value, gt_buf *out) {
    gt_bytes text;
    int64_t date_ms;
    if (type == GT_TYPE_SET && gt_value_kind(value) == GT_KIND_ARRAY) {
        write_set_of(arena, value, out);
    } else if (!gt_value_as_text(value, &text)) {
        return;
    } else if (type == GT_TYPE_DATE && gt_date_fault(text, &date_ms) == NULL) {
        gt_write_date_ms(out, date_ms);
    } else if (type == GT_TYPE_REF && gt_item_path_fault(text, NULL) == NULL) {
        gt_write_ref(out, text);
    } else if (type == GT_TYPE_BYTES) {
        write_bytes_of(text, out);
    }
}

goat_status gt_plain_value(const gt_alloc *alloc, gt_arena *arena, gt_type type, gt_bytes *value) {
    goat_status status = GOAT_OK;
    gt_buf plain;
    gt_buf_init(&plain, alloc);
    write_plain(arena, type, *value, &plain);
    if (plain.len > 0) {
        *value = gt_bytes_of(gt_arena_copy(arena, plain.data, plain.len), plain.len);
    }
    if (gt_buf_failed(&plain) || value->data == NULL) {
        status = GOAT_NO_MEMORY;
    } else if ((gt_type_kinds(type) >> gt_value_kind(*value) & 1) == 0) {
        status = GOAT_WRONG_TYPE;
    }
    gt_buf_free(&plain);
    return status;
}

/* `*value` becomes a value of the field's type that lives as long as the schema. */
static goat_status take_value(parse *p, const char *rule, gt_bytes *value) {
    goat_status status = gt_plain_value(p->schema->alloc, &p->schema->arena, p->field->type, value);
    if (status == GOAT_NO_MEMORY) {
        return gt_no_memory(p->diag);
    }
    return status == GOAT_OK ? GOAT_OK : refuse(p, rule, "must be a value of the field's type");
}

/* ---- rules ---- */

static goat_status read_type(parse *p, const char *rule, gt_bytes value) {
    gt_bytes name = gt_bytes_of(NULL, 0);
    p->field->type = gt_value_as_text(value, &name) ? gt_type_of_name(name) : (gt_type)0;
    if (p->field->type == 0) {
        return refuse(
            p, rule,
            "must be one of string, number, boolean, date, bytes, ref, set, map, object, counter, list, text, "
            "orderstamp, richtext");
    }
    p->field->merge = (SEQUENCE_TYPES >> p->field->type & 1) != 0 ? GT_STRATEGY_BOTH : GT_STRATEGY_LATEST;
    return GOAT_OK;
}

static goat_status read_required(parse *p, const char *rule, gt_bytes value) {
    return gt_value_as_bool(value, &p->field->required) ? GOAT_OK : refuse(p, rule, "must be true or false");
}

static goat_status read_default(parse *p, const char *rule, gt_bytes value) {
    int64_t start = 0;
    gt_bytes text;
    p->field->default_value = value;
    goat_status status = take_value(p, rule, &p->field->default_value);
    if (status == GOAT_OK && p->field->type == GT_TYPE_COUNTER && gt_value_as_int64(value, &start) && start != 0) {
        return refuse(p, rule, "of a counter can only be 0, from which it counts");
    }
    if (status == GOAT_OK && p->field->type == GT_TYPE_TEXT && gt_value_as_text(value, &text) && text.len > 0) {
        status = refuse(p, rule, "of a text can only be the empty one, at which edits begin");
    }
    if (status == GOAT_OK && p->field->type == GT_TYPE_RICHTEXT && gt_value_count(value) > 0) {
        status = refuse(p, rule, "of a rich text can only be the empty one, at which edits begin");
    }
    if (status == GOAT_OK && p->field->type == GT_TYPE_LIST && gt_value_count(value) > 0) {
        status = refuse(p, rule, "of a list can only be the empty one, at which edits begin");
    }
    if (status == GOAT_OK && p->field->type == GT_TYPE_OBJECT && gt_value_count(value) > 0) {
        status = refuse(p, rule, "of an object can only be the empty one, at which edits begin");
    }
    return status;
}

static goat_status read_enum(parse *p, const char *rule, gt_bytes value) {
    gt_kind kind = gt_value_kind(value);
    size_t count = gt_value_count(value), i = 0;
    if ((kind != GT_KIND_ARRAY && kind != GT_KIND_SET) || count == 0) {
        return refuse(p, rule, "must be an array of at least one value");
    }
    gt_buf list;
    gt_buf_init(&list, p->schema->alloc);
    gt_write_array_head(&list, count);
    gt_bytes element;
    goat_status status = GOAT_OK;
    for (gt_iter iter = gt_array_iter(value); status == GOAT_OK && gt_array_next(&iter, &element); i++) {
        status = take_value(p, rule, &element);
        if (status == GOAT_OK) {
            gt_buf_append(&list, element.data, element.len);
        }
    }
    p->field->enum_values = gt_bytes_of(gt_arena_copy(&p->schema->arena, list.data, list.len), list.len);
    if (status == GOAT_OK && (gt_buf_failed(&list) || p->field->enum_values.data == NULL)) {
        status = gt_no_memory(p->diag);
    }
    gt_buf_free(&list);
    return status;
}

static goat_status read_min(parse *p, const char *rule, gt_bytes value) {
    p->field->min = value;
    return take_value(p, rule, &p->field->min);
}

static goat_status read_max(parse *p, const char *rule, gt_bytes value) {
    p->field->max = value;
    return take_value(p, rule, &p->field->max);
}

static goat_status read_length(parse *p, const char *rule, gt_bytes value, uint64_t *length) {
    int64_t number = -1;
    if (!gt_value_as_int64(value, &number) || number < 0) {
        return refuse(p, rule, "must be a whole number, not negative");
    }
    *length = (uint64_t)number;
    return GOAT_OK;
}

static goat_status read_min_length(parse *p, const char *rule, gt_bytes value) {
    return read_length(p, rule, value, &p->field->min_length);
}

static goat_status read_max_length(parse *p, const char *rule, gt_bytes value) {
    return read_length(p, rule, value, &p->field->max_length);
}

static goat_status read_pattern(parse *p, const char *rule, gt_bytes value) {
    gt_bytes text;
    if (!gt_value_as_text(value, &text)) {
        return refuse(p, rule, "must be a text");
    }
    goat_status status = gt_pattern_compile(p->schema->alloc, text, gt_bytes_of(NULL, 0), &p->field->pattern, p->diag);
    return status == GOAT_OK ? GOAT_OK : refuse_as_said(p, rule, status);
}

static goat_status read_merge(parse *p, const char *rule, gt_bytes value) {
    static const char *const words[] = {[GT_STRATEGY_LATEST] = "latest",
                                        [GT_STRATEGY_EITHER] = "either",
                                        [GT_STRATEGY_BOTH] = "both",
                                        [GT_STRATEGY_MERGED] = "merged"};
    bool is_sequence = (SEQUENCE_TYPES >> p->field->type & 1) != 0;
    gt_bytes name = gt_bytes_of(NULL, 0);
    gt_value_as_text(value, &name);
    for (int strategy = GT_STRATEGY_LATEST; strategy <= (is_sequence ? GT_STRATEGY_MERGED : GT_STRATEGY_EITHER);
         strategy++) {
        if (name.data != NULL && gt_bytes_equal(name, gt_bytes_text(words[strategy]))) {
            p->field->merge = (gt_strategy)strategy;
            return GOAT_OK;
        }
    }
    return refuse(p, rule,
                  is_sequence ? "must be one of latest, either, both, merged" : "must be one of latest, either");
}

static goat_status read_fields(parse *p, const char *rule, gt_bytes value) {
    (void)rule;
    return gt_object_parse(p->schema, p->field, value, p->diag);
}

static goat_status read_description(parse *p, const char *rule, gt_bytes value) {
    return gt_value_kind(value) == GT_KIND_TEXT ? GOAT_OK : refuse(p, rule, "must be a text");
}

/* In the order in which they are read: values need the type. */
static const struct {
    const char *word;
    rule_reader *read;
    uint32_t types; /* that may have it, as bits 1 << gt_type */
} rules_known[] = {
    {"type", read_type, ~0u},
    {"required", read_required, ~0u},
    {"description", read_description, ~0u},
    {"fields", read_fields, TYPE(OBJECT)},
    {"enum", read_enum, SINGLE_TYPES},
    {"min", read_min, RANGE_TYPES},
    {"max", read_max, RANGE_TYPES},
    {"min_length", read_min_length, LENGTH_TYPES},
    {"max_length", read_max_length, LENGTH_TYPES},
    {"pattern", read_pattern, TYPE(STRING) | TYPE(TEXT) | TYPE(RICHTEXT)},
    {"merge", read_merge, SINGLE_TYPES | TYPE(ORDERSTAMP) | TYPE(MAP) | SEQUENCE_TYPES},
    {"default", read_default, ~0u},
};

enum { RULE_COUNT = sizeof rules_known / sizeof rules_known[0] };

static bool is_known(gt_bytes word) {
    for (size_t i = 0; i < RULE_COUNT; i++) {
        if (gt_bytes_equal(word, gt_bytes_text(rules_known[i].word))) {
            return true;
        }
    }
    return false;
}

static goat_status check_words(parse *p, gt_bytes rules) {
    gt_iter iter = gt_map_iter(rules);
    gt_bytes word, value;
    while (gt_map_next(&iter, &word, &value)) {
        if (!is_known(word)) {
            char shown[32];
            snprintf(shown, sizeof shown, "%.*s", NAME(word));
            return refuse(p, shown, "is not a rule of fields");
        }
    }
    return GOAT_OK;
}

/* The default of an object as readers see it. */
static goat_status fill_default(parse *p) {
    gt_buf whole;
    gt_bytes *value = &p->field->default_value;
    gt_buf_init(&whole, p->schema->alloc);
    gt_field_read(p->field, *value, &whole);
    if (!gt_buf_failed(&whole)) {
        *value = gt_bytes_of(gt_arena_copy(&p->schema->arena, whole.data, whole.len), whole.len);
    }
    bool failed = gt_buf_failed(&whole) || value->data == NULL;
    gt_buf_free(&whole);
    return failed ? gt_no_memory(p->diag) : GOAT_OK;
}

/* Rules that are good one by one and wrong together. */
static goat_status check_together(parse *p) {
    const gt_field *field = p->field;
    if (field->type == GT_TYPE_OBJECT && field->fields == NULL) {
        return refuse(p, "fields", "is missing");
    }
    if (field->min.data != NULL && field->max.data != NULL && gt_value_compare(field->min, field->max) > 0) {
        return refuse(p, "max", "is less than \"min\"");
    }
    if (field->min_length > field->max_length) {
        return refuse(p, "max_length", "is less than \"min_length\"");
    }
    if (field->default_value.data != NULL) {
        goat_status status = gt_schema_check_value(field, field->default_value, p->diag);
        if (status != GOAT_OK) {
            return refuse_as_said(p, "default", status);
        }
        return field->type == GT_TYPE_OBJECT ? fill_default(p) : GOAT_OK;
    }
    return GOAT_OK;
}

static goat_status read_rules(parse *p, gt_bytes rules) {
    for (size_t i = 0; i < RULE_COUNT; i++) {
        const char *word = rules_known[i].word;
        gt_bytes value = gt_map_find(rules, gt_bytes_text(word));
        if (value.data == NULL && i == 0) {
            return refuse(p, word, "is missing");
        }
        if (value.data == NULL) {
            continue;
        }
        if (i > 0 && (rules_known[i].types >> p->field->type & 1) == 0) {
            char words[64];
            snprintf(words, sizeof words, "is not a rule for fields of type %s", gt_type_name(p->field->type));
            return refuse(p, word, words);
        }
        goat_status status = rules_known[i].read(p, word, value);
        if (status != GOAT_OK) {
            return status;
        }
    }
    return GOAT_OK;
}

void gt_field_end(gt_field *field) {
    gt_pattern_free(field->pattern);
    gt_schema_free((gt_schema *)(uintptr_t)field->fields); /* nobody else has it; constant to all who read */
    field->pattern = NULL;
    field->fields = NULL;
}

goat_status gt_field_parse(gt_schema *schema, gt_field *field, gt_bytes rules, gt_diag *diag) {
    parse p = {schema, field, diag};
    field->max_length = UINT64_MAX;
    if (gt_value_kind(rules) != GT_KIND_MAP) {
        return refuse(&p, "type", "is missing: the rules of a field are a map");
    }
    goat_status status = check_words(&p, rules);
    if (status == GOAT_OK) {
        status = read_rules(&p, rules);
    }
    if (status == GOAT_OK) {
        status = check_together(&p);
    }
    if (status != GOAT_OK) { /* not counted as a field yet, so nobody else frees it */
        gt_field_end(field);
    }
    return status;
}
