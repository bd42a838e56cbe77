/* Edits for apply, of all that one can say: "set", "unset", "edit" with every step, "replace" and "delete", beside each other
 * and on the same items more than once. They are written as JSON, which also says them as CBOR.
 *
 * Steps are placed by what the handle sees. Where an edit before has been at the field nothing is known of it, and a step is
 * placed within what the steps before it have inserted. */
#include "workload.h"

#include "peer.h"
#include "value/value.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

typedef struct writer {
    gt_buf *json;
    gt_sim_random *random;
    sim_place at;
    goat_item *item; /* NULL: nothing is known of it */
    bool is_strict;  /* mostly it keeps what its schema requires: a call with one edit that does not is refused whole */
    uint32_t touched;    /* fields that are set or unset: a bit each */
    uint32_t length;     /* of the field that steps are made on: it has as many elements or more */
    const char *divider; /* before the next member */
} writer;

static void say(gt_buf *json, const char *format, ...) GT_PRINTF(2, 3);
static void say(gt_buf *json, const char *format, ...) {
    char text[200];
    va_list list;
    va_start(list, format);
    int len = vsnprintf(text, sizeof(text), format, list);
    va_end(list);
    gt_buf_append(json, text, (size_t)len);
}

static uint32_t below(writer *w, uint64_t limit) { return (uint32_t)gt_sim_random_below(w->random, limit); }

/* ---- values ---- */

static bool is_text(sim_field field) {
    return field == SIM_TEXT || field == SIM_MERGED_TEXT || field == SIM_RICH || field == SIM_INNER_TEXT;
}

/* Fields that "set" names at once: an object is set as a whole. */
static uint32_t bits_of(sim_field field) {
    bool is_inner = field == SIM_INNER || field == SIM_INNER_TEXT;
    return is_inner ? 1u << SIM_INNER | 1u << SIM_INNER_TEXT : 1u << field;
}

static const char *name_of(sim_field field) {
    return (bits_of(field) & 1u << SIM_INNER) != 0 ? "o" : sim_field_names[field];
}

/* A number of its own as the field has it: an element of what has some. */
static void write_one(writer *w, sim_field field, sim_pending *pending) {
    gt_buf value;
    goat_buf text = {0};
    gt_buf_init(&value, &gt_alloc_system);
    pending->order = ++w->at.peer->world->markers;
    sim_write_value(field, pending->order, &value, pending);
    if (is_text(field)) {
        say(w->json, "\"%.*s\"", (int)value.len, (const char *)value.data);
    } else if (goat_value_to_json(value.data, value.len, &text, NULL) == GOAT_OK) {
        gt_buf_append(w->json, text.data, text.size);
    }
    goat_buf_free(&text);
    gt_buf_free(&value);
}

static const char *const around[SIM_FIELDS][2] = {
    [SIM_SET] = {"{\"$set\": [", "]}"}, [SIM_MAP] = {"{\"a\": ", "}"},        [SIM_RICH] = {"[{\"insert\": ", "}]"},
    [SIM_INNER] = {"{\"s\": ", "}"},    [SIM_INNER_TEXT] = {"{\"x\": ", "}"},
};

static void write_whole(writer *w, sim_field field) {
    sim_pending pending;
    say(w->json, "\"%s\": %s", name_of(field), around[field][0] == NULL ? "" : around[field][0]);
    write_one(w, field, &pending);
    say(w->json, "%s", around[field][1] == NULL ? "" : around[field][1]);
    sim_pendings_remove(w->at.pendings, w->at.path, (uint8_t)field, UINT8_MAX);
    if (is_text(field) || field == SIM_LIST) return; /* recorded as what is other than before */
    sim_note_pending(&w->at, &pending, field, field == SIM_MAP ? 'a' : 0);
}

/* ---- members ---- */

static void begin_member(writer *w, const char *name, const char *bracket) {
    say(w->json, "%s\"%s\": %s", w->divider, name, bracket);
    w->divider = ", ";
}

