/* Scripts: made at random, and made smaller. */
#include "support/history.h"

#include "support/test.h"

#include <string.h>

static bool chance(test_random *random, uint32_t percent) { return test_random_below(random, 100) < percent; }
static uint8_t byte(test_random *random) { return (uint8_t)test_random_u64(random); }

/* ---- random ones ---- */

history_focus history_focus_random(const history_fields *fields, test_random *random) {
    history_focus on = {.fields = fields};
    if (chance(random, 5)) return on;
    for (uint32_t wanted = 1 + test_random_below(random, HISTORY_FOCUS_MAX - 1); on.count < wanted;) {
        uint32_t node = test_random_below(random, fields->count);
        int parent = fields->nodes[node].parent;
        if (parent != HISTORY_TOP && chance(random, 50)) continue; /* there are twice as many of them */
        on.nodes[on.count++] = (uint8_t)node;
        if (parent != HISTORY_TOP && on.count < HISTORY_FOCUS_MAX && chance(random, 40))
            on.nodes[on.count++] = (uint8_t)parent;
    }
    return on;
}

void history_ops_random(history_event *event, const history_focus *on, test_random *random) {
    event->op_count = chance(random, 8) ? 0 : 1 + test_random_below(random, HISTORY_OPS_MAX);
    for (uint32_t i = 0; i < event->op_count; i++) {
        uint32_t node = on->count == 0 ? test_random_below(random, on->fields->count)
                                       : on->nodes[test_random_below(random, on->count)];
        event->ops[i] = (history_op){(uint8_t)node, byte(random), byte(random), byte(random), byte(random)};
    }
}

static void add_write(history_script *script, const history_focus *on, test_random *random, uint32_t replica,
                      bool is_clean) {
    history_event *event = &script->events[script->event_count++];
    *event = (history_event){.kind = HISTORY_WRITE, .one = (uint8_t)replica, .id = (uint16_t)test_random_u64(random)};
    event->time = chance(random, 30) ? (uint8_t)test_random_below(random, 6) : 0; /* many are equal */
    event->is_void = !is_clean && chance(random, 5);
    event->is_sealed = !is_clean && chance(random, 2);
    event->deletes = chance(random, 10) ? (uint8_t)(1 + test_random_below(random, 2)) : 0;
    history_ops_random(event, on, random);
}

static void begin(history_script *script, test_random *random) {
    script->event_count = 0;
    script->seed = test_random_u64(random);
    script->is_unique = chance(random, 40);
    script->is_wild = chance(random, 10);
    script->is_bare = false;
}

void history_script_random(history_script *script, const history_fields *fields, test_random *random, uint32_t replicas,
                           uint32_t step_count) {
    history_focus on = history_focus_random(fields, random);
    begin(script, random);
    for (uint32_t steps = 0; steps < step_count && script->event_count + step_count - steps < HISTORY_EVENTS_MAX;) {
        uint8_t one = (uint8_t)test_random_below(random, replicas),
                other = (uint8_t)test_random_below(random, replicas);
        uint32_t dice = test_random_below(random, 100);
        if (dice < 55) {
            add_write(script, &on, random, one, false);
            steps++;
        } else if (dice < 75) {
            script->events[script->event_count++] = (history_event){.kind = HISTORY_HEAR, .one = one, .other = other};
        } else if (dice < 92) { /* criss-cross */
            script->events[script->event_count++] = (history_event){.kind = HISTORY_MEET, .one = one, .other = other};
        } else if (dice < 96) { /* the next step is a critical version */
            script->events[script->event_count++] = (history_event){.kind = HISTORY_ALL, .one = one};
            add_write(script, &on, random, one, false);
            script->events[script->event_count++] = (history_event){.kind = HISTORY_ALL, .one = one};
            steps++;
        } else if (steps > 0) { /* hears of a step and what it stands on, nothing else */
            other = (uint8_t)test_random_below(random, steps);
            script->events[script->event_count++] =
                (history_event){.kind = HISTORY_HEAR_STEP, .one = one, .other = other};
        }
    }
}

