#include "support/merge_model.h"

#include "support/merge_encode.h"
#include "support/test.h"
#include "support/test_schema.h"
#include "support/test_value.h"
#include "value/value.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint64_t bit(uint32_t step) { return UINT64_C(1) << step; }
static bool chance(test_random *random, uint32_t percent) { return test_random_below(random, 100) < percent; }

const char *model_schema_json(bool either) {
#define FIELDS(strategy)                                                                                               \
    "\"text\": {\"type\": \"string\"" strategy "}, \"list\": {\"type\": \"list\"}, \"tags\": {\"type\": \"set\"},"     \
    "\"map\": {\"type\": \"map\"" strategy "}, \"votes\": {\"type\": \"counter\"}"
#define OBJECT(fields) ", \"object\": {\"type\": \"object\", \"fields\": {" fields "}}"
#define SCHEMA(fields) "{\"ns\": \"model\", \"version\": 1, \"fields\": {" fields OBJECT(fields OBJECT(fields)) "}}"
    return either ? SCHEMA(FIELDS(", \"merge\": \"either\"")) : SCHEMA(FIELDS(""));
}

gt_schema *model_schema(bool either) { return test_schema(model_schema_json(either)); }

/* ---- deltas ---- */

static model_act random_act(test_random *random, uint32_t percent) {
    return !chance(random, percent) ? NOTHING : chance(random, 15) ? UNSET : WRITE;
}

/* What it does to an object is to be freed. `depth`: objects around it. */
static void random_delta(test_random *random, uint32_t depth, model_delta *delta) {
    *delta = (model_delta){.tombstone = chance(random, 12) ? (int)test_random_below(random, 2) : -1};
    uint32_t percent = chance(random, 10) ? 0 : 40;
    delta->is_sealed = chance(random, 2);
    delta->text = random_act(random, percent);
    delta->text_value = (int)test_random_below(random, 20);
    delta->list = random_act(random, percent / 2);
    delta->list_value = (int)test_random_below(random, 20);
    delta->votes = random_act(random, percent);
    delta->increment = chance(random, 5) ? INT64_MAX : (int64_t)test_random_below(random, 20) - 10;
    delta->tags = random_act(random, percent);
    delta->added = test_random_below(random, 1u << MODEL_ELEMENTS) & test_random_below(random, 1u << MODEL_ELEMENTS);
    if (chance(random, 60)) {
        delta->removed = test_random_below(random, 1u << MODEL_ELEMENTS) & ~delta->added;
    }
    delta->map = random_act(random, percent);
    for (size_t i = 0; i < MODEL_KEYS; i++) {
        delta->keys[i].act = chance(random, 50) ? NOTHING : chance(random, 40) ? UNSET : WRITE;
        delta->keys[i].value = (int)test_random_below(random, 20);
    }
    delta->object = depth < MODEL_DEPTH ? random_act(random, percent) : NOTHING;
    if (delta->object == WRITE) {
        delta->inner = calloc(1, sizeof *delta->inner);
        assert_non_null(delta->inner);
        random_delta(random, depth + 1, delta->inner);
        delta->inner->is_sealed = false;
        delta->inner->tombstone = -1;
    }
}

void model_delta_free(model_delta *delta) {
    if (delta->inner != NULL) {
        model_delta_free(delta->inner);
        free(delta->inner);
        delta->inner = NULL;
    }
}

static void write_tags_edit(gt_buf *out, const model_delta *delta) {
    if (delta->removed == 0) {
        model_write_set(out, delta->added);
        return;
    }
    gt_write_map_head(out, delta->added != 0 ? 2 : 1);
    if (delta->added != 0) {
        gt_write_int(out, 0);
        model_write_set(out, delta->added);
    }
    gt_write_int(out, 1);
    model_write_set(out, delta->removed);
}

