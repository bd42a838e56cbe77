/* core/merge over random histories of up to six replicas, in all types and strategies at once: against the rules written down
 * literally (support/history_rules.c), and against itself from other starting points and in other orders. */
#include "support/test.h"

#include "support/history.h"
#include "support/test_value.h"
#include "value/value.h"

#include <stdlib.h>
#include <string.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || defined(__EMSCRIPTEN__)
enum { HISTORIES = 20000 };
#else
enum { HISTORIES = 100000 };
#endif

typedef struct fixture {
    history_fields fields;
    history h;
    history_script script;
    test_random random; /* of one history: what is chosen of all that could be looked at */
    gt_buf whole, base, again, edit, detail;
    gt_diag diag;
    uint32_t critical, alone, composed, sides; /* how often it was looked at */
    bool is_checking;
} fixture;

static const gt_bytes empty_item = {NULL, 0};

static uint64_t all_of(const fixture *f) { return history_first(f->h.count); }

static goat_status replay(fixture *f, gt_bytes base, uint64_t which, uint64_t before, bool shuffled, gt_buf *out) {
    return history_replay(&f->h, base, which, before, shuffled ? &f->random : NULL, false, out, &f->diag);
}

/* NULL, or `words`, with both states in the detail. */
static const char *compare(fixture *f, const char *words, gt_bytes expected, gt_bytes found) {
    gt_buf a, b;
    if (gt_bytes_equal(expected, found)) return NULL;
    test_value_print(expected, &a);
    test_value_print(found, &b);
    test_text(&f->detail, "expected %s\n but was %s", (const char *)a.data, (const char *)b.data);
    gt_buf_free(&a);
    gt_buf_free(&b);
    return words;
}

/* ---- properties: each gives what is wrong, or NULL ---- */

static const char *deltas_are_valid(fixture *f) {
    for (uint32_t i = 0; i < f->h.count; i++) {
        gt_bytes delta = f->h.steps[i].delta;
        if (delta.data != NULL && gt_merge_check_delta(f->fields.schema, delta, &f->diag) != GOAT_OK) {
            return f->diag.message;
        }
    }
    return NULL;
}

static const char *it_is_what_the_rules_say(fixture *f) {
    gt_bytes whole = gt_buf_bytes(&f->whole);
    if (gt_value_check(whole, GT_VALUE_EDIT, NULL) != GOAT_OK) return "the state is not a value";
    return history_state_fault(&f->h, all_of(f), whole, &f->detail);
}

static const char *the_order_of_arrival_does_not_matter(fixture *f) {
    if (replay(f, empty_item, all_of(f), 0, true, &f->again) != GOAT_OK) return f->diag.message;
    return compare(f, "the same steps in another order", gt_buf_bytes(&f->whole), gt_buf_bytes(&f->again));
}

/* A critical version: every other step has seen all of it. With a void step in it, it is no base. */
static bool is_critical(const history *h, uint64_t version) {
    uint64_t heads = history_heads(h, version);
    for (uint32_t i = 0; i < h->count; i++) {
        if ((version & history_bit(i)) == 0 && (h->past[i] & heads) != heads) return false;
    }
    return version != 0 && history_is_clean(h, version);
}

/* What each step had seen may be one, of one head or several. */
static const char *every_critical_version_is_a_base(fixture *f) {
    for (uint32_t i = 1; i < f->h.count; i++) {
        uint64_t version = f->h.past[i];
        if (!is_critical(&f->h, version)) continue;
        if (replay(f, history_view(&f->h, i), all_of(f), version, true, &f->again) != GOAT_OK) return f->diag.message;
        const char *fault =
            compare(f, "replayed from a critical version", gt_buf_bytes(&f->whole), gt_buf_bytes(&f->again));
        if (fault != NULL) return fault;
        f->critical++;
    }
    return NULL;
}

