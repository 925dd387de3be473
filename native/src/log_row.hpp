// An accepted event as the log holds it; see `penchant.store.codec.encode_log_row`.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "feedback_request.hpp"

namespace penchant {

// The sealed row of an event, byte for byte as the codec writes it.
//
// `user` is the user's name in the store, `at_us` the event's time; both times are 0 or more.
std::string encode_log_row(const ReportedEvent &event, std::string_view user, std::int64_t at_us,
                           std::uint64_t state_version, std::int64_t accepted_at_us);

// Appends a well-formed text as a string of JSON in ASCII, as Python's `json` writes it.
void append_json_text(std::string &json, std::string_view text);

// Appends a finite number as Python's `float.__repr__` writes it.
void append_json_number(std::string &json, double number);

}  // namespace penchant
