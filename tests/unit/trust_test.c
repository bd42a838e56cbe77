/* core/trust: key files, certificates, who signs /sys/sessions, and the two built-in schemas, whose bytes are kept in
 * tests/vectors/schemas.json. */
#include "support/test.h"

#include "base/utf8.h"
#include "support/batch_maker.h"
#include "support/hex_buf.h"
#include "support/test_alloc.h"
#include "support/test_value.h"
#include "trust/trust.h"
#include "value/build.h"
#include "value/value.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct fixture {
    batch_maker maker;
    gt_arena arena;
    gt_keyring *keyring;
    gt_buf frame;
} fixture;

static int set_up(void **state) {
    fixture *f = calloc(1, sizeof *f);
    assert_non_null(f);
    batch_maker_init(&f->maker);
    f->maker.place.repository = gt_bytes_text(GT_SESSIONS_PATH);
    gt_arena_init(&f->arena, &gt_alloc_system);
    gt_buf_init(&f->frame, &gt_alloc_system);
    f->keyring = gt_keyring_new(&gt_alloc_system);
    assert_non_null(f->keyring);
    *state = f;
    return 0;
}

static int tear_down(void **state) {
    fixture *f = *state;
    gt_keyring_free(f->keyring);
    gt_buf_free(&f->frame);
    gt_arena_free(&f->arena);
    batch_maker_free(&f->maker);
    free(f);
    return 0;
}

/* ---- key files ---- */

static const char seed_text[] = "goat-seed-1 000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n";
static const char network_text[] = "goat-network-1 000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n";

static void key_files_come_back(void **state) {
    (void)state;
    uint8_t seed[GT_SEED_SIZE], read[GT_SEED_SIZE];
    gt_id network, read_network;
    char text[GT_KEY_FILE_SIZE], other[GT_NETWORK_FILE_SIZE];
    for (uint8_t i = 0; i < GT_SEED_SIZE; i++) {
        seed[i] = network.bytes[i] = i;
    }
    gt_key_file_write(seed, text);
    assert_int_equal(sizeof text, sizeof seed_text - 1);
    assert_memory_equal(text, seed_text, sizeof text);
    assert_int_equal(gt_key_file_read(gt_bytes_of(text, sizeof text), read, NULL), GOAT_OK);
    assert_memory_equal(read, seed, sizeof seed);
    gt_network_file_write(&network, other);
    assert_int_equal(sizeof other, sizeof network_text - 1);
    assert_memory_equal(other, network_text, sizeof other);
    assert_int_equal(gt_network_file_read(gt_bytes_of(other, sizeof other), &read_network, NULL), GOAT_OK);
    assert_memory_equal(&read_network, &network, sizeof network);
}

/* Every length but its own, and every byte of it changed, whatever can be told from the text. */
static void malformed_key_files_are_refused(void **state) {
    (void)state;
    uint8_t seed[GT_SEED_SIZE];
    gt_id network;
    char text[sizeof network_text + 1];
    gt_diag diag;
    gt_diag_init(&diag);
    for (size_t len = 0; len < sizeof seed_text - 1; len++) {
        assert_int_equal(gt_key_file_read(gt_bytes_of(seed_text, len), seed, &diag), GOAT_BAD_KEY);
        assert_int_equal(gt_network_file_read(gt_bytes_of(network_text, len), &network, &diag), GOAT_CORRUPT);
    }
    memcpy(text, seed_text, sizeof seed_text);
    text[sizeof seed_text - 1] = '\n';
    assert_int_equal(gt_key_file_read(gt_bytes_of(text, sizeof seed_text), seed, &diag), GOAT_BAD_KEY);
    for (size_t i = 0; i < sizeof seed_text - 1; i++) {
        memcpy(text, seed_text, sizeof seed_text);
        text[i] = 'x';
        assert_int_equal(gt_key_file_read(gt_bytes_of(text, sizeof seed_text - 1), seed, &diag), GOAT_BAD_KEY);
        assert_null(strstr(diag.message, "0102")); /* no secret in a message */
    }
    for (size_t i = 0; i < sizeof network_text - 1; i++) {
        memcpy(text, network_text, sizeof network_text);
        text[i] = 'x';
        assert_int_equal(gt_network_file_read(gt_bytes_of(text, sizeof network_text - 1), &network, &diag),
                         GOAT_CORRUPT);
    }
    assert_int_equal(gt_key_file_read(gt_bytes_text(network_text), seed, NULL), GOAT_BAD_KEY);
    assert_int_equal(gt_key_file_read(gt_bytes_of(NULL, 0), seed, NULL), GOAT_BAD_KEY);
    assert_int_equal(gt_network_file_read(gt_bytes_text(seed_text), &network, NULL), GOAT_CORRUPT);
}

