#include "support/naive_tree.h"

gt_id naive_tree(gt_hasher *hasher, const gt_id *leaves, uint32_t n) {
    gt_id left, right, hash;
    uint32_t k = 1;
    if (n == 1) {
        return leaves[0];
    }
    while (2 * k < n) {
        k *= 2;
    }
    left = naive_tree(hasher, leaves, k);
    right = naive_tree(hasher, leaves + k, n - k);
    uint8_t one = 0x01;
    const gt_bytes pieces[] = {gt_bytes_of(&one, 1), gt_bytes_of(&left, 32), gt_bytes_of(&right, 32)};
    gt_hash_pieces(hasher, pieces, 3, hash.bytes);
    return hash;
}
