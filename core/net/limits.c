#include "net/limits.h"

const gt_net_times gt_net_times_default = {
    .tick_us = 1000 * 1000,
    .handshake_us = 10 * 1000 * 1000,
    .stall_us = 60 * 1000 * 1000,
    .end_us = 5 * 1000 * 1000,
    .connect_us = 15 * 1000 * 1000,
    .retry_min_us = 250 * 1000,
    .retry_max_us = 30 * 1000 * 1000,
    .retry_untrusted_us = 120 * 1000 * 1000,
    .healthy_us = 10 * 1000 * 1000,
};
