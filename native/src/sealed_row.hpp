// Writes a row of the store: its payload behind a schema version and a checksum; see
// `penchant.store.codec.seal`.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>

#include "crc32.hpp"
#include "record.hpp"

namespace penchant {

constexpr std::size_t seal_bytes = 1 + 4;

// A row without its payload, which is appended.
inline std::string begun_row() { return std::string(seal_bytes, '\0'); }

template <typename Number>
void append_number(std::string &row, Number number) {
    char bytes[sizeof number];
    std::memcpy(bytes, &number, sizeof number);
    row.append(bytes, sizeof number);
}

// Puts the seal in front of what was appended.
inline void seal(std::string &row) {
    const auto *payload = reinterpret_cast<const std::uint8_t *>(row.data()) + seal_bytes;
    const std::uint32_t checksum = crc32(payload, row.size() - seal_bytes, record_schema);
    row[0] = static_cast<char>(record_schema);
    std::memcpy(row.data() + 1, &checksum, sizeof checksum);
}

}  // namespace penchant
