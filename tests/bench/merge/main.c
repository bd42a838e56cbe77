/* bench_merge [--quick] [--json] [--rounds N]: what replays cost, without logs and signatures around them. */
#include "../bench.h"
#include "histories.h"

#include <stdlib.h>
#include <string.h>

enum { ROUNDS = 9 };

/* Seconds of one replay, the mean of so many. */
static double seconds_of(const history *h, uint32_t times) {
    gt_buf state;
    gt_buf_init(&state, &gt_alloc_system);
    double begin = now_s();
    for (uint32_t i = 0; i < times; i++) {
        gt_buf_clear(&state);
        history_replay(h, &state);
    }
    double seconds = (now_s() - begin) / times;
    gt_buf_free(&state);
    return seconds;
}

static void measure(history h, uint32_t times, int rounds, double scale) {
    for (int round = 0; round < rounds; round++) row_add(GOAT, seconds_of(&h, times) * scale);
    history_free(&h);
}

static void measure_gossip(uint32_t steps_each, double target_ms, int rounds) {
    static char names[8][64];
    static int count;
    char *name = names[count++];
    snprintf(name, sizeof(names[0]), "10 replicas x %u steps of gossip, one text", (unsigned)steps_each);
    row_begin(name, "ms", target_ms, false);
    measure(history_of_gossip(10, steps_each), 3, rounds, 1e3);
}

int main(int argc, char **argv) {
    bool json = false, quick = false;
    int rounds = ROUNDS;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--json") == 0) {
            json = true;
        } else if (strcmp(argv[i], "--quick") == 0) {
            quick = true;
            rounds = 1;
        } else if (strcmp(argv[i], "--rounds") == 0 && i + 1 < argc && strtol(argv[i + 1], NULL, 10) > 0) {
            rounds = (int)strtol(argv[++i], NULL, 10);
        } else {
            fprintf(stderr, "usage: bench_merge [--quick] [--json] [--rounds N]\n");
            return 2;
        }
    }
    row_begin("two heads of an item of 5 fields", "us", 5, false);
    measure(history_of_heads(2), 20000, rounds, 1e6);
    row_begin("50 heads of one", "ms", 5, false);
    measure(history_of_heads(50), 500, rounds, 1e3);
    row_begin("a remote key in a text of 100 kB, beside an own one", "ms", 2, false);
    measure(history_of_keys(100 * 1000), 200, rounds, 1e3);
    measure_gossip(60, 50, rounds);
    if (!quick) { /* in proportion to the commits */
        measure_gossip(120, 100, rounds);
        measure_gossip(240, 200, rounds);
    }
    if (json) {
        report_json();
    } else {
        report_table();
    }
    return 0;
}