static void an_identity_follows_from_its_seed(void **state) {
    fixture *f = *state;
    static const gt_identity none;
    gt_identity identity;
    gt_identity_from_seed(f->maker.hasher, f->maker.seed, &identity);
    assert_memory_equal(identity.public_key, f->maker.public_key, GT_PUBLIC_KEY_SIZE);
    assert_memory_equal(&identity.session, &f->maker.session, sizeof identity.session);
    gt_identity_wipe(&identity);
    assert_memory_equal(&identity, &none, sizeof identity);
}

/* ---- certificates ---- */

/* A new certificate's delta; end it with gt_buf_free(). */
static gt_buf certificate(const uint8_t *public_key, const char *role) {
    gt_buf delta;
    gt_buf_init(&delta, &gt_alloc_system);
    gt_certificate_write(public_key, role, &delta);
    assert_int_equal(gt_value_check(gt_buf_bytes(&delta), 0, NULL), GOAT_OK);
    return delta;
}

static void certificates_are_learned_and_found(void **state) {
    fixture *f = *state;
    char key[2 * GT_ID_SIZE + 1];
    gt_buf delta = certificate(f->maker.public_key, "user");
    gt_certificate_key(&f->maker.session, key);
    assert_int_equal(strlen(key), 64);
    assert_null(gt_keyring_find(f->keyring, &f->maker.session));
    for (int twice = 0; twice < 2; twice++) {
        assert_int_equal(gt_keyring_learn(f->keyring, f->maker.hasher, gt_bytes_text(key), gt_buf_bytes(&delta), NULL),
                         GOAT_OK);
        const uint8_t *found = gt_keyring_find(f->keyring, &f->maker.session);
        assert_non_null(found);
        assert_memory_equal(found, f->maker.public_key, GT_PUBLIC_KEY_SIZE);
    }
    assert_null(gt_keyring_find(f->keyring, &f->maker.place.network));
    gt_buf_free(&delta);
}

static void assert_not_learned(fixture *f, const char *key, gt_bytes state) {
    gt_diag diag;
    gt_diag_init(&diag);
    assert_int_equal(gt_keyring_learn(f->keyring, f->maker.hasher, gt_bytes_text(key), state, &diag), GOAT_UNTRUSTED);
    assert_true(strlen(diag.message) > 0);
    assert_null(gt_keyring_find(f->keyring, &f->maker.session));
}

