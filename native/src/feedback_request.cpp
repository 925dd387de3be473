#include "feedback_request.hpp"

#include <algorithm>
#include <cmath>

#include "wire_fields.hpp"

namespace penchant {
namespace {

bool read_exposure(std::string_view message, ReportedExposure &exposure) noexcept {
    WireReader reader(message);
    while (!reader.at_end()) {
        std::uint32_t field = 0;
        WireType type{};
        if (!reader.tag(field, type)) return false;
        bool read = false;
        switch (field) {
            case 1: read = read_uint32(reader, type, exposure.position); break;
            case 2: read = read_double(reader, type, exposure.propensity); break;
            case 3: read = read_flag(reader, type, exposure.propensity_estimated); break;
            case 4: read = read_double(reader, type, exposure.score); break;
            default: break;
        }
        if (!read) return false;
    }
    return exposure.propensity >= 0.0 && exposure.propensity <= 1.0 &&
           std::isfinite(exposure.score);
}

bool read_entry(std::string_view message, const FeedbackLimits &limits, ReportedContext &context) {
    WireReader reader(message);
    std::string_view key, value;
    while (!reader.at_end()) {
        std::uint32_t field = 0;
        WireType type{};
        if (!reader.tag(field, type) || field > 2) return false;
        if (!read_text(reader, type, field == 1 ? key : value)) return false;
    }
    if (key.size() > limits.context_bytes || value.size() > limits.context_bytes) return false;
    const auto same = [key](const auto &entry) { return entry.first == key; };
    const auto known = std::find_if(context.begin(), context.end(), same);
    if (known != context.end()) {
        known->second = value;
    } else if (context.size() < limits.context_entries) {
        context.emplace_back(key, value);
    } else {
        return false;
    }
    return true;
}

bool read_event(std::string_view message, const FeedbackLimits &limits, ReportedEvent &event) {
    WireReader reader(message);
    while (!reader.at_end()) {
        std::uint32_t field = 0;
        WireType type{};
        std::uint64_t number = 0;
        double value = 0.0;
        std::string_view part;
        if (!reader.tag(field, type)) return false;
        switch (field) {
            case 1:
                if (!read_text(reader, type, event.event_id)) return false;
                break;
            case 2:
                if (!read_text(reader, type, event.user)) return false;
                break;
            case 3:
                if (!read_text(reader, type, event.item)) return false;
                break;
            case 4:
                if (!read_text(reader, type, event.signal)) return false;
                break;
            case 5:
                if (!read_double(reader, type, value)) return false;
                event.value = value;
                break;
            case 6:  // From 2^63 on, the number is below 0.
                if (!read_number(reader, type, number) || number >> 63) return false;
                event.occurred_at_us = static_cast<std::int64_t>(number);
                break;
            case 7:
                if (!read_text(reader, type, event.recommendation_id)) return false;
                break;
            case 8:
                if (!read_part(reader, type, part)) return false;
                if (!read_entry(part, limits, event.context)) return false;
                break;
            case 9:  // A second one would be merged with the first.
                if (event.exposure || !read_part(reader, type, part)) return false;
                if (!read_exposure(part, event.exposure.emplace())) return false;
                break;
            default:
                return false;
        }
    }
    std::sort(event.context.begin(), event.context.end());
    const std::string_view recommendation = event.recommendation_id;
    return is_name(event.event_id, limits.event_id_bytes) && is_name(event.user, limits.id_bytes) &&
           (recommendation.empty() || is_name(recommendation, limits.recommendation_id_bytes));
}

bool read_request(std::string_view message, const FeedbackLimits &limits,
                  FeedbackRequest &request) {
    WireReader reader(message);
    while (!reader.at_end()) {
        std::uint32_t field = 0;
        WireType type{};
        std::string_view part;
        if (!reader.tag(field, type) || field != 1 || !read_part(reader, type, part)) return false;
        if (request.events.size() >= limits.events) return false;
        if (!read_event(part, limits, request.events.emplace_back())) return false;
    }
    return !request.events.empty();
}

}  // namespace

std::optional<FeedbackRequest> parse_feedback_call(std::string_view payload,
                                                   const FeedbackLimits &limits) {
    FeedbackRequest request;
    std::string_view message;
    if (!open_call(payload, 2, request, message)) return std::nullopt;
    if (!read_request(message, limits, request)) return std::nullopt;
    return request;
}

}  // namespace penchant