/* On what its author sees, a step is applied; who has seen nothing else since sees that. */
static const char *an_edit_by_one_side_is_exactly_its_edit(fixture *f) {
    for (uint32_t i = 0; i < f->h.count; i++) {
        uint64_t version = f->h.past[i] | history_bit(i);
        if (f->h.past[i] == 0 || f->h.steps[i].is_void || !history_is_clean(&f->h, f->h.past[i])) continue;
        gt_bytes view = history_view(&f->h, i);
        if (replay(f, view, version, f->h.past[i], false, &f->again) != GOAT_OK) return f->diag.message;
        for (uint32_t next = i + 1; next < f->h.count; next++) {
            if (f->h.past[next] != version) continue;
            f->alone++;
            const char *fault =
                compare(f, "an edit by one side alone", gt_buf_bytes(&f->again), history_view(&f->h, next));
            if (fault != NULL) return fault;
            break;
        }
    }
    return NULL;
}

/* One field's edits by two steps, the second on the first alone, put into one and applied. */
static const char *compose(fixture *f, const gt_field *field, gt_bytes base, gt_bytes first, gt_bytes second,
                           gt_bytes expected) {
    gt_buf_clear(&f->edit);
    gt_buf_clear(&f->again);
    if (gt_edit_compose(field, base, first, second, &f->edit, &f->diag) != GOAT_OK) return f->diag.message;
    if (f->edit.len == 0) {
        gt_buf_append(&f->again, base.data, base.len);
    } else if (gt_edit_apply(field, base, gt_buf_bytes(&f->edit), &f->again, &f->diag) != GOAT_OK) {
        return f->diag.message;
    }
    return compare(f, "two edits put into one", expected, gt_buf_bytes(&f->again));
}

static const char *edits_of_a_line_become_one(fixture *f) {
    for (uint32_t i = 1; i < f->h.count; i++) {
        const gt_step *second = &f->h.steps[i], *first;
        if (second->parent_count != 1) continue;
        uint32_t parent = f->h.parents[i][0];
        first = &f->h.steps[parent];
        if (f->h.past[i] != (f->h.past[parent] | history_bit(parent))) continue;
        for (uint32_t n = 0; n < f->fields.count && f->fields.nodes[n].parent == HISTORY_TOP; n++) {
            const gt_field *field = f->fields.nodes[n].field;
            if (first->delta.data == NULL || second->delta.data == NULL) continue;
            gt_bytes one = gt_map_find(first->delta, field->name), two = gt_map_find(second->delta, field->name);
            if (one.data == NULL || two.data == NULL) continue;
            gt_bytes base = history_find(&f->fields, history_view(&f->h, parent), n);
            gt_bytes middle = history_find(&f->fields, history_view(&f->h, i), n);
            gt_buf_clear(&f->base);
            if (gt_edit_apply(field, middle, two, &f->base, &f->diag) != GOAT_OK) return f->diag.message;
            const char *fault = compose(f, field, base, one, two, gt_buf_bytes(&f->base));
            if (fault != NULL) return fault;
            f->composed++;
        }
    }
    return NULL;
}

/* A step that says nothing on all heads; and nothing is the difference between a state and itself. */
static const char *merging_twice_changes_nothing(fixture *f) {
    static const uint8_t id[32] = {0xff}, nothing[] = {0xa0};
    gt_buf delta;
    uint32_t count = 1;
    gt_step step = {.id = id, .time = UINT32_MAX, .delta = gt_bytes_of(nothing, 1)};
    gt_bytes whole = gt_buf_bytes(&f->whole);
    gt_buf_clear(&f->again);
    if (gt_merge_replay(&gt_alloc_system, f->fields.schema, whole, &step, 1, &f->again, NULL, &f->diag) != GOAT_OK) {
        return f->diag.message;
    }
    const char *fault = compare(f, "merged once more", whole, gt_buf_bytes(&f->again));
    gt_buf_init(&delta, &gt_alloc_system);
    gt_buf_clear(&f->again);
    gt_schema_read(f->fields.schema, whole, &f->again);
    goat_status status = gt_merge_diff(f->fields.schema, whole, gt_buf_bytes(&f->again), &delta, &count, &f->diag);
    gt_buf_free(&delta);
    if (status != GOAT_OK) return f->diag.message;
    return fault != NULL ? fault : count != 0 ? "a state differs from itself" : NULL;
}

