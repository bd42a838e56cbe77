/* The simulator's own parts: what a failing seed rests on. */
#include "unit/support/test.h"

#include "ledger.h"
#include "memory.h"
#include "peer.h"
#include "plan.h"
#include "queue.h"
#include "run.h"
#include "schema/upgrade.h"
#include "shrink.h"
#include "value/json.h"
#include "workload.h"

#include <string.h>

/* ---- what apps write ---- */

static gt_schema *parse(const char *json) {
    gt_schema *schema = NULL;
    gt_hasher *hasher = NULL;
    gt_buf definition;
    gt_diag diag;
    gt_diag_init(&diag);
    gt_buf_init(&definition, &gt_alloc_system);
    assert_int_equal(gt_hasher_new(&gt_alloc_system, &hasher, NULL), GOAT_OK);
    assert_int_equal(gt_value_from_json_text(gt_bytes_text(json), &definition, &diag), GOAT_OK);
    if (gt_schema_parse(&gt_alloc_system, hasher, gt_buf_bytes(&definition), &schema, &diag) != GOAT_OK) {
        fail_msg("%s", diag.message);
    }
    gt_buf_free(&definition);
    gt_hasher_free(hasher);
    return schema;
}

static void every_field_is_there_and_each_version_leads_to_the_next(void **state) {
    (void)state;
    gt_schema *schemas[1 + SIM_VERSIONS];
    for (int i = 0; i <= SIM_VERSIONS; i++) {
        const gt_field *fields[GT_PATH_FIELDS_MAX];
        schemas[i] = parse(sim_schemas[i]);
        for (int f = 0; f < SIM_FIELDS; f++) {
            assert_true(gt_schema_path(schemas[i], gt_bytes_text(sim_field_names[f]), fields) > 0);
        }
    }
    for (int i = 1; i < SIM_VERSIONS; i++) {
        gt_upgrade *upgrade = NULL;
        gt_diag diag;
        gt_diag_init(&diag);
        if (gt_upgrade_new(&gt_alloc_system, schemas[i], schemas[i + 1], &upgrade, &diag) != GOAT_OK) {
            fail_msg("%s", diag.message);
        }
        gt_upgrade_free(upgrade);
    }
    for (int i = 0; i <= SIM_VERSIONS; i++) gt_schema_free(schemas[i]);
}

/* ---- the queue ---- */

static void events_come_in_order_of_time_then_of_putting(void **state) {
    (void)state;
    sim_queue queue = {0};
    gt_sim_random random;
    gt_sim_random_init(&random, 1);
    for (uint64_t i = 0; i < 500; i++) {
        sim_queue_put(&queue, (sim_event){.at_us = gt_sim_random_below(&random, 40), .number = i});
    }
    uint64_t at = 0, number = 0;
    for (int i = 0; i < 500; i++) {
        assert_true(sim_queue_next(&queue) >= at);
        sim_event event = sim_queue_take(&queue);
        if (i > 0 && event.at_us == at) assert_true(event.number > number);
        at = event.at_us;
        number = event.number;
    }
    assert_true(sim_queue_next(&queue) == UINT64_MAX);
    sim_queue_free(&queue);
}

/* ---- plans ---- */

static bool same_step(const sim_step *a, const sim_step *b) {
    return a->kind == b->kind && a->peer == b->peer && a->pause_us == b->pause_us && a->seed == b->seed;
}

static void a_plan_follows_from_its_seed(void **state) {
    (void)state;
    sim_plan a, b, c;
    sim_plan_make(&a, 7, 0, 0);
    sim_plan_make(&b, 7, 0, 0);
    sim_plan_make(&c, 8, 0, 0);
    assert_int_equal(a.peers, b.peers);
    assert_int_equal(a.step_count, b.step_count);
    for (uint32_t i = 0; i < a.step_count; i++) assert_true(same_step(&a.steps[i], &b.steps[i]));
    assert_false(a.step_count == c.step_count && same_step(&a.steps[0], &c.steps[0]));
    sim_plan_free(&a);
    sim_plan_free(&b);
    sim_plan_free(&c);
}

static void fewer_steps_are_the_first_ones(void **state) {
    (void)state;
    sim_plan all, few;
    sim_plan_make(&all, 9, 4, 30);
    sim_plan_make(&few, 9, 4, 10);
    for (uint32_t i = 0; i < 10; i++) assert_true(same_step(&all.steps[i], &few.steps[i]));
    sim_plan_free(&all);
    sim_plan_free(&few);
}

