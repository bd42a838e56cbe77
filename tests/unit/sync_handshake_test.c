/* How a sync connection begins: keys, networks, certificates, clocks. */
#include "sync/internal.h"

#include "support/test.h"
#include "support/test_trio.h"
#include "value/build.h"

typedef test_trio fixture;

static void join(fixture *f) { test_wire_join_anew(&f->wire, &f->client, &f->server); }

static void both_sides_prove_their_keys(void **state) {
    fixture *f = *state;
    join(f);
    const gt_sync_peer *server = gt_sync_get_peer(f->wire.c), *client = gt_sync_get_peer(f->wire.s);
    assert_true(server->greeted && client->greeted);
    assert_int_equal(f->client.greeted, 1);
    assert_memory_equal(server->session.bytes, f->network.authors[0].session.bytes, GT_ID_SIZE);
    assert_memory_equal(client->session.bytes, f->network.authors[1].session.bytes, GT_ID_SIZE);
    assert_memory_equal(server->root_key, f->network.authors[0].public_key, GT_PUBLIC_KEY_SIZE);
}

static void a_server_of_another_network_is_refused(void **state) {
    fixture *f = *state;
    f->client.host.network = &f->network.authors[3].session;
    join(f);
    assert_true(gt_sync_has_ended(f->wire.c));
    assert_int_equal(gt_sync_get_failure(f->wire.c)->status, GOAT_UNTRUSTED);
    assert_int_equal(f->server.greeted, 0);
}

static void a_client_without_a_network_takes_the_servers(void **state) {
    fixture *f = *state;
    f->client.host.network = NULL;
    join(f);
    assert_int_equal(f->client.greeted, 1);
    assert_memory_equal(gt_sync_get_peer(f->wire.c)->network.bytes, f->network.authors[0].session.bytes, GT_ID_SIZE);
}

/* A client that shows somebody else's key cannot sign for it. */
static void a_key_that_is_not_held_is_no_proof(void **state) {
    fixture *f = *state;
    gt_identity liar = f->network.authors[1];
    memcpy(liar.public_key, f->network.authors[2].public_key, GT_PUBLIC_KEY_SIZE);
    f->client.host.identity = &liar;
    join(f);
    assert_true(gt_sync_has_ended(f->wire.s));
    assert_int_equal(gt_sync_get_failure(f->wire.s)->status, GOAT_UNTRUSTED);
    assert_int_equal(f->server.greeted, 0);
}

static void a_server_without_a_certificate_is_refused(void **state) {
    fixture *f = *state;
    f->server.host.identity = &f->network.authors[3]; /* not the root, and nothing to show */
    join(f);
    assert_int_equal(gt_sync_get_failure(f->wire.c)->status, GOAT_UNTRUSTED);
    assert_int_equal(f->client.greeted, 0);
}

/* ---- servers that are not the root ---- */

static gt_buf shown; /* the certificate that the server shows */

static gt_bytes show(void *context) {
    (void)context;
    return gt_buf_bytes(&shown);
}

/* The server is author 3 now, and shows that the root says so. */
static void serve_as_three(fixture *f, int64_t end_ms) {
    const gt_identity *root = &f->network.authors[0], *three = &f->network.authors[3];
    gt_place place = {f->network.place.network, gt_bytes_text(GT_SESSIONS_PATH)};
    gt_chain_place first = {.seq = 1};
    gt_batch_draft draft;
    gt_buf state;
    gt_id id;
    char key[2 * GT_ID_SIZE + 1];
    static const uint8_t salt[GT_SALT_SIZE], schema_hash[GT_SCHEMA_HASH_SIZE];
    gt_buf_init(&state, &gt_alloc_system);
    gt_buf_init(&shown, &gt_alloc_system);
    gt_batch_draft_init(&draft, &gt_alloc_system);
    gt_certificate_key(&three->session, key);
    test_certificate_write(three, "server", end_ms, &state);
    gt_commit_draft commit = {.key = gt_bytes_text(key),
                              .time = 1,
                              .ns = gt_bytes_text(GT_SESSION_NS),
                              .version = 1,
                              .schema_hash = schema_hash,
                              .delta = gt_buf_bytes(&state)};
    gt_hasher *hasher = f->network.hasher;
    assert_int_equal(gt_batch_draft_add(&draft, hasher, &root->session, salt, &commit, NULL, NULL), GOAT_OK);
    assert_int_equal(
        gt_batch_draft_finish(&draft, hasher, &place, &root->session, &first, &root->secret, &shown, &id, NULL),
        GOAT_OK);
    gt_batch_draft_free(&draft);
    gt_buf_free(&state);
    f->server.host.identity = three;
    f->server.host.certificate = show;
}

