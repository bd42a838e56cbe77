/* core/repo: receipts: what a server writes, what is kept of others, and what follows after each kind of opening. */
#include "support/test.h"

#include "support/test_pair.h"
#include "support/test_value.h"

#include <stdio.h>
#include <stdlib.h>

typedef test_pair fixture;

/* ---- given ---- */

static void edit(test_site *site, const char *key) { test_site_edit(site, key, "goat", 1, "{votes: 1}"); }

static goat_status write_one(test_site *site) {
    gt_signer signer = {site->own->session, &site->own->secret};
    return gt_repo_write_receipt(site->repo, &signer, NULL);
}

static void write_all(test_site *site) {
    while (gt_repo_wants_receipt(site->repo)) assert_int_equal(write_one(site), GOAT_OK);
}

static gt_receipt receipt_at(fixture *f, test_site *site, uint32_t row) {
    gt_receipt receipt;
    gt_bytes bytes;
    gt_id id;
    gt_repo_receipt_at(site->repo, row, &id, &bytes);
    assert_int_equal(gt_receipt_decode(bytes, &f->arena, &receipt, NULL), GOAT_OK);
    gt_receipt_hash(f->network.hasher, &f->network.place, &receipt);
    assert_memory_equal(&id, &receipt.id, sizeof id);
    return receipt;
}

static gt_admission admit(test_site *site, const gt_receipt *receipt) {
    gt_admission outcome;
    assert_int_equal(gt_repo_admit_receipt(site->repo, receipt, &outcome, NULL), GOAT_OK);
    return outcome;
}

/* ---- then ---- */

/* All receipts of a server: signed, chained, numbered, and together naming all records from `begin` on. */
static void receipts_name_all(fixture *f, test_site *site, uint32_t begin, uint64_t entries) {
    gt_id last = {{0}};
    uint32_t record = begin;
    for (uint32_t row = 0; row < gt_repo_receipt_count(site->repo); row++) {
        gt_receipt receipt = receipt_at(f, site, row);
        assert_int_equal(gt_receipt_verify(&f->network.place, &receipt, site->own->public_key, NULL, NULL), GOAT_OK);
        assert_memory_equal(receipt.log_id, gt_log_get_identity(gt_repo_log(site->repo))->log_id, GT_LOG_ID_SIZE);
        assert_int_equal(receipt.previous == NULL, row == 0);
        if (row > 0) assert_memory_equal(receipt.previous, &last, sizeof last);
        assert_int_equal(receipt.first, entries);
        for (uint32_t i = 0; i < receipt.node_count; i++) {
            gt_held held;
            gt_repo_held(site->repo, record++, &held);
            assert_memory_equal(receipt.nodes[i].batch, &held.batch, sizeof held.batch);
            gt_batch batch;
            assert_int_equal(gt_batch_decode(held.frame, &f->arena, &batch, NULL), GOAT_OK);
            uint32_t leaves = 0;
            for (uint32_t n = 0; n < batch.node_count; n++) leaves += batch.nodes[n].kind == GT_NODE_LEAF;
            assert_int_equal(receipt.nodes[i].admits_all, leaves == batch.size);
            if (!receipt.nodes[i].admits_all) assert_int_equal(receipt.nodes[i].entries, leaves);
            entries += leaves;
        }
        last = receipt.id;
    }
    assert_int_equal(record, gt_repo_record_count(site->repo));
    assert_int_equal(entries, gt_repo_commit_count(site->repo));
    assert_false(gt_repo_wants_receipt(site->repo));
    assert_int_equal(test_site_audit(site, NULL), 0);
}

/* ---- claims ---- */

static void nobody_is_given_receipts_who_did_not_ask(void **state) {
    fixture *f = *state;
    edit(&f->a, "x");
    assert_false(gt_repo_wants_receipt(f->a.repo));
    assert_int_equal(write_one(&f->a), GOAT_OK);
    assert_int_equal(gt_repo_receipt_count(f->a.repo), 0);
    gt_repo_receipts_begin(f->a.repo);
    assert_false(gt_repo_wants_receipt(f->a.repo)); /* what was there before is not named */
    edit(&f->a, "y");
    assert_true(gt_repo_wants_receipt(f->a.repo));
    write_all(&f->a);
    receipts_name_all(f, &f->a, 1, 1);
}

