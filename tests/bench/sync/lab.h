/* The benchmark of sync: what its parts have in common. Servers and clients are processes of their own (child.h); what
 * the bench does to them it does over loopback, except where bytes are counted (pipe.h). */
#ifndef GOAT_BENCH_LAB_H
#define GOAT_BENCH_LAB_H

#include "../bench.h"

#include <stdint.h>

typedef struct lab_plan {
    const char *program; /* this one, for children */
    const char *folder;  /* an empty one */
    int rounds;
    bool quick;
    bool quiet; /* nothing but the figures on stdout */
} lab_plan;

/* ---- the parts; each fills in its rows ---- */

void lab_floor(const lab_plan *lab, const documents *docs);
void lab_clone(const lab_plan *lab, const documents *docs);
void lab_live(const lab_plan *lab, const documents *docs);
void lab_flood(const lab_plan *lab, const documents *docs);
void lab_reconcile(const lab_plan *lab, const documents *docs);
void lab_idle(const lab_plan *lab, const documents *docs);
void lab_peers(const lab_plan *lab, const documents *docs);

/* ---- names of rows ---- */

extern const char row_clone_documents[], row_clone_small[], row_clone_memory[];
extern const char row_visible_median[], row_visible_99[], row_safe_median[];
extern const char row_flood_verified_99[], row_flood_counted_99[], row_flood_safe_99[], row_flood_processor[];
extern const char row_reconnect_small[], row_reconnect_large[], row_reconnect_trips[];
extern const char row_point_trips[], row_point_bytes[], row_without_bytes[], row_without_trips[];
extern const char row_idle_plain[], row_idle_tls[], row_idle_processor[];

/* ---- samples.c ---- */

/* Any number of measurements, for their percentiles. */
typedef struct samples {
    double *values;
    size_t count, capacity;
    bool sorted;
} samples;

void samples_add(samples *s, double value);
double samples_at(samples *s, double percent); /* NaN without any */
void samples_free(samples *s);
/* To a file and from one, as they lie in memory. */
void samples_write(const samples *s, const char *path);
void samples_read(samples *s, const char *path); /* adds to `s`; removes the file */

/* ---- support ---- */

uint64_t now_us(void); /* the machine's monotonic clock, the same in every process */
void sleep_us(uint64_t us);
_Noreturn void lab_fail(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* A line about what is going on, for people. */
void lab_say(const lab_plan *lab, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Adds to a list of that name beside the rows, in the figures for machines. Takes `value`. */
void lab_note(const char *name, json_t *value);
/* The public key of the network's root. */
void lab_root_key(goat_db *db, uint8_t root_key[32]);
void lab_raise_files(void); /* as many open files as may be */
double lab_folder_bytes(const char *folder);

#endif
