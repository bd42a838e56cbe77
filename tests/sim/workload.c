/* Keys are few and everybody's, so that edits meet. */
#include "workload.h"

#include "db/internal.h"
#include "peer.h"
#include "value/build.h"
#include "value/rich.h"
#include "value/value.h"

#include <stdio.h>
#include <string.h>

void sim_register_schemas(sim_peer *peer, uint32_t handle) {
    goat_db *db = peer->handles[handle].db;
    for (uint32_t i = 0; i <= peer->schema; i++) {
        sim_expect(peer, goat_db_add_schema(db, sim_schemas[i], strlen(sim_schemas[i]), NULL), "registering a schema");
    }
    sim_scan_all(peer, true);
}

void sim_do_schema(sim_peer *peer, gt_sim_random *random) {
    sim_peer *server = &peer->world->peers[0];
    if (sim_once_in(random, 3) && server->handles[0].db != NULL) {
        uint32_t version = 2 + (uint32_t)gt_sim_random_below(random, SIM_VERSIONS - 1);
        bool retired = !sim_once_in(random, 3);
        goat_status status = goat_db_retire_schema(server->handles[0].db, "note", 4, version, retired, NULL);
        sim_expect(server, status, "retiring a version");
        sim_note(server->world, server->index, 8, version + (status == GOAT_OK && retired ? 100 : 0));
        sim_scan_all(server, true);
        return;
    }
    if (peer->schema < SIM_VERSIONS) peer->schema++;
    sim_register_schemas(peer, 0);
}

void sim_advance(sim_peer *peer, uint32_t handle) {
    goat_buf changes = {0};
    sim_expect(peer, goat_db_advance(peer->handles[handle].db, &changes, NULL), "advancing");
    sim_note(peer->world, peer->index, 5, changes.size);
    goat_buf_free(&changes);
    sim_scan_all(peer, true);
}

/* ---- where ---- */

/* One of the handles that are there. */
static sim_handle *choose_handle(sim_peer *peer, gt_sim_random *random) {
    sim_handle *handle = &peer->handles[gt_sim_random_below(random, SIM_HANDLES_MAX)];
    return handle->db != NULL ? handle : &peer->handles[0];
}

/* One of its repositories; SIM_REPOS_MAX: none is open. */
static uint8_t choose_repo(const sim_handle *handle, gt_sim_random *random) {
    uint32_t from = (uint32_t)gt_sim_random_below(random, SIM_REPOS_MAX);
    for (uint32_t i = 0; i < SIM_REPOS_MAX; i++) {
        uint8_t repo = (uint8_t)((from + i) % SIM_REPOS_MAX);
        if (repo >= 2 && handle->repos[repo] != NULL) return repo;
    }
    return SIM_REPOS_MAX;
}

const char *sim_choose_key(const sim_peer *peer, gt_sim_random *random, char key[8]) {
    bool strict = sim_once_in(random, 4);
    snprintf(key, 8, "%c%u", strict ? 's' : 'n',
             (unsigned)gt_sim_random_below(random, peer->world->plan->profile.keys));
    if (sim_once_in(random, 40)) strict = !strict;
    return strict ? "strict" : "note";
}

/* ---- one item ---- */

static goat_item *open_item(sim_handle *handle, goat_tx *tx, const sim_place *at, const char *ns) {
    goat_item *item = NULL;
    goat_error *error = NULL;
    goat_status status = goat_item_open(handle->db, tx, at->path, strlen(at->path), &item, &error);
    sim_expect_rule(at->peer, status, error, "opening an item"); /* a transaction seals what is unsaved */
    if (status != GOAT_NOT_FOUND) return item;
    status = goat_item_create(handle->db, tx, at->path, strlen(at->path), ns, strlen(ns), NULL, 0, &item, NULL);
    sim_expect(at->peer, status, "creating an item");
    return item;
}

void sim_note_pending(const sim_place *at, sim_pending *pending, sim_field field, uint8_t part) {
    memcpy(pending->path, at->path, sizeof(pending->path));
    pending->field = (uint8_t)field;
    pending->part = part;
    pending->repo = at->repo;
    sim_pendings_add(at->pendings, pending);
}

