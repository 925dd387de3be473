// The counters of items, and each user's contribution to them; see
// `penchant.domain.user_contribution` and the codecs of `penchant.store`.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "exact_sum.hpp"

namespace penchant {

// Seconds after which a contribution counts half, and the same in whole microseconds.
struct HalfLife {
    double seconds;
    std::int64_t us;
};

struct Contribution {
    double positives;
    double impressions;
    double strongest;
    std::int64_t as_of_us;
};

struct Counters {
    double positives = 0.0;
    double impressions = 0.0;
    std::int64_t as_of_us = 0;
    ExactSum exact_positives;
    ExactSum exact_impressions;
};

// What one event adds, as of its time: its positive reward, and 1 for an impression.
struct Counted {
    double positive;
    double impressions;
    std::int64_t at_us;
};

// A user's contribution after one more event on the item; `before` is null without any.
Contribution contribute(const Contribution *before, const Counted &event, const HalfLife &half_life);

// Puts a contribution into the counters, in place of an older one, or of none where that is null.
void replace(Counters &counters, const Contribution *older, const Contribution &newer,
             const HalfLife &half_life);

// Reads a sealed row; nothing for what the codec has to look at: a damaged one, one of an older
// release, or of another half-life.
std::optional<Contribution> read_contribution(std::string_view value) noexcept;
std::optional<Counters> read_counters(std::string_view value, const HalfLife &half_life);

std::string encode_contribution(const Contribution &contribution);
std::string encode_counters(const Counters &counters, const HalfLife &half_life);

}  // namespace penchant
