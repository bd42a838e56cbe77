/* Identities: key files, session certificates, and the two schemas that are built in
 * (core/commit/FORMAT.md section 8, core/log/FORMAT.md section 5).
 *
 * A session is known by the hash of its public key; the root's certificate says who it is. Nothing here
 * does I/O or reads a clock. */
#ifndef GT_TRUST_TRUST_H
#define GT_TRUST_TRUST_H

#include "commit/batch.h"
#include "schema/schema.h"

#define GT_SESSIONS_PATH "/sys/sessions"
#define GT_SCHEMAS_PATH "/sys/schemas"
#define GT_SESSION_NS "sys.session"
#define GT_SCHEMA_NS "sys.schema"
#define GT_CALLS_NS "sys.calls"

/* ---- keys ---- */

typedef struct gt_identity {
    gt_id session; /* hash of the public key */
    uint8_t public_key[GT_PUBLIC_KEY_SIZE];
    gt_secret_key secret;
} gt_identity;

void gt_identity_from_seed(gt_hasher *hasher, const uint8_t seed[GT_SEED_SIZE], gt_identity *identity);
void gt_identity_wipe(gt_identity *identity);

/* The text of a key file. */
enum { GT_KEY_FILE_SIZE = 12 + 64 + 1 };
void gt_key_file_write(const uint8_t seed[GT_SEED_SIZE], char text[GT_KEY_FILE_SIZE]);
/* GOAT_OK, GOAT_BAD_KEY. */
goat_status gt_key_file_read(gt_bytes text, uint8_t seed[GT_SEED_SIZE], gt_diag *diag);

/* The text of the file `network`: which network this database belongs to. */
enum { GT_NETWORK_FILE_SIZE = 15 + 64 + 1 };
void gt_network_file_write(const gt_id *network, char text[GT_NETWORK_FILE_SIZE]);
/* GOAT_OK, GOAT_CORRUPT. */
goat_status gt_network_file_read(gt_bytes text, gt_id *network, gt_diag *diag);

/* ---- certificates ---- */

typedef struct gt_keyring gt_keyring;

gt_keyring *gt_keyring_new(const gt_alloc *alloc);
void gt_keyring_free(gt_keyring *keyring);

/* Takes in a certificate: the state of an item of /sys/sessions; a later one of the same session gives it another role
 * or end.
 * GOAT_OK, GOAT_UNTRUSTED when the key is not that of the session named, GOAT_NO_MEMORY. */
goat_status gt_keyring_learn(gt_keyring *keyring, gt_hasher *hasher, gt_bytes key, gt_bytes state, gt_diag *diag);

/* The public key of a session; NULL: not certified. */
const uint8_t *gt_keyring_find(const gt_keyring *keyring, const gt_id *session);

typedef enum gt_role {
    GT_ROLE_NONE, /* not certified, or in a role that this version does not know */
    GT_ROLE_ROOT,
    GT_ROLE_SERVER,
    GT_ROLE_USER,
    GT_ROLE_ANONYMOUS,
} gt_role;

gt_role gt_keyring_role(const gt_keyring *keyring, const gt_id *session);

/* When its certificate ends; INT64_MAX: never, or it has none. */
int64_t gt_keyring_expires_ms(const gt_keyring *keyring, const gt_id *session);
/* The same of one certificate. */
int64_t gt_certificate_expires_ms(gt_bytes state);

/* Grows with each certificate that says something new. */
uint32_t gt_keyring_count(const gt_keyring *keyring);

/* The key with which a batch of /sys/sessions must be signed: the root's, which the first batch itself
 * brings. GOAT_UNTRUSTED. */
goat_status gt_trust_root_key(const gt_keyring *keyring, gt_hasher *hasher, const gt_id *network, const gt_batch *batch,
                              uint8_t public_key[GT_PUBLIC_KEY_SIZE], gt_diag *diag);

/* ---- access ---- */

typedef enum gt_access { GT_MAY_READ, GT_MAY_WRITE } gt_access;

/* The one place that says who may do what in a repository ("/type/repo"). In this version everybody may read, every
 * certified session may write, and in /sys only the root and servers, in /sys/sessions the root alone; access rules
 * will be asked here. GOAT_OK, GOAT_FORBIDDEN; GOAT_UNTRUSTED when a session that is not certified wants to write. */
goat_status gt_trust_may(const gt_keyring *keyring, gt_access access, gt_bytes repository, const gt_id *session,
                         gt_diag *diag);

/* Appends the delta of a certificate. */
void gt_certificate_write(const uint8_t public_key[GT_PUBLIC_KEY_SIZE], const char *role, gt_buf *delta);

/* The item key of a session's certificate: 64 hexadecimal digits and a NUL. */
void gt_certificate_key(const gt_id *session, char key[2 * GT_ID_SIZE + 1]);

/* ---- built-in schemas ---- */

/* Registers sys.session and sys.schema. */
goat_status gt_builtin_register(gt_registry *registry, const gt_alloc *alloc, gt_hasher *hasher, gt_diag *diag);

/* Whether a namespace is the library's own: "sys" and what begins with "sys.". */
bool gt_is_reserved_ns(gt_bytes ns);

/* Whether a schema is one of the two. */
bool gt_is_builtin(const gt_schema *schema);

/* The key and the delta of the item in /sys/schemas that stores a schema. */
void gt_schema_item_key(const gt_schema *schema, gt_buf *key);
void gt_schema_item_delta(const gt_schema *schema, gt_buf *delta);

/* The definition in the state of such an item; data NULL: none. */
gt_bytes gt_schema_item_definition(gt_bytes state);

#endif