/* Whether the client, to whom author 3 is in that role (NULL: nobody), believes it. */
static bool is_believed(fixture *f, const char *role, int64_t known_end_ms, int64_t shown_end_ms) {
    test_peer_free(&f->client);
    test_peer_init(&f->client, &f->network, 1, 22, 1 << 3);
    gt_sim_set_wall_ms(&f->client.site.clock, INT64_C(1700000000000));
    if (role != NULL) test_peer_learn(&f->client, &f->network.authors[3], role, known_end_ms);
    serve_as_three(f, shown_end_ms);
    test_wire_join(&f->wire, &f->client, &f->server);
    test_wire_settle(&f->wire);
    bool believed = f->client.greeted == 1;
    if (!believed) assert_int_equal(gt_sync_get_failure(f->wire.c)->status, GOAT_UNTRUSTED);
    test_wire_cut(&f->wire);
    gt_buf_free(&shown);
    return believed;
}

static void what_is_known_of_a_servers_key_is_in_force(void **state) {
    fixture *f = *state;
    const int64_t now = INT64_C(1700000000000);
    assert_true(is_believed(f, NULL, 0, 0));
    assert_true(is_believed(f, "server", 0, 0));
    assert_false(is_believed(f, "anonymous", 0, 0)); /* it was a server's */
    assert_true(is_believed(f, NULL, 0, now));
    assert_false(is_believed(f, NULL, 0, now - 1));
    assert_true(is_believed(f, "server", now, 0));
    assert_false(is_believed(f, "server", now - 1, 0));
}

static void a_peer_that_says_nothing_is_cut_off(void **state) {
    fixture *f = *state;
    test_wire_join(&f->wire, &f->client, &f->server);
    gt_buf packet;
    gt_buf_init(&packet, &gt_alloc_system);
    assert_false(gt_sync_send(f->wire.s, f->wire.now_us, &packet));
    assert_int_equal(gt_sync_deadline(f->wire.s), f->wire.now_us + GT_SYNC_HANDSHAKE_US);
    gt_sync_send(f->wire.s, f->wire.now_us + GT_SYNC_HANDSHAKE_US, &packet);
    gt_buf_free(&packet);
    assert_true(gt_sync_has_ended(f->wire.s));
    assert_int_equal(gt_sync_get_failure(f->wire.s)->status, GOAT_TIMEOUT);
}

static void the_difference_of_clocks_is_taken(void **state) {
    fixture *f = *state;
    gt_sim_set_wall_ms(&f->server.site.clock, f->client.site.clock.wall_ms + 3600000);
    join(f);
    assert_in_range(f->client.shift_ms, 3599000, 3601000);
    gt_sim_set_wall_ms(&f->server.site.clock, f->client.site.clock.wall_ms + 500);
    join(f);
    assert_int_equal(f->client.shift_ms, 0);
    gt_sim_set_wall_ms(&f->server.site.clock, INT64_C(1) << 62);
    join(f);
    assert_true(f->client.shift_ms == GT_SYNC_CLOCK_SHIFT_MAX_MS);
    gt_sim_set_wall_ms(&f->server.site.clock, 0);
    gt_sim_set_wall_ms(&f->client.site.clock, INT64_MAX / 2);
    join(f);
    assert_true(f->client.shift_ms == -GT_SYNC_CLOCK_SHIFT_MAX_MS);
}

int main(void) {
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, test_trio_setup, test_trio_teardown)
        TEST(both_sides_prove_their_keys),
        TEST(a_server_of_another_network_is_refused),
        TEST(a_client_without_a_network_takes_the_servers),
        TEST(a_key_that_is_not_held_is_no_proof),
        TEST(a_server_without_a_certificate_is_refused),
        TEST(what_is_known_of_a_servers_key_is_in_force),
        TEST(a_peer_that_says_nothing_is_cut_off),
        TEST(the_difference_of_clocks_is_taken),
#undef TEST
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
