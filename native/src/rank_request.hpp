// A serialized call of rank, parsed: the common case alone.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "call_envelope.hpp"

namespace penchant {

// The maxima of a call that is answered here; see `penchant.domain.limits`.
struct RankLimits {
    std::uint64_t k = 0;
    std::uint64_t candidates = 0;
    std::uint64_t id_bytes = 0;
    std::uint64_t context_entries = 0;
    std::uint64_t context_bytes = 0;
    std::uint64_t candidates_of_cost = 1;
};

// A call of rank. The views are of its payload.
struct RankRequest : CallEnvelope {
    std::string_view user;
    std::vector<std::string_view> candidates;
    bool has_candidates = false;
    bool has_context = false;
    bool exclude_seen = false;
    bool exclude_owned = false;
    std::uint32_t k = 0;
    double cost = 1.0;
    std::uint64_t min_state_version = 0;
    std::optional<std::int64_t> as_of_us;
};

// Parses a `penchant.v1.Call`.
//
// Returns nothing for whatever else it is: another method, malformed or unknown parts, a request
// beyond the limits, and one with a query, an explanation, exploration or diversity. The general
// path answers those, and says what is wrong with those that are refused. Candidates that are named
// twice are found later, with their rows.
std::optional<RankRequest> parse_rank_call(std::string_view payload, const RankLimits &limits);

}  // namespace penchant