void history_script_two_sides(history_script *script, const history_fields *fields, test_random *random,
                              uint32_t steps_each) {
    history_focus on = history_focus_random(fields, random);
    begin(script, random);
    for (uint32_t i = test_random_below(random, 3); i > 0; i--) add_write(script, &on, random, 0, true);
    script->events[script->event_count++] = (history_event){.kind = HISTORY_HEAR, .one = 1};
    for (uint32_t i = 0; i < steps_each; i++) {
        add_write(script, &on, random, 0, true);
        if (i == 0 || chance(random, 50)) add_write(script, &on, random, 1, true);
    }
}

/* ---- smaller ones ---- */

typedef struct shrinking {
    history_script *script;
    history_fails *fails;
    void *context;
    history_script before;
    bool any;
} shrinking;

/* Keeps what was changed if it still fails. */
static bool keep_it(shrinking *s) {
    if (s->fails(s->context, s->script)) {
        s->before = *s->script;
        return s->any = true;
    }
    *s->script = s->before;
    return false;
}

static void drop_events(shrinking *s) {
    for (uint32_t size = s->script->event_count; size > 0; size /= 2) {
        for (uint32_t at = 0; at + size <= s->script->event_count;) {
            history_event *events = s->script->events;
            s->script->event_count -= size;
            memmove(&events[at], &events[at + size], (s->script->event_count - at) * sizeof *events);
            if (!keep_it(s)) at += size;
        }
    }
}

static void drop_ops(shrinking *s) {
    for (uint32_t e = 0; e < s->script->event_count; e++) {
        history_event *event = &s->script->events[e];
        for (uint32_t at = 0; at < event->op_count;) {
            event->op_count--;
            memmove(&event->ops[at], &event->ops[at + 1], (event->op_count - at) * sizeof *event->ops);
            if (!keep_it(s)) at++;
        }
    }
}

static void join_replicas(shrinking *s) {
    for (uint8_t from = HISTORY_REPLICAS_MAX - 1; from > 0; from--) {
        for (uint8_t to = 0; to < from; to++) {
            bool changed = false;
            for (uint32_t e = 0; e < s->script->event_count; e++) {
                history_event *event = &s->script->events[e];
                changed |= event->one == from || (event->kind != HISTORY_HEAR_STEP && event->other == from);
                if (event->one == from) event->one = to;
                if (event->kind != HISTORY_HEAR_STEP && event->other == from) event->other = to;
            }
            if (changed && keep_it(s)) break;
        }
    }
}

static void lower_flag(shrinking *s, bool *flag) {
    if (!*flag) return;
    *flag = false;
    keep_it(s);
}

/* To nothing, or by half as long as that works, then by one. */
static void lower(shrinking *s, uint8_t *number) {
    if (*number == 0) return;
    *number = 0;
    if (keep_it(s)) return;
    while (*number > 1) {
        *number /= 2;
        if (!keep_it(s)) break;
    }
    while (*number > 1) {
        --*number;
        if (!keep_it(s)) return;
    }
}

static void lower_numbers(shrinking *s) {
    lower_flag(s, &s->script->is_wild);
    for (uint32_t e = 0; e < s->script->event_count; e++) {
        history_event *event = &s->script->events[e];
        lower_flag(s, &event->is_void);
        lower_flag(s, &event->is_sealed);
        lower(s, &event->deletes);
        lower(s, &event->time);
        for (uint32_t i = 0; i < event->op_count; i++) {
            lower(s, &event->ops[i].skip);
            lower(s, &event->ops[i].a);
            lower(s, &event->ops[i].b);
        }
    }
}

void history_shrink(history_script *script, history_fails *fails, void *context) {
    static shrinking s;
    s = (shrinking){.script = script, .fails = fails, .context = context, .before = *script, .any = true};
    while (s.any) {
        s.any = false;
        drop_events(&s);
        drop_ops(&s);
        join_replicas(&s);
        lower_numbers(&s);
    }
}
