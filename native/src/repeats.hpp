// Repeats, as `penchant.domain.repeats` defines them: what the user liked before.
#pragma once

#include <cstdint>
#include <vector>

#include "fold.hpp"

namespace penchant {

// The settings of equation `repeat(i)`; see `penchant.domain.settings`.
struct RepeatSettings {
    float weight = 0.0F;
    double half_life_s = 1.0;
    double pause_s = 0.0;
    double basket_weight = 0.0;
};

// The likes of a window by their items, and what each adds to repeat(i) of its item.
struct Repeats {
    std::vector<std::uint32_t> items;
    std::vector<double> shares;
};

// The equation, by event; `factors` are those of signals by code, or empty. Cost: O(n log n).
Repeats repeats_of(const std::vector<WindowRow> &window, const std::vector<double> &factors,
                   double bucket_start_us, const RepeatSettings &settings);

}  // namespace penchant
