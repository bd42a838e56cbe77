/* Edits of what has places: lists, texts, rich texts. What was inserted is found again in a commit unless a piece of it is taken
 * out or something comes into the middle of it. */
#include "workload.h"

#include "base/utf8.h"
#include "peer.h"
#include "value/rich.h"
#include "value/value.h"

#include <stdio.h>
#include <string.h>

uint32_t sim_length_of(goat_item *item, sim_field field) {
    const char *name = sim_field_names[field];
    goat_buf out = {0};
    uint64_t count = 0;
    if (goat_item_get(item, name, strlen(name), &out, NULL) == GOAT_OK) {
        gt_bytes value = gt_bytes_of(out.data, out.size), text;
        if (gt_value_as_text(value, &text)) {
            count = gt_utf8_count(text.data, text.len);
        } else {
            count = field == SIM_RICH ? gt_rich_count(value) : gt_value_count(value);
        }
    }
    goat_buf_free(&out);
    return (uint32_t)count;
}

static goat_status apply_delta(goat_item *item, sim_field field, const char *delta, goat_error **error) {
    const char *name = sim_field_names[field];
    return goat_item_apply_delta(item, name, strlen(name), delta, strlen(delta), error);
}

static goat_status splice(goat_item *item, sim_field field, uint32_t position, uint32_t count, gt_bytes text,
                          goat_error **error) {
    const char *name = sim_field_names[field];
    return goat_item_splice(item, name, strlen(name), GOAT_UNIT_CODE_POINT, position, count, (const char *)text.data,
                            text.len, error);
}

/* What goes before an operation at a position; a Delta keeps one element or more. */
static void write_retain(char *out, size_t size, uint32_t position) {
    out[0] = 0;
    if (position > 0) snprintf(out, size, "{\"retain\": %u}, ", (unsigned)position);
}

goat_status sim_insert(goat_item *item, const sim_place *at, sim_field field, gt_bytes text, gt_sim_random *random,
                       goat_error **error) {
    static const char *const attributes[] = {"", ", \"attributes\": {\"b\": true}",
                                             ", \"attributes\": {\"h\": 1, \"link\": \"x\"}"};
    uint32_t count = sim_length_of(item, field), position = 0;
    uint64_t where = gt_sim_random_below(random, 4);
    char delta[128], before[32];
    if (where == 0) position = count;
    if (where == 1 && count > 0) position = (uint32_t)gt_sim_random_below(random, count);
    if (position > 0 && position < count) sim_pendings_remove(at->pendings, at->path, (uint8_t)field, UINT8_MAX);
    if (field != SIM_RICH) return splice(item, field, position, 0, text, error);
    write_retain(before, sizeof(before), position);
    snprintf(delta, sizeof(delta), "[%s{\"insert\": \"%.*s\"%s}]", before, (int)text.len, (const char *)text.data,
             attributes[gt_sim_random_below(random, 3)]);
    return apply_delta(item, field, delta, error);
}

/* Elements of the list change places, or one goes or becomes another. */
static void edit_list(goat_item *item, const sim_place *at, gt_sim_random *random) {
    goat_buf list = {0};
    uint32_t count = 0;
    if (goat_item_get(item, "l", 1, &list, NULL) == GOAT_OK) {
        count = (uint32_t)gt_value_count(gt_bytes_of(list.data, list.size));
    }
    goat_buf_free(&list);
    if (count == 0) return;
    uint32_t one = (uint32_t)gt_sim_random_below(random, count), other = (uint32_t)gt_sim_random_below(random, count);
    const uint8_t small = (uint8_t)(other % 24); /* as CBOR */
    goat_error *error = NULL;
    goat_status status;
    switch (gt_sim_random_below(random, 4)) {
    case 0:
        status = goat_item_list_remove(item, "l", 1, one, 1, &error);
        sim_expect_rule(at->peer, status, error, "removing from a list");
        sim_pendings_remove(at->pendings, at->path, SIM_LIST, UINT8_MAX);
        break;
    case 1:
        status = goat_item_list_set(item, "l", 1, one, &small, 1, &error);
        sim_expect_rule(at->peer, status, error, "setting in a list");
        sim_pendings_remove(at->pendings, at->path, SIM_LIST, UINT8_MAX);
        break;
    default:
        status = goat_item_list_move(item, "l", 1, one, other, &error);
        sim_expect_rule(at->peer, status, error, "moving in a list");
        break;
    }
}

static void edit_text(goat_item *item, const sim_place *at, sim_field field, gt_sim_random *random) {
    static const char *const words[] = {"", "a word", "\xd7\xa9\xd7\x9c\xd7\x95\xd7\x9d",
                                        "e\xcc\x81 \xf0\x9f\x90\x90\n"};
    uint32_t count = sim_length_of(item, field);
    if (count == 0) return;
    uint32_t position = (uint32_t)gt_sim_random_below(random, count);
    uint32_t removed = (uint32_t)gt_sim_random_below(random, count - position) + 1;
    gt_bytes word = gt_bytes_text(words[gt_sim_random_below(random, 4)]);
    goat_error *error = NULL;
    goat_status status = splice(item, field, position, removed, word, &error);
    sim_expect_rule(at->peer, status, error, "editing a text");
    sim_pendings_remove(at->pendings, at->path, (uint8_t)field, UINT8_MAX);
}

/* Characters get attributes, or go, or an embed comes between them. */
static void edit_rich(goat_item *item, const sim_place *at, gt_sim_random *random) {
    static const char *const what[] = {"{\"retain\": 1, \"attributes\": {\"b\": true}}",
                                       "{\"retain\": 1, \"attributes\": {\"b\": null, \"h\": 2}}", "{\"delete\": 1}",
                                       "{\"insert\": {\"image\": 1}}"};
    char delta[128], before[32];
    uint32_t count = sim_length_of(item, SIM_RICH);
    if (count == 0) return;
    write_retain(before, sizeof(before), (uint32_t)gt_sim_random_below(random, count));
    snprintf(delta, sizeof(delta), "[%s%s]", before, what[gt_sim_random_below(random, 4)]);
    goat_error *error = NULL;
    goat_status status = apply_delta(item, SIM_RICH, delta, &error);
    sim_expect_rule(at->peer, status, error, "editing a rich text");
    sim_pendings_remove(at->pendings, at->path, SIM_RICH, UINT8_MAX);
}

void sim_edit_places(goat_item *item, const sim_place *at, gt_sim_random *random) {
    static const sim_field texts[] = {SIM_TEXT, SIM_MERGED_TEXT, SIM_INNER_TEXT};
    switch (gt_sim_random_below(random, 4)) {
    case 0: edit_list(item, at, random); break;
    case 1: edit_rich(item, at, random); break;
    default: edit_text(item, at, texts[gt_sim_random_below(random, 3)], random); break;
    }
}
