/* Upgrades over random schemas, states, edits and histories: an edit is carried as the states around it are, and where an
 * upgrade is exact so is what concurrent edits come to. */
#include "support/test.h"

#include "merge/merge.h"
#include "schema/upgrade.h"
#include "support/test_random.h"
#include "support/test_schema.h"
#include "support/test_value.h"
#include "value/build.h"
#include "value/value.h"

#include <stdlib.h>

enum { ROUNDS = 4000, FIELDS = 8, STEPS = 6, EDITS = 12, HISTORY = 10 };

static const char *const types[] = {"string", "number", "boolean", "date",    "bytes", "ref",
                                    "set",    "map",    "list",    "counter", "text",  "object"};
enum {
    SINGLE_TYPES = 6,
    TYPES = sizeof types / sizeof types[0],
    SET = 6,
    MAP = 7,
    LIST = 8,
    COUNTER = 9,
    TEXT = 10,
    OBJECT = 11
};

/* Fields of some moment, by number of name; -1: there is none. */
typedef struct shape {
    int type[2 * FIELDS];
    bool keyed[2 * FIELDS];  /* a map that fields were moved into */
    bool either[2 * FIELDS]; /* … of concurrent values counts; of types that may say so */
} shape;

typedef struct fixture {
    test_random random;
    gt_schema *from, *to;
    gt_upgrade *upgrade;
    gt_buf steps; /* JSON */
    size_t step_count;
} fixture;

static uint32_t below(fixture *f, uint32_t limit) { return test_random_below(&f->random, limit); }

/* ---- schemas ---- */

static gt_schema *schema_of(const fixture *f, const shape *s, int version) {
    gt_buf json;
    bool first = true;
    gt_buf_init(&json, &gt_alloc_system);
    test_text(&json, "{\"ns\": \"goat\", \"version\": %d, \"fields\": {", version);
    for (int i = 0; i < 2 * FIELDS; i++) {
        if (s->type[i] < 0) continue;
        test_text(&json, "%s\"f%d\": {\"type\": \"%s\"%s%s}", first ? "" : ", ", i, types[s->type[i]],
                  s->either[i] && s->type[i] <= MAP && s->type[i] != SET ? ", \"merge\": \"either\"" : "",
                  s->type[i] == OBJECT ? ", \"fields\": {\"a\": {\"type\": \"string\"}, \"s\": {\"type\": \"set\"},"
                                         "\"t\": {\"type\": \"text\"}}"
                                       : "");
        first = false;
    }
    test_text(&json, "}%s", version == 1 ? "}" : ", \"upgrade\": [");
    if (version > 1) {
        gt_buf_append(&json, f->steps.data, f->steps.len);
        test_text(&json, "]}");
    }
    gt_schema *schema = test_schema((const char *)json.data);
    gt_buf_free(&json);
    return schema;
}

static const char *single_json(fixture *f, int type) {
    static const char *const values[SINGLE_TYPES][3] = {
        {"\"a\"", "\"7\"", "\"true\""},
        {"0", "1", "2.5"},
        {"true", "false", "true"},
        {"\"1970-01-01T00:00:01Z\"", "\"2000-01-01T00:00:00Z\"", "\"1999-01-01T00:00:00Z\""},
        {"\"AQI=\"", "\"\"", "\"AQ==\""},
        {"\"/a/b/c\"", "\"/a/b/d\"", "\"/a/b/e\""}};
    return values[type][below(f, 3)];
}

static void begin_step(fixture *f) {
    if (f->step_count++ > 0) test_text(&f->steps, ", ");
}

static int free_name(fixture *f, const shape *s) {
    int name = (int)below(f, 2 * FIELDS);
    return s->type[name] < 0 ? name : -1;
}

