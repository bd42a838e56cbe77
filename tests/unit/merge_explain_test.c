/* What is said about where a value comes from, over random histories of all field types: a commit without which the value
 * would be another is one that contributed; where all that was written differs, that is exactly so; and without all those
 * that did not contribute the value is the same. */
#include "support/test.h"

#include "merge/explain.h"
#include "support/merge_fixture.h"
#include "support/test_alloc.h"
#include "support/test_random.h"
#include "support/test_schema.h"
#include "support/test_value.h"
#include "value/build.h"
#include "value/rich.h"
#include "value/value.h"

#include <stdio.h>
#include <stdlib.h>

enum { STEPS_MAX = 32, HISTORIES = 500, SOAK = 5, FIELDS_MAX = 16 };

static const char definition[] =
    "{\"ns\": \"n\", \"version\": 1, \"fields\": {\"name\": {\"type\": \"string\"}, \"tags\": {\"type\": \"set\"},"
    "\"map\": {\"type\": \"map\"}, \"votes\": {\"type\": \"counter\"}, \"text\": {\"type\": \"text\"},"
    "\"list\": {\"type\": \"list\"}, \"either\": {\"type\": \"string\", \"merge\": \"either\"},"
    "\"keys\": {\"type\": \"map\", \"merge\": \"either\"}, \"rich\": {\"type\": \"richtext\"},"
    "\"place\": {\"type\": \"orderstamp\"}, \"last\": {\"type\": \"text\", \"merge\": \"latest\"},"
    "\"any\": {\"type\": \"list\", \"merge\": \"either\"}, \"once\": {\"type\": \"richtext\", \"merge\": \"merged\"},"
    "\"o\": {\"type\": \"object\", \"fields\": {\"a\": {\"type\": \"string\"}, \"b\": {\"type\": \"map\"},"
    "\"c\": {\"type\": \"text\"}, \"d\": {\"type\": \"string\", \"merge\": \"either\"}}}}}";

typedef struct history {
    test_random random;
    gt_schema *schema;
    bool is_unique; /* nothing is written twice */
    int64_t next;
    gt_buf base;
    bool has_base;
    uint32_t count;
    gt_step steps[STEPS_MAX];
    uint8_t ids[STEPS_MAX][32];
    uint32_t parents[STEPS_MAX][STEPS_MAX];
    uint64_t past[STEPS_MAX];
    gt_buf deltas[STEPS_MAX];
} history;

static uint32_t below(history *h, uint32_t limit) { return test_random_below(&h->random, limit); }

/* ---- replaying ---- */

static void replay(const history *h, gt_bytes base, const gt_step *steps, uint32_t count, gt_buf *state) {
    gt_diag diag;
    gt_diag_init(&diag);
    gt_buf_clear(state);
    if (gt_merge_replay(&gt_alloc_system, h->schema, base, steps, count, state, NULL, &diag) != GOAT_OK) {
        fail_msg("%s", diag.message);
    }
}

static gt_bytes base_of(const history *h) { return h->has_base ? gt_buf_bytes(&h->base) : gt_bytes_of(NULL, 0); }

/* What the author of a step saw: all before it, and nothing void. */
static void seen_by(const history *h, uint32_t step, gt_buf *state) {
    gt_step steps[STEPS_MAX];
    static uint32_t parents[STEPS_MAX][STEPS_MAX];
    uint32_t to[STEPS_MAX], count = 0;
    for (uint32_t i = 0; i < step; i++) {
        if ((h->past[step] >> i & 1) == 0) continue;
        to[i] = count;
        steps[count] = h->steps[i];
        for (uint32_t p = 0; p < steps[count].parent_count; p++) parents[count][p] = to[h->parents[i][p]];
        steps[count].parents = parents[count];
        count++;
    }
    replay(h, base_of(h), steps, count, state);
}

/* ---- writing ---- */

static int64_t some_number(history *h) { return h->is_unique ? ++h->next : (int64_t)below(h, 4) + 1; }

/* A few characters, of those that have three bytes each. */
enum { CHARACTERS_SIZE = 16 };

