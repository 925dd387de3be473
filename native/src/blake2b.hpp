// The digests of the store: `hashlib.blake2b` with a `digest_size` of 8 or 4 bytes.
#pragma once

#include <cstdint>
#include <string_view>

namespace penchant {

// An unkeyed BLAKE2b of 8 bytes (RFC 7693), little-endian. Cost: about 0.2 us for each 128 bytes.
std::uint64_t blake2b64(std::string_view data) noexcept;

// The same of 4 bytes.
std::uint32_t blake2b32(std::string_view data) noexcept;

}  // namespace penchant
