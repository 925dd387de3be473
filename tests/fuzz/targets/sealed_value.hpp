// A value of the store with a checksum that holds, so that a fuzzer gets behind it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "crc32.hpp"

inline std::vector<std::uint8_t> sealed_value(const std::uint8_t *payload, std::size_t size) {
    constexpr std::uint8_t schema = 7;
    const std::uint32_t checksum = penchant::crc32(payload, size, schema);
    std::vector<std::uint8_t> value{schema};
    for (int at = 0; at < 4; ++at) value.push_back(static_cast<std::uint8_t>(checksum >> (8 * at)));
    value.insert(value.end(), payload, payload + size);
    return value;
}
