/* core/repo: clients of different versions of a schema edit the same items, offline and together. */
#include "support/test.h"

#include "merge/merge.h"
#include "support/test_random.h"
#include "support/test_repo.h"
#include "support/test_value.h"
#include "value/build.h"
#include "value/value.h"

#include <stdio.h>
#include <stdlib.h>

#define KEPT                                                                                                           \
    "\"tags\": {\"type\": \"set\"}, \"map\": {\"type\": \"map\"}, \"votes\": {\"type\": \"counter\"},"                 \
    "\"list\": {\"type\": \"list\"},"

/* "text" is called "title" from 2 on, "size" becomes a number in 3, "kind" is dropped in 4; "added" comes in 2 with a
 * default for older items, "only" in 4. "note" moves into a map in 3, and what is in "bag" out of one in 4. */
static const char *const definitions[] = {
    "{\"ns\": \"goat\", \"version\": 1, \"fields\": {" KEPT "\"text\": {\"type\": \"string\"},"
    "\"size\": {\"type\": \"string\"}, \"kind\": {\"type\": \"string\"}, \"story\": {\"type\": \"text\"},"
    "\"note\": {\"type\": \"string\"}, \"bag\": {\"type\": \"map\"}}}",
    "{\"ns\": \"goat\", \"version\": 2, \"fields\": {" KEPT "\"title\": {\"type\": \"string\"},"
    "\"size\": {\"type\": \"string\"}, \"kind\": {\"type\": \"string\"}, \"story\": {\"type\": \"text\"},"
    "\"note\": {\"type\": \"string\"}, \"bag\": {\"type\": \"map\"}, \"added\": {\"type\": \"set\"}},"
    "\"upgrade\": [{\"rename\": \"text\", \"to\": \"title\"}, {\"default\": \"added\", \"value\": [\"old\"]}]}",
    "{\"ns\": \"goat\", \"version\": 3, \"fields\": {" KEPT "\"title\": {\"type\": \"string\"},"
    "\"size\": {\"type\": \"number\"}, \"kind\": {\"type\": \"string\"}, \"tale\": {\"type\": \"text\"},"
    "\"facts\": {\"type\": \"map\"}, \"bag\": {\"type\": \"map\"}, \"added\": {\"type\": \"set\"}},"
    "\"upgrade\": [{\"convert\": \"size\", \"to\": \"number\", \"else\": -1}, {\"rename\": \"story\", \"to\": "
    "\"tale\"},"
    "{\"map\": \"kind\", \"values\": [[\"a\", \"A\"]]}, {\"move\": \"note\", \"to\": [\"facts\", \"note\"]}]}",
    "{\"ns\": \"goat\", \"version\": 4, \"fields\": {" KEPT "\"title\": {\"type\": \"string\"},"
    "\"size\": {\"type\": \"number\"}, \"only\": {\"type\": \"set\"}, \"tale\": {\"type\": \"text\"},"
    "\"facts\": {\"type\": \"map\"}, \"bag\": {\"type\": \"map\"}, \"added\": {\"type\": \"set\"},"
    "\"copy\": {\"type\": \"string\"}, \"x\": {\"type\": \"number\"}},"
    "\"upgrade\": [{\"drop\": \"kind\"}, {\"copy\": \"title\", \"to\": \"copy\"},"
    "{\"move\": [\"bag\", \"x\"], \"to\": \"x\"}]}",
};

enum { VERSIONS = 4, FRAMES_MAX = 64, SIDE = VERSIONS }; /* shadows of versions stand behind the clients */

typedef struct world {
    test_network network;
    test_site
        client[2 * VERSIONS + 1]; /* by version - 1; the shadow of each has never heard of newer commits; one late */
    bool has[VERSIONS][FRAMES_MAX];
    test_frames frames;
    uint32_t version_of[FRAMES_MAX]; /* of whoever made the frame */
    test_random random;
    uint32_t items, unique;
} world;

static uint32_t below(world *w, uint32_t limit) { return test_random_below(&w->random, limit); }

static void read_at(test_site *site, uint32_t known, uint32_t version) {
    for (uint32_t i = 0; i < known; i++) test_site_learn(site, definitions[i]);
    gt_registry_use(site->schemas, gt_bytes_text("goat"), version);
    test_site_open(site, 0);
}

