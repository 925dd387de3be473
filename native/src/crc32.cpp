#include "crc32.hpp"

#include <array>

namespace penchant {
namespace {

// Slicing by 8 (M. E. Kounavis and F. L. Berry, "Novel table lookup-based algorithms for
// high-performance CRC generation", 2008): eight bytes a step, one table look-up each.
using Tables = std::array<std::array<std::uint32_t, 256>, 8>;

constexpr Tables make_tables() {
    Tables tables{};
    for (std::uint32_t byte = 0; byte < 256; ++byte) {
        std::uint32_t value = byte;
        for (int bit = 0; bit < 8; ++bit) value = (value >> 1) ^ ((value & 1) ? 0xEDB88320U : 0U);
        tables[0][byte] = value;
    }
    for (std::size_t table = 1; table < 8; ++table) {
        for (std::size_t byte = 0; byte < 256; ++byte) {
            const std::uint32_t before = tables[table - 1][byte];
            tables[table][byte] = (before >> 8) ^ tables[0][before & 0xFF];
        }
    }
    return tables;
}

constexpr Tables tables = make_tables();

}  // namespace

std::uint32_t crc32(const std::uint8_t *data, std::size_t size, std::uint32_t start) noexcept {
    std::uint32_t value = ~start;
    for (; size >= 8; data += 8, size -= 8) {
        value ^= std::uint32_t{data[0]} | std::uint32_t{data[1]} << 8 |
                 std::uint32_t{data[2]} << 16 | std::uint32_t{data[3]} << 24;
        value = tables[7][value & 0xFF] ^ tables[6][(value >> 8) & 0xFF] ^
                tables[5][(value >> 16) & 0xFF] ^ tables[4][value >> 24] ^ tables[3][data[4]] ^
                tables[2][data[5]] ^ tables[1][data[6]] ^ tables[0][data[7]];
    }
    for (; size; ++data, --size) value = (value >> 8) ^ tables[0][(value ^ *data) & 0xFF];
    return ~value;
}

}  // namespace penchant
