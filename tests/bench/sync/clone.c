/* Clones over loopback: server and client are processes, every hash and signature is checked, and it is over when all
 * is on the disk at the client.
 *
 * Memory of the server is what is its own; pages of its log, which it maps and the system takes back when it wants to,
 * are told apart from that. */
#include "actor.h"

enum { SMALL = 1000000, QUICK_SMALL = 5000 };

const char row_clone_documents[] = "clone of the documents, verified, on the disk";
const char row_clone_small[] = "clone of 1,000,000 small documents";
const char row_clone_memory[] = "the same, growth of the server";

/* The documents. The server's folder stays, for what comes after. */
static void clone_documents(const lab_plan *lab, const documents *docs) {
    char from[256], to[256];
    actor server;
    join(from, sizeof(from), lab->folder, "documents");
    join(to, sizeof(to), lab->folder, "documents-clone");
    actor_make(from, actor_documents, docs, 0);
    actor_serve(lab, &server, from, actor_documents, false);
    row_begin(row_clone_documents, "", 0, false);
    for (int round = 0; round < lab->rounds; round++) {
        row_add(GOAT, actor_clone(lab, &server, to, actor_documents, (uint32_t)docs->count, NULL));
        remove_folder(to);
    }
    actor_end(&server);
}

static void clone_small(const lab_plan *lab) {
    uint32_t count = lab->quick ? QUICK_SMALL : SMALL;
    char from[256], to[256];
    actor server;
    join(from, sizeof(from), lab->folder, "small");
    join(to, sizeof(to), lab->folder, "small-clone");
    actor_make(from, actor_notes, NULL, count);
    actor_serve(lab, &server, from, actor_notes, false);
    server_growth growth;
    double seconds = actor_clone(lab, &server, to, actor_notes, count, &growth);
    row_begin(row_clone_small, "", 0, false);
    row_add(GOAT, seconds);
    row_begin(row_clone_memory, "", 0, false);
    row_add(GOAT, growth.anonymous / 1048576);
    lab_say(lab,
            "  %u small documents: %.0f MB on the disk; pages of its log that the server mapped meanwhile: %.0f MiB",
            count, lab_folder_bytes(to) / 1e6, (growth.resident - growth.anonymous) / 1048576);
    actor_end(&server);
    remove_folder(to);
    remove_folder(from);
}

void lab_clone(const lab_plan *lab, const documents *docs) {
    clone_documents(lab, docs);
    clone_small(lab);
}
