/* core/trust: the roles of a keyring, and who may do what. */
#include "support/test.h"

#include "trust/trust.h"

#include <stdlib.h>

typedef struct fixture {
    gt_hasher *hasher;
    gt_keyring *keyring;
    gt_identity root, server, user, anonymous, stranger;
} fixture;

static goat_status learn(fixture *f, const gt_identity *identity, const char *role) {
    char key[2 * GT_ID_SIZE + 1];
    gt_buf state;
    gt_buf_init(&state, &gt_alloc_system);
    gt_certificate_key(&identity->session, key);
    gt_certificate_write(identity->public_key, role, &state);
    goat_status status = gt_keyring_learn(f->keyring, f->hasher, gt_bytes_text(key), gt_buf_bytes(&state), NULL);
    gt_buf_free(&state);
    return status;
}

static int set_up(void **state) {
    fixture *f = calloc(1, sizeof *f);
    assert_int_equal(gt_crypto_init(NULL), GOAT_OK);
    assert_int_equal(gt_hasher_new(&gt_alloc_system, &f->hasher, NULL), GOAT_OK);
    f->keyring = gt_keyring_new(&gt_alloc_system);
    gt_identity *identities[] = {&f->root, &f->server, &f->user, &f->anonymous, &f->stranger};
    for (uint8_t i = 0; i < 5; i++) {
        uint8_t seed[GT_SEED_SIZE] = {i};
        gt_identity_from_seed(f->hasher, seed, identities[i]);
    }
    *state = f;
    return 0;
}

static int tear_down(void **state) {
    fixture *f = *state;
    gt_keyring_free(f->keyring);
    gt_hasher_free(f->hasher);
    free(f);
    return 0;
}

static void certify_all(fixture *f) {
    assert_int_equal(learn(f, &f->root, "root"), GOAT_OK);
    assert_int_equal(learn(f, &f->server, "server"), GOAT_OK);
    assert_int_equal(learn(f, &f->user, "user"), GOAT_OK);
    assert_int_equal(learn(f, &f->anonymous, "anonymous"), GOAT_OK);
}

static void a_session_has_the_role_of_its_latest_certificate(void **state) {
    fixture *f = *state;
    assert_int_equal(gt_keyring_role(f->keyring, &f->user.session), GT_ROLE_NONE);
    assert_int_equal(gt_keyring_count(f->keyring), 0);
    certify_all(f);
    assert_int_equal(gt_keyring_count(f->keyring), 4);
    assert_int_equal(gt_keyring_role(f->keyring, &f->root.session), GT_ROLE_ROOT);
    assert_int_equal(gt_keyring_role(f->keyring, &f->server.session), GT_ROLE_SERVER);
    assert_int_equal(gt_keyring_role(f->keyring, &f->user.session), GT_ROLE_USER);
    assert_int_equal(gt_keyring_role(f->keyring, &f->anonymous.session), GT_ROLE_ANONYMOUS);
    assert_int_equal(gt_keyring_role(f->keyring, &f->stranger.session), GT_ROLE_NONE);
    assert_int_equal(learn(f, &f->anonymous, "anonymous"), GOAT_OK); /* nothing new */
    assert_int_equal(gt_keyring_count(f->keyring), 4);
    assert_int_equal(learn(f, &f->anonymous, "server"), GOAT_OK);
    assert_int_equal(gt_keyring_count(f->keyring), 5);
    assert_int_equal(gt_keyring_role(f->keyring, &f->anonymous.session), GT_ROLE_SERVER);
    assert_int_equal(learn(f, &f->anonymous, "king"), GOAT_OK); /* of a later version */
    assert_int_equal(gt_keyring_role(f->keyring, &f->anonymous.session), GT_ROLE_NONE);
    assert_non_null(gt_keyring_find(f->keyring, &f->anonymous.session));
}

static goat_status may_write(fixture *f, const char *repository, const gt_identity *identity) {
    gt_diag diag;
    gt_diag_init(&diag);
    goat_status status = gt_trust_may(f->keyring, GT_MAY_WRITE, gt_bytes_text(repository), &identity->session, &diag);
    assert_int_equal(diag.status, status);
    return status;
}

static void everybody_may_read(void **state) {
    fixture *f = *state;
    static const char *const paths[] = {"/data/goats", "/sys/sessions", "/sys/schemas"};
    for (size_t i = 0; i < 3; i++) {
        gt_bytes path = gt_bytes_text(paths[i]);
        assert_int_equal(gt_trust_may(f->keyring, GT_MAY_READ, path, &f->stranger.session, NULL), GOAT_OK);
    }
}

static void whoever_is_certified_may_write_but_in_sys(void **state) {
    fixture *f = *state;
    static const char *const paths[] = {"/data/goats", "/system/x", "/s/y", "/sys2/sessions"};
    certify_all(f);
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        assert_int_equal(may_write(f, paths[i], &f->root), GOAT_OK);
        assert_int_equal(may_write(f, paths[i], &f->server), GOAT_OK);
        assert_int_equal(may_write(f, paths[i], &f->user), GOAT_OK);
        assert_int_equal(may_write(f, paths[i], &f->anonymous), GOAT_OK);
        assert_int_equal(may_write(f, paths[i], &f->stranger), GOAT_UNTRUSTED);
    }
}

static void in_sys_only_the_root_and_servers_write_and_certificates_the_root_alone(void **state) {
    fixture *f = *state;
    static const char *const paths[] = {"/sys/schemas", "/sys/rules", "/sys/sessions2"};
    certify_all(f);
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        assert_int_equal(may_write(f, paths[i], &f->root), GOAT_OK);
        assert_int_equal(may_write(f, paths[i], &f->server), GOAT_OK);
        assert_int_equal(may_write(f, paths[i], &f->user), GOAT_FORBIDDEN);
        assert_int_equal(may_write(f, paths[i], &f->anonymous), GOAT_FORBIDDEN);
        assert_int_equal(may_write(f, paths[i], &f->stranger), GOAT_FORBIDDEN);
    }
    assert_int_equal(may_write(f, "/sys/sessions", &f->root), GOAT_OK);
    assert_int_equal(may_write(f, "/sys/sessions", &f->server), GOAT_FORBIDDEN);
    assert_int_equal(may_write(f, "/sys/sessions", &f->user), GOAT_FORBIDDEN);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(a_session_has_the_role_of_its_latest_certificate),
        TEST(everybody_may_read),
        TEST(whoever_is_certified_may_write_but_in_sys),
        TEST(in_sys_only_the_root_and_servers_write_and_certificates_the_root_alone),
    };
    return cmocka_run_group_tests_name("access", tests, NULL, NULL);
}