static gt_bytes some_characters(history *h, char *text) {
    size_t count = 1 + below(h, 4);
    for (size_t i = 0; i < count; i++) {
        uint32_t point = 0x4e00 + (uint32_t)some_number(h);
        text[3 * i] = (char)(0xe0 | point >> 12);
        text[3 * i + 1] = (char)(0x80 | (point >> 6 & 0x3f));
        text[3 * i + 2] = (char)(0x80 | (point & 0x3f));
    }
    return gt_bytes_of(text, 3 * count);
}

static void write_value(history *h, const gt_field *field, gt_buf *value) {
    uint32_t count = 1 + below(h, 4);
    switch (field->type) {
    case GT_TYPE_SET:
    case GT_TYPE_LIST: {
        gt_bytes elements[4];
        gt_buf some[4];
        for (uint32_t i = 0; i < count; i++) {
            gt_buf_init(&some[i], &gt_alloc_system);
            gt_write_int(&some[i], some_number(h));
            elements[i] = gt_buf_bytes(&some[i]);
        }
        if (field->type == GT_TYPE_SET) {
            gt_write_set(value, elements, count);
        } else {
            gt_write_array_head(value, count);
            for (uint32_t i = 0; i < count; i++) gt_buf_append(value, elements[i].data, elements[i].len);
        }
        for (uint32_t i = 0; i < count; i++) gt_buf_free(&some[i]);
        break;
    }
    case GT_TYPE_MAP:
        gt_write_map_head(value, 1);
        gt_write_text(value, gt_bytes_of(&"abcd"[below(h, 4)], 1));
        gt_write_int(value, some_number(h));
        break;
    case GT_TYPE_COUNTER: gt_write_int(value, some_number(h)); break;
    case GT_TYPE_ORDERSTAMP: {
        char stamp[32];
        int len = snprintf(stamp, sizeof stamp, "a%lldi", (long long)some_number(h));
        gt_write_text(value, gt_bytes_of(stamp, (size_t)len));
        break;
    }
    default: {
        char text[CHARACTERS_SIZE];
        gt_write_text(value, some_characters(h, text));
    }
    }
}

static void edit_list(history *h, const gt_field *field, gt_bytes seen, gt_buf *edit) {
    uint32_t count = seen.data == NULL ? 0 : (uint32_t)gt_value_count(seen);
    gt_buf value;
    gt_buf_init(&value, &gt_alloc_system);
    uint32_t dice = count == 0 ? 0 : below(h, 5);
    if (dice <= 1) {
        write_value(h, field, &value);
        assert_int_equal(gt_edit_list_insert(field, seen, below(h, count + 1), gt_buf_bytes(&value), edit, NULL),
                         GOAT_OK);
    } else if (dice == 2) {
        uint32_t at = below(h, count);
        assert_int_equal(gt_edit_list_remove(field, seen, at, 1 + below(h, count - at), edit, NULL), GOAT_OK);
    } else if (dice == 3) {
        assert_int_equal(gt_edit_list_move(field, seen, below(h, count), below(h, count), edit, NULL), GOAT_OK);
    } else {
        gt_write_int(&value, some_number(h));
        assert_int_equal(gt_edit_list_set(field, seen, below(h, count), gt_buf_bytes(&value), edit, NULL), GOAT_OK);
    }
    gt_buf_free(&value);
}

static void edit_text(history *h, const gt_field *field, gt_bytes seen, gt_buf *edit) {
    gt_bytes text = {0};
    char characters[CHARACTERS_SIZE];
    if (seen.data != NULL) gt_value_as_text(seen, &text);
    gt_bytes inserted = below(h, 3) == 0 ? gt_bytes_of(NULL, 0) : some_characters(h, characters);
    uint32_t all = (uint32_t)text.len / 3, at = below(h, all + 1), count = below(h, all - at + 1);
    gt_splice splice = {GOAT_UNIT_CODE_POINT, at, below(h, 2) == 0 ? 0 : count, inserted};
    assert_int_equal(gt_edit_splice(field, seen, &splice, edit, NULL), GOAT_OK);
}

