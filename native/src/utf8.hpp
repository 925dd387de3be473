// Whether bytes are text, as protobuf and the contract's ids want it.
#pragma once

#include <string_view>

namespace penchant {

// Whether the bytes are well-formed UTF-8 (Unicode 15, table 3-7).
bool is_utf8(std::string_view text) noexcept;

// Whether a well-formed text holds a control character (category Cc).
bool has_control_character(std::string_view text) noexcept;

}  // namespace penchant