static void convert(fixture *f, shape *s, int at) {
    static const gt_type numbers[TYPES] = {GT_TYPE_STRING, GT_TYPE_NUMBER,  GT_TYPE_BOOLEAN, GT_TYPE_DATE,
                                           GT_TYPE_BYTES,  GT_TYPE_REF,     GT_TYPE_SET,     GT_TYPE_MAP,
                                           GT_TYPE_LIST,   GT_TYPE_COUNTER, GT_TYPE_TEXT,    GT_TYPE_OBJECT};
    int to = (int)below(f, TYPES);
    if (!gt_can_convert(numbers[s->type[at]], numbers[to])) return;
    begin_step(f);
    test_text(&f->steps, "{\"convert\": \"f%d\", \"to\": \"%s\"", at, types[to]);
    if (to < SINGLE_TYPES && below(f, 2) == 0) test_text(&f->steps, ", \"else\": %s", single_json(f, to));
    test_text(&f->steps, "}");
    s->type[at] = to;
}

/* One step that fits what is there; sometimes none. */
static void add_step(fixture *f, shape *s, shape *now_new) {
    int at = (int)below(f, 2 * FIELDS), to = free_name(f, s);
    if (s->type[at] < 0 || s->keyed[at] || now_new->type[at] >= 0) return;
    bool single = s->type[at] < SINGLE_TYPES;
    switch (below(f, 8)) {
    case 0:
        if (to < 0) break;
        begin_step(f);
        test_text(&f->steps, "{\"rename\": \"f%d\", \"to\": \"f%d\"}", at, to);
        s->type[to] = s->type[at];
        s->either[to] = s->either[at];
        s->type[at] = -1;
        break;
    case 1:
        if (to < 0) break;
        begin_step(f);
        test_text(&f->steps, "{\"copy\": \"f%d\", \"to\": \"f%d\"}", at, to);
        s->type[to] = s->type[at];
        s->either[to] = s->either[at];
        break;
    case 2:
        begin_step(f);
        test_text(&f->steps, "{\"drop\": \"f%d\"}", at);
        s->type[at] = -1;
        break;
    case 3:
        if (!single) break;
        begin_step(f);
        test_text(&f->steps, "{\"default\": \"f%d\", \"value\": %s}", at, single_json(f, s->type[at]));
        break;
    case 4: convert(f, s, at); break;
    case 5:
        if (!single) break;
        begin_step(f);
        test_text(&f->steps, "{\"map\": \"f%d\", \"values\": [[%s, %s]]}", at, single_json(f, s->type[at]),
                  single_json(f, s->type[at]));
        break;
    case 6:
        if (s->type[at] == OBJECT && to >= 0) {
            static const char *const inner[] = {"a", "s", "t"};
            static const int inner_types[] = {0, SET, TEXT};
            uint32_t key = below(f, 3);
            begin_step(f);
            test_text(&f->steps, "{\"move\": [\"f%d\", \"%s\"], \"to\": \"f%d\"}", at, inner[key], to);
            s->type[to] = inner_types[key];
            s->either[to] = false;
            now_new->type[at] = OBJECT; /* only once */
        }
        if (!single) break;
        for (int i = 0; i < 2 * FIELDS; i++) to = s->keyed[i] ? i : to; /* two of them in one */
        if (to < 0) break;
        begin_step(f);
        test_text(&f->steps, "{\"move\": \"f%d\", \"to\": [\"f%d\", \"k%d\"]}", at, to, at);
        s->type[at] = -1;
        s->type[to] = MAP;
        s->keyed[to] = true;
        s->either[to] = false;
        break;
    default: /* a field that is new, and must keep its name */
        if (to < 0) break;
        now_new->type[to] = s->type[to] = (int)below(f, SINGLE_TYPES);
        begin_step(f);
        test_text(&f->steps, "{\"default\": \"f%d\", \"value\": %s}", to, single_json(f, s->type[to]));
        break;
    }
}

