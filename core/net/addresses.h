/* How many connections there are from each address. */
#ifndef GT_NET_ADDRESSES_H
#define GT_NET_ADDRESSES_H

#include "base/index.h"
#include "crypto/crypto.h"
#include "net/limits.h"

#include <sys/socket.h>

typedef struct gt_address_row {
    uint8_t address[GT_NET_ADDRESS_SIZE];
    uint32_t count;     /* 0: the row is free */
    uint32_t pending;   /* accept.c: of them, those that have not shown what they want */
    uint32_t next_free; /* row + 1 */
} gt_address_row;

typedef struct gt_addresses {
    const gt_alloc *alloc;
    uint8_t hash_key[GT_SIPHASH_KEY_SIZE]; /* strangers choose the addresses */
    gt_index index;
    gt_address_row *rows;
    size_t row_count, capacity;
    uint32_t first_free; /* row + 1 */
} gt_addresses;

void gt_addresses_init(gt_addresses *addresses, const gt_alloc *alloc, const uint8_t hash_key[GT_SIPHASH_KEY_SIZE]);
void gt_addresses_free(gt_addresses *addresses);

/* What is counted by: an IPv4 address, or the 64 bits of an IPv6 address that one customer is given. */
void gt_address_of(const struct sockaddr_storage *peer, uint8_t address[GT_NET_ADDRESS_SIZE]);

/* GOAT_OK; GOAT_TOO_LARGE: there are `max` already; GOAT_NO_MEMORY. `*row` is the address's until the last one left. */
goat_status gt_addresses_enter(gt_addresses *addresses, const uint8_t address[GT_NET_ADDRESS_SIZE], uint32_t max,
                               uint32_t *row);
void gt_addresses_leave(gt_addresses *addresses, uint32_t row);

#endif
