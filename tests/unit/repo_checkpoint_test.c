/* core/repo: what a checkpoint must be: the same answers, sooner, or nothing. */
#include "support/test.h"

#include "base/crc32c.h"
#include "log/checkpoint.h"
#include "support/test_pair.h"
#include "support/test_value.h"
#include "value/value.h"

#include <stdio.h>
#include <stdlib.h>

typedef test_pair fixture;

/* A repository with something of everything: linear items, heads side by side, another namespace, what is not
 * shown, what waits, snapshots, two sessions and a tip that others follow. */
static void fill(fixture *f) {
    gt_id id;
    test_site_edit(&f->a, "one", "goat", 1, "{text: 'first and only'}");
    test_site_edit(&f->a, "more", "goat", 1, "{votes: 1, tags: set[1]}");
    for (int i = 0; i < 4; i++)
        test_site_edit(&f->a, "more", "goat", 1, "{votes: 1, raw: bytes(00112233445566778899)}");
    test_site_send_new(&f->a, &f->b);
    test_site_edit(&f->a, "more", "goat", 1, "{tags: set[2]}");
    test_site_edit(&f->b, "more", "goat", 1, "{tags: set[3]}");
    test_site_edit(&f->b, "gone", "goat", 1, "{text: 'gone', 0: true}");
    test_site_send_new(&f->b, &f->a);
    test_writer_schema(&f->writer, test_sheep_1);
    test_site_admits(&f->a, test_writer_commit(&f->writer, "sheep", 3, NULL, "{wool: 'white'}", &id), GT_ADMITTED);
    test_site_admits(&f->a, test_writer_commit(&f->writer, "sheep", 4, &id, "{wool: 'grey'}", NULL), GT_ADMITTED);
    id.bytes[0] ^= 1;
    test_site_admits(&f->a, test_writer_commit(&f->writer, "sheep", 5, &id, "{wool: 'lost'}", NULL), GT_PARKED);
}

static void reopen(test_site *site, int flags) {
    test_site_close(site);
    test_site_open(site, flags);
}

static void all_heads(test_site *site, gt_buf *out) {
    for (uint32_t i = 0; i < gt_repo_item_count(site->repo); i++) {
        assert_int_equal(gt_repo_heads(site->repo, i, out, NULL), GOAT_OK);
    }
}

/* The next batch of the session, which says where it stands. */
static uint64_t next_seq(fixture *f, test_site *site) {
    gt_arena arena;
    gt_batch batch;
    while (test_site_next_frame(site).data != NULL) {
    }
    test_site_edit(site, "seq", "goat", 1, "{votes: 1}");
    gt_arena_init(&arena, &gt_alloc_system);
    assert_int_equal(gt_batch_decode(test_site_next_frame(site), &arena, &batch, NULL), GOAT_OK);
    uint64_t seq = batch.seq;
    gt_arena_free(&arena);
    (void)f;
    return seq;
}

static void it_gives_the_same_answers(void **state) {
    fixture *f = *state;
    uint8_t before[GT_HASH_SIZE], after[GT_HASH_SIZE];
    gt_buf heads, heads_after;
    gt_buf_init(&heads, &gt_alloc_system);
    gt_buf_init(&heads_after, &gt_alloc_system);
    fill(f);
    for (int looked_at = 0; looked_at < 2; looked_at++) { /* states that are known, and states that are not */
        if (looked_at == 1) test_site_digest(&f->a, before);
        test_site_checkpoint(&f->a);
        if (looked_at == 0) test_site_digest(&f->a, before);
        gt_buf_clear(&heads);
        gt_buf_clear(&heads_after);
        all_heads(&f->a, &heads);
        reopen(&f->a, 0);
        assert_int_equal(gt_repo_uncovered(f->a.repo), 0);
        all_heads(&f->a, &heads_after);
        test_site_digest(&f->a, after);
        assert_memory_equal(before, after, sizeof before);
        assert_int_equal(heads.len, heads_after.len);
        assert_memory_equal(heads.data, heads_after.data, heads.len);
        assert_int_equal(gt_repo_parked_count(f->a.repo), 1);
        assert_int_equal(test_site_audit(&f->a, NULL), 0);
    }
    uint64_t seq = next_seq(f, &f->a);
    reopen(&f->a, 0); /* the checkpoint, and one record behind it */
    assert_true(gt_repo_uncovered(f->a.repo) > 0);
    assert_int_equal(next_seq(f, &f->a), seq + 1);
    test_site_digest(&f->a, before);
    reopen(&f->a, TEST_SITE_NO_CHECKPOINT);
    test_site_digest(&f->a, after);
    assert_memory_equal(before, after, sizeof before);
    assert_int_equal(next_seq(f, &f->a), seq + 2);
    gt_buf_free(&heads);
    gt_buf_free(&heads_after);
}

