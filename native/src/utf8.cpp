#include "utf8.hpp"

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace penchant {
namespace {

bool continues(std::uint8_t byte, std::uint8_t low = 0x80, std::uint8_t high = 0xBF) noexcept {
    return byte >= low && byte <= high;
}

// Bytes of the character at the front; 0 if it is not well-formed.
std::size_t character(std::string_view text) noexcept {
    const auto byte = [text](std::size_t at) -> std::uint8_t {
        return at < text.size() ? static_cast<std::uint8_t>(text[at]) : 0;
    };
    const std::uint8_t first = byte(0);
    if (first < 0x80) return 1;
    if (first >= 0xC2 && first <= 0xDF) return continues(byte(1)) ? 2 : 0;
    if (first >= 0xE0 && first <= 0xEF) {
        const std::uint8_t low = first == 0xE0 ? 0xA0 : 0x80;
        const std::uint8_t high = first == 0xED ? 0x9F : 0xBF;
        return continues(byte(1), low, high) && continues(byte(2)) ? 3 : 0;
    }
    if (first >= 0xF0 && first <= 0xF4) {
        const std::uint8_t low = first == 0xF0 ? 0x90 : 0x80;
        const std::uint8_t high = first == 0xF4 ? 0x8F : 0xBF;
        return continues(byte(1), low, high) && continues(byte(2)) && continues(byte(3)) ? 4 : 0;
    }
    return 0;
}

}  // namespace

bool is_utf8(std::string_view text) noexcept {
    while (!text.empty()) {
        std::uint64_t eight = 0;
        if (text.size() >= sizeof eight) {
            std::memcpy(&eight, text.data(), sizeof eight);
            if ((eight & 0x8080808080808080ULL) == 0) {
                text.remove_prefix(sizeof eight);
                continue;
            }
        }
        const std::size_t size = character(text);
        if (size == 0) return false;
        text.remove_prefix(size);
    }
    return true;
}

bool has_control_character(std::string_view text) noexcept {
    for (std::size_t at = 0; at < text.size(); ++at) {
        const auto byte = static_cast<std::uint8_t>(text[at]);
        if (byte < 0x20 || byte == 0x7F) return true;
        // U+0080 to U+009F.
        if (byte == 0xC2 && at + 1 < text.size() && static_cast<std::uint8_t>(text[at + 1]) < 0xA0) {
            return true;
        }
    }
    return false;
}

}  // namespace penchant
