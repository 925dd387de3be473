#include "rank_reply.hpp"

#include "wire_writer.hpp"

namespace penchant {

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
