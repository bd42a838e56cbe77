/* Bugs that are put into the engine or its machine, to show that the simulator finds such.
 *
 * The program sim has none. sim_bugs is the same program with functions of the engine replaced when it is linked
 * (-Wl,--wrap, see CMakeLists.txt): nothing of this is in core/. */
#ifndef SIM_BUGS_H
#define SIM_BUGS_H

#include <stdbool.h>
#include <stdint.h>

typedef struct sim_bug {
    const char *name;
    const char *what;
    uint32_t seeds_max; /* within so many it is found */
    bool *is_on;
} sim_bug;

extern const sim_bug sim_bugs[];
extern const uint32_t sim_bug_count;

/* Puts one in; NULL: none. False: there is none of that name in this program. */
bool sim_bug_put_in(const char *name);

extern bool sim_bug_lying_disk;    /* used in peer.c */
extern bool sim_bug_no_signatures; /* used in memo.c */

#endif