static void every_kind_of_step_is_in_some_plan(void **state) {
    (void)state;
    bool seen[SIM_STEP_KINDS] = {false};
    for (uint64_t seed = 0; seed < 300; seed++) {
        sim_plan plan;
        sim_plan_make(&plan, seed, 0, 0);
        assert_in_range(plan.peers, 2, SIM_PEERS_MAX);
        for (uint32_t i = 0; i < plan.step_count; i++) {
            assert_true(plan.steps[i].peer < plan.peers);
            seen[plan.steps[i].kind] = true;
        }
        sim_plan_free(&plan);
    }
    for (int kind = 0; kind < SIM_STEP_KINDS; kind++) assert_true(seen[kind]);
}

static void numbers_are_read_as_they_are_printed(void **state) {
    (void)state;
    uint8_t taken[40] = {0}, read[40] = {0};
    char text[100];
    taken[0] = taken[3] = taken[4] = taken[5] = taken[39] = 1;
    sim_numbers_print(taken, 40, text, sizeof(text));
    assert_string_equal(text, "0,3-5,39");
    assert_true(sim_numbers_read(text, read, 40));
    assert_memory_equal(taken, read, sizeof(taken));
    assert_true(sim_numbers_read("", read, 40));
    const char *const wrong[] = {"40", "a", "3-", "5-3", "1,,2", "1;2", "-1"};
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        assert_false(sim_numbers_read(wrong[i], read, 40));
    }
}

/* ---- the ledger ---- */

static gt_id id_of(uint8_t number) { return (gt_id){.bytes = {number, 1, 2, 3, 4, 5, 6, 7, 8}}; }

static void the_ledger_knows_what_was_promised_and_is_gone(void **state) {
    (void)state;
    sim_ledger ledger;
    gt_id a = id_of(1), b = id_of(2), c = id_of(3);
    sim_ledger_init(&ledger);
    uint32_t first = sim_ledger_add(&ledger, 2, &a, 1), second = sim_ledger_add(&ledger, 2, &b, 0);
    assert_int_equal(sim_ledger_find(&ledger, 2, &a), first);
    assert_int_equal(sim_ledger_find(&ledger, 3, &a), SIM_NOBODY);
    assert_int_equal(sim_ledger_find(&ledger, 2, &c), SIM_NOBODY);
    ledger.commits[first].held = ledger.commits[first].promised = 3; /* peers 0 and 1 */
    ledger.commits[second].held = 1;
    assert_int_equal(sim_ledger_broken(&ledger, 1, 2), SIM_NOBODY);
    sim_ledger_forget_held(&ledger, 1, 2);
    assert_int_equal(sim_ledger_broken(&ledger, 1, 2), first);
    assert_int_equal(sim_ledger_broken(&ledger, 1, 3), SIM_NOBODY);
    assert_true(sim_ledger_is_elsewhere(&ledger, 1, 2));
    assert_false(sim_ledger_is_elsewhere(&ledger, 0, 2)); /* the second is held by peer 0 alone */
    assert_false(sim_ledger_has_lost(&ledger, 2));
    sim_ledger_forget_held(&ledger, 0, SIM_REPOS_MAX);
    assert_true(sim_ledger_has_lost(&ledger, 2));
    sim_ledger_forget_promised(&ledger, 1, SIM_REPOS_MAX);
    assert_int_equal(sim_ledger_broken(&ledger, 1, 2), SIM_NOBODY);
    sim_ledger_free(&ledger);
}

/* ---- shrinking ---- */

/* Fails when steps 3 and 17 are taken and peer 2 is there. */
static bool fails(const sim_plan *plan, const char *rule, void *context) {
    ++*(uint32_t *)context;
    assert_string_equal(rule, "rule");
    return plan->left_out[3] == 0 && plan->left_out[17] == 0 && (plan->absent & 4) == 0;
}

