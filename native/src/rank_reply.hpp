// Writes the reply to a rank call in the wire format of protobuf.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace penchant {

struct RankedItem {
    std::string_view id;
    double score;
};

// A ranking that was not explored; see `penchant.v1.RankReply`.
struct RankReply {
    std::string_view recommendation_id;
    std::vector<RankedItem> items;
    std::vector<std::string_view> unknown_candidates;
    std::uint64_t state_version = 0;
    std::uint64_t catalog_version = 0;
    std::string_view encoder_version;
    bool cold_start = false;
    std::uint32_t explorations_left = 0;
    bool degraded = false;
};

// A serialized `penchant.v1.Reply`, byte for byte as protobuf's own library writes it.
std::string write_rank_reply(const RankReply &reply);

}  // namespace penchant