/* One of a set or a map that its author saw, or NULL. */
static gt_bytes some_key(history *h, gt_bytes seen) {
    gt_bytes key = {0}, value;
    size_t count = seen.data == NULL ? 0 : gt_value_count(seen);
    if (count == 0) return key;
    uint32_t at = below(h, (uint32_t)count);
    gt_iter iter = gt_value_kind(seen) == GT_KIND_MAP ? gt_map_iter(seen) : gt_array_iter(seen);
    do {
        if (gt_value_kind(seen) == GT_KIND_MAP) {
            gt_map_next_pair(&iter, &key, &value);
        } else {
            gt_array_next(&iter, &key);
        }
    } while (at-- > 0);
    return key;
}

static void edit_rich(history *h, const gt_field *field, gt_bytes seen, gt_buf *edit) {
    uint32_t count = seen.data == NULL ? 0 : (uint32_t)gt_rich_count(seen), dice = count == 0 ? 0 : below(h, 4);
    uint32_t at = dice == 0 ? below(h, count + 1) : below(h, count);
    char characters[CHARACTERS_SIZE];
    gt_buf notation;
    gt_diag diag;
    gt_diag_init(&diag);
    gt_buf_init(&notation, &gt_alloc_system);
    test_text(&notation, at > 0 ? "[{retain: %u}, " : "[", at);
    if (dice == 0) {
        gt_bytes text = some_characters(h, characters);
        test_text(&notation, "{insert: '%.*s'}]", (int)text.len, (const char *)text.data);
    } else if (dice == 1) {
        test_text(&notation, "{delete: %u}]", 1 + below(h, count - at));
    } else {
        test_text(&notation, "{retain: %u, attributes: {b: %lld}}]", 1 + below(h, count - at),
                  (long long)some_number(h));
    }
    gt_bytes delta = test_value((const char *)notation.data);
    if (gt_edit_delta(field, seen, delta, edit, &diag) != GOAT_OK) fail_msg("%s", diag.message);
    test_value_free(delta);
    gt_buf_free(&notation);
}

static void write_edits(history *h, const gt_schema *fields, gt_bytes seen, gt_buf *out);

static void edit_field(history *h, const gt_field *field, gt_bytes seen, gt_buf *edit) {
    uint32_t dice = below(h, 10);
    gt_buf value;
    gt_bytes text, key = {0};
    gt_buf_init(&value, &gt_alloc_system);
    if (dice == 0) {
        assert_int_equal(gt_edit_diff(field, seen, gt_bytes_of(NULL, 0), edit, NULL), GOAT_OK);
    } else if (field->type == GT_TYPE_OBJECT) {
        write_edits(h, field->fields, seen, edit);
        if (gt_value_count(gt_buf_bytes(edit)) == 0) edit->len = 0;
    } else if (field->type == GT_TYPE_RICHTEXT) {
        edit_rich(h, field, seen, edit);
    } else if (dice == 1 || field->type == GT_TYPE_STRING || field->type == GT_TYPE_ORDERSTAMP ||
               (dice < 5 && field->type == GT_TYPE_MAP)) {
        write_value(h, field, &value);
        bool is_same = seen.data != NULL && gt_value_equal(seen, gt_buf_bytes(&value));
        if (!is_same) assert_int_equal(gt_edit_diff(field, seen, gt_buf_bytes(&value), edit, NULL), GOAT_OK);
    } else if (field->type == GT_TYPE_LIST) {
        edit_list(h, field, seen, edit);
    } else if (field->type == GT_TYPE_TEXT) {
        edit_text(h, field, seen, edit);
    } else if (field->type == GT_TYPE_COUNTER) {
        assert_int_equal(gt_edit_increment(field, some_number(h), edit, NULL), GOAT_OK);
    } else if (dice < 6 && (key = some_key(h, seen)).data != NULL) {
        if (field->type == GT_TYPE_SET) {
            assert_int_equal(gt_edit_remove(field, seen, key, edit, NULL), GOAT_OK);
        } else if (gt_value_as_text(key, &text)) {
            assert_int_equal(gt_edit_put(field, seen, text, gt_bytes_of(NULL, 0), edit, NULL), GOAT_OK);
        }
    } else {
        gt_write_int(&value, some_number(h));
        if (field->type == GT_TYPE_SET) {
            assert_int_equal(gt_edit_add(field, gt_buf_bytes(&value), edit, NULL), GOAT_OK);
        } else {
            text = gt_bytes_of(&"abcd"[below(h, 4)], 1);
            assert_int_equal(gt_edit_put(field, seen, text, gt_buf_bytes(&value), edit, NULL), GOAT_OK);
        }
    }
    gt_buf_free(&value);
}