/* From what some author saw to what came of all. */
static const char *a_difference_leads_from_any_state_to_any_other(fixture *f) {
    uint32_t count = 0, from = test_random_below(&f->random, f->h.count);
    static const uint8_t id[32] = {0xff};
    gt_bytes before = f->h.views[from].len == 0 ? gt_bytes_text("\xa0") : history_view(&f->h, from);
    gt_buf_clear(&f->base);
    gt_buf_clear(&f->edit);
    gt_buf_clear(&f->again);
    gt_schema_read(f->fields.schema, gt_buf_bytes(&f->whole), &f->base); /* without the tombstone */
    gt_bytes wanted = gt_buf_bytes(&f->base);
    if (gt_merge_diff(f->fields.schema, before, wanted, &f->edit, &count, &f->diag) != GOAT_OK) return f->diag.message;
    gt_bytes delta = gt_buf_bytes(&f->edit);
    if (count != gt_value_count(delta)) return "a difference of another size than it says";
    if (gt_merge_check_delta(f->fields.schema, delta, &f->diag) != GOAT_OK) return f->diag.message;
    gt_step step = {.id = id, .time = 1, .delta = delta};
    if (gt_merge_replay(&gt_alloc_system, f->fields.schema, before, &step, 1, &f->again, NULL, &f->diag) != GOAT_OK) {
        return f->diag.message;
    }
    gt_buf_clear(&f->edit);
    gt_schema_read(f->fields.schema, gt_buf_bytes(&f->again), &f->edit);
    return compare(f, "a state after the difference", wanted, gt_buf_bytes(&f->edit));
}

/* ---- two sides over one base, each a line ---- */

/* What one has of a field; atoms are what of it is there or is not: elements, keys, characters, embeds. */
typedef struct side {
    gt_bytes value;
    gt_bytes atoms[512];
    size_t count;
} side;

static void add_atom(side *s, gt_bytes atom) {
    if (s->count < sizeof s->atoms / sizeof *s->atoms) s->atoms[s->count++] = atom;
}

static void add_characters(side *s, gt_bytes text) {
    for (size_t at = 0; at < text.len;) {
        size_t len = 1;
        while (at + len < text.len && (text.data[at + len] & 0xc0) == 0x80) len++;
        add_atom(s, gt_bytes_of(text.data + at, len));
        at += len;
    }
}

static void take_apart(side *s, gt_type type, gt_bytes value) {
    gt_bytes a, b, text;
    s->value = value;
    s->count = 0;
    if (value.data == NULL) return;
    gt_iter iter = gt_array_iter(value);
    switch (type) {
    case GT_TYPE_SET:
    case GT_TYPE_LIST:
        while (gt_array_next(&iter, &a)) add_atom(s, a);
        break;
    case GT_TYPE_MAP:
        for (iter = gt_map_iter(value); gt_map_next(&iter, &a, &b);) add_atom(s, a);
        break;
    case GT_TYPE_TEXT:
        if (gt_value_as_text(value, &text)) add_characters(s, text);
        break;
    case GT_TYPE_RICHTEXT:
        while (gt_array_next(&iter, &a)) {
            b = gt_map_find(a, gt_bytes_text("insert"));
            if (gt_value_as_text(b, &text)) {
                add_characters(s, text);
            } else {
                add_atom(s, b);
            }
        }
        break;
    default: break;
    }
}

static bool has_atom(const side *s, gt_bytes atom) {
    for (size_t i = 0; i < s->count; i++) {
        if (gt_bytes_equal(s->atoms[i], atom)) return true;
    }
    return false;
}

static bool is_one_of(gt_bytes value, const side *a, const side *b) {
    return gt_bytes_equal(value, a->value) || gt_bytes_equal(value, b->value);
}

