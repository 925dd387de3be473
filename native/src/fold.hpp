// The fold of `penchant.domain.interest` with the updater `ridge`, for one user's window.
//
// It works in another order of sums than NumPy and its BLAS, so that the last bits of its doubles
// differ. A record holds single precision: `fold` bounds how far both may lie apart, and gives a
// result only where every double within that bound rounds to the same single. Otherwise, once in
// about a hundred folds, it declines, and the caller folds with NumPy. So a record does not depend
// on which of the two wrote it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace penchant {

constexpr std::size_t context_slots = 5;

// A row of WINDOW_DTYPE of `penchant.domain.types`.
struct WindowRow {
    std::int64_t occurred_at_us;
    std::uint64_t event;
    std::uint64_t recommendation;
    std::uint32_t item;
    float reward;
    float weight;
    float wait_s;
    std::uint16_t propensity;
    std::uint16_t signal;
    std::uint32_t context[context_slots];
};
static_assert(sizeof(WindowRow) == 64, "the layout of WINDOW_DTYPE");

// A row of RECENT_DTYPE.
struct RecentItem {
    std::uint32_t item;
    float weight;
};
static_assert(sizeof(RecentItem) == 8, "the layout of RECENT_DTYPE");

// What all folds of one catalog version share.
struct FoldTerms {
    std::size_t dimensions;
    std::vector<double> precision;  // A_0, shape (d, d), by rows.
    std::vector<double> target;     // A_0 m_0, shape (d,).
    double least_eigenvalue;        // A lower bound of A_0's; 0 or less: every fold is declined.
    double half_life_events;
    double half_life_s;
    double fast_half_life_events;
    double near_half_life_events;
    double opening_half_life_events;
    double context_halvings;
    std::vector<double> factors;  // By signal code, shape (65,536,); empty: 1 each.
};

// The item matrix: `vectors` of shape (rows, d), `alive` of shape (rows,), 0 for a deleted item.
struct CatalogRows {
    const float *vectors;
    const std::uint8_t *alive;
    std::size_t rows;
};

// `penchant.domain.event_weights.counted` of one row: whether its item is known is another matter.
bool is_counted(const std::vector<WindowRow> &window, std::size_t at, double bucket_start_us);

struct Interest {
    std::vector<float> slow;  // Shape (d,).
    std::vector<float> fast;  // Shape (d,).
    std::vector<RecentItem> recent;
};

// The interest of a window; false: declined, and `interest` is undefined.
//
// `context` is the ranking's, or null for none. Cost: O(n d^2 / 2 + d^3 / 6) multiply-adds.
bool fold(const FoldTerms &terms, const CatalogRows &catalog, const std::vector<WindowRow> &window,
          const std::uint32_t *context, double bucket_start_us, Interest &interest);

}  // namespace penchant
