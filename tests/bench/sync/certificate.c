#define _GNU_SOURCE
#include "certificate.h"

#include "lab.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <sys/stat.h>

static FILE *create(const char *path) {
    FILE *file = fopen(path, "w");
    if (file == NULL) lab_fail("%s cannot be written", path);
    return file;
}

void certificate_make(const char *folder, char certificate[300], char key[300]) {
    EVP_PKEY *pair = EVP_EC_gen("P-256");
    X509 *made = X509_new();
    if (pair == NULL || made == NULL) lab_fail("no key can be made");
    X509_set_version(made, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(made), 1);
    X509_gmtime_adj(X509_getm_notBefore(made), -3600);
    X509_gmtime_adj(X509_getm_notAfter(made), 86400);
    X509_NAME *name = X509_get_subject_name(made);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)"libgoat bench", -1, -1, 0);
    X509_set_issuer_name(made, name);
    X509_set_pubkey(made, pair);
    if (X509_sign(made, pair, EVP_sha256()) <= 0) lab_fail("no certificate can be made");
    snprintf(certificate, 300, "%s.pem", folder);
    snprintf(key, 300, "%s.key", folder);
    FILE *file = create(certificate);
    PEM_write_X509(file, made);
    fclose(file);
    file = create(key);
    if (fchmod(fileno(file), 0600) != 0) lab_fail("%s cannot be kept secret", key);
    PEM_write_PrivateKey(file, pair, NULL, NULL, 0, NULL, NULL);
    fclose(file);
    X509_free(made);
    EVP_PKEY_free(pair);
}
