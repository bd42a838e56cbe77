#include "net/addresses.h"

#include "base/assert.h"

#include <netinet/in.h>

enum { NETWORK_PART = 8 }; /* bytes of an IPv6 address */

void gt_addresses_init(gt_addresses *addresses, const gt_alloc *alloc, const uint8_t hash_key[GT_SIPHASH_KEY_SIZE]) {
    *addresses = (gt_addresses){.alloc = alloc};
    memcpy(addresses->hash_key, hash_key, GT_SIPHASH_KEY_SIZE);
    gt_index_init(&addresses->index, alloc);
}

void gt_addresses_free(gt_addresses *addresses) {
    gt_index_free(&addresses->index);
    gt_free(addresses->alloc, addresses->rows);
    addresses->rows = NULL;
}

void gt_address_of(const struct sockaddr_storage *peer, uint8_t address[GT_NET_ADDRESS_SIZE]) {
    static const uint8_t mapped[] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    memset(address, 0, GT_NET_ADDRESS_SIZE);
    if (peer->ss_family == AF_INET) {
        struct sockaddr_in four;
        memcpy(&four, peer, sizeof(four));
        memcpy(address, mapped, sizeof(mapped));
        memcpy(address + sizeof(mapped), &four.sin_addr, sizeof(four.sin_addr));
    } else if (peer->ss_family == AF_INET6) {
        struct sockaddr_in6 six;
        memcpy(&six, peer, sizeof(six));
        bool is_mapped = memcmp(&six.sin6_addr, mapped, sizeof(mapped)) == 0;
        memcpy(address, &six.sin6_addr, is_mapped ? GT_NET_ADDRESS_SIZE : NETWORK_PART);
    }
}

static uint64_t hash(const gt_addresses *addresses, const uint8_t *address) {
    return gt_siphash(addresses->hash_key, gt_bytes_of(address, GT_NET_ADDRESS_SIZE));
}

static gt_address_row *find(const gt_addresses *addresses, const uint8_t *address, uint32_t *row) {
    gt_index_cursor cursor;
    for (*row = gt_index_first(&addresses->index, hash(addresses, address), &cursor); *row != GT_INDEX_NONE;
         *row = gt_index_next(&addresses->index, &cursor)) {
        if (memcmp(addresses->rows[*row].address, address, GT_NET_ADDRESS_SIZE) == 0) return &addresses->rows[*row];
    }
    return NULL;
}

goat_status gt_addresses_enter(gt_addresses *addresses, const uint8_t address[GT_NET_ADDRESS_SIZE], uint32_t max,
                               uint32_t *row) {
    gt_address_row *found = find(addresses, address, row);
    if (found != NULL) {
        if (found->count >= max) return GOAT_TOO_LARGE;
        found->count++;
        return GOAT_OK;
    }
    if (max == 0) return GOAT_TOO_LARGE;
    if (addresses->first_free == 0) {
        if (!gt_reserve(addresses->alloc, (void **)&addresses->rows, addresses->row_count, &addresses->capacity,
                        sizeof(addresses->rows[0]))) {
            return GOAT_NO_MEMORY;
        }
        addresses->rows[addresses->row_count] = (gt_address_row){.next_free = 0};
        addresses->first_free = (uint32_t)++addresses->row_count;
    }
    *row = addresses->first_free - 1;
    if (!gt_index_insert(&addresses->index, hash(addresses, address), *row)) return GOAT_NO_MEMORY;
    found = &addresses->rows[*row];
    addresses->first_free = found->next_free;
    memcpy(found->address, address, GT_NET_ADDRESS_SIZE);
    found->count = 1;
    found->pending = 0;
    return GOAT_OK;
}

void gt_addresses_leave(gt_addresses *addresses, uint32_t row) {
    gt_address_row *left = &addresses->rows[row];
    GOAT_ASSERT(row < addresses->row_count && left->count > 0);
    if (--left->count > 0) return;
    gt_index_remove(&addresses->index, hash(addresses, left->address), row);
    left->next_free = addresses->first_free;
    addresses->first_free = row + 1;
}