static const char *of_two_sides(const gt_field *field, bool is_unique, const side *left, const side *right,
                                const side *both) {
    switch (field->type) {
    case GT_TYPE_SET:
    case GT_TYPE_MAP:
    case GT_TYPE_LIST:
    case GT_TYPE_TEXT:
    case GT_TYPE_RICHTEXT:
    case GT_TYPE_COUNTER:
    case GT_TYPE_OBJECT: break;
    default: return is_one_of(both->value, left, right) ? NULL : "a value that neither side had";
    }
    if (both->value.data != NULL && left->value.data == NULL && right->value.data == NULL) return "neither side had it";
    if (both->value.data == NULL && left->value.data != NULL && right->value.data != NULL) return "both sides had it";
    for (size_t i = 0; i < both->count; i++) {
        if (!has_atom(left, both->atoms[i]) && !has_atom(right, both->atoms[i]))
            return "something that neither side had";
        if (field->type != GT_TYPE_MAP) continue;
        gt_bytes value = gt_map_find(both->value, both->atoms[i]), none = {0};
        gt_bytes one = left->value.data == NULL ? none : gt_map_find(left->value, both->atoms[i]);
        gt_bytes two = right->value.data == NULL ? none : gt_map_find(right->value, both->atoms[i]);
        if (!gt_bytes_equal(value, one) && !gt_bytes_equal(value, two)) return "a value that neither side had";
    }
    bool can_tell = is_unique || field->type == GT_TYPE_SET || field->type == GT_TYPE_MAP;
    for (size_t i = 0; can_tell && i < left->count; i++) {
        if (has_atom(right, left->atoms[i]) && !has_atom(both, left->atoms[i])) return "something that both sides kept";
    }
    return NULL;
}

static bool is_two_sided(const history *h, uint64_t heads) {
    for (uint32_t i = 0; i < h->count; i++) {
        if (h->steps[i].parent_count > 1 || h->steps[i].is_void || h->steps[i].delta.data == NULL) return false;
    }
    heads &= heads - 1;
    return heads != 0 && (heads & (heads - 1)) == 0;
}

static const char *of_two_sides_nothing_is_lost_and_nothing_appears(fixture *f) {
    static side sides[3];
    uint64_t heads = history_heads(&f->h, all_of(f)), versions[2] = {0};
    if (!is_two_sided(&f->h, heads)) return NULL;
    for (uint32_t i = 0; i < f->h.count; i++) {
        if ((heads & history_bit(i)) != 0) versions[versions[0] != 0] = f->h.past[i] | history_bit(i);
    }
    if (replay(f, empty_item, versions[0], 0, false, &f->base) != GOAT_OK) return f->diag.message;
    if (replay(f, empty_item, versions[1], 0, false, &f->again) != GOAT_OK) return f->diag.message;
    for (uint32_t n = 0; n < f->fields.count; n++) {
        const gt_field *field = f->fields.nodes[n].field;
        take_apart(&sides[0], field->type, history_find(&f->fields, gt_buf_bytes(&f->base), n));
        take_apart(&sides[1], field->type, history_find(&f->fields, gt_buf_bytes(&f->again), n));
        take_apart(&sides[2], field->type, history_find(&f->fields, gt_buf_bytes(&f->whole), n));
        const char *fault = of_two_sides(field, f->h.is_unique, &sides[0], &sides[1], &sides[2]);
        if (fault == NULL) continue;
        gt_buf one, two;
        test_value_print(sides[0].value, &one);
        test_value_print(sides[1].value, &two);
        test_text(&f->detail, "%.*s: %s\n and %s", (int)field->path.len, (const char *)field->path.data,
                  (const char *)one.data, (const char *)two.data);
        gt_buf_free(&one);
        gt_buf_free(&two);
        return fault;
    }
    f->sides++;
    return NULL;
}

/* ---- all of them ---- */

static const struct {
    const char *claim;
    const char *(*fault)(fixture *f);
} properties[] = {
    {"deltas are valid", deltas_are_valid},
    {"it is what the rules say", it_is_what_the_rules_say},
    {"the order of arrival does not matter", the_order_of_arrival_does_not_matter},
    {"every critical version is a base", every_critical_version_is_a_base},
    {"an edit by one side alone is exactly its edit", an_edit_by_one_side_is_exactly_its_edit},
    {"edits of a line become one", edits_of_a_line_become_one},
    {"merging twice changes nothing", merging_twice_changes_nothing},
    {"a difference leads from any state to any other", a_difference_leads_from_any_state_to_any_other},
    {"of two sides nothing is lost and nothing appears", of_two_sides_nothing_is_lost_and_nothing_appears},
};

