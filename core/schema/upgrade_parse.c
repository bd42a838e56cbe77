/* The steps of an upgrade as a definition has them: their words and the form of what they say. Whether the fields are
 * there is looked at when they are bound to the version before (upgrade.c). */
#include "schema/parsed.h"
#include "schema/upgrade.h"
#include "value/build.h"

#include <stdio.h>

#define NAME(name) (int)(name).len, (const char *)(name).data

typedef struct parse {
    gt_upgrade_step *step;
    size_t number; /* of the step, from 1 */
    const char *word;
    gt_diag *diag;
} parse;

static goat_status refuse(const parse *p, const char *words) {
    gt_fail(p->diag, GOAT_INVALID, "upgrade step %zu%s%s%s: %s", p->number, p->word[0] == 0 ? "" : " (", p->word,
            p->word[0] == 0 ? "" : ")", words);
    gt_diag_field(p->diag, (const char *)p->step->from.data, p->step->from.len);
    gt_diag_rule(p->diag, "upgrade");
    return GOAT_INVALID;
}

static bool read_name(gt_bytes value, size_t most, gt_bytes *name) {
    return gt_value_as_text(value, name) && name->len >= 1 && name->len <= most;
}

/* "field", or ["field", "key"]. */
static goat_status read_place(const parse *p, gt_bytes value, bool takes_key, gt_bytes *field, gt_bytes *key) {
    if (read_name(value, GOAT_FIELD_NAME_MAX, field)) return GOAT_OK;
    gt_bytes first, second;
    gt_iter iter = gt_array_iter(value);
    bool good = takes_key && gt_value_kind(value) == GT_KIND_ARRAY && gt_value_count(value) == 2 &&
                gt_array_next(&iter, &first) && gt_array_next(&iter, &second) &&
                read_name(first, GOAT_FIELD_NAME_MAX, field) && read_name(second, GT_UPGRADE_KEY_MAX, key);
    return good ? GOAT_OK
                : refuse(p, takes_key ? "a field is its name, or [name, key] for what is under a key"
                                      : "a field is its name");
}

static goat_status read_values(const parse *p, gt_bytes value) {
    gt_iter iter = gt_array_iter(value);
    gt_bytes pair;
    bool good = gt_value_kind(value) == GT_KIND_ARRAY && gt_value_count(value) > 0;
    while (good && gt_array_next(&iter, &pair)) {
        good = gt_value_kind(pair) == GT_KIND_ARRAY && gt_value_count(pair) == 2;
    }
    p->step->values = value;
    return good ? GOAT_OK : refuse(p, "\"values\" must be an array of pairs [old value, new value]");
}

static goat_status read_convert(const parse *p, gt_bytes value) {
    gt_bytes name = gt_bytes_of(NULL, 0);
    p->step->type = gt_value_as_text(value, &name) ? gt_type_of_name(name) : (gt_type)0;
    return p->step->type != 0 ? GOAT_OK : refuse(p, "\"to\" must be the name of a type");
}

enum { MAY_KEY = 1, WANTS_TO = 2, WANTS_VALUE = 4, WANTS_VALUES = 8, MAY_ELSE = 16, TO_TYPE = 32, WANTS_WITH = 64 };

static const struct {
    const char *word;
    gt_upgrade_kind kind;
    int flags;
} kinds[] = {
    {"rename", GT_UPGRADE_RENAME, WANTS_TO},
    {"default", GT_UPGRADE_DEFAULT, WANTS_VALUE},
    {"copy", GT_UPGRADE_COPY, WANTS_TO},
    {"move", GT_UPGRADE_MOVE, WANTS_TO | MAY_KEY},
    {"convert", GT_UPGRADE_CONVERT, TO_TYPE | MAY_ELSE},
    {"drop", GT_UPGRADE_DROP, 0},
    {"map", GT_UPGRADE_MAP, WANTS_VALUES | MAY_ELSE},
    {"call", GT_UPGRADE_CALL, WANTS_WITH | TO_TYPE | MAY_ELSE},
};

enum { KIND_COUNT = sizeof kinds / sizeof kinds[0] };

/* The kind of a step: the one word that is one's; KIND_COUNT where there is none. */
static size_t kind_of(gt_bytes step) {
    size_t kind = 0;
    while (kind < KIND_COUNT && gt_map_find(step, gt_bytes_text(kinds[kind].word)).data == NULL) kind++;
    return kind;
}