static void certificates_of_another_session_are_refused(void **state) {
    fixture *f = *state;
    static const char *const states[] = {"{}",
                                         "{public_key: null}",
                                         "{public_key: 'text'}",
                                         "{public_key: bytes()}",
                                         "{public_key: bytes(00)}",
                                         "{public_key: undefined}",
                                         "null",
                                         "[]",
                                         "{role: 'root'}"};
    char key[2 * GT_ID_SIZE + 1], changed[2 * GT_ID_SIZE + 1];
    gt_buf own = certificate(f->maker.public_key, "user"), other = certificate(f->maker.root_key, "user");
    gt_certificate_key(&f->maker.session, key);
    assert_not_learned(f, key, gt_buf_bytes(&other));
    gt_certificate_key(&f->maker.place.network, changed);
    assert_not_learned(f, changed, gt_buf_bytes(&own));
    for (size_t i = 0; i < 2 * (size_t)GT_ID_SIZE; i++) {
        memcpy(changed, key, sizeof changed);
        changed[i] = changed[i] == '0' ? '1' : '0';
        assert_not_learned(f, changed, gt_buf_bytes(&own));
        changed[i] = '\0'; /* too short */
        assert_not_learned(f, changed, gt_buf_bytes(&own));
    }
    memcpy(changed, key, sizeof changed); /* in capital letters it would be a second item of one session */
    for (size_t i = 0; i < 2 * (size_t)GT_ID_SIZE; i++) {
        changed[i] = (char)(changed[i] >= 'a' ? changed[i] - 32 : changed[i]);
    }
    assert_string_not_equal(changed, key);
    assert_not_learned(f, changed, gt_buf_bytes(&own));
    for (size_t i = 0; i < sizeof states / sizeof states[0]; i++) {
        gt_bytes value = test_value(states[i]);
        assert_not_learned(f, key, value);
        test_value_free(value);
    }
    assert_not_learned(f, key, gt_bytes_of(NULL, 0)); /* a sealed commit */
    gt_buf_free(&own);
    gt_buf_free(&other);
}

/* Nobody has to hold the secret keys: what is looked for is found, and nobody else. */
static void many_certificates_are_found(void **state) {
    fixture *f = *state;
    enum { COUNT = 100000 };
    for (int pass = 0; pass < 2; pass++) {
        for (uint32_t i = 0; i < COUNT; i++) {
            uint8_t public_key[GT_PUBLIC_KEY_SIZE] = {1};
            gt_id session;
            gt_put_u32(public_key + 4, i);
            gt_hash(f->maker.hasher, public_key, sizeof public_key, session.bytes);
            if (pass == 1) {
                const uint8_t *found = gt_keyring_find(f->keyring, &session);
                assert_int_equal(found != NULL, i % 3 != 2);
                if (found != NULL) assert_memory_equal(found, public_key, GT_PUBLIC_KEY_SIZE);
            } else if (i % 3 != 2) { /* this one stays unknown */
                char key[2 * GT_ID_SIZE + 1];
                gt_buf delta = certificate(public_key, "anonymous");
                gt_certificate_key(&session, key);
                gt_bytes bytes = gt_buf_bytes(&delta);
                assert_int_equal(gt_keyring_learn(f->keyring, f->maker.hasher, gt_bytes_text(key), bytes, NULL),
                                 GOAT_OK);
                gt_buf_free(&delta);
            }
        }
    }
    assert_int_equal(gt_keyring_count(f->keyring), COUNT - COUNT / 3);
}

static void a_certificate_may_end(void **state) {
    fixture *f = *state;
    static const struct {
        const char *expires;
        int64_t ms;
    } cases[] = {{NULL, INT64_MAX}, {"a date", INT64_C(1700000000000)}, {"no date", INT64_MAX}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char key[2 * GT_ID_SIZE + 1];
        gt_buf delta;
        gt_buf_init(&delta, &gt_alloc_system);
        gt_write_map_head(&delta, cases[i].expires == NULL ? 2 : 3);
        gt_write_text(&delta, gt_bytes_text("role"));
        gt_write_text(&delta, gt_bytes_text("user"));
        if (cases[i].expires != NULL) {
            gt_write_text(&delta, gt_bytes_text("expires"));
            if (i == 1) {
                gt_write_date_ms(&delta, cases[i].ms);
            } else {
                gt_write_bool(&delta, true);
            }
        }
        gt_write_text(&delta, gt_bytes_text("public_key"));
        gt_write_bytes(&delta, gt_bytes_of(f->maker.public_key, GT_PUBLIC_KEY_SIZE));
        gt_certificate_key(&f->maker.session, key);
        gt_bytes bytes = gt_buf_bytes(&delta);
        assert_int_equal(gt_keyring_learn(f->keyring, f->maker.hasher, gt_bytes_text(key), bytes, NULL), GOAT_OK);
        assert_true(gt_keyring_expires_ms(f->keyring, &f->maker.session) == cases[i].ms);
        assert_int_equal(gt_keyring_count(f->keyring), i + 1); /* each says something new */
        gt_buf_free(&delta);
    }
}

