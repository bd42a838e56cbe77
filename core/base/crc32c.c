/* Two ways to one number: the SSE4.2 instruction where the processor that runs this has it, and eight
 * tables elsewhere ("slicing by 8", Kounavis and Berry 2005). Which one is asked of the processor at
 * each call, so there is no pointer that somebody would have to set first. */
#include "base/crc32c.h"

#include "base/bytes.h"

#if defined(__x86_64__) && defined(__GNUC__)
#define HAVE_INSTRUCTION 1
#include <nmmintrin.h>
#else
#define HAVE_INSTRUCTION 0
#endif

/* A CRC is linear: the entry for byte n is the XOR of the entries of its bits, so the source holds
 * those of 1, 2, 4 … 128 and the compiler makes the 256. Table k is for a byte with k bytes behind it. */
#define BIT(n, bit, entry) (((n) & (1u << (bit))) != 0 ? (entry) : 0u)
#define ENTRY(n, a, b, c, d, e, f, g, h)                                                                               \
    (BIT(n, 0, a) ^ BIT(n, 1, b) ^ BIT(n, 2, c) ^ BIT(n, 3, d) ^ BIT(n, 4, e) ^ BIT(n, 5, f) ^ BIT(n, 6, g) ^          \
     BIT(n, 7, h))
#define FOUR(n, ...)                                                                                                   \
    ENTRY((n), __VA_ARGS__), ENTRY((n) + 1u, __VA_ARGS__), ENTRY((n) + 2u, __VA_ARGS__), ENTRY((n) + 3u, __VA_ARGS__)
#define SIXTEEN(n, ...)                                                                                                \
    FOUR((n), __VA_ARGS__), FOUR((n) + 4u, __VA_ARGS__), FOUR((n) + 8u, __VA_ARGS__), FOUR((n) + 12u, __VA_ARGS__)
#define SIXTY_FOUR(n, ...)                                                                                             \
    SIXTEEN((n), __VA_ARGS__), SIXTEEN((n) + 16u, __VA_ARGS__), SIXTEEN((n) + 32u, __VA_ARGS__),                       \
        SIXTEEN((n) + 48u, __VA_ARGS__)
#define TABLE(...)                                                                                                     \
    {                                                                                                                  \
        SIXTY_FOUR(0u, __VA_ARGS__), SIXTY_FOUR(64u, __VA_ARGS__), SIXTY_FOUR(128u, __VA_ARGS__),                      \
            SIXTY_FOUR(192u, __VA_ARGS__)                                                                              \
    }

/* NOLINTBEGIN(misc-redundant-expression): the bits of 0 are 0. */
static const uint32_t tables[8][256] = {
    TABLE(0xf26b8303, 0xe13b70f7, 0xc79a971f, 0x8ad958cf, 0x105ec76f, 0x20bd8ede, 0x417b1dbc, 0x82f63b78),
    TABLE(0x13a29877, 0x274530ee, 0x4e8a61dc, 0x9d14c3b8, 0x3fc5f181, 0x7f8be302, 0xff17c604, 0xfbc3faf9),
    TABLE(0xa541927e, 0x4f6f520d, 0x9edea41a, 0x38513ec5, 0x70a27d8a, 0xe144fb14, 0xc76580d9, 0x8b277743),
    TABLE(0xdd45aab8, 0xbf672381, 0x7b2231f3, 0xf64463e6, 0xe964b13d, 0xd725148b, 0xaba65fe7, 0x52a0c93f),
    TABLE(0x38116fac, 0x7022df58, 0xe045beb0, 0xc5670b91, 0x8f2261d3, 0x1ba8b557, 0x37516aae, 0x6ea2d55c),
    TABLE(0xef306b19, 0xdb8ca0c3, 0xb2f53777, 0x6006181f, 0xc00c303e, 0x85f4168d, 0x0e045beb, 0x1c08b7d6),
    TABLE(0x68032cc8, 0xd0065990, 0xa5e0c5d1, 0x4e2dfd53, 0x9c5bfaa6, 0x3d5b83bd, 0x7ab7077a, 0xf56e0ef4),
    TABLE(0x493c7d27, 0x9278fa4e, 0x211d826d, 0x423b04da, 0x847609b4, 0x0d006599, 0x1a00cb32, 0x34019664),
};
/* NOLINTEND(misc-redundant-expression) */