static void what_waits_in_it_is_taken_in_when_its_parent_comes(void **state) {
    fixture *f = *state;
    gt_id id;
    test_frames frames = {0};
    for (uint32_t i = 0; i < 3; i++) {
        test_frames_add(&frames, test_writer_commit(&f->writer, "x", i + 1, i == 0 ? NULL : &id, "{votes: 1}", &id));
    }
    test_site_admits(&f->a, test_frames_at(&frames, 2), GT_PARKED);
    test_site_admits(&f->a, test_frames_at(&frames, 1), GT_PARKED);
    test_site_checkpoint(&f->a);
    reopen(&f->a, 0);
    assert_int_equal(gt_repo_parked_count(f->a.repo), 2);
    test_site_admits(&f->a, test_frames_at(&frames, 0), GT_ADMITTED);
    test_site_shows(&f->a, "x", "{votes: 3}");
    test_frames_free(&frames);
}

static void many_rows_are_used_in_place_and_grow(void **state) {
    fixture *f = *state;
    uint8_t before[GT_HASH_SIZE], after[GT_HASH_SIZE];
    char key[16];
    for (uint32_t i = 0; i < 3000; i++) { /* some pages of rows */
        snprintf(key, sizeof key, "k%u", (unsigned)i % 2500);
        test_writer_leaf(&f->writer, key, i + 1, NULL, 0, i % 3 == 0 ? "{votes: 1}" : "{tags: set[1, 2]}", NULL);
    }
    test_site_admits(&f->a, test_writer_finish(&f->writer), GT_ADMITTED);
    for (int round = 0; round < 3; round++) {
        test_site_digest(&f->a, before);
        test_site_checkpoint(&f->a);
        reopen(&f->a, 0);
        assert_int_equal(gt_repo_uncovered(f->a.repo), 0);
        test_site_digest(&f->a, after);
        assert_memory_equal(before, after, sizeof before);
        for (uint32_t i = 0; i < 300; i++) {
            snprintf(key, sizeof key, "k%u", (unsigned)(i * 9 + (uint32_t)round));
            test_site_edit(&f->a, key, "goat", 1, "{votes: 5}");
        }
    }
    test_site_digest(&f->a, before);
    reopen(&f->a, TEST_SITE_NO_CHECKPOINT);
    test_site_digest(&f->a, after);
    assert_memory_equal(before, after, sizeof before);
}

static void a_storage_that_gives_it_in_pieces_does_not_matter(void **state) {
    fixture *f = *state;
    fill(f);
    test_site_checkpoint(&f->a);
    gt_sim_options_of(f->a.disk)->chunk_max = 1000;
    reopen(&f->a, 0);
    assert_int_equal(gt_repo_uncovered(f->a.repo), 0);
    test_site_shows(&f->a, "more", "{votes: 5, raw: bytes(00112233445566778899), tags: set[1, 2, 3]}");
}

/* ---- other schemas at hand than when it was written ---- */

static void change_schemas(test_site *site, const char *first, const char *second) {
    test_site_close(site);
    gt_registry_free(site->schemas);
    site->schemas = gt_registry_new(site->alloc);
    if (first != NULL) test_site_learn(site, first);
    if (second != NULL) test_site_learn(site, second);
    test_site_open(site, 0);
}

