/* The side of whoever starts the actors. */
#define _GNU_SOURCE
#include "actor.h"

#include "sealed.h"
#include "small.h"

#include <stdlib.h>
#include <string.h>

const char actor_repository[] = "/data/load";
const char actor_documents[] = "/data/packages";
const char actor_notes[] = "/data/notes";

enum { NOTES_BATCH = 100 };

void actor_make(const char *folder, const char *repository, const documents *docs, uint32_t notes) {
    goat_error *error = NULL;
    goat_db *db = NULL;
    goat_repo *repo = NULL;
    check(goat_db_open(folder, strlen(folder), NULL, &db, NULL, &error), error, "open");
    check(goat_db_add_schema(db, sealed_schema, strlen(sealed_schema), &error), error, "schema");
    check(goat_db_add_schema(db, small_schema, strlen(small_schema), &error), error, "schema");
    check(goat_db_add_schema(db, package_schema, strlen(package_schema), &error), error, "schema");
    check(goat_repo_open(db, repository, strlen(repository), 0, &repo, NULL, &error), error, "open repository");
    for (size_t b = 0; docs != NULL && b < docs->batch_count; b++) {
        check(goat_repo_apply(repo, docs->edits[b].data, docs->edits[b].size, 0, NULL, &error), error, "import");
    }
    small_apply(repo, 'a', 0, notes, NOTES_BATCH);
    check(goat_db_flush(db, GOAT_DURABLE_DISK, NULL, &error), error, "flush");
    goat_repo_free(repo);
    check(goat_db_close(db, NULL, &error), error, "close");
    goat_db_free(db);
}

/* ---- servers ---- */

static void read_hex(const char *text, uint8_t *bytes, size_t len) {
    for (size_t i = 0; i < len; i++) {
        char two[3] = {text[2 * i], text[2 * i] == '\0' ? '\0' : text[2 * i + 1], '\0'}, *end;
        bytes[i] = (uint8_t)strtoul(two, &end, 16);
        if (end != two + 2) lab_fail("\"%s\" is no key", text);
    }
}

void actor_serve(const lab_plan *lab, actor *server, const char *folder, const char *repository, bool secure) {
    char line[CHILD_LINE_MAX], network[65];
    unsigned port;
    *server = (actor){0};
    child_start(lab, &server->process, "server",
                (const char *[]){folder, repository, secure ? "secure" : "plain", NULL});
    const char *rest = child_expect(&server->process, "serving", line);
    if (sscanf(rest, "%127s %u %64s %64s", server->url, &port, server->root_key, network) != 4) {
        lab_fail("a server says \"%s\"", line);
    }
    server->port = (uint16_t)port;
    read_hex(network, server->network.bytes, sizeof(server->network.bytes));
}

void actor_end(actor *a) {
    if (!child_end(&a->process)) lab_fail("the %s has not ended well", a->process.role);
}

/* ---- clients ---- */

static void watch_growth(const actor *server, const child *clone, server_growth *growth) {
    enum { EVERY_US = 10 * 1000 };
    child_use before = child_measure(&server->process);
    *growth = (server_growth){0};
    while (!child_says(clone, EVERY_US)) {
        child_use now = child_measure(&server->process);
        double anonymous = now.anonymous - before.anonymous, resident = now.resident - before.resident;
        if (anonymous > growth->anonymous) growth->anonymous = anonymous;
        if (resident > growth->resident) growth->resident = resident;
    }
}

double actor_clone(const lab_plan *lab, const actor *server, const char *folder, const char *repository, uint32_t items,
                   server_growth *growth) {
    char line[CHILD_LINE_MAX], count[16];
    actor clone = {0};
    snprintf(count, sizeof(count), "%u", items);
    child_start(lab, &clone.process, "clone",
                (const char *[]){folder, repository, server->url, server->root_key, count, NULL});
    if (growth != NULL) watch_growth(server, &clone.process, growth);
    double seconds = strtod(child_expect(&clone.process, "cloned", line), NULL);
    actor_end(&clone);
    return seconds;
}

void actor_read(const lab_plan *lab, actor *reader, const actor *server, const char *folder, const char *repository) {
    char line[CHILD_LINE_MAX];
    *reader = (actor){0};
    snprintf(reader->folder, sizeof(reader->folder), "%s", folder);
    child_start(lab, &reader->process, "reader",
                (const char *[]){folder, repository, server->url, server->root_key, NULL});
    child_expect(&reader->process, "even", line);
}

void actor_collect(const lab_plan *lab, actor *reader, size_t expected, samples *seen_us) {
    enum { TRIES = 100, PAUSE_US = 100 * 1000 };
    char line[CHILD_LINE_MAX], path[280];
    size_t count = 0;
    (void)lab;
    for (int i = 0; i < TRIES && (i == 0 || count < expected); i++) {
        if (i > 0) sleep_us(PAUSE_US);
        child_say(&reader->process, "count");
        count = strtoul(child_expect(&reader->process, "seen", line), NULL, 10);
    }
    if (expected != 0 && count != expected) lab_fail("a reader has seen %zu of %zu edits", count, expected);
    snprintf(path, sizeof(path), "%s.samples", reader->folder);
    child_say(&reader->process, path);
    child_expect(&reader->process, "written", line);
    samples_read(seen_us, path);
}

void actor_write(const lab_plan *lab, const actor *server, const char *folder, const char *repository, uint32_t edits,
                 samples *safe_us) {
    char line[CHILD_LINE_MAX], path[280], count[16];
    actor writer = {0};
    snprintf(path, sizeof(path), "%s.samples", folder);
    snprintf(count, sizeof(count), "%u", edits);
    child_start(lab, &writer.process, "writer",
                (const char *[]){folder, repository, server->url, server->root_key, count, path, NULL});
    child_expect(&writer.process, "written", line);
    samples_read(safe_us, path);
    actor_end(&writer);
}
