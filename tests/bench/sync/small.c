#include "small.h"

#include "value/build.h"

const char small_schema[] = "{\"ns\":\"note\",\"version\":1,\"fields\":{\"title\":{\"type\":\"string\"},"
                            "\"n\":{\"type\":\"number\"},\"done\":{\"type\":\"boolean\"}}}";

static void write_edit(gt_buf *out, char author, uint32_t number) {
    char key[32], title[48];
    snprintf(key, sizeof(key), "%c-%07u", author, number);
    snprintf(title, sizeof(title), "note %u, and what it says", number);
    gt_write_map_head(out, 3);
    gt_write_text(out, gt_bytes_text("key"));
    gt_write_text(out, gt_bytes_text(key));
    gt_write_text(out, gt_bytes_text("set"));
    gt_write_map_head(out, 3);
    gt_write_text(out, gt_bytes_text("n"));
    gt_write_int(out, number);
    gt_write_text(out, gt_bytes_text("done"));
    gt_write_bool(out, number % 3 == 0);
    gt_write_text(out, gt_bytes_text("title"));
    gt_write_text(out, gt_bytes_text(title));
    gt_write_text(out, gt_bytes_text("schema"));
    gt_write_text(out, gt_bytes_text("note"));
}

void small_apply(goat_repo *repo, char author, uint32_t first, uint32_t count, uint32_t batch) {
    gt_buf edits;
    goat_error *error = NULL;
    gt_buf_init(&edits, &gt_alloc_system);
    for (uint32_t done = 0; done < count;) {
        uint32_t now = count - done < batch ? count - done : batch;
        gt_buf_clear(&edits);
        gt_write_array_head(&edits, now);
        for (uint32_t i = 0; i < now; i++) write_edit(&edits, author, first + done + i);
        if (gt_buf_failed(&edits)) lab_fail("no memory for edits");
        check(goat_repo_apply(repo, edits.data, edits.len, 0, NULL, &error), error, "apply");
        done += now;
    }
    gt_buf_free(&edits);
}