static void a_keyring_survives_lack_of_memory(void **state) {
    fixture *f = *state;
    char key[2 * GT_ID_SIZE + 1];
    gt_buf delta = certificate(f->maker.public_key, "user");
    gt_certificate_key(&f->maker.session, key);
    for (uint64_t k = 0;; k++) {
        test_alloc memory;
        test_alloc_init(&memory, k);
        gt_keyring *keyring = gt_keyring_new(&memory.alloc);
        if (keyring != NULL) {
            goat_status status =
                gt_keyring_learn(keyring, f->maker.hasher, gt_bytes_text(key), gt_buf_bytes(&delta), NULL);
            assert_int_equal(status, memory.failed ? GOAT_NO_MEMORY : GOAT_OK);
            assert_int_equal(gt_keyring_find(keyring, &f->maker.session) != NULL, !memory.failed);
        }
        gt_keyring_free(keyring);
        test_alloc_assert_empty(&memory);
        if (!memory.failed) {
            assert_true(k >= 2);
            break;
        }
    }
    gt_buf_free(&delta);
}

/* ---- the root's key ---- */

/* Adds a leaf that certifies `public_key`; NULL: a leaf that is sealed. */
static void add_leaf(fixture *f, const char *key, const uint8_t *public_key) {
    static const uint8_t sealed[] = {0x82, 0x48, 1, 2, 3, 4, 5, 6, 7, 8, 0x41, 0xff};
    gt_buf delta = certificate(public_key == NULL ? f->maker.root_key : public_key, "root");
    gt_commit_draft commit = maker_commit(key, gt_buf_bytes(&delta), (uint32_t)f->maker.draft.nodes.len);
    if (public_key == NULL) {
        commit.delta = gt_bytes_of(NULL, 0);
        commit.sealed = gt_bytes_of(sealed, sizeof sealed);
    }
    maker_add(&f->maker, &commit);
    gt_buf_free(&delta);
}

/* The batch of the leaves added, which says that it is of `session`. */
static gt_batch finish(fixture *f, const gt_id *session) {
    static const gt_chain_place first = {.seq = 1};
    gt_batch batch;
    gt_buf_clear(&f->frame);
    maker_finish(&f->maker, &first, &f->frame);
    assert_int_equal(gt_batch_decode(gt_buf_bytes(&f->frame), &f->arena, &batch, NULL), GOAT_OK);
    batch.session = *session;
    return batch;
}

static void the_first_batch_brings_the_roots_key(void **state) {
    fixture *f = *state;
    const gt_id *network = &f->maker.place.network;
    uint8_t found[GT_PUBLIC_KEY_SIZE] = {0};
    add_leaf(f, "sealed", NULL); /* hostile: there is no key in it to be looked for */
    add_leaf(f, "a", f->maker.public_key);
    add_leaf(f, "b", f->maker.root_key);
    gt_batch batch = finish(f, network);
    assert_int_equal(gt_trust_root_key(f->keyring, f->maker.hasher, network, &batch, found, NULL), GOAT_OK);
    assert_memory_equal(found, f->maker.root_key, GT_PUBLIC_KEY_SIZE);
}

