#define _GNU_SOURCE
#include "support/test_certs_posix.h"

#include "support/test.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static FILE *open_file(const test_certs *certs, const char *name, const char *end) {
    char file[128], path[TEST_PATH_MAX];
    snprintf(file, sizeof file, "%s%s", name, end);
    test_folder_path(certs->folder, file, path);
    FILE *opened = fopen(path, "w");
    assert_non_null(opened);
    return opened;
}

static void write_certificate(const test_certs *certs, const char *name, X509 *certificate) {
    FILE *file = open_file(certs, name, ".pem");
    assert_int_equal(PEM_write_X509(file, certificate), 1);
    fclose(file);
}

static void add_extension(X509 *certificate, X509 *issuer, int kind, const char *value) {
    X509V3_CTX context;
    X509V3_set_ctx(&context, issuer, certificate, NULL, NULL, 0);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, kind, value);
    assert_non_null(extension);
    X509_add_ext(certificate, extension, -1);
    X509_EXTENSION_free(extension);
}

static X509 *make(test_certs *certs, const char *name, EVP_PKEY *key, long begin_s, long end_s) {
    X509 *made = X509_new();
    assert_non_null(made);
    X509_set_version(made, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(made), ++certs->serial);
    X509_gmtime_adj(X509_getm_notBefore(made), begin_s);
    X509_gmtime_adj(X509_getm_notAfter(made), end_s);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(made), "CN", MBSTRING_ASC, (const unsigned char *)name, -1, -1, 0);
    X509_set_pubkey(made, key);
    return made;
}

void test_certs_init(test_certs *certs, const test_folder *folder) {
    *certs = (test_certs){.folder = folder};
    certs->ca_key = EVP_EC_gen("P-256");
    assert_non_null(certs->ca_key);
    X509 *ca = make(certs, "libgoat test CA", certs->ca_key, -3600, 86400);
    X509_set_issuer_name(ca, X509_get_subject_name(ca));
    add_extension(ca, ca, NID_basic_constraints, "critical,CA:TRUE");
    assert_true(X509_sign(ca, certs->ca_key, EVP_sha256()) > 0);
    certs->ca = ca;
    write_certificate(certs, "ca", ca);
}

void test_certs_free(test_certs *certs) {
    X509_free(certs->ca);
    EVP_PKEY_free(certs->ca_key);
}

static void make_leaf(test_certs *certs, const char *name, const char *alt_names, long begin_s, long end_s,
                      bool alone) {
    EVP_PKEY *key = certs->is_rsa ? EVP_RSA_gen(2048) : EVP_EC_gen("P-256");
    assert_non_null(key);
    X509 *leaf = make(certs, name, key, begin_s, end_s), *issuer = alone ? leaf : certs->ca;
    X509_set_issuer_name(leaf, X509_get_subject_name(issuer));
    add_extension(leaf, issuer, NID_basic_constraints, "critical,CA:FALSE");
    add_extension(leaf, issuer, NID_subject_alt_name, alt_names);
    assert_true(X509_sign(leaf, alone ? key : certs->ca_key, EVP_sha256()) > 0);
    write_certificate(certs, name, leaf);
    FILE *file = open_file(certs, name, ".key");
    assert_int_equal(fchmod(fileno(file), 0600), 0);
    assert_int_equal(PEM_write_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL), 1);
    fclose(file);
    X509_free(leaf);
    EVP_PKEY_free(key);
}

void test_certs_make(test_certs *certs, const char *name, const char *alt_names, long begin_s, long end_s) {
    make_leaf(certs, name, alt_names, begin_s, end_s, false);
}

void test_certs_make_alone(test_certs *certs, const char *name, const char *alt_names) {
    make_leaf(certs, name, alt_names, -3600, 86400, true);
}