enum { PROPERTIES = sizeof properties / sizeof *properties };

/* The property that does not hold, PROPERTIES: all do; and what is wrong. */
static size_t check(fixture *f, const history_script *script, const char **fault) {
    f->random.state = script->seed;
    f->is_checking = true;
    gt_diag_init(&f->diag);
    gt_buf_clear(&f->detail);
    test_text(&f->detail, "%s", "");
    *fault = f->diag.message;
    if (!history_make(&f->h, script, &f->diag)) return 0;
    if (f->h.count == 0) {
        f->is_checking = false;
        return PROPERTIES;
    }
    if (replay(f, empty_item, all_of(f), 0, false, &f->whole) != GOAT_OK) return 0;
    for (size_t i = 0; i < PROPERTIES; i++) {
        *fault = properties[i].fault(f);
        if (*fault != NULL) return i;
    }
    f->is_checking = false;
    return PROPERTIES;
}

static bool fails(void *context, const history_script *script) {
    const char *fault;
    return check(context, script, &fault) != PROPERTIES;
}

static void check_and_shrink(fixture *f) {
    const char *fault;
    size_t first = check(f, &f->script, &fault);
    if (first == PROPERTIES) return;
    print_message("%s: %s; now to make it smaller\n%s\n", properties[first].claim, fault, (const char *)f->detail.data);
    history_shrink(&f->script, fails, f);
    size_t property = check(f, &f->script, &fault);
    history_print(&f->h);
    f->is_checking = false;
    fail_msg("%s: %s\n%s", properties[property].claim, fault, (const char *)f->detail.data);
}

static void histories_of_all_types_merge_as_they_must(void **state) {
    fixture *f = *state;
    test_random random;
    test_random_init(&random, __func__);
    for (uint32_t i = 0; i < HISTORIES; i++) {
        if (i % 5 == 0) {
            history_script_two_sides(&f->script, &f->fields, &random, 1 + test_random_below(&random, 4));
        } else {
            uint32_t most = i % 100 == 1 ? 40 : 10;
            history_script_random(&f->script, &f->fields, &random, 1 + test_random_below(&random, HISTORY_REPLICAS_MAX),
                                  1 + test_random_below(&random, most));
        }
        check_and_shrink(f);
    }
    print_message("%u bases, %u edits alone, %u made of two, %u with two sides\n", (unsigned)f->critical,
                  (unsigned)f->alone, (unsigned)f->composed, (unsigned)f->sides);
    assert_true(f->critical > HISTORIES / 2 && f->alone > HISTORIES && f->sides > HISTORIES / 10);
    assert_true(f->composed > HISTORIES / 2); /* or this shows nothing */
}

static int set_up(void **state) {
    fixture *f = calloc(1, sizeof *f);
    *state = f;
    if (f == NULL) return -1;
    history_fields_init(&f->fields, 2);
    history_init(&f->h, &f->fields);
    gt_buf_init(&f->whole, &gt_alloc_system);
    gt_buf_init(&f->base, &gt_alloc_system);
    gt_buf_init(&f->again, &gt_alloc_system);
    gt_buf_init(&f->edit, &gt_alloc_system);
    gt_buf_init(&f->detail, &gt_alloc_system);
    return 0;
}

static int tear_down(void **state) {
    fixture *f = *state;
    if (f->is_checking) history_print(&f->h); /* it crashed: what could not be made smaller */
    history_free(&f->h);
    history_fields_free(&f->fields);
    gt_buf_free(&f->whole);
    gt_buf_free(&f->base);
    gt_buf_free(&f->again);
    gt_buf_free(&f->edit);
    gt_buf_free(&f->detail);
    free(f);
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(histories_of_all_types_merge_as_they_must, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
