/* Versions and names. */
#include "abi.h"

const char *goat_version(void) { return GOAT_VERSION; }

uint32_t goat_abi_version(void) { return GOAT_ABI_VERSION; }

const char *goat_status_name(goat_status status) { return gt_status_name(status); }