static void states_of_another_version_are_not_taken_from_it(void **state) {
    fixture *f = *state;
    gt_id id;
    test_site_learn(&f->a, test_goat_2);
    test_site_admits(&f->a, test_writer_commit(&f->writer, "x", 1, NULL, "{text: 'a', size: 1}", &id), GT_ADMITTED);
    test_site_admits(&f->a, test_writer_commit(&f->writer, "y", 1, NULL, "{text: 'y', size: 1}", &id), GT_ADMITTED);
    test_site_edit(&f->a, "x", "goat", 2, "{text: 'b', extra: 'e'}");
    test_site_shows(&f->a, "x", "{text: 'b', extra: 'e'}");
    test_site_shows(&f->a, "y", "{text: 'y'}");
    test_site_checkpoint(&f->a);
    change_schemas(&f->a, test_goat_1, NULL);
    test_site_shows(&f->a, "x", "{text: 'a', size: 1}");
    test_site_shows(&f->a, "y", "{text: 'y', size: 1}");
    test_site_checkpoint(&f->a);
    change_schemas(&f->a, test_goat_1, test_goat_2);
    test_site_shows(&f->a, "x", "{text: 'b', extra: 'e'}");
    test_site_shows(&f->a, "y", "{text: 'y'}");
    test_site_checkpoint(&f->a);
    change_schemas(&f->a, NULL, NULL);
    test_site_shows(&f->a, "x", NULL);
    test_site_checkpoint(&f->a);
    change_schemas(&f->a, test_goat_1, test_goat_2);
    test_site_shows(&f->a, "x", "{text: 'b', extra: 'e'}");
    change_schemas(&f->a, test_goat_2, NULL); /* version 1 is not known: its commits are carried */
    test_site_shows(&f->a, "y", NULL);
}

/* ---- damage ---- */

static uint8_t *copy_file(test_site *site, const char *name, size_t *len) {
    gt_bytes file = gt_sim_file(site->disk, name);
    assert_non_null(file.data);
    uint8_t *copy = malloc(file.len);
    memcpy(copy, file.data, file.len);
    *len = file.len;
    return copy;
}

static void damage_below_it_is_found_at_the_first_touch(void **state) {
    fixture *f = *state;
    static const char *const keys[] = {"one", "more", "gone"};
    size_t len, named = 0, whole = 0;
    fill(f);
    test_site_checkpoint(&f->a);
    test_site_close(&f->a);
    uint8_t *log = copy_file(&f->a, TEST_REPO_LOG, &len);
    gt_bytes states[3];
    static const char *const shown[] = {"{text: 'first and only'}",
                                        "{votes: 5, raw: bytes(00112233445566778899), tags: set[1, 2, 3]}",
                                        "{text: 'gone', 0: true}"};
    for (int i = 0; i < 3; i++) states[i] = test_value(shown[i]);
    for (size_t at = GT_LOG_HEADER_SIZE; at + 40 < len; at += 5) {
        log[at] ^= 0x10;
        assert_true(gt_sim_put_file(f->a.disk, TEST_REPO_LOG, gt_bytes_of(log, len)));
        log[at] ^= 0x10;
        test_site_open(&f->a, 0);
        assert_int_equal(gt_repo_uncovered(f->a.repo), 0);
        bool corrupt = false;
        for (int i = 0; i < 3; i++) {
            gt_seen seen;
            gt_diag diag;
            gt_diag_init(&diag);
            uint32_t item = gt_repo_find(f->a.repo, gt_bytes_text(keys[i]));
            assert_int_not_equal(item, GT_NONE); /* keys are in the checkpoint */
            goat_status status = gt_repo_view(f->a.repo, item, &seen, &diag);
            if (status == GOAT_OK) {
                assert_true(gt_bytes_equal(seen.view.bytes, states[i]));
                gt_view_drop(f->a.alloc, &seen.view);
            } else {
                assert_int_equal(status, GOAT_CORRUPT);
                assert_non_null(strstr(diag.path, keys[i]));
                corrupt = true;
            }
        }
        named += corrupt;
        whole += !corrupt;
        assert_true(test_site_audit(&f->a, NULL) >= 1);
        test_site_close(&f->a);
    }
    assert_true(named > 10 && whole > 10);
    for (int i = 0; i < 3; i++) test_value_free(states[i]);
    free(log);
}

