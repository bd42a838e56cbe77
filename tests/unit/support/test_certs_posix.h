/* Certificates for tests, made with OpenSSL and written into a folder as PEM files: a CA and what it signs. */
#ifndef TEST_CERTS_POSIX_H
#define TEST_CERTS_POSIX_H

#include "support/test_folder_posix.h"

typedef struct test_certs {
    const test_folder *folder;
    void *ca, *ca_key; /* X509, EVP_PKEY */
    long serial;
    bool is_rsa; /* the keys of servers that are made from here on; else P-256 */
} test_certs;

/* "ca.pem" is written. */
void test_certs_init(test_certs *certs, const test_folder *folder);
void test_certs_free(test_certs *certs);

/* NAME.pem and NAME.key: signed by the CA for `alt_names`, such as "DNS:localhost,IP:127.0.0.1", valid from `begin_s` to
 * `end_s` seconds from now. */
void test_certs_make(test_certs *certs, const char *name, const char *alt_names, long begin_s, long end_s);
/* The same, signed by itself. */
void test_certs_make_alone(test_certs *certs, const char *name, const char *alt_names);

#endif