static void begin(world *w, uint32_t items) {
    test_network_init(&w->network);
    w->items = items;
    for (uint32_t i = 0; i < VERSIONS; i++) {
        test_site_init(&w->client[i], &w->network, i, 10 + i, TEST_SITE_FAST);
        test_site_init(&w->client[SIDE + i], &w->network, 4, 20 + i, TEST_SITE_FAST);
        read_at(&w->client[i], below(w, 2) == 0 ? i + 1 : VERSIONS,
                i + 1); /* it may know newer ones and not use them */
        read_at(&w->client[SIDE + i], i + 1, i + 1);
    }
    test_site_init(&w->client[2 * VERSIONS], &w->network, 5, 30, TEST_SITE_FAST);
    read_at(&w->client[2 * VERSIONS], VERSIONS, VERSIONS);
}

static void end(world *w) {
    for (uint32_t i = 0; i <= 2 * VERSIONS; i++) test_site_free(&w->client[i]);
    test_frames_free(&w->frames);
    test_network_free(&w->network);
    memset(w->has, 0, sizeof w->has);
}

/* ---- edits ---- */

static void edit_field(world *w, const gt_field *field, gt_bytes base, gt_buf *delta) {
    gt_buf value;
    char text[64];
    gt_bytes wanted = {0};
    gt_buf_init(&value, &gt_alloc_system);
    if (field->type == GT_TYPE_SET) { /* nobody takes anything out, so it can be counted */
        snprintf(text, sizeof text, "set[%u]", w->unique++);
        test_value_write(delta, text);
    } else if (field->type == GT_TYPE_COUNTER) {
        gt_write_int(delta, 1 + below(w, 9));
    } else if (gt_bytes_equal(field->name, gt_bytes_text("bag"))) {
        static const char *const edits[] = {"{x: 1}", "{x: 'no number'}", "{x: undefined}",
                                            "{y: 2}", "undefined",        "{x: 3}"};
        test_value_write(delta, edits[below(w, 6)]);
    } else if (gt_bytes_equal(field->name, gt_bytes_text("facts"))) {
        static const char *const edits[] = {"{note: 'x'}", "{note: undefined}", "{more: 2}", "undefined"};
        test_value_write(delta, edits[below(w, 4)]);
    } else if (field->type == GT_TYPE_LIST) {
        gt_bytes now = base.data != NULL ? base : gt_bytes_of((const uint8_t *)"\x80", 1);
        size_t count = gt_value_count(now);
        if (count > 1 && below(w, 2) == 0) {
            assert_int_equal(
                gt_edit_list_move(field, now, below(w, (uint32_t)count), below(w, (uint32_t)count), delta, NULL),
                GOAT_OK);
        } else {
            gt_write_array_head(&value, 1);
            gt_write_int(&value, w->unique++);
            assert_int_equal(
                gt_edit_list_insert(field, now, below(w, (uint32_t)count + 1), gt_buf_bytes(&value), delta, NULL),
                GOAT_OK);
        }
    } else if (field->type == GT_TYPE_MAP) {
        snprintf(text, sizeof text, "{k%u: %u}", w->unique, below(w, 100));
        w->unique++;
        test_value_write(delta, text);
    } else if (field->type == GT_TYPE_TEXT) {
        gt_bytes now = gt_bytes_of(NULL, 0);
        if (base.data != NULL) gt_value_as_text(base, &now);
        gt_splice splice = {.unit = GOAT_UNIT_CODE_POINT, .text = gt_bytes_text("xy")};
        splice.position = below(w, (uint32_t)now.len + 1);
        splice.count = now.len > splice.position ? below(w, 2) : 0;
        assert_int_equal(gt_edit_splice(field, base, &splice, delta, NULL), GOAT_OK);
    } else if (below(w, 5) > 0) {
        snprintf(text, sizeof text,
                 field->type == GT_TYPE_NUMBER ? "%u"
                 : below(w, 3) == 0            ? "'a'"
                                               : "'%u'",
                 below(w, 9));
        test_value_write(&value, text);
        wanted = gt_buf_bytes(&value);
    }
    if (field->type == GT_TYPE_STRING || field->type == GT_TYPE_NUMBER) {
        assert_int_equal(gt_edit_diff(field, base, wanted, delta, NULL), GOAT_OK);
    }
    gt_buf_free(&value);
}