/* An edit on what is damaged must not carry the damage on. */
static void a_peers_edit_on_a_damaged_item_is_not_applied_to_the_damage(void **state) {
    fixture *f = *state;
    test_site_edit(&f->a, "x", "goat", 1, "{text: 'abcdefghij', votes: 1}");
    test_site_send_new(&f->a, &f->b);
    test_site_checkpoint(&f->a);
    test_site_close(&f->a);
    gt_bytes file = gt_sim_file(f->a.disk, TEST_REPO_LOG);
    size_t at = 0;
    while (memcmp(file.data + at, "abcdefghij", 10) != 0) at++;
    gt_sim_flip_bit(f->a.disk, TEST_REPO_LOG, at * 8 + 1);
    test_site_open(&f->a, 0);
    test_site_edit(&f->b, "x", "goat", 1, "{votes: 1}");
    f->b.frame_offset = GT_LOG_HEADER_SIZE;
    gt_bytes first = test_site_next_frame(&f->b);
    test_site_admits(&f->a, test_site_next_frame(&f->b), GT_ADMITTED);
    gt_seen seen;
    assert_int_equal(gt_repo_view(f->a.repo, 0, &seen, NULL), GOAT_CORRUPT);
    test_site_shows(&f->b, "x", "{text: 'abcdefghij', votes: 2}");
    test_site_admits(&f->a, first, GT_ADMITTED); /* what was lost comes again */
    test_site_shows(&f->a, "x", "{text: 'abcdefghij', votes: 2}");
}

/* ---- wrong numbers ---- */

/* Everything that reads, and an edit. */
static void use(test_site *site) {
    gt_buf out;
    gt_buf_init(&out, &gt_alloc_system);
    for (uint32_t i = 0; i < gt_repo_item_count(site->repo); i++) {
        gt_seen seen;
        (void)gt_repo_find(site->repo, gt_repo_key(site->repo, i));
        if (gt_repo_view(site->repo, i, &seen, NULL) == GOAT_OK) {
            assert_int_equal(gt_value_check(seen.view.bytes, GT_VALUE_EDIT, NULL), GOAT_OK);
            gt_view_drop(site->alloc, &seen.view);
        }
        gt_buf_clear(&out);
        test_site_commits(site, i, &out);
        for (size_t at = 0; at < out.len; at += sizeof(uint32_t)) {
            uint32_t row;
            gt_commit_info info;
            memcpy(&row, out.data + at, sizeof row);
            if (gt_repo_commit_info(site->repo, row, &info, NULL) != GOAT_OK) continue;
            gt_id inner, id; /* what it gives out is the very commit */
            gt_commit_inner(site->hasher, info.commit.header.data - GT_SALT_SIZE, info.commit.payload, &inner);
            gt_commit_id(site->hasher, &info.session, &inner, info.commit.header, &id);
            assert_memory_equal(id.bytes, info.id.bytes, GT_ID_SIZE);
        }
    }
    while (!gt_repo_fingerprint_step(site->repo, 100)) {
    }
    (void)test_site_audit(site, NULL);
    gt_capture *capture = NULL;
    gt_signer signer = {site->own->session, &site->own->secret};
    gt_bytes delta = test_value("{votes: 1}");
    static const char *const keys[] = {"one", "more", "sheep"};
    for (int i = 0; i < 3; i++) {
        gt_buf_clear(&out);
        uint32_t item = gt_repo_find(site->repo, gt_bytes_text(keys[i]));
        if (item != GT_NONE) (void)gt_repo_heads(site->repo, item, &out, NULL);
        gt_leaf leaf = {.key = gt_bytes_text(keys[i]),
                        .parents = (const gt_id *)(const void *)out.data,
                        .parent_count = (uint32_t)(out.len / GT_ID_SIZE),
                        .schema = test_site_schema(site, "goat", 1),
                        .delta = delta};
        if (gt_capture_begin(site->repo, &capture, NULL) != GOAT_OK) break; /* it has stopped */
        if (gt_capture_add(capture, &signer, &leaf, NULL, NULL) == GOAT_OK) {
            (void)gt_capture_finish(capture, &signer, GT_FROM_SELF, NULL);
        } else {
            gt_capture_drop(capture);
        }
    }
    test_value_free(delta);
    gt_buf_free(&out);
}

