// Writes the wire format of protobuf as its own library does: fields at their default are left out.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace penchant {

inline void put_varint(std::string &out, std::uint64_t value) {
    while (value >= 0x80) {
        out.push_back(static_cast<char>(value | 0x80));
        value >>= 7;
    }
    out.push_back(static_cast<char>(value));
}

// Written even if it is empty: in a list, an empty text is one.
inline void put_text(std::string &out, std::uint32_t field, std::string_view text) {
    put_varint(out, field << 3 | 2);
    put_varint(out, text.size());
    out.append(text);
}

inline void put_number(std::string &out, std::uint32_t field, std::uint64_t value) {
    if (value == 0) return;
    put_varint(out, field << 3);
    put_varint(out, value);
}

inline void put_double(std::string &out, std::uint32_t field, double value) {
    std::uint64_t bits;
    std::memcpy(&bits, &value, sizeof bits);
    if (bits == 0) return;
    put_varint(out, field << 3 | 1);
    char bytes[8];
    for (int byte = 0; byte < 8; ++byte) bytes[byte] = static_cast<char>(bits >> (8 * byte));
    out.append(bytes, sizeof bytes);
}

}  // namespace penchant