static void a_batch_without_the_roots_key_is_refused_at_first(void **state) {
    fixture *f = *state;
    const gt_id *network = &f->maker.place.network;
    uint8_t found[GT_PUBLIC_KEY_SIZE] = {0};
    char key[2 * GT_ID_SIZE + 1];
    gt_diag diag;
    gt_diag_init(&diag);
    add_leaf(f, "sealed", NULL);
    add_leaf(f, "a", f->maker.public_key);
    gt_batch batch = finish(f, network);
    assert_int_equal(gt_trust_root_key(f->keyring, f->maker.hasher, network, &batch, found, &diag), GOAT_UNTRUSTED);
    assert_non_null(strstr(diag.message, "root key is not known"));
    /* Known from before, it need not bring it again. */
    gt_buf delta = certificate(f->maker.root_key, "root");
    gt_certificate_key(network, key);
    assert_int_equal(gt_keyring_learn(f->keyring, f->maker.hasher, gt_bytes_text(key), gt_buf_bytes(&delta), NULL),
                     GOAT_OK);
    assert_int_equal(gt_trust_root_key(f->keyring, f->maker.hasher, network, &batch, found, &diag), GOAT_OK);
    assert_memory_equal(found, f->maker.root_key, GT_PUBLIC_KEY_SIZE);
    gt_buf_free(&delta);
}

static void a_batch_of_another_session_is_refused(void **state) {
    fixture *f = *state;
    const gt_id *network = &f->maker.place.network;
    uint8_t found[GT_PUBLIC_KEY_SIZE] = {0};
    gt_diag diag;
    gt_diag_init(&diag);
    add_leaf(f, "b", f->maker.root_key); /* it brings the root's key, and is not the root's */
    gt_batch batch = finish(f, &f->maker.session);
    assert_int_equal(gt_trust_root_key(f->keyring, f->maker.hasher, network, &batch, found, &diag), GOAT_UNTRUSTED);
    assert_non_null(strstr(diag.message, "only the root key"));
}

/* ---- built-in schemas ---- */

static gt_registry *registry_of(fixture *f, const gt_alloc *alloc, goat_status *status) {
    gt_registry *registry = gt_registry_new(alloc);
    *status = registry == NULL ? GOAT_NO_MEMORY : gt_builtin_register(registry, alloc, f->maker.hasher, NULL);
    return registry;
}

static void assert_hex(gt_bytes bytes, const char *hex) {
    gt_buf expected = hex_buf(hex);
    assert_true(gt_bytes_equal(bytes, gt_buf_bytes(&expected)));
    gt_buf_free(&expected);
}

static void built_in_schemas_are_what_the_vectors_say(void **state) {
    fixture *f = *state;
    char path[1024];
    json_error_t error;
    json_t *one;
    size_t i;
    goat_status status;
    gt_registry *registry = registry_of(f, &gt_alloc_system, &status);
    assert_int_equal(status, GOAT_OK);
    (void)snprintf(path, sizeof path, "%s/tests/vectors/schemas.json", GOAT_TEST_ROOT);
    json_t *file = json_load_file(path, 0, &error);
    assert_non_null(file);
    json_t *all = json_object_get(file, "cases");
    assert_int_equal(json_array_size(all), 2);
    assert_int_equal(gt_registry_count(registry), 2);
    json_array_foreach(all, i, one) {
        const char *ns = json_string_value(json_object_get(one, "ns"));
        const gt_schema *schema = gt_registry_find(registry, gt_bytes_text(ns), 1);
        gt_buf out;
        assert_non_null(schema);
        assert_true(gt_is_builtin(schema));
        gt_buf_init(&out, &gt_alloc_system);
        assert_hex(gt_schema_definition(schema), json_string_value(json_object_get(one, "definition")));
        assert_hex(gt_bytes_of(gt_schema_hash(schema), 8), json_string_value(json_object_get(one, "hash")));
        gt_schema_item_key(schema, &out);
        assert_true(gt_bytes_equal(gt_buf_bytes(&out), gt_bytes_text(json_string_value(json_object_get(one, "key")))));
        gt_buf_clear(&out);
        gt_schema_item_delta(schema, &out);
        assert_hex(gt_buf_bytes(&out), json_string_value(json_object_get(one, "delta")));
        assert_true(gt_bytes_equal(gt_schema_item_definition(gt_buf_bytes(&out)), gt_schema_definition(schema)));
        gt_buf_free(&out);
    }
    json_decref(file);
    gt_registry_free(registry);
}

