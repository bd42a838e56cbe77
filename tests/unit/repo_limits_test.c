/* core/repo: what somebody hostile may write, and what others make of it. */
#include "support/test.h"

#include "support/test_pair.h"
#include "support/test_random.h"
#include "support/test_value.h"
#include "value/build.h"
#include "value/rich.h"
#include "value/value.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef test_pair fixture;

static const char page_1[] = "{\"ns\": \"page\", \"version\": 1, \"fields\": {\"text\": {\"type\": \"string\"},"
                             "\"body\": {\"type\": \"richtext\"}}}";

static uint32_t flags_of(test_site *site, const char *key) {
    gt_seen seen;
    assert_int_equal(gt_repo_view(site->repo, gt_repo_find(site->repo, gt_bytes_text(key)), &seen, NULL), GOAT_OK);
    gt_view_drop(site->alloc, &seen.view);
    return seen.flags;
}

/* A document of many pieces, and one short edit that gives all of them an attribute: more than is shown. It is there all the
 * same, and marked; both have the same view of it, whatever they start from, and an edit that takes some away heals it. */
static void what_is_too_large_is_cut_and_marked_and_heals(void **state) {
    enum { PIECES = 9000 };
    fixture *f = *state;
    char text[4200];
    gt_buf document;
    gt_rich_writer writer;
    gt_bytes attributes[2] = {test_value("{b: 0}"), test_value("{b: 1}")};
    gt_buf_init(&document, &gt_alloc_system);
    gt_write_map_head(&document, 1);
    gt_write_text(&document, gt_bytes_text("body"));
    gt_rich_writer_init(&writer, &document);
    for (int i = 0; i < PIECES; i++) {
        gt_rich_piece piece = {gt_bytes_text("a"), 1, attributes[i % 2], false};
        gt_rich_put(&writer, &piece);
    }
    gt_rich_writer_end(&writer);
    for (int i = 0; i < 2; i++) test_value_free(attributes[i]);
    test_site_learn(&f->a, page_1);
    test_site_learn(&f->b, page_1);
    test_site_edit_on(&f->a, "x", test_site_schema(&f->a, "page", 1), NULL, 0, gt_buf_bytes(&document));
    test_site_send_new(&f->a, &f->b);
    snprintf(text, sizeof text, "{body: {0: [[%d, {c: '%04000d'}]]}}", (int)PIECES, 0);
    test_site_edit(&f->a, "x", "page", 1, text);
    test_site_edit(&f->b, "x", "page", 1, "{text: 'y', body: {0: [1, 'b']}}");
    test_site_send_new(&f->a, &f->b);
    test_site_send_new(&f->b, &f->a);
    assert_int_equal(flags_of(&f->a, "x"), GT_ITEM_INVALID);
    assert_int_equal(flags_of(&f->b, "x"), GT_ITEM_INVALID);
    test_sites_equal(&f->a, &f->b);
    test_site_edit(&f->b, "x", "page", 1, "{text: 'z'}"); /* on what is cut: A applies it, B is opened anew */
    test_site_send_new(&f->b, &f->a);
    test_site_reopen(&f->b, TEST_SITE_NO_CHECKPOINT);
    test_sites_equal(&f->a, &f->b);
    test_site_checkpoint(&f->a);
    test_site_reopen(&f->a, 0);
    snprintf(text, sizeof text, "{body: {0: [-%d]}}", (int)PIECES - 1);
    test_site_edit(&f->a, "x", "page", 1, text);
    test_site_send_new(&f->a, &f->b);
    assert_int_equal(flags_of(&f->a, "x"), 0);
    test_sites_equal(&f->a, &f->b);
    test_site_reopen(&f->b, TEST_SITE_NO_CHECKPOINT);
    assert_int_equal(flags_of(&f->b, "x"), 0);
    gt_buf_free(&document);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        PAIR_CASE(what_is_too_large_is_cut_and_marked_and_heals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
