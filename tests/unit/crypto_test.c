/* core/crypto: published vectors, and the acceptance rule that all peers must share. */
#include "support/test.h"

#include "base/utf8.h"
#include "crypto/crypto.h"

#include "support/test_alloc.h"
#include "support/test_data.h"
#include "support/test_random.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

static int make_hasher(void **state) {
    assert_int_equal(gt_crypto_init(NULL), GOAT_OK);
    assert_int_equal(gt_crypto_init(NULL), GOAT_OK);
    return gt_hasher_new(&gt_alloc_system, (gt_hasher **)state, NULL);
}

static int free_hasher(void **state) {
    gt_hasher_free(*state);
    gt_hasher_free(NULL);
    return 0;
}

static size_t from_hex(uint8_t *out, size_t capacity, const char *text) {
    size_t len = strlen(text) / 2;
    assert_true(len <= capacity);
    assert_true(gt_unhex(out, len, text, strlen(text)));
    return len;
}

static void assert_bytes(const void *bytes, size_t len, const char *hex) {
    uint8_t expected[256];
    assert_int_equal(from_hex(expected, sizeof expected, hex), len);
    assert_memory_equal(bytes, expected, len);
}

/* ---- SHA-256 ------------------------------------------------------------------------------- */

static void sha256_gives_the_values_of_fips_180(void **state) {
    static const struct {
        const char *message, *hash;
    } vectors[] = {
        {"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
        {"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
        {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
         "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
        {"abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqr"
         "stu",
         "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1"},
    };
    uint8_t hash[GT_HASH_SIZE];
    for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++) {
        gt_hash(*state, vectors[i].message, strlen(vectors[i].message), hash);
        assert_bytes(hash, sizeof hash, vectors[i].hash);
    }
    gt_sha256 *stream = NULL;
    assert_int_equal(gt_sha256_new(*state, &stream, NULL), GOAT_OK);
    char thousand[1000];
    memset(thousand, 'a', sizeof thousand);
    for (int i = 0; i < 1000; i++) {
        gt_sha256_add(stream, thousand, sizeof thousand);
    }
    gt_sha256_end(stream, hash);
    assert_bytes(hash, sizeof hash, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
    gt_sha256_free(stream);
    gt_sha256_free(NULL);
}

static void sha256_is_the_same_in_pieces_and_as_a_stream(void **state) {
    test_random random;
    test_random_init(&random, __func__);
    uint8_t message[700];
    test_random_fill(&random, message, sizeof message);
    gt_sha256 *stream = NULL;
    assert_int_equal(gt_sha256_new(*state, &stream, NULL), GOAT_OK);
    for (size_t len = 0; len <= sizeof message; len++) {
        uint8_t whole[GT_HASH_SIZE], parts[GT_HASH_SIZE], streamed[GT_HASH_SIZE];
        size_t cut = test_random_below(&random, (uint32_t)len + 1);
        gt_bytes pieces[] = {{message, cut}, {NULL, 0}, {message + cut, len - cut}};
        gt_sha256_add(stream, message, cut);
        gt_hash(*state, message, len, whole);
        gt_hash_pieces(*state, pieces, 3, parts);
        gt_sha256_add(stream, message + cut, len - cut);
        gt_sha256_end(stream, streamed);
        assert_memory_equal(whole, parts, GT_HASH_SIZE);
        assert_memory_equal(whole, streamed, GT_HASH_SIZE);
    }
    gt_sha256_free(stream);
}

static void hashers_without_memory_say_so(void **state) {
    (void)state;
    for (uint64_t k = 0;; k++) {
        test_alloc memory;
        test_alloc_init(&memory, k);
        gt_hasher *hasher = NULL;
        gt_sha256 *stream = NULL;
        gt_diag diag;
        gt_diag_init(&diag);
        goat_status status = gt_hasher_new(&memory.alloc, &hasher, &diag);
        if (status == GOAT_OK) {
            status = gt_sha256_new(hasher, &stream, &diag);
        }
        assert_int_equal(status, memory.failed ? GOAT_NO_MEMORY : GOAT_OK);
        assert_int_equal(diag.status, status);
        gt_sha256_free(stream);
        gt_hasher_free(hasher);
        test_alloc_assert_empty(&memory);
        if (!memory.failed) {
            return;
        }
    }
}

/* ---- Ed25519 ------------------------------------------------------------------------------- */

static void ed25519_gives_the_values_of_rfc_8032(void **state) {
    (void)state;
    static const struct {
        const char *seed, *public_key, *message, *signature;
    } vectors[] = {
        {"9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
         "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
         "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46b"
         "d25bf5f0595bbe24655141438e7a100b"},
        {"4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
         "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
         "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c"
         "387b2eaeb4302aeeb00d291612bb0c00"},
        {"c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
         "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
         "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc659"
         "4a7c15e9716ed28dc027beceea1ec40a"},
        {"833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42",
         "ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf",
         "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd"
         "454d4423643ce80e2a9ac94fa54ca49f",
         "dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b58909351fc9ac90b3ecfdfbc7c66431e030"
         "3dca179c138ac17ad9bef1177331a704"},
    };
    for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++) {
        uint8_t seed[GT_SEED_SIZE], public_key[GT_PUBLIC_KEY_SIZE], message[64], signature[GT_SIGNATURE_SIZE];
        gt_secret_key secret;
        from_hex(seed, sizeof seed, vectors[i].seed);
        gt_key_pair(seed, public_key, &secret);
        assert_bytes(public_key, sizeof public_key, vectors[i].public_key);
        size_t len = from_hex(message, sizeof message, vectors[i].message);
        gt_sign(&secret, message, len, signature);
        assert_bytes(signature, sizeof signature, vectors[i].signature);
        assert_true(gt_verify(public_key, message, len, signature));
        gt_secret_wipe(&secret);
        for (size_t j = 0; j < sizeof secret.bytes; j++) {
            assert_int_equal(secret.bytes[j], 0);
        }
    }
}

static void every_flipped_bit_spoils_a_signature(void **state) {
    (void)state;
    uint8_t seed[GT_SEED_SIZE] = {42}, public_key[GT_PUBLIC_KEY_SIZE], signature[GT_SIGNATURE_SIZE];
    uint8_t message[8] = "goatherd";
    gt_secret_key secret;
    gt_key_pair(seed, public_key, &secret);
    gt_sign(&secret, message, sizeof message, signature);
    for (size_t bit = 0; bit < 8 * (sizeof signature + sizeof public_key + sizeof message); bit++) {
        size_t byte = bit / 8;
        uint8_t *at = byte < sizeof signature ? &signature[byte]
                      : byte < sizeof signature + sizeof public_key
                          ? &public_key[byte - sizeof signature]
                          : &message[byte - sizeof signature - sizeof public_key];
        *at ^= (uint8_t)(1 << bit % 8);
        assert_false(gt_verify(public_key, message, sizeof message, signature));
        *at ^= (uint8_t)(1 << bit % 8);
    }
    assert_true(gt_verify(public_key, message, sizeof message, signature));
    assert_false(gt_verify(public_key, message, sizeof message - 1, signature));
}

/* Under such a key R = identity, S = 0 is a signature of every message for OpenSSL and WebCrypto: a key
 * that signs everything, and a fork between peers that differ. */
static void keys_of_small_order_sign_nothing(void **state) {
    (void)state;
    static const char *points[] = {
        "0100000000000000000000000000000000000000000000000000000000000000", /* the identity */
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", /* order 2 */
        "0000000000000000000000000000000000000000000000000000000000000000", /* order 4 */
        "0000000000000000000000000000000000000000000000000000000000000080",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05", /* order 8 */
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
        "0100000000000000000000000000000000000000000000000000000000000080", /* the identity, not canonical */
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    };
    enum { POINTS = sizeof points / sizeof *points };
    for (size_t key = 0; key < POINTS; key++) {
        for (size_t r = 0; r < POINTS; r++) {
            uint8_t public_key[GT_PUBLIC_KEY_SIZE], signature[GT_SIGNATURE_SIZE] = {0};
            from_hex(public_key, sizeof public_key, points[key]);
            from_hex(signature, sizeof public_key, points[r]);
            for (uint8_t message = 0; message < 16; message++) {
                assert_false(gt_verify(public_key, &message, 1, signature));
            }
        }
    }
}

/* S and S + the group's order satisfy the same equation; only the smaller one is taken. */
static void a_signature_has_one_encoding(void **state) {
    (void)state;
    static const char *order = "edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010";
    uint8_t seed[GT_SEED_SIZE] = {7}, public_key[GT_PUBLIC_KEY_SIZE], signature[GT_SIGNATURE_SIZE], l[32];
    gt_secret_key secret;
    from_hex(l, sizeof l, order);
    gt_key_pair(seed, public_key, &secret);
    gt_sign(&secret, "goat", 4, signature);
    assert_true(gt_verify(public_key, "goat", 4, signature));
    unsigned carry = 0;
    for (size_t i = 0; i < sizeof l; i++) {
        carry += signature[32 + i] + (unsigned)l[i];
        signature[32 + i] = (uint8_t)carry;
        carry >>= 8;
    }
    assert_false(gt_verify(public_key, "goat", 4, signature));
}

static void check_wycheproof_group(json_t *group, int *valid, int *invalid) {
    uint8_t public_key[GT_PUBLIC_KEY_SIZE];
    const char *pk = json_string_value(json_object_get(json_object_get(group, "publicKey"), "pk"));
    from_hex(public_key, sizeof public_key, pk);
    size_t i;
    json_t *test;
    json_array_foreach(json_object_get(group, "tests"), i, test) {
        uint8_t message[4096], signature[256];
        size_t len = from_hex(message, sizeof message, json_string_value(json_object_get(test, "msg")));
        size_t signature_len = from_hex(signature, sizeof signature, json_string_value(json_object_get(test, "sig")));
        bool expected = strcmp(json_string_value(json_object_get(test, "result")), "valid") == 0;
        /* A signature is a field of fixed size: one of another length cannot be expressed. */
        bool accepted = signature_len == GT_SIGNATURE_SIZE && gt_verify(public_key, message, len, signature);
        if (accepted != expected) {
            fail_msg("tcId %d", (int)json_integer_value(json_object_get(test, "tcId")));
        }
        *(expected ? valid : invalid) += 1;
    }
}

static void wycheproof_cases_are_judged_as_expected(void **state) {
    (void)state;
    size_t len = 0;
    char *text = test_data_read("wycheproof/ed25519_test.json", &len);
    if (text == NULL) {
        skip();
    }
    json_t *root = json_loadb(text, len, 0, NULL);
    free(text);
    assert_non_null(root);
    int valid = 0, invalid = 0;
    size_t i;
    json_t *group;
    json_array_foreach(json_object_get(root, "testGroups"), i, group) {
        check_wycheproof_group(group, &valid, &invalid);
    }
    json_decref(root);
    printf("%d valid and %d invalid cases\n", valid, invalid);
    assert_true(valid > 50 && invalid > 50);
}

/* ---- SipHash, comparing, wiping ------------------------------------------------------------ */

static void siphash_gives_the_value_of_its_paper(void **state) {
    (void)state;
    uint8_t key[GT_SIPHASH_KEY_SIZE], message[15];
    for (uint8_t i = 0; i < 16; i++) {
        key[i] = i;
        message[i % 15] = i % 15;
    }
    assert_true(gt_siphash(key, gt_bytes_of(message, 15)) == UINT64_C(0xa129ca6149be45e5));
    assert_true(gt_siphash(key, gt_bytes_of(NULL, 0)) == UINT64_C(0x726fdb47dd0e0e31));
}

static void constant_time_compare_agrees_with_memcmp(void **state) {
    (void)state;
    uint8_t a[33] = {1, 2, 3}, b[33] = {1, 2, 3};
    assert_true(gt_equal_constant_time(a, b, sizeof a));
    assert_true(gt_equal_constant_time(a, b, 0));
    b[32] = 1;
    assert_false(gt_equal_constant_time(a, b, sizeof a));
    assert_true(gt_equal_constant_time(a, b, 32));
    gt_wipe(b, sizeof b);
    assert_int_equal(b[0] | b[32], 0);
}

/* ---- LtHash -------------------------------------------------------------------------------- */

/* The numbers come from a program that shares no code with this one. */
static void lthash_gives_the_published_construction(void **state) {
    gt_lthash set;
    uint8_t digest[GT_HASH_SIZE];
    gt_lthash_init(&set);
    gt_lthash_digest(*state, &set, digest);
    assert_bytes(digest, sizeof digest, "e5a00aa9991ac8a5ee3109844d84a55583bd20572ad3ffcd42792f3c36b183ad");
    gt_lthash_add(*state, &set, gt_bytes_text("goat"));
    gt_lthash_add(*state, &set, gt_bytes_text("kid"));
    gt_lthash_add(*state, &set, gt_bytes_text(""));
    assert_bytes(set.lanes, 8, "919fa5fa0c772c4c");
    gt_lthash_digest(*state, &set, digest);
    assert_bytes(digest, sizeof digest, "578f30ea38323986f27fe0b2dbefbef1df2e3fbc5c3b52492491ff77203eed84");
}

static void lthash_does_not_depend_on_order_and_forgets_what_is_removed(void **state) {
    enum { ELEMENTS = 60 };
    test_random random;
    test_random_init(&random, __func__);
    uint8_t elements[ELEMENTS][36];
    test_random_fill(&random, elements, sizeof elements);
    gt_lthash forward, shuffled, left, right;
    gt_lthash_init(&forward);
    gt_lthash_init(&shuffled);
    gt_lthash_init(&left);
    gt_lthash_init(&right);
    uint32_t order[ELEMENTS];
    for (uint32_t i = 0; i < ELEMENTS; i++) {
        gt_lthash_add(*state, &forward, gt_bytes_of(elements[i], 36));
        gt_lthash_add(*state, i % 3 == 0 ? &left : &right, gt_bytes_of(elements[i], 36));
        uint32_t other = test_random_below(&random, i + 1);
        order[i] = order[other];
        order[other] = i;
    }
    for (uint32_t i = 0; i < ELEMENTS; i++) {
        gt_lthash_add(*state, &shuffled, gt_bytes_of(elements[order[i]], 36));
    }
    assert_memory_equal(&forward, &shuffled, sizeof forward);

    gt_lthash_add_all(&left, &right);
    assert_memory_equal(&forward, &left, sizeof forward);
    gt_lthash_remove_all(&left, &right);
    gt_lthash_add_all(&left, &right);
    assert_memory_equal(&forward, &left, sizeof forward);

    gt_lthash empty;
    gt_lthash_init(&empty);
    for (uint32_t i = 0; i < ELEMENTS; i++) {
        assert_memory_not_equal(&forward, &empty, sizeof forward);
        gt_lthash_remove(*state, &forward, gt_bytes_of(elements[i], 36));
    }
    assert_memory_equal(&forward, &empty, sizeof forward);
}

/* Sums are made four lanes at a time; here one by one. */
static void lthash_lanes_do_not_touch_each_other(void **state) {
    (void)state;
    test_random random;
    test_random_init(&random, __func__);
    static const uint16_t edges[] = {0, 1, 0x7fff, 0x8000, 0x8001, 0xffff};
    gt_lthash a, b, sum, difference;
    for (size_t i = 0; i < GT_LTHASH_SIZE; i += 2) {
        gt_put_u16(a.lanes + i, edges[test_random_below(&random, 6)]);
        gt_put_u16(b.lanes + i, edges[test_random_below(&random, 6)]);
    }
    sum = difference = a;
    gt_lthash_add_all(&sum, &b);
    gt_lthash_remove_all(&difference, &b);
    for (size_t i = 0; i < GT_LTHASH_SIZE; i += 2) {
        uint16_t x = gt_get_u16(a.lanes + i), y = gt_get_u16(b.lanes + i);
        assert_int_equal(gt_get_u16(sum.lanes + i), (uint16_t)(x + y));
        assert_int_equal(gt_get_u16(difference.lanes + i), (uint16_t)(x - y));
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sha256_gives_the_values_of_fips_180),
        cmocka_unit_test(sha256_is_the_same_in_pieces_and_as_a_stream),
        cmocka_unit_test(hashers_without_memory_say_so),
        cmocka_unit_test(ed25519_gives_the_values_of_rfc_8032),
        cmocka_unit_test(every_flipped_bit_spoils_a_signature),
        cmocka_unit_test(keys_of_small_order_sign_nothing),
        cmocka_unit_test(a_signature_has_one_encoding),
        cmocka_unit_test(wycheproof_cases_are_judged_as_expected),
        cmocka_unit_test(siphash_gives_the_value_of_its_paper),
        cmocka_unit_test(constant_time_compare_agrees_with_memcmp),
        cmocka_unit_test(lthash_gives_the_published_construction),
        cmocka_unit_test(lthash_does_not_depend_on_order_and_forgets_what_is_removed),
        cmocka_unit_test(lthash_lanes_do_not_touch_each_other),
    };
    return cmocka_run_group_tests(tests, make_hasher, free_hasher);
}