static void write_fields(writer *w, const char *member, uint32_t count) {
    const char *divider = "";
    begin_member(w, member, "{");
    for (uint32_t i = 0; i < count; i++) {
        bool is_string = i == 0 && !sim_once_in(w->random, w->is_strict ? 20 : 2);
        sim_field field = is_string ? SIM_STRING : (sim_field)below(w, SIM_FIELDS);
        if ((w->touched & bits_of(field)) != 0) continue;
        w->touched |= bits_of(field);
        say(w->json, "%s", divider);
        write_whole(w, field);
        divider = ", ";
    }
    say(w->json, "}");
}

static void write_unset(writer *w) {
    const char *divider = "";
    begin_member(w, "unset", "[");
    for (uint32_t i = below(w, 2) + 1; i > 0; i--) {
        sim_field field = (sim_field)below(w, SIM_FIELDS);
        if ((w->touched & bits_of(field)) != 0) continue;
        if (w->is_strict && field == SIM_STRING && !sim_once_in(w->random, 10)) continue;
        w->touched |= bits_of(field);
        say(w->json, "%s\"%s\"", divider, name_of(field));
        divider = ", ";
    }
    say(w->json, "]");
}

/* ---- steps ---- */

/* What was inserted may not be in one piece any more. */
static void forget_pieces(writer *w, sim_field field) {
    sim_pendings_remove(w->at.pendings, w->at.path, (uint8_t)field, UINT8_MAX);
}

static void note(writer *w, sim_pending *pending, sim_field field, uint8_t part) {
    if ((w->touched & bits_of(field)) == 0) sim_note_pending(&w->at, pending, field, part);
}

static uint32_t place_to_insert(writer *w, sim_field field) {
    uint32_t position = below(w, 2) == 0 ? 0 : below(w, w->length + UINT64_C(1));
    if (position > 0 && position < w->length) forget_pieces(w, field);
    return position;
}

static void insert_text(writer *w, sim_field field) {
    static const char *const units[] = {"", ", \"code_point\"", ", \"byte\"", ", \"utf16\""};
    sim_pending pending;
    uint32_t position = place_to_insert(w, field);
    size_t from = w->json->len;
    uint32_t unit = below(w, position == 0 ? 4 : 2); /* where all units are the same */
    say(w->json, "{\"splice\": [%u, 0, ", (unsigned)position);
    from = w->json->len;
    write_one(w, field, &pending);
    w->length += (uint32_t)(w->json->len - from) - 2;
    say(w->json, "%s]}", units[unit]);
    note(w, &pending, field, (uint8_t)below(w, UINT8_MAX));
}

static void step_of_text(writer *w, sim_field field) {
    if (w->length == 0 || !sim_once_in(w->random, 3)) {
        insert_text(w, field);
        return;
    }
    uint32_t position = below(w, w->length), count = below(w, w->length - position) + 1;
    say(w->json, "{\"splice\": [%u, %u, \"\xd7\xa9\xf0\x9f\x90\x90\"]}", (unsigned)position, (unsigned)count);
    w->length = w->length - count + 2;
    forget_pieces(w, field);
}

static void step_of_rich(writer *w) {
    static const char *const others[] = {"{\"retain\": 1, \"attributes\": {\"b\": true}}",
                                         "{\"retain\": 1, \"attributes\": {\"b\": null, \"h\": 2}}",
                                         "{\"insert\": {\"image\": 1}}", "{\"delete\": 1}"};
    sim_pending pending;
    bool inserts = w->length == 0 || sim_once_in(w->random, 2);
    uint32_t position = inserts ? place_to_insert(w, SIM_RICH) : below(w, w->length);
    say(w->json, "{\"apply_delta\": [");
    if (position > 0) say(w->json, "{\"retain\": %u}, ", (unsigned)position);
    if (inserts) {
        size_t from = w->json->len + strlen("{\"insert\": ");
        say(w->json, "{\"insert\": ");
        write_one(w, SIM_RICH, &pending);
        w->length += (uint32_t)(w->json->len - from) - 2;
        say(w->json, "%s}]}", sim_once_in(w->random, 2) ? "" : ", \"attributes\": {\"link\": \"x\"}");
        note(w, &pending, SIM_RICH, (uint8_t)below(w, UINT8_MAX));
        return;
    }
    uint32_t other = below(w, 4);
    say(w->json, "%s]}", others[other]);
    if (other == 2) w->length++;
    if (other == 3) w->length--;
    forget_pieces(w, SIM_RICH);
}