static void unset(goat_item *item, const sim_place *at, sim_field field) {
    goat_error *error = NULL;
    goat_status status = goat_item_unset(item, sim_field_names[field], strlen(sim_field_names[field]), &error);
    sim_expect_rule(at->peer, status, error, "unsetting a field");
    if (status == GOAT_OK) sim_pendings_remove(at->pendings, at->path, (uint8_t)field, UINT8_MAX);
}

static goat_status set_field(goat_item *item, const sim_place *at, sim_field field, gt_bytes value,
                             gt_sim_random *random, uint8_t *part, goat_error **error) {
    const char *name = sim_field_names[field];
    char key[2] = {(char)('a' + gt_sim_random_below(random, 3)), 0};
    switch (field) {
    case SIM_SET:
        *part = (uint8_t)gt_sim_random_below(random, UINT8_MAX);
        return goat_item_add(item, name, 1, value.data, value.len, error);
    case SIM_MAP: *part = (uint8_t)key[0]; return goat_item_put(item, name, 1, key, 1, value.data, value.len, error);
    case SIM_COUNTER: return goat_item_increment(item, name, 1, 0, (uint32_t)gt_sim_random_below(random, 20), error);
    case SIM_LIST:
        if (sim_once_in(random, 2)) return goat_item_list_insert(item, name, 1, 0, value.data, value.len, error);
        break;
    case SIM_TEXT:
    case SIM_MERGED_TEXT:
    case SIM_INNER_TEXT:
    case SIM_RICH:
        *part = (uint8_t)gt_sim_random_below(random, UINT8_MAX);
        return sim_insert(item, at, field, value, random, error);
    default: break;
    }
    return goat_item_set(item, name, strlen(name), value.data, value.len, error);
}

static void edit_field(goat_item *item, const sim_place *at, gt_sim_random *random) {
    sim_field field = (sim_field)gt_sim_random_below(random, SIM_FIELDS);
    if (sim_once_in(random, 12)) {
        unset(item, at, field);
        return;
    }
    gt_buf value;
    sim_pending pending;
    uint8_t part = 0;
    gt_buf_init(&value, &gt_alloc_system);
    pending.order = ++at->peer->world->markers;
    sim_write_value(field, pending.order, &value, &pending);
    goat_error *error = NULL;
    goat_status status = set_field(item, at, field, gt_buf_bytes(&value), random, &part, &error);
    sim_expect_rule(at->peer, status, error, "editing a field");
    if (status == GOAT_OK) sim_note_pending(at, &pending, field, part);
    gt_buf_free(&value);
}

static void remove_part(goat_item *item, const sim_place *at, gt_sim_random *random) {
    goat_error *error = NULL;
    if (sim_once_in(random, 3)) {
        sim_edit_places(item, at, random);
        return;
    }
    if (sim_once_in(random, 2)) {
        char key[2] = {(char)('a' + gt_sim_random_below(random, 3)), 0};
        goat_status status = goat_item_put(item, "m", 1, key, 1, NULL, 0, &error);
        sim_expect_rule(at->peer, status, error, "removing a key");
        if (status == GOAT_OK) sim_pendings_remove(at->pendings, at->path, SIM_MAP, (uint8_t)key[0]);
        return;
    }
    goat_buf set = {0};
    gt_iter iter = {0};
    gt_bytes element;
    if (goat_item_get(item, "e", 1, &set, NULL) == GOAT_OK) iter = gt_array_iter(gt_bytes_of(set.data, set.size));
    if (gt_array_next(&iter, &element)) {
        goat_status status = goat_item_remove(item, "e", 1, element.data, element.len, &error);
        sim_expect_rule(at->peer, status, error, "removing an element");
        sim_pendings_remove(at->pendings, at->path, SIM_SET, UINT8_MAX);
    }
    goat_buf_free(&set);
}

static void replace_all(goat_item *item, const sim_place *at, gt_sim_random *random) {
    gt_buf fields;
    sim_pending pending;
    gt_buf_init(&fields, &gt_alloc_system);
    gt_write_map_head(&fields, 1);
    gt_write_text(&fields, gt_bytes_text("s"));
    pending.order = ++at->peer->world->markers;
    sim_write_value(SIM_STRING, pending.order, &fields, &pending);
    goat_error *error = NULL;
    goat_status status = goat_item_replace(item, fields.data, fields.len, &error);
    sim_expect_rule(at->peer, status, error, "replacing an item");
    for (uint8_t field = 0; status == GOAT_OK && field < SIM_FIELDS; field++) {
        sim_pendings_remove(at->pendings, at->path, field, UINT8_MAX);
    }
    if (status == GOAT_OK) sim_note_pending(at, &pending, SIM_STRING, 0);
    gt_buf_free(&fields);
    (void)random;
}

