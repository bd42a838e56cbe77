/* Configurations of callers who were compiled with another version of the header. */
#include "abi.h"

enum { STRUCT_SIZE_MAX = 4096 }; /* larger is no structure but memory that was never set */

void gt_struct_init(void *to, size_t size, const void *defaults, size_t known) {
    uint32_t own = (uint32_t)size;
    if (to == NULL || size < sizeof(own) || size > STRUCT_SIZE_MAX) return;
    memset(to, 0, size);
    memcpy(to, defaults, size < known ? size : known);
    memcpy(to, &own, sizeof(own));
}

bool gt_struct_copy(void *to, size_t known, const void *from) {
    uint32_t size;
    memcpy(&size, from, sizeof(size));
    if (size < sizeof(size) || size > STRUCT_SIZE_MAX) return false;
    memset(to, 0, known);
    memcpy(to, from, size < known ? size : known);
    for (size_t i = known; i < size; i++) {
        if (((const uint8_t *)from)[i] != 0) return false;
    }
    return true;
}
