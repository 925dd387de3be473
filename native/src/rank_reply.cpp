#include "rank_reply.hpp"

#include <cstring>

namespace penchant {
namespace {

void put_varint(std::string &out, std::uint64_t value) {
    while (value >= 0x80) {
        out.push_back(static_cast<char>(value | 0x80));
        value >>= 7;
    }
    out.push_back(static_cast<char>(value));
}

void put_text(std::string &out, std::uint32_t field, std::string_view text) {
    put_varint(out, field << 3 | 2);
    put_varint(out, text.size());
    out.append(text);
}

// Fields at their default are not written.
void put_number(std::string &out, std::uint32_t field, std::uint64_t value) {
    if (value == 0) return;
    put_varint(out, field << 3);
    put_varint(out, value);
}

void put_double(std::string &out, std::uint32_t field, double value) {
    std::uint64_t bits;
    std::memcpy(&bits, &value, sizeof bits);
    if (bits == 0) return;
    put_varint(out, field << 3 | 1);
    char bytes[8];
    for (int byte = 0; byte < 8; ++byte) bytes[byte] = static_cast<char>(bits >> (8 * byte));
    out.append(bytes, sizeof bytes);
}

}  // namespace

std::string write_rank_reply(const RankReply &reply) {
    thread_local std::string body, item;
    body.clear();
    put_text(body, 1, reply.recommendation_id);
    for (const RankedItem &one : reply.items) {
        item.clear();
        if (!one.id.empty()) put_text(item, 1, one.id);
        put_double(item, 2, one.score);
        put_double(item, 4, 1.0);  // The propensity of what was not explored.
        put_text(body, 2, item);
    }
    for (const std::string_view id : reply.unknown_candidates) put_text(body, 3, id);
    put_number(body, 4, reply.state_version);
    put_number(body, 5, reply.catalog_version);
    if (!reply.encoder_version.empty()) put_text(body, 6, reply.encoder_version);
    put_number(body, 7, reply.cold_start);
    put_number(body, 10, reply.explorations_left);
    put_number(body, 11, reply.degraded);
    std::string out;
    out.reserve(body.size() + 8);
    put_text(out, 1, body);
    return out;
}

}  // namespace penchant