static uint32_t add_byte(uint32_t state, uint8_t byte) { return state >> 8 ^ tables[0][(state ^ byte) & 255]; }

static uint32_t add_eight(uint32_t state, const uint8_t *bytes) {
    uint32_t low = gt_get_u32(bytes) ^ state;
    uint32_t high = gt_get_u32(bytes + 4);
    return tables[7][low & 255] ^ tables[6][low >> 8 & 255] ^ tables[5][low >> 16 & 255] ^ tables[4][low >> 24] ^
           tables[3][high & 255] ^ tables[2][high >> 8 & 255] ^ tables[1][high >> 16 & 255] ^ tables[0][high >> 24];
}

uint32_t gt_crc32c_portable(uint32_t crc, const void *bytes, size_t len) {
    const uint8_t *next = bytes;
    uint32_t state = ~crc;
    for (; len >= 8; len -= 8, next += 8) {
        state = add_eight(state, next);
    }
    for (; len != 0; len--, next++) {
        state = add_byte(state, *next);
    }
    return ~state;
}

#if HAVE_INSTRUCTION
/* The instruction takes three cycles and could begin anew in each: so what is long goes in three lanes side by side, and
 * what they come to is put together. A lane's state is moved over those behind it by multiplying it with x to the power of
 * their bits, modulo the polynomial (bit 31 is x^0). */
enum { LANE = 4096 };
#define OVER_A_LANE UINT32_C(0x35d73a62) /* x^(8 * LANE) */

static uint32_t multiply(uint32_t a, uint32_t b) {
    uint32_t product = 0;
    for (uint32_t bit = UINT32_C(1) << 31; bit != 0; bit >>= 1) {
        product ^= (a & bit) != 0 ? b : 0;
        b = b >> 1 ^ ((b & 1) != 0 ? UINT32_C(0x82f63b78) : 0);
    }
    return product;
}

__attribute__((target("sse4.2"))) static uint32_t three_lanes(uint32_t state, const uint8_t *bytes) {
    uint64_t first = state, second = 0, third = 0;
    for (const uint8_t *end = bytes + LANE; bytes < end; bytes += 8) {
        first = _mm_crc32_u64(first, gt_get_u64(bytes));
        second = _mm_crc32_u64(second, gt_get_u64(bytes + LANE));
        third = _mm_crc32_u64(third, gt_get_u64(bytes + 2 * LANE));
    }
    second ^= multiply((uint32_t)first, OVER_A_LANE);
    return (uint32_t)third ^ multiply((uint32_t)second, OVER_A_LANE);
}

__attribute__((target("sse4.2"))) static uint32_t with_instruction(uint32_t crc, const void *bytes, size_t len) {
    const uint8_t *next = bytes;
    uint64_t state = ~crc;
    for (; len >= 3 * LANE; len -= 3 * LANE, next += 3 * LANE) {
        state = three_lanes((uint32_t)state, next);
    }
    for (; len >= 8; len -= 8, next += 8) {
        state = _mm_crc32_u64(state, gt_get_u64(next));
    }
    uint32_t rest = (uint32_t)state;
    for (; len != 0; len--, next++) {
        rest = _mm_crc32_u8(rest, *next);
    }
    return ~rest;
}
#endif

uint32_t gt_crc32c(uint32_t crc, const void *bytes, size_t len) {
#if HAVE_INSTRUCTION
    if (__builtin_cpu_supports("sse4.2")) {
        return with_instruction(crc, bytes, len);
    }
#endif
    return gt_crc32c_portable(crc, bytes, len);
}