static void step_of_list(writer *w) {
    sim_pending pending;
    uint32_t what = w->length == 0 ? 9 : below(w, 8);
    unsigned one = w->length == 0 ? 0 : below(w, w->length), other = w->length == 0 ? 0 : below(w, w->length);
    switch (what) {
    case 0:
        say(w->json, "{\"list_remove\": [%u, 1]}", one);
        w->length--;
        forget_pieces(w, SIM_LIST);
        break;
    case 1:
        say(w->json, "{\"list_set\": [%u, {\"a\": [%u]}]}", one, other);
        forget_pieces(w, SIM_LIST);
        break;
    case 2:
    case 3: say(w->json, "{\"list_move\": [%u, %u]}", one, other); break;
    default:
        say(w->json, "{\"list_insert\": [%u, ", (unsigned)below(w, w->length + UINT64_C(1)));
        write_one(w, SIM_LIST, &pending); /* an array of two */
        say(w->json, "]}");
        w->length += 2;
        note(w, &pending, SIM_LIST, 0);
        break;
    }
}

/* An element that the item has, as JSON, or one that it has not. */
static void write_element_of(writer *w, const char *name) {
    goat_buf set = {0}, json = {0};
    gt_bytes element;
    bool found = false;
    if (w->item != NULL && goat_item_get(w->item, name, strlen(name), &set, NULL) == GOAT_OK) {
        gt_iter iter = gt_array_iter(gt_bytes_of(set.data, set.size));
        found = gt_array_next(&iter, &element) && goat_value_to_json(element.data, element.len, &json, NULL) == GOAT_OK;
    }
    say(w->json, "%.*s", found ? (int)json.size : 1, found ? (const char *)json.data : "7");
    goat_buf_free(&set);
    goat_buf_free(&json);
}

static void step_of_set(writer *w, sim_field field) {
    sim_pending pending;
    if (sim_once_in(w->random, 3)) {
        say(w->json, "{\"remove\": ");
        write_element_of(w, field == SIM_SET ? "e" : "o.e");
        forget_pieces(w, field);
    } else {
        say(w->json, "{\"add\": ");
        write_one(w, field, &pending);
        if (field == SIM_SET) note(w, &pending, field, (uint8_t)below(w, UINT8_MAX));
    }
    say(w->json, "}");
}

static void step_of_map(writer *w) {
    sim_pending pending;
    char key = (char)('a' + below(w, 3));
    say(w->json, "{\"put\": [\"%c\"", key);
    if (sim_once_in(w->random, 3)) {
        sim_pendings_remove(w->at.pendings, w->at.path, SIM_MAP, (uint8_t)key);
    } else {
        say(w->json, ", ");
        write_one(w, SIM_MAP, &pending);
        note(w, &pending, SIM_MAP, (uint8_t)key);
    }
    say(w->json, "]}");
}

static void write_step(writer *w, sim_field field) {
    switch (field) {
    case SIM_SET:
    case SIM_INNER: step_of_set(w, field); break; /* of an object its set */
    case SIM_MAP: step_of_map(w); break;
    case SIM_LIST: step_of_list(w); break;
    case SIM_COUNTER: say(w->json, "{\"increment\": %d}", (int)below(w, 20) - 4); break;
    case SIM_RICH: step_of_rich(w); break;
    default: step_of_text(w, field); break;
    }
}

