/* What a database knows of its server, and the changes that tell the host of it. */
#include "db/internal.h"

#include "db/links.h"

void gt_add_sync_event(gt_database *database, const char *what, gt_bytes path, const char *words) {
    gt_buf event;
    gt_buf_init(&event, database->alloc);
    gt_write_array_head(&event, 4);
    gt_write_int(&event, GOAT_CHANGE_SYNC);
    gt_write_text(&event, gt_bytes_text(what));
    gt_write_text(&event, path);
    gt_write_text(&event, gt_bytes_text(words));
    for (goat_db *db = database->handles; db != NULL; db = db->next) gt_add_event(db, &event);
    gt_buf_free(&event);
}

bool gt_is_online(const gt_database *database) {
    const gt_link *link = database->links;
    while (link != NULL && !gt_link_is_online(link)) link = link->next;
    return link != NULL || database->upstream.is_up;
}

void gt_upstream_look(gt_database *database) {
    gt_upstream *upstream = &database->upstream;
    bool online = gt_is_online(database), turned = online != upstream->online;
    if (!turned && (online || !upstream->is_new)) return;
    upstream->online = online;
    upstream->is_new = false;
    if (online) gt_diag_init(&upstream->why);
    gt_add_sync_event(database, online ? "online" : "offline", gt_bytes_of("", 0), upstream->why.message);
    if (!turned) return;
    gt_want_pump(database); /* jobs may wait for the server */
    gt_condition_wake_all(&database->condition);
}

void gt_upstream_trouble(gt_database *database, const gt_diag *why) {
    gt_upstream *upstream = &database->upstream;
    if (why == NULL || !gt_diag_is_set(why)) return;
    if (strcmp(upstream->why.message, why->message) != 0) upstream->is_new = true;
    upstream->why = *why;
}

static void set_url(gt_database *database, gt_bytes url) {
    gt_upstream *upstream = &database->upstream;
    if (url.data != NULL && upstream->url != NULL && gt_bytes_equal(url, gt_bytes_text(upstream->url))) return;
    gt_free(database->alloc, upstream->url);
    upstream->url =
        url.data == NULL ? NULL : gt_copy(database->alloc, url.data, url.len); /* NULL without memory: not shown */
}

static bool is_heard(const gt_upstream *upstream, uint64_t number) {
    return number >= upstream->number && number > upstream->ended;
}

void gt_db_set_upstream(goat_db *db, uint64_t number, gt_bytes url, bool online, const gt_diag *why) {
    gt_database *database = db->database;
    if (!is_heard(&database->upstream, number)) return;
    database->upstream.number = number;
    database->upstream.is_up = online;
    set_url(database, url);
    gt_upstream_trouble(database, why);
    gt_upstream_look(database);
}

void gt_db_begin_upstream(goat_db *db, uint64_t number, gt_bytes url) {
    if (number == db->database->upstream.number) return; /* it was faster, and has told more already */
    gt_db_set_upstream(db, number, url, false, NULL);
}

void gt_db_end_upstream(goat_db *db, uint64_t number) {
    gt_upstream *upstream = &db->database->upstream;
    gt_db_set_upstream(db, number, (gt_bytes){0}, false, NULL);
    if (number > upstream->ended) upstream->ended = number;
}