static void random_upgrade(fixture *f) {
    shape s, none;
    memset(&s, 0, sizeof s);
    memset(&none, 0, sizeof none);
    for (int i = 0; i < 2 * FIELDS; i++) none.type[i] = -1;
    for (int i = 0; i < 2 * FIELDS; i++) s.type[i] = i < FIELDS && below(f, 4) > 0 ? (int)below(f, TYPES) : -1;
    for (int i = 0; i < 2 * FIELDS; i++) s.either[i] = below(f, 4) == 0;
    f->from = schema_of(f, &s, 1);
    gt_buf_init(&f->steps, &gt_alloc_system);
    f->step_count = 0;
    for (uint32_t i = below(f, STEPS + 1); i > 0; i--) add_step(f, &s, &none);
    int other = (int)below(f, 8 * FIELDS); /* sometimes one merges otherwise from now on */
    if (other < 2 * FIELDS && s.type[other] <= MAP) s.either[other] = !s.either[other];
    f->to = schema_of(f, &s, 2);
    gt_diag diag;
    gt_diag_init(&diag);
    if (gt_upgrade_new(&gt_alloc_system, f->from, f->to, &f->upgrade, &diag) != GOAT_OK) {
        test_text(&f->steps, "%s", "");
        fail_msg("%s: %s", diag.message, (const char *)f->steps.data);
    }
}

static void forget(fixture *f) {
    gt_upgrade_free(f->upgrade);
    gt_schema_free(f->to);
    gt_schema_free(f->from);
    gt_buf_free(&f->steps);
}

/* ---- states and edits ---- */

static void random_value(fixture *f, const gt_field *field, gt_buf *out) {
    static const char *const values[][4] = {
        [GT_TYPE_STRING] = {"'a'", "'7'", "'true'", "'1970-01-01T00:00:01Z'"},
        [GT_TYPE_NUMBER] = {"0", "1", "2.5", "-3"},
        [GT_TYPE_BOOLEAN] = {"true", "false", "true", "false"},
        [GT_TYPE_DATE] = {"date(0)", "date(1000)", "date(946684800000)", "date(7)"},
        [GT_TYPE_BYTES] = {"bytes(0102)", "bytes()", "bytes(01)", "bytes(ff)"},
        [GT_TYPE_REF] = {"ref('/a/b/c')", "ref('/a/b/d')", "ref('/a/b/e')", "ref('/a/b/f')"},
        [GT_TYPE_SET] = {"set[1, 2]", "set[]", "set['a', 2]", "set[3]"},
        [GT_TYPE_MAP] = {"{a: 1}", "{}", "{k1: 'x', b: 2}", "{a: 2, b: 3}"},
        [GT_TYPE_LIST] = {"[1, 2, 3]", "[]", "[2]", "['a', 1, 3]"},
        [GT_TYPE_OBJECT] = {"{a: 'x'}", "{}", "{a: 'y', s: set[1], t: 'goat'}", "{s: set[1, 2], t: 'a goat'}"},
        [GT_TYPE_COUNTER] = {"1", "0", "-5", "100"},
        [GT_TYPE_TEXT] = {"'the goat'", "''", "'a goat eats'", "'goats'"},
    };
    test_value_write(out, values[field->type][below(f, 4)]);
}

/* A delta of a few fields on `state`. */
static void random_delta(fixture *f, gt_bytes state, gt_buf *out) {
    gt_buf pairs;
    size_t count = 0;
    gt_buf_init(&pairs, &gt_alloc_system);
    if (below(f, 12) == 0) {
        test_value_write(&pairs, "0");
        gt_write_bool(&pairs, below(f, 3) > 0);
        count++;
    }
    for (size_t i = 0; i < gt_schema_field_count(f->from); i++) {
        const gt_field *field = gt_schema_field_at(f->from, i);
        gt_buf value;
        if (below(f, 3) > 0) continue;
        gt_buf_init(&value, &gt_alloc_system);
        if (below(f, 5) > 0) random_value(f, field, &value);
        size_t before = pairs.len;
        gt_write_text(&pairs, field->name);
        size_t behind = pairs.len;
        gt_bytes wanted = value.len == 0 ? gt_bytes_of(NULL, 0) : gt_buf_bytes(&value);
        assert_int_equal(gt_edit_diff(field, gt_map_find(state, field->name), wanted, &pairs, NULL), GOAT_OK);
        if (pairs.len == behind) {
            pairs.len = before;
        } else {
            count++;
        }
        gt_buf_free(&value);
    }
    gt_write_map_head(out, count);
    gt_buf_append(out, pairs.data, pairs.len);
    gt_buf_free(&pairs);
}

