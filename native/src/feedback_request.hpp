// A serialized call of feedback, parsed: a few events that keep the contract.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "call_envelope.hpp"

namespace penchant {

// The maxima of a call that is answered here; see `penchant.domain.limits`.
struct FeedbackLimits {
    std::uint64_t events = 0;
    std::uint64_t id_bytes = 0;
    std::uint64_t event_id_bytes = 0;
    std::uint64_t recommendation_id_bytes = 0;
    std::uint64_t context_entries = 0;
    std::uint64_t context_bytes = 0;
};

// See `penchant.domain.types.Exposure`.
struct ReportedExposure {
    std::uint32_t position = 0;
    double propensity = 0.0;
    bool propensity_estimated = false;
    double score = 0.0;
};

// Entries of a context, sorted by key, each key once.
using ReportedContext = std::vector<std::pair<std::string_view, std::string_view>>;

// See `penchant.domain.types.Event`. Neither signal nor item was looked up.
struct ReportedEvent {
    std::string_view event_id;
    std::string_view user;
    std::string_view item;
    std::string_view signal;
    std::optional<double> value;
    std::optional<std::int64_t> occurred_at_us;
    std::string_view recommendation_id;
    ReportedContext context;
    std::optional<ReportedExposure> exposure;
};

// A call of feedback. The views are of its payload.
struct FeedbackRequest : CallEnvelope {
    FeedbackRequest() = default;
    FeedbackRequest(FeedbackRequest &&) = default;
    FeedbackRequest &operator=(FeedbackRequest &&) = default;

    std::vector<ReportedEvent> events;
};

// Parses a `penchant.v1.Call`.
//
// Returns nothing for whatever else it is: another method, malformed or unknown parts, no events or
// more than the limits allow, and any event that `penchant.domain.limits.check_event` refuses,
// except for its time, which is compared with the clock later. The general path answers those, and
// says what is wrong.
std::optional<FeedbackRequest> parse_feedback_call(std::string_view payload,
                                                   const FeedbackLimits &limits);

}  // namespace penchant
