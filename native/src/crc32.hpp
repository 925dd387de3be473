// CRC-32 as zlib and the store's codec compute it.
#pragma once

#include <cstddef>
#include <cstdint>

namespace penchant {

// The checksum of `size` bytes, continuing from `start`. Cost: about a byte a cycle.
std::uint32_t crc32(const std::uint8_t *data, std::size_t size, std::uint32_t start) noexcept;

}  // namespace penchant
