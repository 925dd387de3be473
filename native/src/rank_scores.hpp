// The scores of items for one user: equation 5 of `penchant.domain.interest`, and the best k.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "coarse_rows.hpp"
#include "fold.hpp"
#include "repeats.hpp"

namespace penchant {

// What a version of the catalog fixes for an item, beside its vector: of one line of the cache.
struct ItemTerms {
    float offset_weight = 0.0F;
    float popularity = 0.0F;
    float tail = 0.0F;  // g_i of `penchant.domain.long_tail`
    std::uint32_t alive = 0;
};

// A catalog's arrays during one call: views of what Python and `RankView` hold.
struct ScoredCatalog {
    CatalogRows items{};
    std::size_t dimensions = 0;
    const float *offsets = nullptr;    // (rows,); live: other processes write them
    const ItemTerms *terms = nullptr;  // (rows,)
    const std::uint32_t *neighbours = nullptr;  // (neighbour_rows, neighbour_columns) of pairs
    std::size_t neighbour_rows = 0;
    std::size_t neighbour_columns = 0;
    CoarseRows coarse{};  // Of the first items of a large catalog; or none.
};

// A user's side of the score.
struct ScoredUser {
    std::vector<float> vectors;  // (interests, dimensions); of several, the best counts
    std::vector<RecentItem> recent;
    float near_weight = 0.0F;
    float begun = 0.0F;  // a_0 of `penchant.domain.beginners`; 0 where nothing depends on it
    float opening_offset_weight = 0.0F;
    float tail_offset_weight = 0.0F;
    float tail_lift = 0.0F;
    Repeats repeats;
    float repeat_weight = 0.0F;
    std::vector<std::uint32_t> left_out;  // numbers of items that must not be shown
};

struct RankedRow {
    std::uint32_t row;
    float score;
};

// Has what the score of a row reads brought into the cache.
void fetch_row(const ScoredCatalog &catalog, std::size_t row) noexcept;

// The best k of some rows, best first; of equal scores, the earlier place. `rows` holds rows of the
// catalog, each once. Cost: O(n d + neighbours).
void rank_some(const ScoredCatalog &catalog, const ScoredUser &user,
               const std::vector<std::uint32_t> &rows, std::size_t k, std::vector<RankedRow> &best);

// As `rank_some` for all rows of the catalog that are alive, with or without coarse rows. Cost:
// O(rows d + neighbours), of bytes where there are coarse rows, of floats where there are none.
void rank_all(const ScoredCatalog &catalog, const ScoredUser &user, std::size_t k,
              std::vector<RankedRow> &best);

}  // namespace penchant
