/* One edit at a time, and how long it takes until another client sees it and until it is safe. Server, writer and
 * reader are processes; the repository is that of the documents, so it is no empty one. */
#include "actor.h"

#include "crypto/crypto.h"

enum { EDITS = 1000, QUICK_EDITS = 20 };

const char row_visible_median[] = "edit to visible at another client, median";
const char row_visible_99[] = "the same, 99th percentile";
const char row_safe_median[] = "edit to safe on the server's disk, median";

void lab_live(const lab_plan *lab, const documents *docs) {
    char from[256], to[256], writer[256];
    actor server, reader;
    samples seen = {0}, safe = {0};
    join(from, sizeof(from), lab->folder, "live");
    join(to, sizeof(to), lab->folder, "live-reader");
    join(writer, sizeof(writer), lab->folder, "live-writer");
    actor_make(from, actor_documents, docs, 0);
    actor_serve(lab, &server, from, actor_documents, false);
    actor_read(lab, &reader, &server, to, actor_documents);
    uint32_t edits = lab->quick ? QUICK_EDITS : EDITS;
    actor_write(lab, &server, writer, actor_documents, edits, &safe);
    actor_collect(lab, &reader, edits, &seen);
    row_begin(row_visible_median, "", 0, false);
    row_add(GOAT, samples_at(&seen, 50) / 1e3);
    row_begin(row_visible_99, "", 0, false);
    row_add(GOAT, samples_at(&seen, 99) / 1e3);
    row_begin(row_safe_median, "", 0, false);
    row_add(GOAT, samples_at(&safe, 50) / 1e3);
    lab_say(
        lab,
        "  %u edits: visible after %.2f ms at least, %.2f at most; safe after %.2f ms (median), %.2f (99th percentile)",
        edits, samples_at(&seen, 0) / 1e3, samples_at(&seen, 100) / 1e3, samples_at(&safe, 50) / 1e3,
        samples_at(&safe, 99) / 1e3);
    samples_free(&seen);
    samples_free(&safe);
    actor_end(&reader);
    actor_end(&server);
    remove_folder(from);
    remove_folder(to);
    remove_folder(writer);
}
