// The digests of the store: `hashlib.blake2b(..., digest_size=8)`.
#pragma once

#include <cstddef>
#include <cstdint>

namespace penchant {

// The first 64 bits of an unkeyed BLAKE2b of 8 bytes, little-endian (RFC 7693), of at most 128
// bytes of data.
std::uint64_t blake2b64(const std::uint8_t *data, std::size_t size) noexcept;

}  // namespace penchant