/* What the library writes itself must pass its own rules. */
static void certificates_and_stored_schemas_fit_the_built_in_ones(void **state) {
    fixture *f = *state;
    goat_status status;
    gt_registry *registry = registry_of(f, &gt_alloc_system, &status);
    const gt_schema *sessions = gt_registry_newest(registry, gt_bytes_text(GT_SESSION_NS));
    const gt_schema *schemas = gt_registry_newest(registry, gt_bytes_text(GT_SCHEMA_NS));
    static const char *const roles[] = {"root", "server", "user", "anonymous"};
    for (size_t i = 0; i < sizeof roles / sizeof roles[0]; i++) {
        gt_buf delta = certificate(f->maker.public_key, roles[i]);
        assert_int_equal(gt_schema_check_state(sessions, gt_buf_bytes(&delta), NULL), GOAT_OK);
        gt_buf_free(&delta);
    }
    gt_buf delta = certificate(f->maker.public_key, "king");
    assert_int_not_equal(gt_schema_check_state(sessions, gt_buf_bytes(&delta), NULL), GOAT_OK);
    gt_buf_clear(&delta);
    gt_schema_item_delta(sessions, &delta);
    assert_int_equal(gt_schema_check_state(schemas, gt_buf_bytes(&delta), NULL), GOAT_OK);
    gt_buf_free(&delta);
    gt_registry_free(registry);
}

static void namespaces_of_the_library_are_reserved(void **state) {
    (void)state;
    static const char *const reserved[] = {"sys", "sys.session", "sys.schema", "sys.", "sys.x.y"};
    static const char *const others[] = {"",       "s",     "sy",  "system", "sysx.session", "Sys.session",
                                         "my.sys", "sys-x", "sys_"};
    for (size_t i = 0; i < sizeof reserved / sizeof reserved[0]; i++) {
        assert_true(gt_is_reserved_ns(gt_bytes_text(reserved[i])));
    }
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        assert_false(gt_is_reserved_ns(gt_bytes_text(others[i])));
    }
}

static void only_a_map_is_a_stored_definition(void **state) {
    (void)state;
    static const char *const states[] = {"{}", "{definition: []}", "{definition: undefined}", "{definition: 'x'}",
                                         "null"};
    for (size_t i = 0; i < sizeof states / sizeof states[0]; i++) {
        gt_bytes value = test_value(states[i]);
        assert_null(gt_schema_item_definition(value).data);
        test_value_free(value);
    }
}

static void registering_survives_lack_of_memory(void **state) {
    fixture *f = *state;
    for (uint64_t k = 0;; k++) {
        test_alloc memory;
        goat_status status;
        test_alloc_init(&memory, k);
        gt_registry *registry = registry_of(f, &memory.alloc, &status);
        gt_registry_free(registry);
        test_alloc_assert_empty(&memory);
        assert_int_equal(status, memory.failed ? GOAT_NO_MEMORY : GOAT_OK);
        if (!memory.failed) {
            assert_true(k > 5);
            break;
        }
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(key_files_come_back),
        TEST(malformed_key_files_are_refused),
        TEST(an_identity_follows_from_its_seed),
        TEST(certificates_are_learned_and_found),
        TEST(certificates_of_another_session_are_refused),
        TEST(many_certificates_are_found),
        TEST(a_certificate_may_end),
        TEST(a_keyring_survives_lack_of_memory),
        TEST(the_first_batch_brings_the_roots_key),
        TEST(a_batch_without_the_roots_key_is_refused_at_first),
        TEST(a_batch_of_another_session_is_refused),
        TEST(built_in_schemas_are_what_the_vectors_say),
        TEST(certificates_and_stored_schemas_fit_the_built_in_ones),
        TEST(namespaces_of_the_library_are_reserved),
        TEST(only_a_map_is_a_stored_definition),
        TEST(registering_survives_lack_of_memory),
    };
    return cmocka_run_group_tests_name("trust", tests, NULL, NULL);
}