static void write_keys_edit(gt_buf *out, const model_delta *delta) {
    model_map made;
    model_map_begin(&made);
    for (size_t i = 0; i < MODEL_KEYS; i++) {
        size_t begin = made.values.len;
        if (delta->keys[i].act == WRITE) {
            gt_write_int(&made.values, delta->keys[i].value);
        } else if (delta->keys[i].act == UNSET) {
            gt_write_undefined(&made.values);
        } else {
            continue;
        }
        model_map_add(&made, model_key(i), begin);
    }
    model_map_end(&made, -1, out);
}

static void write_fields_edit(gt_buf *out, const model_delta *delta) {
    model_map made;
    model_map_begin(&made);
    const struct {
        const char *name;
        model_act act;
    } fields[] = {{"text", delta->text}, {"list", delta->list},   {"tags", delta->tags},
                  {"map", delta->map},   {"votes", delta->votes}, {"object", delta->object}};
    for (size_t i = 0; i < 6; i++) {
        size_t begin = made.values.len;
        if (fields[i].act == NOTHING) {
            continue;
        }
        if (fields[i].act == UNSET) {
            gt_write_undefined(&made.values);
        } else {
            switch (i) {
            case 0: model_write_text(&made.values, delta->text_value); break;
            case 1: model_write_list(&made.values, delta->list_value); break;
            case 2: write_tags_edit(&made.values, delta); break;
            case 3: write_keys_edit(&made.values, delta); break;
            case 4: gt_write_int(&made.values, delta->increment); break;
            default: write_fields_edit(&made.values, delta->inner); break;
            }
        }
        model_map_add(&made, fields[i].name, begin);
    }
    model_map_end(&made, delta->tombstone, out);
}

static gt_bytes encode(const model_delta *delta) {
    gt_buf out;
    gt_buf_init(&out, &gt_alloc_system);
    if (!delta->is_sealed) {
        write_fields_edit(&out, delta);
    }
    return gt_buf_bytes(&out);
}

gt_bytes model_random_delta(test_random *random, model_delta *delta) {
    random_delta(random, 0, delta);
    delta->is_sealed = false;
    return encode(delta);
}

/* ---- histories ---- */

typedef struct author {
    uint64_t known;
} author;

/* The steps of a set that no other one of it descends from. */
static uint64_t heads_of(const model *m, uint64_t known) {
    uint64_t heads = known;
    for (uint32_t i = 0; i < m->count; i++) {
        if ((known & bit(i)) != 0) {
            heads &= ~m->steps[i].ancestors;
        }
    }
    return heads;
}

static void add_step(model *m, test_random *random, author *by) {
    uint32_t index = m->count;
    model_step *step = &m->steps[index];
    memset(step, 0, sizeof *step);
    uint64_t heads = heads_of(m, by->known), after = 0;
    step->ancestors = by->known;
    for (uint32_t i = 0; i < index; i++) {
        if ((heads & bit(i)) != 0) {
            step->parents[step->parent_count++] = i;
            after = m->steps[i].time > after ? m->steps[i].time : after;
        }
    }
    step->time = after + 1 + (chance(random, 30) ? test_random_below(random, 6) : 0); /* many are equal */
    test_random_fill(random, step->id, sizeof step->id);
    step->is_void = chance(random, 4);
    random_delta(random, 0, &step->delta);
    step->bytes = encode(&step->delta);
    m->count++;
    by->known |= bit(index);
}

/* Puts the steps into the order of (time, id) and renumbers everything. */
static void sort_steps(model *m) {
    static model sorted; /* 64 steps are too many for a stack */
    uint32_t to[MODEL_STEPS_MAX];
    for (uint32_t i = 0; i < m->count; i++) {
        to[i] = 0;
        for (uint32_t k = 0; k < m->count; k++) {
            to[i] += model_compare_steps(&m->steps[k], &m->steps[i]) < 0 ? 1 : 0;
        }
    }
    sorted.count = m->count;
    sorted.either = m->either;
    for (uint32_t i = 0; i < m->count; i++) {
        model_step *step = &sorted.steps[to[i]];
        *step = m->steps[i];
        step->ancestors = 0;
        for (uint32_t k = 0; k < m->count; k++) {
            step->ancestors |= (m->steps[i].ancestors & bit(k)) != 0 ? bit(to[k]) : 0;
        }
        for (uint32_t p = 0; p < step->parent_count; p++) {
            step->parents[p] = to[m->steps[i].parents[p]];
        }
    }
    *m = sorted;
}