static void they_name_what_was_logged_in_its_order(void **state) {
    fixture *f = *state;
    gt_buf parts[2];
    gt_repo_receipts_begin(f->a.repo);
    edit(&f->a, "x");
    write_all(&f->a);
    for (uint32_t i = 0; i < 5; i++) {
        char key[8];
        snprintf(key, sizeof key, "i%u", (unsigned)i);
        test_writer_leaf(&f->writer, key, i + 1, NULL, 0, "{votes: 1}", NULL);
    }
    gt_bytes frame = test_writer_finish(&f->writer);
    test_writer_elide(&f->writer, frame, "01101", GT_NODE_HAD, &parts[0]);
    test_writer_elide(&f->writer, frame, "10010", GT_NODE_HAD, &parts[1]);
    test_site_admits(&f->a, gt_buf_bytes(&parts[0]), GT_ADMITTED);
    edit(&f->a, "y");
    write_all(&f->a);
    test_site_admits(&f->a, gt_buf_bytes(&parts[1]), GT_ADMITTED);
    edit(&f->a, "x");
    write_all(&f->a);
    receipts_name_all(f, &f->a, 0, 0);
    gt_receipt second = receipt_at(f, &f->a, 1);
    gt_run run;
    size_t at = 0;
    assert_true(gt_receipt_run(&second.nodes[0], &at, &run));
    assert_true(run.first == 1 && run.count == 2);
    assert_true(gt_receipt_run(&second.nodes[0], &at, &run));
    assert_true(run.first == 4 && run.count == 1);
    assert_false(gt_receipt_run(&second.nodes[0], &at, &run));
    for (int i = 0; i < 2; i++) gt_buf_free(&parts[i]);
}

/* A record of it may be there although its only leaves are hidden: it is named, and has no entry. */
static void a_batch_without_entries_is_named(void **state) {
    fixture *f = *state;
    gt_buf none;
    gt_repo_receipts_begin(f->a.repo);
    test_writer_elide(&f->writer, test_writer_commit(&f->writer, "x", 1, NULL, "{votes: 1}", NULL), "0", GT_NODE_HIDDEN,
                      &none);
    test_site_admits(&f->a, gt_buf_bytes(&none), GT_ADMITTED);
    write_all(&f->a);
    receipts_name_all(f, &f->a, 0, 0);
    test_site_reopen(&f->a, TEST_SITE_NO_CHECKPOINT);
    gt_repo_receipts_begin(f->a.repo);
    edit(&f->a, "x");
    write_all(&f->a);
    receipts_name_all(f, &f->a, 0, 0);
    gt_buf_free(&none);
}

static void they_go_on_after_opening(void **state) {
    fixture *f = *state;
    static const int flags[] = {0, TEST_SITE_NO_CHECKPOINT, 0, TEST_SITE_NO_CHECKPOINT};
    edit(&f->a, "before");
    gt_repo_receipts_begin(f->a.repo);
    for (int i = 0; i < 4; i++) {
        edit(&f->a, "x");
        write_all(&f->a);
        edit(&f->a, "y"); /* logged, and then it ended */
        if (i < 2) test_site_checkpoint(&f->a);
        edit(&f->a, "z");
        if (i % 2 == 1) write_all(&f->a);
        test_site_reopen(&f->a, flags[i]);
        assert_false(gt_repo_wants_receipt(f->a.repo)); /* nobody asked yet */
        gt_repo_receipts_begin(f->a.repo);
        assert_int_equal(gt_repo_wants_receipt(f->a.repo), i % 2 == 0);
    }
    write_all(&f->a);
    receipts_name_all(f, &f->a, 1, 1);
}

static void many_batches_take_several_receipts(void **state) {
    fixture *f = *state;
    gt_repo_receipts_begin(f->a.repo);
    for (int i = 0; i < GT_RECEIPT_LEAVES_MAX + 10; i++) edit(&f->a, i % 2 == 0 ? "x" : "y");
    assert_int_equal(write_one(&f->a), GOAT_OK);
    assert_true(gt_repo_wants_receipt(f->a.repo));
    test_site_reopen(&f->a, TEST_SITE_NO_CHECKPOINT); /* in between */
    gt_repo_receipts_begin(f->a.repo);
    write_all(&f->a);
    assert_int_equal(gt_repo_receipt_count(f->a.repo), 2);
    receipts_name_all(f, &f->a, 0, 0);
}