/* Edits of some fields on what was seen, which may be nothing. */
static void write_edits(history *h, const gt_schema *schema, gt_bytes seen, gt_buf *delta) {
    gt_pair pairs[FIELDS_MAX];
    gt_buf edits[FIELDS_MAX];
    size_t count = 0, fields = gt_schema_field_count(schema);
    for (size_t i = 0; i < fields; i++) {
        const gt_field *field = gt_schema_field_at(schema, i);
        gt_buf_init(&edits[i], &gt_alloc_system);
        if (below(h, 3) == 0) continue;
        edit_field(h, field, seen.data == NULL ? seen : gt_map_find(seen, field->name), &edits[i]);
        if (edits[i].len > 0) pairs[count++] = (gt_pair){field->name, gt_buf_bytes(&edits[i])};
    }
    assert_true(gt_write_map(delta, pairs, count));
    for (size_t i = 0; i < fields; i++) gt_buf_free(&edits[i]);
}

static void random_parents(history *h, uint32_t step) {
    uint32_t branches = 1 + below(h, 3), count = 0;
    uint64_t latest = 0;
    for (uint32_t i = 0; i < branches && step > 0; i++) {
        uint32_t back = 1 + below(h, step < 6 ? step : 6), at = step - back;
        bool is_new = true;
        for (uint32_t k = 0; k < count; k++) is_new = is_new && h->parents[step][k] != at;
        if (below(h, 8) == 0 || !is_new) continue;
        h->parents[step][count++] = at;
        h->past[step] |= h->past[at] | UINT64_C(1) << at;
        if (h->steps[at].time > latest) latest = h->steps[at].time;
    }
    h->steps[step].parents = h->parents[step];
    h->steps[step].parent_count = count;
    h->steps[step].time = latest + 1 + below(h, 3);
}

static void make_history(history *h, uint32_t count) {
    gt_buf seen;
    gt_buf_init(&seen, &gt_alloc_system);
    gt_buf_init(&h->base, &gt_alloc_system);
    h->next = 0;
    h->has_base = below(h, 2) == 0;
    if (h->has_base) {
        gt_buf delta;
        gt_buf_init(&delta, &gt_alloc_system);
        write_edits(h, h->schema, gt_bytes_of(NULL, 0), &delta);
        gt_step first = {.id = h->ids[0], .time = 1, .delta = gt_buf_bytes(&delta)};
        replay(h, gt_bytes_of(NULL, 0), &first, 1, &h->base);
        gt_buf_free(&delta);
    }
    h->count = count;
    for (uint32_t step = 0; step < count; step++) {
        test_random_fill(&h->random, h->ids[step], 32);
        h->steps[step] = (gt_step){.id = h->ids[step], .author = below(h, 4)};
        h->past[step] = 0;
        random_parents(h, step);
        seen_by(h, step, &seen);
        gt_buf_init(&h->deltas[step], &gt_alloc_system);
        write_edits(h, h->schema, gt_buf_bytes(&seen), &h->deltas[step]);
        h->steps[step].delta = gt_buf_bytes(&h->deltas[step]);
    }
    for (uint32_t step = 0; step < count; step++) h->steps[step].is_void = below(h, 12) == 0;
    gt_buf_free(&seen);
}

static void free_history(history *h) {
    for (uint32_t step = 0; step < h->count; step++) gt_buf_free(&h->deltas[step]);
    gt_buf_free(&h->base);
}

/* ---- judging ---- */

