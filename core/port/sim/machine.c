/* Randomness and clocks that are the same in every run: splitmix64 (Steele, Lea, Flood 2014), and time
 * that passes only when a test lets it. */
#include "port/sim/sim.h"

#include "base/assert.h"

void gt_sim_random_init(gt_sim_random *random, uint64_t seed) { random->state = seed; }

uint64_t gt_sim_random_u64(gt_sim_random *random) {
    uint64_t z = random->state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

uint64_t gt_sim_random_below(gt_sim_random *random, uint64_t limit) {
    GOAT_ASSERT(limit != 0);
    return gt_sim_random_u64(random) % limit; /* the bias does not matter for choosing cases */
}

static bool fill(void *context, uint8_t *bytes, size_t len) {
    for (size_t i = 0; i < len; i++) {
        bytes[i] = (uint8_t)gt_sim_random_u64(context);
    }
    return true;
}

goat_random gt_sim_random_source(gt_sim_random *random) { return (goat_random){sizeof(goat_random), random, fill}; }

/* Some day in 2025, so that times look like times. */
void gt_sim_clock_init(gt_sim_clock *clock) {
    clock->monotonic_us = 1000000;
    clock->wall_ms = INT64_C(1750000000000);
}

void gt_sim_advance_ms(gt_sim_clock *clock, uint64_t ms) {
    clock->monotonic_us += ms * 1000;
    clock->wall_ms += (int64_t)ms;
}

void gt_sim_set_wall_ms(gt_sim_clock *clock, int64_t wall_ms) { clock->wall_ms = wall_ms; }

static uint64_t monotonic_us(void *context) { return ((const gt_sim_clock *)context)->monotonic_us; }
static int64_t wall_ms(void *context) { return ((const gt_sim_clock *)context)->wall_ms; }

goat_clock gt_sim_clock_source(gt_sim_clock *clock) {
    return (goat_clock){sizeof(goat_clock), clock, monotonic_us, wall_ms};
}