static void a_replica_keeps_them_once(void **state) {
    fixture *f = *state;
    gt_repo_receipts_begin(f->a.repo);
    for (int i = 0; i < 3; i++) {
        edit(&f->a, "x");
        write_all(&f->a);
    }
    test_site_send_new(&f->a, &f->b);
    for (uint32_t i = 0; i < 3; i++) {
        gt_receipt receipt = receipt_at(f, &f->a, i);
        assert_int_equal(admit(&f->b, &receipt), GT_ADMITTED);
        assert_int_equal(admit(&f->b, &receipt), GT_KNOWN);
    }
    uint64_t length = gt_log_length(gt_repo_log(f->b.repo));
    for (int flags = 0; flags < 2; flags++) {
        if (flags == 0) test_site_checkpoint(&f->b);
        test_site_reopen(&f->b, flags == 0 ? 0 : TEST_SITE_NO_CHECKPOINT);
        assert_int_equal(gt_repo_receipt_count(f->b.repo), 3);
        for (uint32_t i = 0; i < 3; i++) {
            gt_receipt theirs = receipt_at(f, &f->a, i), ours = receipt_at(f, &f->b, i);
            assert_memory_equal(ours.bytes.data, theirs.bytes.data, theirs.bytes.len);
            assert_int_equal(gt_repo_find_receipt(f->b.repo, &ours.id), i);
            assert_int_equal(admit(&f->b, &theirs), GT_KNOWN);
        }
        assert_int_equal(gt_log_length(gt_repo_log(f->b.repo)), length);
        assert_int_equal(test_site_audit(&f->b, NULL), 0);
    }
    gt_id nobody = {{9}};
    assert_int_equal(gt_repo_find_receipt(f->b.repo, &nobody), GT_NONE);
    gt_repo_receipts_begin(f->b.repo); /* they are not of its own log */
    assert_false(gt_repo_wants_receipt(f->b.repo));
}

/* The log is as it was before its last records, which clients still have: its receipts of then are a stranger's. */
/* The set of the first entries and receipts, in steps of one, is what all of them together come to, each hashed anew. */
static void set_is_right(test_site *site, uint32_t commits, uint32_t receipts) {
    gt_frozen frozen = {.commits = commits, .receipts = receipts};
    gt_lthash all;
    uint64_t count = commits;
    gt_id id;
    uint8_t entry[GT_ENTRY_SIZE];
    while (!gt_repo_freeze_step(site->repo, &frozen, 1)) {
    }
    gt_lthash_init(&all);
    for (uint32_t i = 0; i < commits + receipts; i++) {
        uint32_t leaf = UINT32_MAX;
        gt_bytes bytes = {.data = entry};
        if (i < commits) gt_repo_entry(site->repo, i, &id, &leaf);
        if (i >= commits) gt_repo_receipt_at(site->repo, i - commits, &id, &bytes);
        if (bytes.data == NULL) continue;
        count += i >= commits;
        memcpy(entry, &id, GT_ID_SIZE);
        gt_put_u32(entry + GT_ID_SIZE, leaf);
        gt_lthash_add(site->hasher, &all, gt_bytes_of(entry, sizeof entry));
    }
    assert_int_equal(frozen.count, count);
    assert_memory_equal(frozen.set.lanes, all.lanes, sizeof all.lanes);
}

static void the_set_of_a_moment_has_its_receipts(void **state) {
    fixture *f = *state;
    enum { COUNT = 6 };
    gt_repo_receipts_begin(f->a.repo);
    for (uint32_t i = 0; i < COUNT; i++) {
        edit(&f->a, "x");
        write_all(&f->a);
        set_is_right(&f->a, i / 2, i / 2);
        set_is_right(&f->a, i + 1, i + 1);
    }
    test_site_checkpoint(&f->a);
    uint64_t offset = GT_LOG_HEADER_SIZE;
    gt_record record;
    for (int seen = 0; seen < 3; seen += record.type == GT_RECORD_RECEIPT) {
        assert_int_equal(gt_log_next(gt_repo_log(f->a.repo), &offset, false, &record), GOAT_OK);
    }
    uint64_t at = record.offset + record.payload.len / 2;
    gt_receipt lost;
    uint8_t *copy = gt_arena_copy(&f->arena, record.payload.data, record.payload.len);
    gt_bytes bytes = gt_bytes_of(copy, record.payload.len);
    assert_int_equal(gt_receipt_decode(bytes, &f->arena, &lost, NULL), GOAT_OK);
    gt_receipt_hash(f->network.hasher, &f->network.place, &lost);
    test_site_close(&f->a);
    gt_sim_flip_bit(f->a.disk, TEST_REPO_LOG, at * 8);
    for (uint32_t known = 0; known <= COUNT; known += 3) { /* found damaged before it is counted, and later */
        test_site_open(&f->a, 0);
        gt_frozen frozen = {.commits = COUNT, .receipts = known};
        while (!gt_repo_freeze_step(f->a.repo, &frozen, 1)) {
        }
        set_is_right(&f->a, COUNT, 3);
        set_is_right(&f->a, COUNT, COUNT);
        if (known < COUNT) test_site_close(&f->a);
    }
    assert_int_equal(admit(&f->a, &lost), GT_ADMITTED); /* it comes again */
    set_is_right(&f->a, COUNT, COUNT);
    set_is_right(&f->a, 0, 3);
}