static void edit_item(world *w, test_site *site, const gt_schema *schema, uint32_t number, gt_capture *capture) {
    char key[16];
    gt_seen seen = {0};
    gt_buf heads, delta;
    size_t count = 0;
    snprintf(key, sizeof key, "i%u", number);
    gt_buf_init(&heads, &gt_alloc_system);
    gt_buf_init(&delta, &gt_alloc_system);
    uint32_t item = gt_repo_find(site->repo, gt_bytes_text(key));
    bool there = item != GT_NONE && gt_repo_view(site->repo, item, &seen, NULL) == GOAT_OK;
    if (there) {
        assert_ptr_equal(seen.schema, schema);
        assert_int_equal(gt_repo_heads(site->repo, item, &heads, NULL), GOAT_OK);
    }
    gt_write_map_head(&delta, 0);
    for (size_t i = 0; i < gt_schema_field_count(schema); i++) {
        const gt_field *field = gt_schema_field_at(schema, i);
        if (below(w, 3) > 0) continue;
        size_t before = delta.len;
        gt_write_text(&delta, field->name);
        size_t behind = delta.len;
        edit_field(w, field, there ? gt_map_find(seen.view.bytes, field->name) : gt_bytes_of(NULL, 0), &delta);
        if (delta.len == behind) {
            delta.len = before;
        } else {
            count++;
        }
    }
    delta.data[0] = (uint8_t)(0xa0 + count);
    gt_signer signer = {site->own->session, &site->own->secret};
    gt_leaf leaf = {.key = gt_bytes_text(key),
                    .parents = (const gt_id *)(const void *)heads.data,
                    .parent_count = (uint32_t)(heads.len / GT_ID_SIZE),
                    .schema = schema,
                    .delta = gt_buf_bytes(&delta)};
    gt_diag diag;
    gt_diag_init(&diag);
    if (gt_capture_add(capture, &signer, &leaf, NULL, &diag) != GOAT_OK) fail_msg("%s", diag.message);
    if (there) gt_view_drop(site->alloc, &seen.view);
    gt_buf_free(&heads);
    gt_buf_free(&delta);
}

static void edit(world *w, uint32_t client) {
    test_site *site = &w->client[client];
    gt_capture *capture = NULL;
    gt_signer signer = {site->own->session, &site->own->secret};
    const gt_schema *schema = test_site_schema(site, "goat", client + 1);
    gt_sim_advance_ms(&site->clock, 1 + below(w, 5000));
    assert_int_equal(gt_capture_begin(site->repo, &capture, NULL), GOAT_OK);
    for (uint32_t i = 0; i < w->items; i++) {
        if (below(w, 2) == 0) edit_item(w, site, schema, i, capture);
    }
    assert_int_equal(gt_capture_finish(capture, &signer, GT_FROM_SELF, NULL), GOAT_OK);
    gt_bytes frame;
    while ((frame = test_site_next_frame(site)).data != NULL) {
        uint32_t number = (uint32_t)w->frames.count;
        bool known = false;
        for (uint32_t i = 0; i < number && !known; i++) known = gt_bytes_equal(frame, test_frames_at(&w->frames, i));
        if (known) continue;
        assert_true(number < FRAMES_MAX);
        test_frames_add(&w->frames, frame);
        w->version_of[number] = client + 1;
        w->has[client][number] = true;
    }
}

static void give(world *w, test_site *to, size_t frame) {
    gt_admission outcome;
    gt_diag diag;
    gt_diag_init(&diag);
    goat_status status = test_site_admit(to, test_frames_at(&w->frames, frame), &outcome, &diag);
    if (status != GOAT_OK) fail_msg("a frame is refused: %s", diag.message);
}

static void send(world *w, uint32_t from, uint32_t to) {
    for (size_t i = 0; i < w->frames.count; i++) {
        if (!w->has[from][i] || w->has[to][i]) continue;
        give(w, &w->client[to], i);
        w->has[to][i] = true;
    }
}

/* ---- what must hold ---- */

static void view_of(test_site *site, uint32_t number, gt_buf *out) {
    char key[16];
    gt_seen seen;
    snprintf(key, sizeof key, "i%u", number);
    gt_buf_clear(out);
    uint32_t item = gt_repo_find(site->repo, gt_bytes_text(key));
    if (item == GT_NONE || gt_repo_view(site->repo, item, &seen, NULL) != GOAT_OK) return;
    gt_buf_append(out, seen.view.bytes.data, seen.view.bytes.len);
    gt_view_drop(site->alloc, &seen.view);
}