static void edit_item(goat_item *item, const sim_place *at, gt_sim_random *random) {
    switch (gt_sim_random_below(random, 20)) {
    case 0: sim_expect(at->peer, goat_item_delete(item, true, NULL), "deleting"); break;
    case 1: sim_expect(at->peer, goat_item_delete(item, false, NULL), "undeleting"); break;
    case 2:
    case 3: remove_part(item, at, random); break;
    case 4: replace_all(item, at, random); break;
    case 5:
    case 6: sim_edit_places(item, at, random); break;
    default:
        for (uint64_t i = gt_sim_random_below(random, 3) + 1; i > 0; i--) edit_field(item, at, random);
        break;
    }
}

static void edit_some(sim_peer *peer, sim_handle *handle, goat_tx *tx, uint8_t repo, sim_pendings *pendings,
                      gt_sim_random *random) {
    char key[8];
    sim_place at = {.peer = peer, .pendings = pendings, .repo = repo};
    const char *ns = sim_choose_key(peer, random, key);
    snprintf(at.path, sizeof(at.path), "%s/%s", sim_repo_paths[repo], key);
    goat_item *item = open_item(handle, tx, &at, ns);
    if (item == NULL) return;
    edit_item(item, &at, random);
    goat_item_free(item);
}

/* ---- steps ---- */

void sim_do_edits(sim_peer *peer, gt_sim_random *random, uint32_t count) {
    sim_handle *handle = choose_handle(peer, random);
    for (uint32_t i = 0; i < count && !peer->world->failed; i++) {
        uint8_t repo = choose_repo(handle, random);
        if (repo < SIM_REPOS_MAX) edit_some(peer, handle, NULL, repo, &handle->pendings, random);
    }
    sim_scan_all(peer, true);
}

/* All edits made since `after` are in commits. */
static void committed(sim_peer *peer, sim_handle *handle, const sim_pendings *pendings, uint64_t after) {
    for (uint32_t i = 0; i < pendings->count; i++) sim_pendings_add(&handle->pendings, &pendings->list[i]);
    sim_scan_all(peer, true);
    sim_pendings_expect_none(peer, (uint32_t)(handle - peer->handles), after, peer->world->markers);
}

void sim_do_transaction(sim_peer *peer, gt_sim_random *random) {
    sim_handle *handle = choose_handle(peer, random);
    sim_pendings pendings = {0};
    uint64_t after = peer->world->markers;
    goat_tx *tx = NULL;
    uint8_t repo = choose_repo(handle, random);
    if (repo == SIM_REPOS_MAX) return;
    goat_status status = goat_tx_begin(handle->repos[repo], &tx, NULL);
    sim_expect(peer, status, "beginning a transaction");
    if (status != GOAT_OK) return;
    for (uint64_t i = sim_between(random, 1, 5); i > 0; i--) edit_some(peer, handle, tx, repo, &pendings, random);
    if (!sim_once_in(random, 6)) {
        goat_error *error = NULL;
        status = goat_tx_commit(tx, "together", 8, NULL, &error);
        sim_expect_rule(peer, status, error, "committing");
        if (status == GOAT_OK) committed(peer, handle, &pendings, after);
    }
    goat_tx_free(tx);
    sim_free(pendings.list);
}

/* The namespace that an item has here; NULL: it is not seen. */
static const char *schema_of(const sim_handle *handle, const char *path) {
    goat_item *item = NULL;
    const char *own = NULL;
    if (goat_item_open(handle->db, NULL, path, strlen(path), &item, NULL) == GOAT_OK) {
        gt_sight sight;
        gt_db_lock(handle->db);
        if (gt_item_look(item, &sight, NULL) == GOAT_OK) {
            own = gt_bytes_equal(gt_schema_ns(sight.schema), gt_bytes_text("note")) ? "note" : "strict";
        }
        gt_db_unlock(handle->db);
    }
    goat_item_free(item);
    return own;
}