static void replay(const gt_schema *schema, gt_bytes base, const gt_step *steps, uint32_t count, gt_buf *out) {
    gt_diag diag;
    gt_diag_init(&diag);
    gt_buf_clear(out);
    if (gt_merge_replay(&gt_alloc_system, schema, base, steps, count, out, NULL, &diag) != GOAT_OK) {
        fail_msg("%s", diag.message);
    }
}

static void same(const fixture *f, gt_bytes expected, const gt_buf *actual) {
    if (gt_bytes_equal(expected, gt_buf_bytes(actual))) return;
    gt_buf text;
    print_error("steps [%.*s]\n", (int)f->steps.len, (const char *)f->steps.data);
    test_value_print(expected, &text);
    print_error("expected %s\n", (const char *)text.data);
    gt_buf_free(&text);
    test_value_print(gt_buf_bytes(actual), &text);
    fail_msg("but was %s", (const char *)text.data);
}

/* ---- properties ---- */

static void an_edit_is_carried_as_the_states_around_it_are(void **state) {
    fixture *f = *state;
    uint8_t id[32] = {0};
    gt_buf now, then, delta, up, up_then, up_delta, applied;
    gt_buf *const all[] = {&now, &then, &delta, &up, &up_then, &up_delta, &applied};
    for (size_t i = 0; i < 7; i++) gt_buf_init(all[i], &gt_alloc_system);
    test_random_init(&f->random, __func__);
    for (int round = 0; round < ROUNDS; round++) {
        random_upgrade(f);
        gt_buf_clear(&now);
        gt_write_map_head(&now, 0);
        for (int i = 0; i < EDITS; i++) {
            for (size_t j = 1; j < 7; j++) gt_buf_clear(all[j]);
            random_delta(f, gt_buf_bytes(&now), &delta);
            gt_step step = {.id = id, .time = 1, .delta = gt_buf_bytes(&delta)};
            replay(f->from, gt_buf_bytes(&now), &step, 1, &then);
            gt_upgrade_state(f->upgrade, gt_buf_bytes(&now), &up);
            gt_upgrade_state(f->upgrade, gt_buf_bytes(&then), &up_then);
            assert_int_equal(
                gt_merge_upgrade_delta(&gt_alloc_system, f->upgrade, gt_buf_bytes(&delta), &up_delta, NULL), GOAT_OK);
            assert_int_equal(gt_merge_check_delta(f->to, gt_buf_bytes(&up_delta), NULL), GOAT_OK);
            step.delta = gt_buf_bytes(&up_delta);
            replay(f->to, gt_buf_bytes(&up), &step, 1, &applied);
            same(f, gt_buf_bytes(&up_then), &applied);
            gt_buf_clear(&now);
            gt_buf_append(&now, then.data, then.len);
        }
        forget(f);
    }
    for (size_t i = 0; i < 7; i++) gt_buf_free(all[i]);
}

typedef struct history {
    gt_step steps[HISTORY];
    uint32_t parents[HISTORY][HISTORY], past[HISTORY]; /* strict ancestors, as bits */
    uint8_t ids[HISTORY][32];
    gt_buf deltas[HISTORY], upgraded[HISTORY];
    uint32_t count;
} history;

