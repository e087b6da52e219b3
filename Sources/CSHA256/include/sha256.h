/// SHA-256 (FIPS 180-4), for files of gigabytes.
///
/// In C, because a debug build of Swift hashes a few megabytes a second. Own, because
/// OpenSSL and swift-crypto would each be one more thing to install or to build for 80 lines.
#ifndef SHA256_H
#define SHA256_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct GPISHA256 {
    uint32_t state[8];
    /// Bytes so far.
    uint64_t count;
    /// The bytes after the last whole block.
    uint8_t rest[64];
} GPISHA256;

void gpi_sha256_begin(GPISHA256 *_Nonnull hash);
void gpi_sha256_add(GPISHA256 *_Nonnull hash, const void *_Nullable bytes, size_t count);
/// Writes the digest. The hash is used up.
void gpi_sha256_end(GPISHA256 *_Nonnull hash, uint8_t digest[_Nonnull 32]);

#ifdef __cplusplus
}
#endif

#endif