static goat_status read_word(const parse *p, int flags, gt_bytes word, gt_bytes value) {
    if (gt_bytes_equal(word, gt_bytes_text(p->word))) return GOAT_OK; /* was read first */
    if (gt_bytes_equal(word, gt_bytes_text("to")) && (flags & TO_TYPE) != 0) return read_convert(p, value);
    if (gt_bytes_equal(word, gt_bytes_text("to")) && (flags & WANTS_TO) != 0) {
        return read_place(p, value, (flags & MAY_KEY) != 0, &p->step->to, &p->step->to_key);
    }
    if (gt_bytes_equal(word, gt_bytes_text("value")) && (flags & WANTS_VALUE) != 0) {
        p->step->value = value;
        return GOAT_OK;
    }
    if (gt_bytes_equal(word, gt_bytes_text("values")) && (flags & WANTS_VALUES) != 0) return read_values(p, value);
    if (gt_bytes_equal(word, gt_bytes_text("with")) && (flags & WANTS_WITH) != 0) {
        if (read_name(value, GOAT_FIELD_NAME_MAX, &p->step->call)) return GOAT_OK;
        return refuse(p, "\"with\" must be the name of a function");
    }
    if (gt_bytes_equal(word, gt_bytes_text("else")) && (flags & MAY_ELSE) != 0) {
        p->step->otherwise = value;
        return GOAT_OK;
    }
    char words[96];
    snprintf(words, sizeof words, "\"%.*s\" is not a word of such a step", word.len > 32 ? 32 : (int)word.len,
             (const char *)word.data);
    return refuse(p, words);
}

static goat_status check_whole(const parse *p, int flags) {
    if ((flags & WANTS_TO) != 0 && p->step->to.data == NULL) return refuse(p, "\"to\" is missing");
    if ((flags & WANTS_WITH) != 0 && p->step->call.data == NULL) return refuse(p, "\"with\" is missing");
    if ((flags & TO_TYPE) != 0 && (flags & WANTS_WITH) == 0 && p->step->type == 0)
        return refuse(p, "\"to\" is missing");
    if ((flags & WANTS_VALUE) != 0 && p->step->value.data == NULL) return refuse(p, "\"value\" is missing");
    if ((flags & WANTS_VALUES) != 0 && p->step->values.data == NULL) return refuse(p, "\"values\" is missing");
    if (p->step->kind == GT_UPGRADE_MOVE && (p->step->from_key.data == NULL) == (p->step->to_key.data == NULL)) {
        return refuse(p, "a move leads into a key or out of one: exactly one side is [name, key]");
    }
    return GOAT_OK;
}

static goat_status read_step(parse *p, gt_bytes value) {
    size_t kind = gt_value_kind(value) == GT_KIND_MAP ? kind_of(value) : KIND_COUNT;
    if (kind == KIND_COUNT) {
        return refuse(p, "must be a map with one of rename, default, copy, move, convert, drop, map, call");
    }
    int flags = kinds[kind].flags;
    p->word = kinds[kind].word;
    p->step->kind = kinds[kind].kind;
    goat_status status = read_place(p, gt_map_find(value, gt_bytes_text(p->word)), (flags & MAY_KEY) != 0,
                                    &p->step->from, &p->step->from_key);
    gt_iter iter = gt_map_iter(value);
    gt_bytes word, said;
    while (status == GOAT_OK && gt_map_next(&iter, &word, &said)) status = read_word(p, flags, word, said);
    return status == GOAT_OK ? check_whole(p, flags) : status;
}

goat_status gt_upgrade_parse(gt_schema *schema, gt_bytes value, gt_diag *diag) {
    parse p = {.word = "", .diag = diag};
    size_t count = gt_value_count(value);
    if (gt_value_kind(value) != GT_KIND_ARRAY || count > GT_UPGRADE_STEPS_MAX) {
        gt_fail(diag, GOAT_INVALID, "\"upgrade\" must be an array of at most %d steps", GT_UPGRADE_STEPS_MAX);
        gt_diag_rule(diag, "upgrade");
        return GOAT_INVALID;
    }
    schema->steps = gt_arena_new(&schema->arena, count + 1, sizeof *schema->steps);
    if (schema->steps == NULL) return gt_no_memory(diag);
    goat_status status = GOAT_OK;
    gt_bytes step;
    for (gt_iter iter = gt_array_iter(value); status == GOAT_OK && gt_array_next(&iter, &step);) {
        p.step = &schema->steps[schema->step_count++];
        p.number = schema->step_count;
        p.word = "";
        status = read_step(&p, step);
    }
    return status;
}