static void assert_views_equal(world *w, test_site *expected, test_site *actual, const char *claim) {
    gt_buf a, b;
    gt_buf_init(&a, &gt_alloc_system);
    gt_buf_init(&b, &gt_alloc_system);
    for (uint32_t i = 0; i < w->items; i++) {
        view_of(expected, i, &a);
        view_of(actual, i, &b);
        if (gt_bytes_equal(gt_buf_bytes(&a), gt_buf_bytes(&b))) continue;
        gt_buf text;
        if (a.len > 0) {
            test_value_print(gt_buf_bytes(&a), &text);
            print_error("i%u is %s\n", i, (const char *)text.data);
        }
        if (b.len > 0) {
            test_value_print(gt_buf_bytes(&b), &text);
            print_error("and not %s\n", (const char *)text.data);
        }
        fail_msg("%s", claim);
    }
    gt_buf_free(&a);
    gt_buf_free(&b);
}

/* What is added and never taken away is there at every later version. */
static void assert_kept(world *w, test_site *old, const char *name, test_site *new, const char *new_name) {
    gt_buf a, b;
    gt_buf_init(&a, &gt_alloc_system);
    gt_buf_init(&b, &gt_alloc_system);
    for (uint32_t i = 0; i < w->items; i++) {
        view_of(old, i, &a);
        view_of(new, i, &b);
        if (a.len == 0) continue;
        gt_bytes before = gt_map_find(gt_buf_bytes(&a), gt_bytes_text(name)), element, other;
        gt_bytes after = gt_map_find(gt_buf_bytes(&b), gt_bytes_text(new_name));
        if (before.data == NULL) continue;
        assert_non_null(after.data);
        for (gt_iter iter = gt_array_iter(before); gt_array_next(&iter, &element);) {
            bool found = false;
            for (gt_iter in = gt_array_iter(after); !found && gt_array_next(&in, &other);) {
                found = gt_value_equal(element, other);
            }
            assert_true(found);
        }
        for (gt_iter iter = gt_map_iter(before); gt_map_next(&iter, &element, &other);) {
            assert_true(gt_value_equal(gt_map_find(after, element), other));
        }
    }
    gt_buf_free(&a);
    gt_buf_free(&b);
}

static void assert_no_field_of_others(world *w, uint32_t client) {
    const gt_schema *schema = test_site_schema(&w->client[client], "goat", client + 1);
    gt_buf view;
    gt_buf_init(&view, &gt_alloc_system);
    for (uint32_t i = 0; i < w->items; i++) {
        view_of(&w->client[client], i, &view);
        if (view.len > 0) assert_int_equal(gt_schema_check_state(schema, gt_buf_bytes(&view), NULL), GOAT_OK);
    }
    gt_buf_free(&view);
}

/* A digest is taken at the newest version, wherever the host reads. */
static void assert_seen_from_below(world *w, test_site *site, test_site *newest) {
    const gt_schema *schema = gt_registry_find(site->schemas, gt_bytes_text("goat"), VERSIONS);
    gt_buf a, b;
    gt_buf_init(&a, &gt_alloc_system);
    gt_buf_init(&b, &gt_alloc_system);
    for (uint32_t i = 0; schema != NULL && i < w->items; i++) {
        char key[16];
        snprintf(key, sizeof key, "i%u", i);
        uint32_t item = gt_repo_find(site->repo, gt_bytes_text(key));
        view_of(newest, i, &a);
        gt_buf_clear(&b);
        if (item != GT_NONE) assert_int_equal(gt_repo_view_version(site->repo, item, schema, &b, NULL), GOAT_OK);
        assert_true(gt_bytes_equal(gt_buf_bytes(&a), gt_buf_bytes(&b)));
    }
    gt_buf_free(&a);
    gt_buf_free(&b);
}

static void retire(test_site *site, uint32_t version, bool retired) {
    assert_true(gt_registry_retire(site->schemas, gt_bytes_text("goat"), version, retired));
    gt_repo_schemas_changed(site->repo);
}

