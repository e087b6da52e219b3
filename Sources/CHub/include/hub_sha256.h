/// SHA-256 (FIPS 180-4), for files of gigabytes.
///
/// In C, because a debug build of Swift hashes a few megabytes a second. Own, because
/// OpenSSL and swift-crypto would each be one more thing to install or to build for 80 lines.
#ifndef HUB_SHA256_H
#define HUB_SHA256_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct HubSHA256 {
    uint32_t state[8];
    /// Bytes so far.
    uint64_t count;
    /// The bytes after the last whole block.
    uint8_t rest[64];
} HubSHA256;

void hub_sha256_begin(HubSHA256 *_Nonnull hash);
void hub_sha256_add(HubSHA256 *_Nonnull hash, const void *_Nullable bytes, size_t count);
/// Writes the digest. The hash is used up.
void hub_sha256_end(HubSHA256 *_Nonnull hash, uint8_t digest[_Nonnull 32]);

#ifdef __cplusplus
}
#endif

#endif