static void write_steps(writer *w) {
    static const sim_field fields[] = {SIM_SET,  SIM_MAP,         SIM_LIST,  SIM_COUNTER,   SIM_TEXT,
                                       SIM_RICH, SIM_MERGED_TEXT, SIM_INNER, SIM_INNER_TEXT};
    enum { FIELDS = sizeof(fields) / sizeof(fields[0]) };
    uint32_t done = 0;
    const char *divider = "";
    begin_member(w, "edit", "{");
    for (uint32_t i = below(w, 3) + 1; i > 0; i--) {
        sim_field field = fields[below(w, FIELDS)];
        if ((done & 1u << field) != 0) continue;
        done |= 1u << field;
        bool is_known = w->item != NULL && (w->touched & bits_of(field)) == 0;
        if ((w->touched & bits_of(field)) != 0) forget_pieces(w, field); /* recorded together with the steps */
        w->length = is_known ? sim_length_of(w->item, field) : 0;
        say(w->json, "%s\"%s\": ", divider, field == SIM_INNER ? "o.e" : sim_field_names[field]);
        divider = ", ";
        uint32_t steps = below(w, 4);
        if (steps == 0) {
            write_step(w, field);
            continue;
        }
        say(w->json, "[");
        for (uint32_t k = 0; k < steps; k++) {
            if (k > 0) say(w->json, ", ");
            write_step(w, field);
        }
        say(w->json, "]");
    }
    say(w->json, "}");
}

/* ---- edits ---- */

static void write_delete(writer *w, sim_applied *edit) {
    edit->is_told = true;
    edit->is_deleted = !sim_once_in(w->random, 3);
    begin_member(w, "delete", edit->is_deleted ? "true" : "false");
}

static void write_edit(writer *w, sim_applied *edit, const char *key, const char *ns) {
    *edit = (sim_applied){0};
    memcpy(edit->path, w->at.path, sizeof(edit->path));
    say(w->json, "{\"key\": \"%s\"", key);
    w->divider = ", ";
    if (!sim_once_in(w->random, 16)) {
        edit->ns = ns;
        edit->is_told = true;
        say(w->json, ", \"schema\": \"%s\"", ns);
    }
    uint32_t what = below(w, 10);
    if (what == 0) {
        sim_pendings_remove(w->at.pendings, w->at.path, UINT8_MAX, UINT8_MAX);
        write_fields(w, "replace", below(w, 4) + 1);
    } else if (what > 1) {
        bool sets = w->is_strict || !sim_once_in(w->random, 3);
        if (sets) write_fields(w, "set", below(w, 3) + 1);
        if (sim_once_in(w->random, 4)) write_unset(w);
        if (!sets || sim_once_in(w->random, 2)) write_steps(w);
    }
    if (what == 1 || sim_once_in(w->random, 6)) write_delete(w, edit);
    say(w->json, "}");
}

uint32_t sim_write_edits(sim_peer *peer, sim_handle *handle, uint8_t repo, gt_sim_random *random, gt_buf *json,
                         sim_pendings *pendings, sim_applied edits[SIM_APPLIED_MAX]) {
    uint32_t count = (uint32_t)sim_between(random, 1, sim_once_in(random, 2) ? 2 : SIM_APPLIED_MAX);
    say(json, "[");
    for (uint32_t i = 0; i < count; i++) {
        char key[8];
        bool is_fresh = true;
        writer w = {.json = json, .random = random, .at = {.peer = peer, .pendings = pendings, .repo = repo}};
        const char *ns = sim_choose_key(peer, random, key);
        w.is_strict = ns[0] == 's';
        snprintf(w.at.path, sizeof(w.at.path), "%s/%s", sim_repo_paths[repo], key);
        for (uint32_t k = 0; k < i; k++) is_fresh = is_fresh && strcmp(edits[k].path, w.at.path) != 0;
        if (is_fresh) goat_item_open(handle->db, NULL, w.at.path, strlen(w.at.path), &w.item, NULL);
        if (i > 0) say(json, ", ");
        write_edit(&w, &edits[i], key, ns);
        goat_item_free(w.item);
    }
    say(json, "]");
    return count;
}
