/* How much of what stays strangers may make: certificates, repositories. Some at once, since a whole office comes in the
 * morning, and more as time goes by; so nobody fills a disk with them in a day. */
#include "db/internal.h"

bool gt_allowance_take(gt_allowance *allowance, uint32_t most, uint64_t each_us, uint64_t now_us) {
    uint64_t back = now_us > allowance->since_us ? (now_us - allowance->since_us) / each_us : 0;
    if (back >= allowance->used) {
        *allowance = (gt_allowance){.since_us = now_us, .used = 1};
        return true;
    }
    allowance->used -= (uint32_t)back;
    allowance->since_us += back * each_us;
    if (allowance->used >= most) return false;
    allowance->used++;
    return true;
}