static void write_crcs(uint8_t *file, size_t len) {
    size_t header = 80 + (size_t)gt_get_u32(file + 12) * 24;
    if (header + 4 > len - 4) return;
    gt_put_u32(file + header, gt_crc32c(0, file, header));
    gt_put_u32(file + len - 4, gt_crc32c(0, file + header + 4, len - 4 - header - 4));
}

/* Whoever may write the folder may write wrong numbers with right checksums: they must lead nowhere. */
static void no_wrong_number_leads_astray(void **state) {
    fixture *f = *state;
    size_t len, log_len, opened = 0, adopted = 0;
    fill(f);
    uint8_t digest[GT_HASH_SIZE];
    test_site_digest(&f->a, digest); /* so that states are in it */
    test_site_checkpoint(&f->a);
    test_site_close(&f->a);
    uint8_t *file = copy_file(&f->a, TEST_REPO_CHECKPOINT, &len), *log = copy_file(&f->a, TEST_REPO_LOG, &log_len);
    uint8_t *spoiled = malloc(len);
    write_crcs(file, len);
    assert_memory_equal(file, gt_sim_file(f->a.disk, TEST_REPO_CHECKPOINT).data, len); /* that is how it is done */
    for (size_t at = 0; at + 4 < len; at += 4) {
        uint32_t was = gt_get_u32(file + at);
        const uint32_t values[] = {was + 1, was - 1, was ^ 0x80000400u, UINT32_MAX};
        bool lanes =
            at > 0 && memcmp(file + at - 4, file + at, 4) != 0 && at % 64 != 0 && len - at < 3000 && at % 32 != 0;
        for (size_t v = 0; v < (lanes ? 1 : sizeof values / sizeof values[0]); v++) {
            if (values[v] == was) continue;
            memcpy(spoiled, file, len);
            gt_put_u32(spoiled + at, values[v]);
            write_crcs(spoiled, len);
            assert_true(gt_sim_put_file(f->a.disk, TEST_REPO_CHECKPOINT, gt_bytes_of(spoiled, len)));
            assert_true(gt_sim_put_file(f->a.disk, TEST_REPO_LOG, gt_bytes_of(log, log_len)));
            test_site_open(&f->a, 0);
            opened++;
            adopted += gt_repo_uncovered(f->a.repo) == 0;
            use(&f->a);
            test_site_close(&f->a);
        }
    }
    printf("%zu wrong checkpoints, %zu of them used\n", opened, adopted);
    assert_true(adopted > 100 && opened - adopted > 100);
    free(spoiled);
    free(file);
    free(log);
}

static void one_of_another_log_or_cut_short_is_ignored(void **state) {
    fixture *f = *state;
    size_t len;
    uint8_t before[GT_HASH_SIZE], after[GT_HASH_SIZE];
    fill(f);
    test_site_checkpoint(&f->b);
    test_site_digest(&f->a, before);
    test_site_checkpoint(&f->a);
    uint8_t *theirs = copy_file(&f->b, TEST_REPO_CHECKPOINT, &len);
    for (size_t cut = 0; cut <= len; cut += cut < 600 ? 40 : 333) {
        test_site_close(&f->a);
        assert_true(gt_sim_put_file(f->a.disk, TEST_REPO_CHECKPOINT, gt_bytes_of(theirs, len - cut)));
        test_site_open(&f->a, 0);
        test_site_digest(&f->a, after);
        assert_memory_equal(before, after, sizeof before);
    }
    free(theirs);
}