static void print_history(const history *h) {
    gt_buf text;
    if (h->has_base) {
        test_value_print(gt_buf_bytes(&h->base), &text);
        print_message("base %s\n", (const char *)text.data);
        gt_buf_free(&text);
    }
    for (uint32_t step = 0; step < h->count; step++) {
        test_value_print(h->steps[step].delta, &text);
        print_message("%u (", step);
        for (uint32_t i = 0; i < h->steps[step].parent_count; i++) print_message(" %u", h->parents[step][i]);
        print_message(" ) time %llu id %02x%s %s\n", (unsigned long long)h->steps[step].time, h->ids[step][0],
                      h->steps[step].is_void ? " void" : "", (const char *)text.data);
        gt_buf_free(&text);
    }
}

static bool contributed(const gt_verdict *verdict) {
    return verdict->effect == GT_EFFECT_KEPT || verdict->effect == GT_EFFECT_PART;
}

/* Whether something of it stands that nobody else can have done, where nothing is written twice. */
static bool is_its_own(const gt_verdict *verdict) {
    for (uint32_t i = 0; i < verdict->part_count; i++) {
        static const char *const own[] = {"written", "added", "put", "incremented", "inserted", "replaced"};
        for (size_t k = 0; k < sizeof own / sizeof own[0]; k++) {
            if (verdict->parts[i].stands > 0 && strcmp(verdict->parts[i].what, own[k]) == 0) return true;
        }
    }
    return false;
}

static gt_bytes value_in(const gt_buf *state, const gt_field *object, const gt_field *field) {
    gt_bytes around = gt_buf_bytes(state);
    if (object != NULL) around = gt_map_find(around, object->name);
    return around.data == NULL ? around : gt_map_find(around, field->name);
}

static bool same_value(const gt_buf *a, const gt_buf *b, const gt_field *object, const gt_field *field) {
    gt_bytes x = value_in(a, object, field), y = value_in(b, object, field);
    return (x.data == NULL) == (y.data == NULL) && (x.data == NULL || gt_bytes_equal(x, y));
}

static void complain(const history *h, const gt_field *field, const gt_verdict *verdict, const char *claim) {
    print_history(h);
    fail_msg("%.*s: step %u, said to be %s, %s", (int)field->name.len, (const char *)field->name.data, verdict->step,
             gt_effect_name(verdict->effect), claim);
}

static void check_verdict(const history *h, const gt_field *field, const gt_verdict *verdict, bool differs) {
    assert_true(verdict->by_count <= GT_EXPLAIN_BY_MAX);
    for (uint8_t i = 0; i < verdict->by_count; i++) {
        assert_true(verdict->by[i] < h->count && verdict->by[i] != verdict->step);
        if (h->steps[verdict->by[i]].is_void) complain(h, field, verdict, "is overridden by a void one");
    }
    if (differs && !contributed(verdict)) complain(h, field, verdict, "makes a difference");
    if (h->is_unique && !differs && contributed(verdict) && is_its_own(verdict)) {
        complain(h, field, verdict, "makes no difference");
    }
}