/* Whether the item that was refused is named under another schema than its own, or under two. */
static bool is_of_another(const sim_handle *handle, const char *path, const sim_applied *edits, uint32_t count) {
    const char *own = schema_of(handle, path);
    bool differs = false;
    for (uint32_t i = 0; i < count; i++) {
        if (edits[i].ns == NULL || strcmp(edits[i].path, path) != 0) continue;
        differs = differs || (own != NULL && strcmp(own, edits[i].ns) != 0);
        if (own == NULL) own = edits[i].ns;
    }
    return differs;
}

/* Whether the last commit of an item is in no view: its version was retired before this handle advanced and saw that. */
static bool is_last_hidden(goat_item *item) {
    goat_buf commits = {0};
    gt_bytes last = {0};
    bool hidden = false;
    if (goat_item_commits(item, NULL, 0, 1, &commits, NULL) == GOAT_OK) {
        gt_iter iter = gt_array_iter(gt_bytes_of(commits.data, commits.size));
        if (gt_array_next(&iter, &last)) hidden = gt_map_find(last, gt_bytes_text("hidden")).data != NULL;
    }
    goat_buf_free(&commits);
    return hidden;
}

/* Whether an item is deleted, or not, as the last edit of it says; or there is an earlier one of another schema, which has not come
 * into view yet: then that is what the item is. */
static bool is_as_told(const sim_handle *handle, const sim_applied *edit) {
    goat_item *item = NULL;
    uint32_t flags = 0;
    const char *own = schema_of(handle, edit->path);
    if (own != NULL && edit->ns != NULL && strcmp(own, edit->ns) != 0) return true;
    goat_status status = goat_item_open(handle->db, NULL, edit->path, strlen(edit->path), &item, NULL);
    if (status == GOAT_OK) status = goat_item_state(item, &flags, NULL);
    bool is_told =
        status == GOAT_OK && (((flags & GOAT_ITEM_DELETED) != 0) == edit->is_deleted || is_last_hidden(item));
    goat_item_free(item);
    return is_told;
}

/* Each edit is counted, and items are deleted or there as they were told. */
static void check_applied(sim_peer *peer, const sim_handle *handle, const sim_applied *edits, uint32_t count,
                          gt_bytes result) {
    static const char *const names[] = {"created", "changed", "unchanged"};
    int64_t sum = 0, one = 0;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (gt_value_as_int64(gt_map_find(result, gt_bytes_text(names[i])), &one)) sum += one;
    }
    if (sum != count)
        sim_fail(peer->world, "applied", "peer %u: %u edits are told as another number", peer->index, count);
    for (uint32_t i = 0; i < count; i++) {
        bool is_last = true;
        for (uint32_t k = i + 1; k < count; k++) is_last = is_last && strcmp(edits[i].path, edits[k].path) != 0;
        if (!is_last || !edits[i].is_told || is_as_told(handle, &edits[i])) continue;
        sim_fail(peer->world, "applied", "peer %u: %s is not %s after an edit that says so", peer->index, edits[i].path,
                 edits[i].is_deleted ? "deleted" : "there");
    }
}

/* The same edits as CBOR, or as the JSON that they are. */
static goat_status apply(goat_repo *repo, gt_bytes json, uint32_t flags, bool as_json, goat_buf *result,
                         goat_error **error) {
    goat_buf edits = {0};
    const char *text = (const char *)json.data;
    if (as_json) return goat_repo_apply_json(repo, text, json.len, flags, result, error);
    goat_status status = goat_value_from_json(text, json.len, &edits, error);
    if (status == GOAT_OK) status = goat_repo_apply(repo, edits.data, edits.size, flags, result, error);
    goat_buf_free(&edits);
    return status;
}