static void run(world *w, uint32_t steps) {
    test_site *late = &w->client[2 * VERSIONS], *newest = &w->client[VERSIONS - 1];
    for (uint32_t step = 0; step < steps; step++) {
        uint32_t one = below(w, VERSIONS), other = below(w, VERSIONS);
        if (below(w, 3) > 0) {
            edit(w, one);
        } else {
            send(w, one, other);
        }
        if (below(w, 20) == 0) { /* with and without a checkpoint */
            if (below(w, 2) == 0) test_site_checkpoint(&w->client[one]);
            test_site_sync(&w->client[one]);
            test_site_close(&w->client[one]);
            test_site_open(&w->client[one], 0);
        }
    }
    for (uint32_t i = 0; i < VERSIONS; i++) {
        for (uint32_t j = 0; j < VERSIONS; j++) send(w, i, j);
    }
    for (uint32_t i = 0; i < VERSIONS; i++) send(w, VERSIONS - 1, i);
    for (uint32_t i = 0; i < VERSIONS; i++) {
        for (size_t frame = 0; frame < w->frames.count; frame++) {
            if (w->version_of[frame] <= i + 1) give(w, &w->client[SIDE + i], frame);
        }
        assert_views_equal(w, &w->client[SIDE + i], &w->client[i], "what newer versions wrote is seen at an older one");
        assert_no_field_of_others(w, i);
        assert_kept(w, &w->client[i], "tags", newest, "tags");
        assert_kept(w, &w->client[i], "map", newest, "map");
        assert_kept(w, &w->client[i], "list", newest, "list");
        assert_seen_from_below(w, &w->client[i], newest);
    }
    for (size_t frame = w->frames.count; frame-- > 0;) give(w, late, frame); /* in the other direction */
    assert_views_equal(w, newest, late, "the order of arrival");
    for (uint32_t version = VERSIONS; version > 1; version--) {
        retire(newest, version, true);
        gt_registry_use(newest->schemas, gt_bytes_text("goat"), version - 1);
        gt_repo_schemas_changed(newest->repo);
        assert_views_equal(w, &w->client[version - 2], newest, "a version is retired");
    }
    for (uint32_t version = 2; version <= VERSIONS; version++) retire(newest, version, false);
    assert_views_equal(w, late, newest, "versions are taken back");
}

/* ---- tests ---- */

static void offline_clients_of_four_versions(void **state) {
    world *w = *state;
    uint32_t worlds = getenv("GOAT_SOAK") != NULL ? 4000 : 200;
    test_random_init(&w->random, __func__);
    for (uint32_t i = 0; i < worlds; i++) {
        begin(w, 50); /* each item is a schedule of its own: others edit it at other times */
        run(w, 6 + below(w, 14));
        end(w);
    }
}

static void a_commit_on_a_newer_one_is_refused(void **state) {
    world *w = *state;
    test_random_init(&w->random, __func__);
    begin(w, 1);
    test_writer writer;
    gt_id id;
    test_writer_init(&writer, &w->network, 4, definitions[1]);
    test_site_admits(&w->client[0], test_writer_commit(&writer, "x", 5, NULL, "{title: 'new'}", &id), GT_ADMITTED);
    test_site_shows(&w->client[0], "x", NULL);
    test_writer_schema(&writer, definitions[0]);
    test_site_refuses(&w->client[0], test_writer_commit(&writer, "x", 6, &id, "{text: 'old'}", &id), GOAT_INVALID,
                      "a newer version");
    test_writer_free(&writer);
    end(w);
}

static void a_commit_on_a_newer_one_of_its_batch_is_refused(void **state) {
    world *w = *state;
    test_random_init(&w->random, __func__);
    begin(w, 1);
    test_writer writer;
    test_writer_init(&writer, &w->network, 4, definitions[3]);
    gt_id id = test_writer_leaf(&writer, "x", 5, NULL, 0, "{title: 'new'}", NULL);
    test_writer_schema(&writer, definitions[2]);
    test_writer_leaf(&writer, "x", 6, &id, 1, "{title: 'old'}", NULL);
    test_site_refuses(&w->client[3], test_writer_finish(&writer), GOAT_INVALID, "a newer version");
    test_writer_free(&writer);
    end(w);
}