/* Some pages of rows: it is checked in several steps. */
static void fill_large(fixture *f) {
    char key[16];
    test_site_edit(&f->a, "one", "goat", 1, "{text: 'first and only'}");
    for (uint32_t i = 0; i < 4000; i++) {
        snprintf(key, sizeof key, "k%u", (unsigned)i % 3000);
        test_writer_leaf(&f->writer, key, i + 10, NULL, 0, i % 3 == 0 ? "{votes: 1}" : "{tags: set[1, 2]}", NULL);
    }
    test_site_admits(&f->a, test_writer_finish(&f->writer), GT_ADMITTED);
}

/* Puts a checkpoint in its place and opens again; whether it is used. */
static bool is_used(fixture *f, gt_bytes file, const uint8_t digest[GT_HASH_SIZE]) {
    uint8_t after[GT_HASH_SIZE];
    test_site_close(&f->a);
    assert_true(gt_sim_put_file(f->a.disk, TEST_REPO_CHECKPOINT, file));
    test_site_open(&f->a, 0);
    bool used = gt_repo_uncovered(f->a.repo) == 0;
    test_site_digest(&f->a, after);
    assert_memory_equal(digest, after, sizeof after);
    return used;
}

/* Rows are checked before the checksum has come to its end: nothing of them counts until then. */
static void damage_anywhere_in_it_leads_to_the_log(void **state) {
    fixture *f = *state;
    size_t len;
    uint8_t digest[GT_HASH_SIZE];
    fill_large(f);
    test_site_digest(&f->a, digest);
    test_site_checkpoint(&f->a);
    uint8_t *file = copy_file(&f->a, TEST_REPO_CHECKPOINT, &len);
    assert_true(len > 2 * 256 * 1024);
    assert_true(is_used(f, gt_bytes_of(file, len), digest));
    for (size_t i = 0; i <= 16; i++) {
        size_t at = i == 16 ? len - 1 : len / 16 * i;
        file[at] ^= 1;
        assert_false(is_used(f, gt_bytes_of(file, len), digest));
        file[at] ^= 1;
    }
    free(file);
}

static void its_sections_may_lie_in_another_order(void **state) {
    fixture *f = *state;
    size_t len;
    gt_buf turned;
    gt_checkpoint read;
    uint8_t digest[GT_HASH_SIZE];
    fill_large(f);
    test_site_digest(&f->a, digest);
    test_site_checkpoint(&f->a);
    uint8_t *file = copy_file(&f->a, TEST_REPO_CHECKPOINT, &len);
    assert_int_equal(gt_checkpoint_read(file, len, &read, NULL), GOAT_OK);
    for (uint32_t i = 0, j = read.section_count - 1; i < j; i++, j--) {
        gt_section one = read.sections[i];
        read.sections[i] = read.sections[j];
        read.sections[j] = one;
    }
    gt_buf_init(&turned, &gt_alloc_system);
    gt_checkpoint_write(&read, &turned);
    assert_false(gt_buf_failed(&turned));
    assert_true(is_used(f, gt_buf_bytes(&turned), digest));
    use(&f->a);
    gt_buf_free(&turned);
    free(file);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        PAIR_CASE(it_gives_the_same_answers),
        PAIR_CASE(what_waits_in_it_is_taken_in_when_its_parent_comes),
        PAIR_CASE(many_rows_are_used_in_place_and_grow),
        PAIR_CASE(a_storage_that_gives_it_in_pieces_does_not_matter),
        PAIR_CASE(states_of_another_version_are_not_taken_from_it),
        PAIR_CASE(damage_below_it_is_found_at_the_first_touch),
        PAIR_CASE(a_peers_edit_on_a_damaged_item_is_not_applied_to_the_damage),
        PAIR_CASE(no_wrong_number_leads_astray),
        PAIR_CASE(one_of_another_log_or_cut_short_is_ignored),
        PAIR_CASE(damage_anywhere_in_it_leads_to_the_log),
        PAIR_CASE(its_sections_may_lie_in_another_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