static void a_backup_that_was_put_back_goes_its_own_way(void **state) {
    fixture *f = *state;
    gt_repo_receipts_begin(f->a.repo);
    edit(&f->a, "x");
    write_all(&f->a);
    test_site_sync(&f->a);
    gt_bytes file = gt_sim_file(f->a.disk, TEST_REPO_LOG);
    uint8_t *backup = gt_copy(&gt_alloc_system, file.data, file.len);
    size_t backup_len = file.len;
    edit(&f->a, "y");
    write_all(&f->a);
    gt_receipt lost = receipt_at(f, &f->a, 1);
    test_frames frames = {0};
    for (gt_bytes frame; (frame = test_site_next_frame(&f->a)).data != NULL;) test_frames_add(&frames, frame);
    uint8_t *kept = gt_copy(&gt_alloc_system, lost.bytes.data, lost.bytes.len);
    size_t kept_len = lost.bytes.len;
    test_site_close(&f->a);
    assert_true(gt_sim_put_file(f->a.disk, TEST_REPO_LOG, gt_bytes_of(backup, backup_len)));
    test_site_open(&f->a, 0);
    gt_repo_receipts_begin(f->a.repo);
    test_site_admits(&f->a, test_writer_commit(&f->writer, "z", 1, NULL, "{votes: 1}", NULL), GT_ADMITTED);
    test_site_admits(&f->a, test_frames_at(&frames, 1), GT_ADMITTED);
    assert_int_equal(gt_receipt_decode(gt_bytes_of(kept, kept_len), &f->arena, &lost, NULL), GOAT_OK);
    gt_receipt_hash(f->network.hasher, &f->network.place, &lost);
    assert_int_equal(admit(&f->a, &lost), GT_ADMITTED);
    assert_true(gt_repo_wants_receipt(f->a.repo));
    for (int i = 0; i < 2; i++) {
        write_all(&f->a);
        assert_int_equal(gt_repo_receipt_count(f->a.repo), 3);
        gt_receipt first = receipt_at(f, &f->a, 0), third = receipt_at(f, &f->a, 2);
        assert_int_equal(third.first, 1);
        assert_int_equal(third.size, 2);
        assert_memory_equal(third.previous, &first.id, GT_ID_SIZE);
        test_site_reopen(&f->a, TEST_SITE_NO_CHECKPOINT);
        gt_repo_receipts_begin(f->a.repo);
        assert_false(gt_repo_wants_receipt(f->a.repo));
        assert_int_equal(test_site_audit(&f->a, NULL), 0);
    }
    test_frames_free(&frames);
    free(backup);
    free(kept);
}

static void without_memory_or_disk_nothing_is_half_done(void **state) {
    fixture *f = *state;
    gt_repo_receipts_begin(f->a.repo);
    for (int i = 0; i < 3; i++) edit(&f->a, "x");
    bool failed = true;
    for (uint64_t k = 0; failed; k++) {
        uint64_t length = gt_log_length(gt_repo_log(f->a.repo));
        f->a.memory.left = k;
        f->a.memory.failed = false;
        goat_status status = write_one(&f->a);
        failed = f->a.memory.failed;
        f->a.memory.left = TEST_ALLOC_NEVER;
        assert_int_equal(status, failed ? GOAT_NO_MEMORY : GOAT_OK);
        if (gt_repo_get_phase(f->a.repo) == GT_REPO_FAILED) { /* the log knows more than the tables */
            test_site_close(&f->a);
            test_site_open(&f->a, TEST_SITE_NO_CHECKPOINT);
            gt_repo_receipts_begin(f->a.repo);
            edit(&f->a, "x");
        } else if (failed) {
            assert_int_equal(gt_log_length(gt_repo_log(f->a.repo)), length);
        }
        if (failed) assert_true(gt_repo_wants_receipt(f->a.repo));
    }
    receipts_name_all(f, &f->a, 0, 0);
}

/* ---- verify ---- */

