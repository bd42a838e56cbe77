#include "plain_bloom.h"

#include "lab.h"

#include <stdlib.h>
#include <string.h>

enum {
    HASHES = 7,           /* for one false positive in a hundred: 9.585 bits an element */
    FINGERPRINT = 32 + 8, /* digest and count, which go with each filter */
    SALT = 16,
};
#define BITS_AN_ELEMENT 9.585

typedef struct side {
    uint64_t *ids; /* of a commit: 64 bits of its id stand for the whole */
    uint32_t count;
    uint64_t sum; /* over all ids: whether two sets are equal */
} side;

typedef struct filter {
    uint8_t *bytes;
    uint64_t bits, salt;
} filter;

/* Steele and others 2014, SplitMix64. */
static uint64_t mix(uint64_t x) {
    x += UINT64_C(0x9e3779b97f4a7c15);
    x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
    return x ^ x >> 31;
}

static void add(side *s, uint64_t id) {
    s->ids[s->count++] = id;
    s->sum += mix(id);
}

static uint64_t bit_of(const filter *f, uint64_t id, uint32_t i) {
    uint64_t first = mix(id ^ f->salt), second = mix(id + f->salt) | 1;
    return (first + i * second) % f->bits;
}

static double filter_make(const side *s, uint64_t salt, filter *f) {
    f->bits = (uint64_t)(BITS_AN_ELEMENT * s->count + 63) / 64 * 64;
    if (f->bits == 0) f->bits = 64;
    f->salt = mix(salt);
    f->bytes = calloc(f->bits / 8, 1);
    if (f->bytes == NULL) lab_fail("no memory for a filter");
    for (uint32_t n = 0; n < s->count; n++) {
        for (uint32_t i = 0; i < HASHES; i++) {
            uint64_t bit = bit_of(f, s->ids[n], i);
            f->bytes[bit / 8] |= (uint8_t)(1u << bit % 8);
        }
    }
    return (double)(f->bits / 8) + SALT + FINGERPRINT;
}

static bool may_hold(const filter *f, uint64_t id) {
    for (uint32_t i = 0; i < HASHES; i++) {
        uint64_t bit = bit_of(f, id, i);
        if ((f->bytes[bit / 8] & 1u << bit % 8) == 0) return false;
    }
    return true;
}

/* `from` gives `to` what the filter of `to` surely lacks. Ids of `from` that are in both, or came from `to`, are in
 * it. */
static void give(const side *from, side *to, const filter *f) {
    for (uint32_t n = 0; n < from->count; n++) {
        if (!may_hold(f, from->ids[n])) add(to, from->ids[n]);
    }
}

static void side_init(side *s, uint32_t shared, uint32_t apart, uint64_t first_own) {
    *s = (side){.ids = malloc(((size_t)shared + 2 * (size_t)apart + 1) * sizeof(uint64_t))};
    if (s->ids == NULL) lab_fail("no memory for ids");
    for (uint32_t i = 0; i < shared; i++) add(s, mix(i));
    for (uint32_t i = 0; i < apart; i++) add(s, mix(first_own + i));
}

plain_cost plain_bloom(uint32_t shared, uint32_t apart) {
    side client, server;
    side_init(&client, shared, apart, shared);
    side_init(&server, shared, apart, (uint64_t)shared + apart);
    plain_cost cost = {.bytes = 2 * FINGERPRINT, .trips = 1}; /* are they equal? */
    while (client.sum != server.sum || client.count != server.count) {
        filter f;
        cost.trips++;
        cost.bytes += filter_make(&client, 2 * cost.trips, &f);
        give(&server, &client, &f);
        free(f.bytes);
        cost.bytes += filter_make(&server, 2 * cost.trips + 1, &f);
        give(&client, &server, &f);
        free(f.bytes);
    }
    free(client.ids);
    free(server.ids);
    return cost;
}
