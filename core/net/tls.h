/* TLS through OpenSSL: versions, ciphers, certificates, and words for what does not hold. */
#ifndef GT_NET_TLS_H
#define GT_NET_TLS_H

#include "base/alloc.h"
#include "base/status.h"

#include <openssl/ssl.h>

/* ---- server ---- */

/* A context with the certificate chain and the key of two PEM files, checked against each other. GOAT_OK, GOAT_NOT_FOUND,
 * GOAT_FORBIDDEN, GOAT_BAD_KEY (also when the key's file is open to others), GOAT_INVALID, GOAT_NO_MEMORY. Ended by SSL_CTX_free(). */
goat_status gt_tls_server_new(const char *certificate, const char *key, SSL_CTX **tls, gt_diag *diag);

/* Gives lws's context of a server our settings; each handshake takes its certificate and key from what `*from` is then,
 * a context of gt_tls_server_new(). `from` stays where it is. */
goat_status gt_tls_server_apply(SSL_CTX **from, SSL_CTX *to, gt_diag *diag);

/* Whether the certificate is for this host. */
bool gt_tls_server_is_for(SSL_CTX *tls, const char *host);

/* ---- client ---- */

/* What is learned while connecting. */
typedef struct gt_tls_client {
    SSL_CTX *tls;
    const char *host; /* must be in the server's certificate; borrowed */
    bool is_address;  /* it is an IP address */
    bool has_cas;
    int verify_error; /* X509_V_…, of the last handshake */
    int verify_depth;
    int alert;        /* that the server sent, or -1 */
    char expires[40]; /* when a certificate that has expired did so; empty */
} gt_tls_client;

/* Verifies against the CAs in `ca_file`, or with NULL against the system's, once they are loaded. `client` stays where it
 * is. GOAT_OK, GOAT_NOT_FOUND, GOAT_INVALID, GOAT_NO_MEMORY. */
goat_status gt_tls_client_new(gt_tls_client *client, const char *ca_file, gt_diag *diag);
/* Before the first handshake: the system's CAs, which takes some 50 ms. Nothing where they are there. GOAT_OK,
 * GOAT_NOT_FOUND. */
goat_status gt_tls_client_load(gt_tls_client *client, gt_diag *diag);
void gt_tls_client_free(gt_tls_client *client);
/* Before each handshake. */
void gt_tls_client_clear(gt_tls_client *client);
/* Whether the last handshake failed for the certificate or was refused; then says so: GOAT_UNTRUSTED or GOAT_OFFLINE. */
bool gt_tls_client_failed(const gt_tls_client *client, gt_diag *diag);

#endif