static void audit_says(test_site *site, const char *expected) {
    gt_buf kinds;
    gt_buf_init(&kinds, &gt_alloc_system);
    test_site_audit(site, &kinds);
    assert_string_equal((const char *)kinds.data, expected);
    gt_buf_free(&kinds);
}

static void append_receipt(test_site *site, gt_bytes bytes) {
    assert_int_equal(gt_log_append(gt_repo_log(site->repo), GT_RECORD_RECEIPT, bytes, NULL, NULL), GOAT_OK);
}

static void verify_names_receipts_that_are_not_a_servers(void **state) {
    fixture *f = *state;
    gt_repo_receipts_begin(f->b.repo); /* author 1 is no server */
    edit(&f->b, "x");
    write_all(&f->b);
    audit_says(&f->b, "receipt ");
}

static void verify_names_receipts_with_a_wrong_signature_or_form(void **state) {
    fixture *f = *state;
    gt_repo_receipts_begin(f->a.repo);
    edit(&f->a, "x");
    write_all(&f->a);
    gt_receipt good = receipt_at(f, &f->a, 0);
    uint8_t bad[512];
    memcpy(bad, good.bytes.data, good.bytes.len);
    bad[good.signature - good.bytes.data] ^= 1;
    append_receipt(&f->a, gt_bytes_of(bad, good.bytes.len));
    append_receipt(&f->a, gt_bytes_of("no", 2));
    audit_says(&f->a, "receipt receipt ");
    test_site_close(&f->a);
    test_site_open(&f->a, TEST_SITE_NO_CHECKPOINT); /* it opens all the same */
    assert_int_equal(gt_repo_faults(f->a.repo), 1); /* what cannot be read */
    assert_int_equal(gt_repo_receipt_count(f->a.repo), 1);
}

/* Signed by the server itself, in its place, and not true. */
static void verify_names_receipts_that_say_what_the_log_has_not(void **state) {
    fixture *f = *state;
    for (int lie = 0; lie < 4; lie++) {
        edit(&f->a, "x");
        gt_held held;
        gt_repo_held(f->a.repo, gt_repo_record_count(f->a.repo) - 1, &held);
        if (lie == 1) held.batch.bytes[3] ^= 1;
        gt_receipt receipt = {.session = f->a.own->session, .first = lie == 0 ? 1 : 0, .time_ms = 5};
        memcpy(receipt.log_id, gt_log_get_identity(gt_repo_log(f->a.repo))->log_id, GT_LOG_ID_SIZE);
        gt_receipt_draft draft;
        gt_buf bytes;
        gt_buf_init(&bytes, &gt_alloc_system);
        gt_receipt_draft_init(&draft, &gt_alloc_system);
        gt_run run = {0, 2};
        assert_int_equal(gt_receipt_draft_add(&draft, f->network.hasher, &held.batch, lie == 2 ? &run : NULL, 1, NULL),
                         GOAT_OK);
        if (lie == 3) gt_receipt_draft_add(&draft, f->network.hasher, &held.batch, NULL, 0, NULL);
        assert_int_equal(gt_receipt_draft_finish(&draft, f->network.hasher, &f->network.place, &f->a.own->secret,
                                                 &receipt, &bytes, NULL),
                         GOAT_OK);
        append_receipt(&f->a, gt_buf_bytes(&bytes));
        audit_says(&f->a, "receipt ");
        gt_buf_free(&bytes);
        gt_receipt_draft_free(&draft);
        test_site_free(&f->a);
        test_site_init(&f->a, &f->network, 0, (uint64_t)lie + 10, 0);
        test_site_learn(&f->a, test_goat_1);
        test_site_open(&f->a, 0);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        PAIR_CASE(nobody_is_given_receipts_who_did_not_ask),
        PAIR_CASE(they_name_what_was_logged_in_its_order),
        PAIR_CASE(a_batch_without_entries_is_named),
        PAIR_CASE(they_go_on_after_opening),
        PAIR_CASE(many_batches_take_several_receipts),
        PAIR_CASE(a_replica_keeps_them_once),
        PAIR_CASE(the_set_of_a_moment_has_its_receipts),
        PAIR_CASE(a_backup_that_was_put_back_goes_its_own_way),
        PAIR_CASE(without_memory_or_disk_nothing_is_half_done),
        PAIR_CASE(verify_names_receipts_that_are_not_a_servers),
        PAIR_CASE(verify_names_receipts_with_a_wrong_signature_or_form),
        PAIR_CASE(verify_names_receipts_that_say_what_the_log_has_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
