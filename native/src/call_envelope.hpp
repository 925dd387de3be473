// What every `penchant.v1.Call` holds around its method.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace penchant {

// A serialized call, which it owns; a move keeps views of it.
struct CallEnvelope {
    std::vector<char> payload;
    bool health_check = false;
    std::uint32_t timeout_ms = 0;
};

// Keeps a call and finds the message of its method, which is field `method`; false for whatever
// else it is: another method, one that comes twice, malformed or unknown parts.
bool open_call(std::string_view payload, std::uint32_t method, CallEnvelope &call,
               std::string_view &message);

}  // namespace penchant
