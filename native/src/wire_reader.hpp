// Reads the wire format of protobuf: bounds checked, no allocation, nothing kept.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace penchant {

enum class WireType : std::uint8_t { varint = 0, fixed64 = 1, bytes = 2, fixed32 = 5 };

// A position in a message. Every read says whether it succeeded; after a failure the position is
// unspecified, and the caller gives up.
class WireReader {
  public:
    explicit WireReader(std::string_view message) noexcept : rest_(message) {}

    bool at_end() const noexcept { return rest_.empty(); }

    // The next field's number and wire type; false for an end, a bad number or an unknown type.
    bool tag(std::uint32_t &field, WireType &type) noexcept {
        std::uint64_t value = 0;
        const std::size_t before = rest_.size();
        // Protobuf's own readers take no tag of more bytes, whatever its value.
        if (!varint(value) || before - rest_.size() > 5 || value > 0xFFFFFFFFULL) return false;
        field = static_cast<std::uint32_t>(value >> 3);
        const auto kind = static_cast<std::uint8_t>(value & 7);
        if (field == 0 || !(kind <= 2 || kind == 5)) return false;
        type = static_cast<WireType>(kind);
        return true;
    }

    bool varint(std::uint64_t &value) noexcept {
        value = 0;
        for (std::size_t at = 0; at < 10 && at < rest_.size(); ++at) {
            const auto byte = static_cast<std::uint8_t>(rest_[at]);
            if (at == 9 && byte > 1) return false;
            value |= std::uint64_t{byte & 0x7FU} << (7 * at);
            if (byte < 0x80) {
                rest_.remove_prefix(at + 1);
                return true;
            }
        }
        return false;
    }

    bool fixed64(std::uint64_t &value) noexcept {
        if (rest_.size() < 8) return false;
        value = 0;
        for (std::size_t at = 0; at < 8; ++at) {
            value |= std::uint64_t{static_cast<std::uint8_t>(rest_[at])} << (8 * at);
        }
        rest_.remove_prefix(8);
        return true;
    }

    // Views the next length-delimited field; it lives as long as the message.
    bool bytes(std::string_view &value) noexcept {
        std::uint64_t size = 0;
        if (!varint(size) || size > rest_.size()) return false;
        value = rest_.substr(0, static_cast<std::size_t>(size));
        rest_.remove_prefix(static_cast<std::size_t>(size));
        return true;
    }

  private:
    std::string_view rest_;
};

}  // namespace penchant
