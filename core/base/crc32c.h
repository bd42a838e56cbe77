/* CRC-32C (Castagnoli, RFC 3720 appendix B.4): finds damage, not malice. Uses the processor's
 * instruction where there is one. */
#ifndef GT_BASE_CRC32C_H
#define GT_BASE_CRC32C_H

#include <stddef.h>
#include <stdint.h>

/* Checksum of `bytes` continued from `crc`; begin with 0. */
uint32_t gt_crc32c(uint32_t crc, const void *bytes, size_t len);

/* The same by tables, as on machines without the instruction. For tests, which compare the two. */
uint32_t gt_crc32c_portable(uint32_t crc, const void *bytes, size_t len);

#endif
