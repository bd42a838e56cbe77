/* TLS settings and verification. The client's certificate check is ours from end to end: lws would accept certificates
 * that are not valid yet, cuts long host names, and tells little of what went wrong. */
#define _GNU_SOURCE
#include "net/tls.h"

#include "net/words.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define CA_HINT "if you know it, give a file with its certificate"

/* Forward secrecy and authenticated encryption only. TLS 1.3 has no others. */
static const char ciphers[] = "ECDHE+AESGCM:ECDHE+CHACHA20";

static const char *openssl_words(char words[GT_WORDS_MAX]) {
    unsigned long error = ERR_peek_last_error();
    const char *reason = error == 0 ? NULL : ERR_reason_error_string(error);
    snprintf(words, GT_WORDS_MAX, "%s", reason == NULL ? "unknown" : reason);
    ERR_clear_error();
    return words;
}

static goat_status set_common(SSL_CTX *tls, gt_diag *diag) {
    if (SSL_CTX_set_min_proto_version(tls, TLS1_2_VERSION) != 1 || SSL_CTX_set_cipher_list(tls, ciphers) != 1) {
        char words[GT_WORDS_MAX];
        return gt_fail(diag, GOAT_IO, "OpenSSL has none of the ciphers that are wanted: %s", openssl_words(words));
    }
    SSL_CTX_set_options(tls, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
    SSL_CTX_set_mode(tls, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    return GOAT_OK;
}

/* ---- server ---- */

static goat_status check_readable(const char *file, const char *what, gt_diag *diag) {
    char words[GT_WORDS_MAX];
    if (access(file, R_OK) == 0) return GOAT_OK;
    goat_status status = errno == ENOENT || errno == ENOTDIR ? GOAT_NOT_FOUND : GOAT_FORBIDDEN;
    return gt_fail(diag, status, "the %s %s cannot be read: %s", what, file, gt_net_words(errno, words));
}

/* The group may read it: that is how keys are given to servers that do not run as their owner. */
static goat_status check_secret(const char *key, gt_diag *diag) {
    struct stat about;
    goat_status status = check_readable(key, "key", diag);
    if (status != GOAT_OK || stat(key, &about) != 0 || (about.st_mode & (S_IWGRP | S_IRWXO)) == 0) return status;
    return gt_fail(diag, GOAT_BAD_KEY, "the key %s is open to others: chmod 600 it", key);
}

/* Nobody is there to be asked for a password. */
static int no_password(char *space, int size, int writing, void *context) {
    (void)space;
    (void)size;
    (void)writing;
    (void)context;
    return -1;
}

static goat_status load(SSL_CTX *tls, const char *certificate, const char *key, gt_diag *diag) {
    char words[GT_WORDS_MAX];
    goat_status status = check_readable(certificate, "certificate", diag);
    if (status == GOAT_OK) status = check_secret(key, diag);
    if (status != GOAT_OK) return status;
    ERR_clear_error();
    SSL_CTX_set_default_passwd_cb(tls, no_password);
    if (SSL_CTX_use_certificate_chain_file(tls, certificate) != 1) {
        return gt_fail(diag, GOAT_INVALID, "there is no usable certificate in %s: %s", certificate,
                       openssl_words(words));
    }
    if (SSL_CTX_use_PrivateKey_file(tls, key, SSL_FILETYPE_PEM) != 1) {
        return gt_fail(diag, GOAT_BAD_KEY, "there is no usable key for the certificate in %s: %s", key,
                       openssl_words(words));
    }
    if (SSL_CTX_check_private_key(tls) != 1) {
        return gt_fail(diag, GOAT_BAD_KEY, "the key in %s is not that of the certificate", key);
    }
    return GOAT_OK;
}

goat_status gt_tls_server_new(const char *certificate, const char *key, SSL_CTX **out, gt_diag *diag) {
    *out = NULL;
    SSL_CTX *tls = SSL_CTX_new(TLS_server_method());
    if (tls == NULL) return gt_no_memory(diag);
    goat_status status = set_common(tls, diag);
    if (status == GOAT_OK) status = load(tls, certificate, key, diag);
    if (status == GOAT_OK) {
        *out = tls;
    } else {
        SSL_CTX_free(tls);
    }
    return status;
}

/* At each handshake. A context keeps one certificate for each kind of key, so one of another kind would not replace the
 * first: what the connection got from lws's context is dropped. */
static int give_certificate(SSL *ssl, void *context) {
    SSL_CTX *from = *(SSL_CTX **)context;
    STACK_OF(X509) *chain = NULL;
    SSL_CTX_get0_chain_certs(from, &chain);
    SSL_certs_clear(ssl);
    return SSL_use_cert_and_key(ssl, SSL_CTX_get0_certificate(from), SSL_CTX_get0_privatekey(from), chain, 1);
}

goat_status gt_tls_server_apply(SSL_CTX **from, SSL_CTX *to, gt_diag *diag) {
    goat_status status = set_common(to, diag);
    if (status != GOAT_OK) return status;
    SSL_CTX_set_cert_cb(to, give_certificate, from);
    SSL_CTX_set_tlsext_servername_callback(to, NULL); /* lws would look for a virtual host; there is one */
    SSL_CTX_set_session_cache_mode(to, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_num_tickets(to, 1);
    return GOAT_OK;
}

bool gt_tls_server_is_for(SSL_CTX *tls, const char *host) {
    X509 *certificate = SSL_CTX_get0_certificate(tls);
    return X509_check_host(certificate, host, 0, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS, NULL) == 1;
}

/* ---- client: the system's CAs ---- */

static const char *const bundles[] = {
    "/etc/ssl/certs/ca-certificates.crt",                /* Debian, Alpine, Arch */
    "/etc/pki/tls/certs/ca-bundle.crt",                  /* Fedora */
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem", /* RHEL */
    "/etc/ssl/ca-bundle.pem",                            /* SUSE */
    "/etc/ssl/cert.pem",                                 /* BSD, macOS */
    "/usr/local/share/certs/ca-root-nss.crt",
};

static goat_status load_system(SSL_CTX *tls, gt_diag *diag) {
    const char *file = secure_getenv("SSL_CERT_FILE"), *folder = secure_getenv("SSL_CERT_DIR");
    bool loaded = false;
    if (file != NULL && file[0] != 0) loaded = SSL_CTX_load_verify_file(tls, file) == 1;
    if (folder != NULL && folder[0] != 0) loaded = SSL_CTX_load_verify_dir(tls, folder) == 1 || loaded;
    for (size_t i = 0; !loaded && i < sizeof(bundles) / sizeof(bundles[0]); i++) {
        loaded = access(bundles[i], R_OK) == 0 && SSL_CTX_load_verify_file(tls, bundles[i]) == 1;
    }
    if (!loaded) loaded = SSL_CTX_set_default_verify_paths(tls) == 1;
    ERR_clear_error();
    return loaded ? GOAT_OK
                  : gt_fail(diag, GOAT_NOT_FOUND, "the system's CA certificates are not where they are elsewhere");
}

/* ---- client: checking ---- */

static gt_tls_client *client_of(const SSL *ssl) { return SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl)); }

static void note_expiry(gt_tls_client *client, const X509 *certificate) {
    client->expires[0] = 0;
    BIO *text = certificate == NULL ? NULL : BIO_new(BIO_s_mem());
    if (text == NULL) return;
    if (ASN1_TIME_print(text, X509_get0_notAfter(certificate)) == 1) {
        int len = BIO_read(text, client->expires, (int)sizeof(client->expires) - 1);
        client->expires[len < 0 ? 0 : len] = 0;
    }
    BIO_free(text);
}

static int no_exceptions(int good, X509_STORE_CTX *store) {
    (void)store;
    return good;
}

/* Instead of everything that lws has set: the whole chain, and the host that was asked for. */
static int verify(X509_STORE_CTX *store, void *context) {
    gt_tls_client *client = context;
    X509_VERIFY_PARAM *rules = X509_STORE_CTX_get0_param(store);
    X509_STORE_CTX_set_verify_cb(store, no_exceptions);
    X509_VERIFY_PARAM_set_hostflags(rules, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    int set = client->is_address ? X509_VERIFY_PARAM_set1_ip_asc(rules, client->host)
                                 : X509_VERIFY_PARAM_set1_host(rules, client->host, 0);
    int result = set == 1 ? X509_verify_cert(store) : 0;
    client->verify_error = X509_STORE_CTX_get_error(store);
    client->verify_depth = X509_STORE_CTX_get_error_depth(store);
    if (result != 1 && client->verify_error == X509_V_OK) client->verify_error = X509_V_ERR_UNSPECIFIED;
    if (client->verify_error == X509_V_ERR_CERT_HAS_EXPIRED) {
        note_expiry(client, X509_STORE_CTX_get_current_cert(store));
    }
    return result == 1;
}

static void note_alert(const SSL *ssl, int where, int value) {
    if ((where & SSL_CB_READ_ALERT) == SSL_CB_READ_ALERT && (value >> 8) == SSL3_AL_FATAL) {
        client_of(ssl)->alert = value & 0xff;
    }
}

goat_status gt_tls_client_new(gt_tls_client *client, const char *ca_file, gt_diag *diag) {
    char words[GT_WORDS_MAX];
    client->tls = SSL_CTX_new(TLS_client_method());
    if (client->tls == NULL) return gt_no_memory(diag);
    ERR_clear_error();
    goat_status status = set_common(client->tls, diag);
    client->has_cas = ca_file != NULL;
    if (status == GOAT_OK && ca_file != NULL) {
        status = check_readable(ca_file, "file of CA certificates", diag);
        if (status == GOAT_OK && SSL_CTX_load_verify_file(client->tls, ca_file) != 1) {
            status = gt_fail(diag, GOAT_INVALID, "there is no CA certificate in %s: %s", ca_file, openssl_words(words));
        }
    }
    if (status != GOAT_OK) {
        gt_tls_client_free(client);
        return status;
    }
    SSL_CTX_set_app_data(client->tls, client);
    SSL_CTX_set_verify(client->tls, SSL_VERIFY_PEER, NULL);
    SSL_CTX_set_cert_verify_callback(client->tls, verify, client);
    SSL_CTX_set_info_callback(client->tls, note_alert);
    gt_tls_client_clear(client);
    return GOAT_OK;
}

goat_status gt_tls_client_load(gt_tls_client *client, gt_diag *diag) {
    goat_status status = client->has_cas ? GOAT_OK : load_system(client->tls, diag);
    client->has_cas = status == GOAT_OK;
    return status;
}

void gt_tls_client_free(gt_tls_client *client) {
    SSL_CTX_free(client->tls);
    client->tls = NULL;
}

void gt_tls_client_clear(gt_tls_client *client) {
    client->verify_error = X509_V_OK;
    client->verify_depth = 0;
    client->alert = -1;
    client->expires[0] = 0;
}

bool gt_tls_client_failed(const gt_tls_client *client, gt_diag *diag) {
    const char *whose = client->verify_depth == 0 ? "the server's certificate" : "a certificate above the server's";
    switch (client->verify_error) {
    case X509_V_OK:
        if (client->alert < 0) return false;
        gt_fail(diag, GOAT_OFFLINE, "the server refuses the TLS connection: %s",
                SSL_alert_desc_string_long(client->alert));
        return true;
    case X509_V_ERR_CERT_HAS_EXPIRED: gt_fail(diag, GOAT_UNTRUSTED, "%s expired at %s", whose, client->expires); break;
    case X509_V_ERR_CERT_NOT_YET_VALID:
        gt_fail(diag, GOAT_UNTRUSTED, "%s is not valid yet; is the clock right?", whose);
        break;
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
        gt_fail(diag, GOAT_UNTRUSTED, "the server's certificate is for other hosts than %s", client->host);
        break;
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
        gt_fail(diag, GOAT_UNTRUSTED,
                "the server's certificate is signed by itself, and by no CA that is known here: " CA_HINT);
        break;
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
        gt_fail(diag, GOAT_UNTRUSTED, "the server's certificate comes from a CA that is not known here: " CA_HINT);
        break;
    default:
        gt_fail(diag, GOAT_UNTRUSTED, "%s does not hold: %s", whose,
                X509_verify_cert_error_string(client->verify_error));
    }
    return true;
}
