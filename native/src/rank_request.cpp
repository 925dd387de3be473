#include "rank_request.hpp"

#include "wire_fields.hpp"

namespace penchant {
namespace {

bool read_candidates(std::string_view message, const RankLimits &limits, RankRequest &request) {
    WireReader reader(message);
    while (!reader.at_end()) {
        std::uint32_t field = 0;
        WireType type{};
        std::string_view id;
        if (!reader.tag(field, type) || field != 1 || !read_text(reader, type, id)) return false;
        if (id.size() > limits.id_bytes || request.candidates.size() >= limits.candidates) {
            return false;
        }
        request.candidates.push_back(id);
    }
    return true;
}

bool read_context_entry(std::string_view message, const RankLimits &limits) noexcept {
    WireReader reader(message);
    while (!reader.at_end()) {
        std::uint32_t field = 0;
        WireType type{};
        std::string_view text;
        if (!reader.tag(field, type) || field > 2 || !read_text(reader, type, text)) return false;
        if (text.size() > limits.context_bytes) return false;
    }
    return true;
}

bool read_request(std::string_view message, const RankLimits &limits, RankRequest &request) {
    WireReader reader(message);
    std::uint64_t context_entries = 0;
    while (!reader.at_end()) {
        std::uint32_t field = 0;
        WireType type{};
        std::uint64_t number = 0;
        std::string_view part;
        if (!reader.tag(field, type)) return false;
        switch (field) {
            case 1:
                if (!read_text(reader, type, request.user)) return false;
                break;
            case 2:  // A second one would be merged with the first.
                if (request.has_candidates || !read_part(reader, type, part)) {
                    return false;
                }
                request.has_candidates = true;
                if (!read_candidates(part, limits, request)) return false;
                break;
            case 3:
                if (!read_uint32(reader, type, request.k)) return false;
                break;
            case 5:
                if (!read_part(reader, type, part)) return false;
                if (!read_context_entry(part, limits)) return false;
                if (++context_entries > limits.context_entries) return false;
                request.has_context = true;
                break;
            case 6:
                if (!read_flag(reader, type, request.exclude_seen)) return false;
                break;
            case 7:
                if (!read_number(reader, type, request.min_state_version)) return false;
                break;
            case 9:
                if (!read_number(reader, type, number) || number >= (std::uint64_t{1} << 53)) {
                    return false;
                }
                request.as_of_us = static_cast<std::int64_t>(number);
                break;
            case 12:
                if (!read_flag(reader, type, request.exclude_owned)) return false;
                break;
            default:  // A query, an explanation, exploration, diversity, or unknown.
                return false;
        }
    }
    return request.k >= 1 && request.k <= limits.k && is_name(request.user, limits.id_bytes);
}

}  // namespace

std::optional<RankRequest> parse_rank_call(std::string_view payload, const RankLimits &limits) {
    RankRequest request;
    std::string_view message;
    if (!open_call(payload, 1, request, message)) return std::nullopt;
    if (!read_request(message, limits, request)) return std::nullopt;
    request.cost = 1.0 + static_cast<double>(request.candidates.size()) /
                             static_cast<double>(limits.candidates_of_cost);
    return request;
}

}  // namespace penchant
