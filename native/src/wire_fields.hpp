// Fields of protobuf as Penchant's messages have them. Each says whether the field is one.
#pragma once

#include <cstdint>
#include <cstring>
#include <limits>
#include <string_view>

#include "utf8.hpp"
#include "wire_reader.hpp"

namespace penchant {

inline bool read_number(WireReader &reader, WireType type, std::uint64_t &value) noexcept {
    return type == WireType::varint && reader.varint(value);
}

inline bool read_flag(WireReader &reader, WireType type, bool &flag) noexcept {
    std::uint64_t value = 0;
    if (!read_number(reader, type, value)) return false;
    flag = value != 0;
    return true;
}

// Numbers beyond 32 bits are cut off by protobuf; none is ever sent, so they are left to it.
inline bool read_uint32(WireReader &reader, WireType type, std::uint32_t &number) noexcept {
    std::uint64_t value = 0;
    if (!read_number(reader, type, value)) return false;
    number = static_cast<std::uint32_t>(value & 0xFFFFFFFF);
    return value <= std::numeric_limits<std::uint32_t>::max();
}

inline bool read_double(WireReader &reader, WireType type, double &number) noexcept {
    std::uint64_t bits = 0;
    if (type != WireType::fixed64 || !reader.fixed64(bits)) return false;
    std::memcpy(&number, &bits, sizeof number);
    return true;
}

inline bool read_text(WireReader &reader, WireType type, std::string_view &text) noexcept {
    return type == WireType::bytes && reader.bytes(text) && is_utf8(text);
}

// `penchant.domain.limits.check_name`.
inline bool is_name(std::string_view text, std::uint64_t most_bytes) noexcept {
    return !text.empty() && text.size() <= most_bytes && !has_control_character(text);
}

// A message inside another one.
inline bool read_part(WireReader &reader, WireType type, std::string_view &part) noexcept {
    return type == WireType::bytes && reader.bytes(part);
}

}  // namespace penchant