/* What is hidden hides what stands on it. */
static void retiring_a_version_in_between_hides_what_follows_it(void **state) {
    world *w = *state;
    test_random_init(&w->random, __func__);
    begin(w, 1);
    test_site *site = &w->client[3];
    test_site_edit(&w->client[0], "x", "goat", 1, "{text: 'one'}");
    test_site_send_new(&w->client[0], &w->client[1]);
    test_site_edit(&w->client[1], "x", "goat", 2, "{title: 'two'}");
    test_site_send_new(&w->client[1], site);
    test_site_edit(site, "x", "goat", 4, "{title: 'four'}");
    test_site_shows(site, "x", "{copy: 'two', title: 'four', added: set['old'], facts: {}}");
    test_site_edit(&w->client[0], "x", "goat", 1, "{tags: set[7]}"); /* beside it, so that a replay is kept */
    test_site_send_new(&w->client[0], site);
    test_site_shows(site, "x", "{copy: 'two', tags: set[7], title: 'four', added: set['old'], facts: {}}");
    retire(site, 2, true);
    test_site_shows(site, "x", "{copy: 'one', tags: set[7], title: 'one', added: set['old'], facts: {}}");
    assert_int_equal(test_site_head_count(site, "x"), 1);
    test_site_edit(site, "x", "goat", 4, "{title: 'again'}");
    test_site_shows(site, "x", "{copy: 'one', tags: set[7], title: 'again', added: set['old'], facts: {}}");
    retire(site, 2, false);
    test_site_shows(site, "x", "{copy: 'two', tags: set[7], title: 'again', added: set['old'], facts: {}}");
    assert_int_equal(test_site_head_count(site, "x"), 2);
    end(w);
}

/* What a newer version writes costs an older reader nothing, and what an older one writes a newer reader one step; where he
 * has nothing at hand, he begins at the older one's snapshots. */
static void versions_side_by_side_cost_what_one_does(void **state) {
    world *w = *state;
    test_random_init(&w->random, __func__);
    begin(w, 1);
    test_site *old = &w->client[0], *new = &w->client[3], *reader = &w->client[1];
    uint64_t old_before = 0, reader_before = 0;
    for (int i = 0; i < 400; i++) {
        if (i == 300) old_before = gt_repo_work(old->repo);
        if (i == 300) reader_before = gt_repo_work(reader->repo);
        test_site_edit(old, "x", "goat", 1, i % 2 == 0 ? "{text: 'even'}" : "{text: 'odd'}");
        test_site_shows(old, "x", i % 2 == 0 ? "{text: 'even'}" : "{text: 'odd'}");
        gt_bytes frame;
        while ((frame = test_site_next_frame(old)).data != NULL) {
            gt_admission outcome; /* some are the newer one's own, and the reader takes those without showing them */
            assert_int_equal(test_site_admit(new, frame, &outcome, NULL), GOAT_OK);
            assert_int_equal(test_site_admit(reader, frame, &outcome, NULL), GOAT_OK);
        }
        test_site_shows(reader, "x",
                        i % 2 == 0 ? "{title: 'even', added: set['old']}" : "{title: 'odd', added: set['old']}");
        if (i % 4 != 0) continue;
        test_site_edit(new, "x", "goat", 4, "{only: set[1]}");
        test_site_send_new(new, old);
    }
    assert_true(gt_repo_work(old->repo) - old_before < 100 * 10);
    assert_true(gt_repo_work(reader->repo) - reader_before < 100 * 20);
    test_site_sync(reader);
    test_site_close(reader);
    test_site_open(reader, TEST_SITE_NO_CHECKPOINT);
    reader_before = gt_repo_work(reader->repo);
    gt_buf view; /* without what it has at hand */
    gt_buf_init(&view, &gt_alloc_system);
    assert_int_equal(gt_repo_view_version(reader->repo, gt_repo_find(reader->repo, gt_bytes_text("x")),
                                          test_site_schema(reader, "goat", 2), &view, NULL),
                     GOAT_OK);
    assert_value(gt_buf_bytes(&view), "{title: 'odd', added: set['old']}");
    gt_buf_free(&view);
    assert_true(gt_repo_work(reader->repo) - reader_before < 100);
    end(w);
}

static int set_up(void **state) {
    *state = calloc(1, sizeof(world));
    return *state == NULL;
}

static int tear_down(void **state) {
    free(*state);
    return 0;
}

int main(void) {
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        CASE(offline_clients_of_four_versions),
        CASE(a_commit_on_a_newer_one_is_refused),
        CASE(a_commit_on_a_newer_one_of_its_batch_is_refused),
        CASE(retiring_a_version_in_between_hides_what_follows_it),
        CASE(versions_side_by_side_cost_what_one_does),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