void sim_do_apply(sim_peer *peer, gt_sim_random *random) {
    sim_handle *handle = choose_handle(peer, random);
    sim_pendings pendings = {0};
    sim_applied edits[SIM_APPLIED_MAX];
    uint64_t after = peer->world->markers;
    uint8_t repo = choose_repo(handle, random);
    if (repo == SIM_REPOS_MAX) return;
    gt_buf json;
    goat_buf result = {0};
    gt_buf_init(&json, &gt_alloc_system);
    uint32_t count = sim_write_edits(peer, handle, repo, random, &json, &pendings, edits);
    uint32_t flags = sim_once_in(random, 3) ? GOAT_APPLY_TRANSACTION : 0;
    bool as_json = sim_once_in(random, 2);
    goat_error *error = NULL;
    goat_status status = apply(handle->repos[repo], gt_buf_bytes(&json), flags, as_json, &result, &error);
    sim_say(peer->world, peer->index, "applies %.*s: %s", (int)json.len, (const char *)json.data,
            gt_status_name(status));
    bool names_no_rule = status == GOAT_INVALID && goat_error_detail(error, GOAT_DETAIL_RULE)[0] == 0;
    if (names_no_rule && is_of_another(handle, goat_error_detail(error, GOAT_DETAIL_PATH), edits, count)) {
        goat_error_free(error);
    } else {
        sim_expect_rule(peer, status, error, "applying");
    }
    if (status == GOAT_OK) committed(peer, handle, &pendings, after);
    if (status == GOAT_OK) check_applied(peer, handle, edits, count, gt_bytes_of(result.data, result.size));
    sim_scan_all(peer, true);
    gt_buf_free(&json);
    goat_buf_free(&result);
    sim_free(pendings.list);
}

/* Whether an item breaks a rule of the schemas indeed. */
static bool breaks_rule(goat_item *item, const char *field) {
    goat_buf out = {0};
    int64_t sum = 0;
    bool is_set = goat_item_get(item, field, 1, &out, NULL) == GOAT_OK, breaks = false;
    gt_bytes value = gt_bytes_of(out.data, out.size);
    switch (field[0]) {
    case 's': breaks = !is_set; break;
    case 'e': breaks = is_set && gt_value_count(value) > 3; break;
    case 'c': breaks = is_set && gt_value_as_int64(value, &sum) && sum > 100; break;
    case 'h': breaks = is_set && gt_rich_count(value) > 60; break;
    default: break;
    }
    goat_buf_free(&out);
    return breaks;
}

static void check_rules(sim_peer *peer, goat_item *item) {
    goat_error *error = NULL;
    goat_status status = goat_item_check(item, &error);
    if (status == GOAT_INVALID && !breaks_rule(item, goat_error_detail(error, GOAT_DETAIL_FIELD))) {
        sim_fail(peer->world, "invalid", "peer %u: an item does not break the rule that it is said to: %s", peer->index,
                 goat_error_message(error));
    }
    sim_expect_rule(peer, status, error, "checking an item");
}

static void look_at_item(sim_peer *peer, const sim_handle *handle, uint8_t repo, gt_sim_random *random) {
    char key[8], path[40];
    goat_item *item = NULL;
    goat_buf out = {0};
    sim_choose_key(peer, random, key);
    snprintf(path, sizeof(path), "%s/%s", sim_repo_paths[repo], key);
    goat_status status = goat_item_open(handle->db, NULL, path, strlen(path), &item, NULL);
    sim_expect(peer, status, "opening an item");
    if (status != GOAT_OK) return;
    sim_expect(peer, goat_item_read_json(item, &out, NULL, NULL), "reading an item");
    sim_note(peer->world, peer->index, 6, out.size);
    sim_expect(peer, goat_item_commits(item, NULL, 0, 5, &out, NULL), "reading a history");
    check_rules(peer, item);
    sim_expect(peer, goat_item_explain(item, NULL, 0, NULL, 0, 5, &out, NULL), "explaining an item");
    goat_buf_free(&out);
    goat_item_free(item);
}

void sim_do_look(sim_peer *peer, gt_sim_random *random) {
    static const char spec[] = "{\"where\": {\"b\": false}, \"sort\": [\"n\"], \"limit\": 5}";
    sim_handle *handle = choose_handle(peer, random);
    uint8_t repo = choose_repo(handle, random);
    goat_buf info = {0};
    sim_expect(peer, goat_db_info(handle->db, &info, NULL), "asking for facts");
    goat_buf_free(&info);
    sim_read_page(peer, handle, repo, random);
    if (repo == SIM_REPOS_MAX) return;
    for (int i = 0; i < 3; i++) look_at_item(peer, handle, repo, random);
    goat_query *query = NULL;
    goat_job *job = NULL;
    goat_status status = goat_query_open(handle->repos[repo], NULL, spec, sizeof(spec) - 1, &query, &job, NULL);
    sim_expect(peer, status, "opening a query");
    goat_job_free(job);
    goat_query_free(query);
    sim_scan_all(peer, true);
}