/* A field of the item, or one in an object of it. */
static void check_field(history *h, const gt_field *object, const gt_field *field, const gt_buf *state) {
    const gt_field *path[] = {object != NULL ? object : field, field};
    gt_explanation explanation;
    gt_buf other;
    gt_step steps[STEPS_MAX];
    gt_buf_init(&other, &gt_alloc_system);
    memcpy(steps, h->steps, sizeof steps);
    assert_int_equal(gt_merge_explain(&gt_alloc_system, path, 1 + (size_t)(object != NULL), base_of(h), h->steps,
                                      h->count, &explanation, NULL),
                     GOAT_OK);
    assert_false(explanation.is_limited);
    uint32_t touching = 0;
    for (uint32_t i = 0; i < h->count; i++) {
        gt_bytes edit = gt_map_find(h->steps[i].delta, path[0]->name);
        if (object != NULL && edit.data != NULL && gt_value_kind(edit) == GT_KIND_MAP) {
            edit = gt_map_find(edit, field->name);
        }
        touching += edit.data != NULL;
    }
    assert_int_equal(explanation.count, touching);
    for (uint32_t i = 0; i < explanation.count; i++) {
        const gt_verdict *verdict = &explanation.verdicts[i];
        gt_step *step = &steps[verdict->step];
        assert_int_equal(verdict->effect == GT_EFFECT_VOID, h->steps[verdict->step].is_void);
        if (step->is_void) continue;
        step->is_void = true;
        replay(h, base_of(h), steps, h->count, &other);
        step->is_void = false;
        check_verdict(h, field, verdict, !same_value(state, &other, object, field));
    }
    for (uint32_t i = 0; i < explanation.count; i++) {
        if (!contributed(&explanation.verdicts[i])) steps[explanation.verdicts[i].step].is_void = true;
    }
    replay(h, base_of(h), steps, h->count, &other);
    /* What is judged by replays alone knows no two who did the same. */
    bool by_replays =
        field->type == GT_TYPE_RICHTEXT || (field->type == GT_TYPE_MAP && field->merge != GT_STRATEGY_LATEST) ||
        field->type == GT_TYPE_OBJECT ||
        ((field->type == GT_TYPE_TEXT || field->type == GT_TYPE_LIST) && field->merge != GT_STRATEGY_BOTH);
    if (!by_replays && !same_value(state, &other, object, field)) {
        print_history(h);
        for (uint32_t i = 0; i < explanation.count; i++) {
            print_message("%u %s\n", explanation.verdicts[i].step, gt_effect_name(explanation.verdicts[i].effect));
        }
        fail_msg("%.*s is not the same without those that did not contribute", (int)field->name.len,
                 (const char *)field->name.data);
    }
    gt_explanation_free(&explanation);
    gt_buf_free(&other);
}

static void a_step_contributed_if_the_value_would_be_another_without_it(void **unused) {
    (void)unused;
    history *h = calloc(1, sizeof *h);
    gt_buf state;
    gt_buf_init(&state, &gt_alloc_system);
    test_random_init(&h->random, __func__);
    h->schema = test_schema(definition);
    int histories = getenv("GOAT_SOAK") != NULL ? SOAK * HISTORIES : HISTORIES;
    for (int i = 0; i < histories; i++) {
        h->is_unique = i % 2 == 0;
        make_history(h, 1 + below(h, i % 20 == 0 ? STEPS_MAX : 9));
        replay(h, base_of(h), h->steps, h->count, &state);
        for (size_t k = 0; k < gt_schema_field_count(h->schema); k++) {
            const gt_field *field = gt_schema_field_at(h->schema, k);
            check_field(h, NULL, field, &state);
            for (size_t j = 0; field->fields != NULL && j < gt_schema_field_count(field->fields); j++) {
                check_field(h, field, gt_schema_field_at(field->fields, j), &state);
            }
        }
        free_history(h);
    }
    gt_buf_free(&state);
    gt_schema_free(h->schema);
    free(h);
}

static void a_lack_of_memory_is_said(void **unused) {
    (void)unused;
    history *h = calloc(1, sizeof *h);
    test_random_init(&h->random, __func__);
    h->schema = test_schema(definition);
    for (int i = 0; i < 20; i++) {
        make_history(h, 1 + below(h, 12));
        for (size_t k = 0; k < gt_schema_field_count(h->schema); k++) {
            const gt_field *field = gt_schema_field_at(h->schema, k);
            test_alloc memory;
            for (uint64_t before = 0;; before++) {
                gt_explanation explanation;
                test_alloc_init(&memory, before);
                goat_status status =
                    gt_merge_explain(&memory.alloc, &field, 1, base_of(h), h->steps, h->count, &explanation, NULL);
                gt_explanation_free(&explanation);
                test_alloc_assert_empty(&memory);
                assert_int_equal(status, memory.failed ? GOAT_NO_MEMORY : GOAT_OK);
                if (!memory.failed) break;
            }
        }
        free_history(h);
    }
    gt_schema_free(h->schema);
    free(h);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_step_contributed_if_the_value_would_be_another_without_it),
        cmocka_unit_test(a_lack_of_memory_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
