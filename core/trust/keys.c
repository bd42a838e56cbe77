/* Key files and identities. Seeds are wiped as soon as they were used. */
#include "base/utf8.h"
#include "trust/trust.h"

#include <string.h>

static const char seed_word[] = "goat-seed-1 ";
static const char network_word[] = "goat-network-1 ";

void gt_identity_from_seed(gt_hasher *hasher, const uint8_t seed[GT_SEED_SIZE], gt_identity *identity) {
    gt_key_pair(seed, identity->public_key, &identity->secret);
    gt_hash(hasher, identity->public_key, sizeof(identity->public_key), identity->session.bytes);
}

void gt_identity_wipe(gt_identity *identity) { gt_wipe(identity, sizeof(*identity)); }

/* A word, hexadecimal digits, a newline. */
static void write_line(const char *word, const uint8_t bytes[32], char *text) {
    while (*word != '\0') *text++ = *word++;
    gt_hex(text, bytes, 32); /* its NUL is where the newline goes */
    text[64] = '\n';
}

static bool read_line(const char *word, gt_bytes text, uint8_t bytes[32]) {
    size_t len = strlen(word);
    return text.len == len + 65 && memcmp(text.data, word, len) == 0 && text.data[len + 64] == '\n' &&
           gt_unhex(bytes, 32, (const char *)text.data + len, 64);
}

void gt_key_file_write(const uint8_t seed[GT_SEED_SIZE], char text[GT_KEY_FILE_SIZE]) {
    write_line(seed_word, seed, text);
}

goat_status gt_key_file_read(gt_bytes text, uint8_t seed[GT_SEED_SIZE], gt_diag *diag) {
    if (read_line(seed_word, text, seed)) return GOAT_OK;
    return gt_fail(diag, GOAT_BAD_KEY, "the key file is malformed");
}

void gt_network_file_write(const gt_id *network, char text[GT_NETWORK_FILE_SIZE]) {
    write_line(network_word, network->bytes, text);
}

goat_status gt_network_file_read(gt_bytes text, gt_id *network, gt_diag *diag) {
    if (read_line(network_word, text, network->bytes)) return GOAT_OK;
    return gt_fail(diag, GOAT_CORRUPT, "the file 'network' is malformed");
}