void model_make(model *m, test_random *random, uint32_t authors, uint32_t step_count) {
    author all[MODEL_AUTHORS_MAX] = {{0}};
    m->count = 0;
    while (m->count < step_count) {
        author *one = &all[test_random_below(random, authors)], *other = &all[test_random_below(random, authors)];
        uint32_t event = test_random_below(random, 100);
        if (event < 55) {
            add_step(m, random, one);
        } else if (event < 75) {
            one->known |= other->known; /* one hears from the other */
        } else if (event < 92) {
            one->known = other->known |= one->known; /* and both ways: criss-cross */
        } else if (event < 96) {                     /* all hear all: the next step is a critical version */
            for (uint32_t i = 0; i < authors; i++) {
                one->known |= all[i].known;
            }
            add_step(m, random, one);
            for (uint32_t i = 0; i < authors; i++) {
                all[i].known = one->known;
            }
        } else { /* hears of a step and what it stands on, nothing else */
            uint32_t step = m->count == 0 ? 0 : test_random_below(random, m->count);
            one->known |= m->count == 0 ? 0 : bit(step) | m->steps[step].ancestors;
        }
    }
    sort_steps(m);
}

void model_free(model *m) {
    for (uint32_t i = 0; i < m->count; i++) {
        test_value_free(m->steps[i].bytes);
        model_delta_free(&m->steps[i].delta);
    }
    m->count = 0;
}

void model_shuffle(const model *m, test_random *random, uint32_t *order) {
    uint64_t done = 0;
    for (uint32_t count = 0; count < m->count; count++) {
        uint32_t step;
        do {
            step = test_random_below(random, m->count);
        } while ((done & bit(step)) != 0 || (m->steps[step].ancestors & ~done) != 0);
        order[count] = step;
        done |= bit(step);
    }
}

void model_replay_of(const model *m, uint64_t which, uint64_t base, const uint32_t *order, model_replay *replay) {
    uint32_t places[MODEL_STEPS_MAX];
    replay->count = 0;
    for (uint32_t i = 0; i < m->count; i++) {
        uint32_t index = order == NULL ? i : order[i];
        const model_step *step = &m->steps[index];
        if ((which & ~base & bit(index)) == 0) {
            continue;
        }
        uint32_t place = replay->count++;
        gt_step *to = &replay->steps[place];
        places[index] = place;
        *to = (gt_step){.id = step->id,
                        .time = step->time,
                        .delta = step->bytes,
                        .is_void = step->is_void,
                        .parents = replay->parents[place]};
        for (uint32_t p = 0; p < step->parent_count; p++) {
            if ((base & bit(step->parents[p])) == 0) {
                replay->parents[place][to->parent_count++] = places[step->parents[p]];
            }
        }
    }
}

void model_print(const model *m) {
    for (uint32_t i = 0; i < m->count; i++) {
        const model_step *step = &m->steps[i];
        gt_buf text;
        test_value_print(step->bytes, &text);
        printf("%2u after", (unsigned)i);
        for (uint32_t p = 0; p < step->parent_count; p++) {
            printf(" %u", (unsigned)step->parents[p]);
        }
        printf(", time %llu, id %02x…%s: %s\n", (unsigned long long)step->time, step->id[0],
               step->is_void ? ", void" : "", (const char *)text.data);
        gt_buf_free(&text);
    }
}