/* Several authors edit and hear of each other. */
static void random_history(fixture *f, history *h) {
    uint32_t seen[3] = {0};
    gt_buf view;
    gt_buf_init(&view, &gt_alloc_system);
    memset(h, 0, sizeof *h);
    h->count = 1 + below(f, HISTORY);
    for (uint32_t i = 0; i < h->count; i++) {
        uint32_t author = below(f, 3), some_count = 0;
        if (below(f, 2) == 0) seen[author] |= seen[below(f, 3)];
        h->past[i] = seen[author];
        gt_step *step = &h->steps[i];
        test_random_fill(&f->random, h->ids[i], 32);
        *step = (gt_step){.id = h->ids[i], .time = 5 + i, .parents = h->parents[i]};
        gt_step past[HISTORY];
        uint32_t index[HISTORY] = {0}, parents[HISTORY][HISTORY];
        for (uint32_t j = 0; j < i; j++) {
            if ((h->past[i] >> j & 1) == 0) continue;
            bool covered = false;
            for (uint32_t k = 0; k < i; k++) covered |= (h->past[i] >> k & 1) && (h->past[k] >> j & 1);
            if (!covered) h->parents[i][step->parent_count++] = j;
            index[j] = some_count;
            past[some_count] = h->steps[j];
            for (uint32_t k = 0; k < h->steps[j].parent_count; k++) {
                parents[some_count][k] = index[h->steps[j].parents[k]];
            }
            past[some_count].parents = parents[some_count];
            some_count++;
        }
        gt_buf_init(&h->deltas[i], &gt_alloc_system);
        gt_buf_init(&h->upgraded[i], &gt_alloc_system);
        if (some_count > 0) replay(f->from, gt_bytes_of(NULL, 0), past, some_count, &view);
        if (some_count == 0) {
            gt_buf_clear(&view);
            gt_write_map_head(&view, 0);
        }
        random_delta(f, gt_buf_bytes(&view), &h->deltas[i]);
        step->delta = gt_buf_bytes(&h->deltas[i]);
        seen[author] |= 1u << i;
    }
    gt_buf_free(&view);
}

static void an_exact_upgrade_carries_what_concurrent_edits_come_to(void **state) {
    fixture *f = *state;
    history h;
    gt_buf before, expected, actual, base;
    gt_buf_init(&before, &gt_alloc_system);
    gt_buf_init(&expected, &gt_alloc_system);
    gt_buf_init(&actual, &gt_alloc_system);
    gt_buf_init(&base, &gt_alloc_system);
    test_random_init(&f->random, __func__);
    for (int round = 0; round < ROUNDS; round++) {
        random_upgrade(f);
        for (int i = 0; i < 4 && gt_upgrade_is_exact(f->upgrade); i++) {
            random_history(f, &h);
            replay(f->from, gt_bytes_of(NULL, 0), h.steps, h.count, &before);
            gt_buf_clear(&expected);
            gt_upgrade_state(f->upgrade, gt_buf_bytes(&before), &expected);
            gt_buf_clear(&base);
            gt_buf_clear(&actual);
            gt_write_map_head(&actual, 0);
            gt_upgrade_state(f->upgrade, gt_buf_bytes(&actual), &base);
            bool has_base = base.len > 1; /* what items of the old version have from the beginning */
            for (uint32_t j = 0; j < h.count; j++) {
                assert_int_equal(
                    gt_merge_upgrade_delta(&gt_alloc_system, f->upgrade, h.steps[j].delta, &h.upgraded[j], NULL),
                    GOAT_OK);
                if (has_base && h.steps[j].parent_count == 0 && h.upgraded[j].len == 1) {
                    gt_buf_clear(&h.upgraded[j]);
                    test_value_write(&h.upgraded[j], "{0: false}");
                }
                h.steps[j].delta = gt_buf_bytes(&h.upgraded[j]);
            }
            replay(f->to, has_base ? gt_buf_bytes(&base) : gt_bytes_of(NULL, 0), h.steps, h.count, &actual);
            same(f, gt_buf_bytes(&expected), &actual);
            for (uint32_t j = 0; j < h.count; j++) {
                gt_buf_free(&h.deltas[j]);
                gt_buf_free(&h.upgraded[j]);
            }
        }
        forget(f);
    }
    gt_buf_free(&before);
    gt_buf_free(&expected);
    gt_buf_free(&actual);
    gt_buf_free(&base);
}

static int set_up(void **state) {
    *state = calloc(1, sizeof(fixture));
    return *state == NULL;
}

static int tear_down(void **state) {
    free(*state);
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(an_edit_is_carried_as_the_states_around_it_are, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_exact_upgrade_carries_what_concurrent_edits_come_to, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
