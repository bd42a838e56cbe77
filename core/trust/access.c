/* Who may do what in a repository. */
#include "trust/trust.h"

#include <string.h>

static bool is_in_sys(gt_bytes repository) {
    static const char sys[] = "/sys/";
    return repository.len >= sizeof(sys) - 1 && memcmp(repository.data, sys, sizeof(sys) - 1) == 0;
}

goat_status gt_trust_may(const gt_keyring *keyring, gt_access access, gt_bytes repository, const gt_id *session,
                         gt_diag *diag) {
    if (access == GT_MAY_READ) return GOAT_OK;
    gt_role role = gt_keyring_role(keyring, session);
    if (gt_bytes_equal(repository, gt_bytes_text(GT_SESSIONS_PATH))) {
        if (role == GT_ROLE_ROOT) return GOAT_OK;
        return gt_fail(diag, GOAT_FORBIDDEN, "only the root writes certificates");
    }
    if (is_in_sys(repository)) {
        if (role == GT_ROLE_ROOT || role == GT_ROLE_SERVER) return GOAT_OK;
        return gt_fail(diag, GOAT_FORBIDDEN, "only the root and servers write system items");
    }
    if (gt_keyring_find(keyring, session) != NULL) return GOAT_OK;
    return gt_fail(diag, GOAT_UNTRUSTED, "the session is not certified");
}
