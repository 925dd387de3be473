// Any bytes as a call of feedback: parsed or declined, within the limits, and nothing read beyond
// them; an event of it has a row in the log.
#include <cstdint>
#include <cstdlib>

#include "feedback_request.hpp"
#include "log_row.hpp"
#include "record_cache.hpp"

namespace {

void must(bool law) {
    if (!law) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size) {
    const penchant::FeedbackLimits limits{32, 256, 128, 64, 32, 128};
    const std::string_view payload(reinterpret_cast<const char *>(data), size);
    const auto request = penchant::parse_feedback_call(payload, limits);
    if (!request) return 0;
    must(!request->events.empty() && request->events.size() <= limits.events);
    for (const auto &event : request->events) {
        must(!event.user.empty() && event.user.size() <= limits.id_bytes);
        must(!event.event_id.empty() && event.event_id.size() <= limits.event_id_bytes);
        must(event.context.size() <= limits.context_entries);
        must(event.occurred_at_us.value_or(0) >= 0);
        penchant::ReportedEvent kept = event;
        if (kept.value && !(*kept.value - *kept.value == 0.0)) kept.value.reset();
        const std::string row = penchant::encode_log_row(kept, kept.user, 1, 2, 3);
        const auto json = penchant::unsealed(row);
        must(json && json->front() == '[' && json->back() == ']');
        for (const char letter : *json) must(letter >= ' ' && letter <= '~');
    }
    return 0;
}