static void shrinking_finds_the_smallest_run(void **state) {
    (void)state;
    sim_plan plan;
    uint32_t runs = 0;
    char command[2048];
    sim_plan_make(&plan, 5, 8, 64);
    plan.steps[3].peer = plan.steps[17].peer = 2;
    uint32_t counted = sim_shrink(&plan, "rule", 60, fails, &runs);
    assert_int_equal(counted, runs);
    assert_int_equal(sim_plan_steps_left(&plan), 2);
    assert_int_equal(sim_plan_peers_left(&plan), 2);
    assert_in_range(runs, 4, 80);
    sim_command(&plan, " --peers 8 --steps 64", command, sizeof(command));
    assert_string_equal(command, "sim --seed 5 --peers 8 --steps 64 --only-peers 0,2 --only-steps 3,17");
    sim_plan_free(&plan);
}

/* ---- what calls may come to ---- */

static bool is_fault(goat_status status, const char *field, const char *rule) {
    sim_world world = {0};
    sim_peer peer = {.world = &world};
    gt_diag diag;
    gt_diag_init(&diag);
    gt_fail(&diag, status, "words");
    gt_diag_field(&diag, field, strlen(field));
    gt_diag_rule(&diag, rule);
    sim_expect_diag(&peer, status, &diag, "a call");
    assert_int_equal(world.counts.invalid, status == GOAT_INVALID);
    assert_int_equal(world.failed, strlen(world.words) > 0);
    return world.failed;
}

static void a_refusal_is_a_fault_unless_the_schemas_have_the_rule(void **state) {
    (void)state;
    assert_false(is_fault(GOAT_INVALID, "s", "required"));
    assert_false(is_fault(GOAT_INVALID, "e", "max_length"));
    assert_false(is_fault(GOAT_INVALID, "c", "max"));
    assert_true(is_fault(GOAT_INVALID, "s", "max_length"));
    assert_true(is_fault(GOAT_INVALID, "x", "required"));
    assert_true(is_fault(GOAT_INVALID, "", ""));
    assert_true(is_fault(GOAT_INVALID, "s", "type"));
    assert_true(is_fault(GOAT_TOO_LARGE, "s", "required"));
    assert_false(is_fault(GOAT_NOT_FOUND, "", ""));
    assert_false(is_fault(GOAT_OK, "", ""));
}

/* ---- runs ---- */

static void run_seed(uint64_t seed, sim_result *result) {
    sim_plan plan;
    sim_plan_make(&plan, seed, 3, 40);
    sim_run(&plan, false, result);
    sim_plan_free(&plan);
}

static void the_same_seed_gives_the_same_run(void **state) {
    (void)state;
    uint64_t before = 0;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        sim_result a, b;
        run_seed(seed, &a);
        run_seed(seed, &b);
        assert_true(a.trace == b.trace && a.trace != before);
        assert_memory_equal(&a.counts, &b.counts, sizeof(a.counts));
        before = a.trace;
    }
}

static void a_run_apart_comes_to_the_same(void **state) {
    (void)state;
    sim_plan plan;
    sim_result here, apart;
    sim_plan_make(&plan, 3, 3, 40);
    sim_run(&plan, false, &here);
    sim_run_apart(&plan, 60, &apart);
    assert_true(here.trace == apart.trace);
    assert_int_equal(here.failed, apart.failed);
    sim_plan_free(&plan);
}

static void networks_without_trouble_come_to_rest(void **state) {
    (void)state;
    for (uint64_t seed = 1; seed <= 10; seed++) {
        sim_plan plan;
        sim_result result;
        sim_plan_make(&plan, seed, 5, 20);
        memset(plan.left_out, 1, plan.step_count);
        sim_run(&plan, false, &result);
        if (result.failed) fail_msg("%s: %s", result.rule, result.words);
        assert_true(result.counts.messages > 0);
        sim_plan_free(&plan);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_field_is_there_and_each_version_leads_to_the_next),
        cmocka_unit_test(events_come_in_order_of_time_then_of_putting),
        cmocka_unit_test(a_plan_follows_from_its_seed),
        cmocka_unit_test(fewer_steps_are_the_first_ones),
        cmocka_unit_test(every_kind_of_step_is_in_some_plan),
        cmocka_unit_test(numbers_are_read_as_they_are_printed),
        cmocka_unit_test(the_ledger_knows_what_was_promised_and_is_gone),
        cmocka_unit_test(shrinking_finds_the_smallest_run),
        cmocka_unit_test(a_refusal_is_a_fault_unless_the_schemas_have_the_rule),
        cmocka_unit_test(the_same_seed_gives_the_same_run),
        cmocka_unit_test(a_run_apart_comes_to_the_same),
        cmocka_unit_test(networks_without_trouble_come_to_rest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
