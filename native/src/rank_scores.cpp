#include "rank_scores.hpp"

#include <algorithm>
#include <cfloat>
#include <cmath>
#include <cstring>
#include <limits>

#include "processor.hpp"

namespace penchant {
namespace {

constexpr float left_out = -std::numeric_limits<float>::infinity();
constexpr std::uint32_t nowhere = 0xFFFFFFFFU;
constexpr std::size_t lanes = 16;
constexpr std::size_t line = 64 / sizeof(float);  // Numbers in a line of the cache.
// Rows by which memory is asked ahead: the processor itself stops at the end of each page, which
// holds 16 rows of 64 numbers.
constexpr std::size_t rows_ahead = 32;
// Of the rows that coarse scores leave, those at random places cost as much as eight in order.
constexpr std::size_t worth_less = 8;
// Roundings in the sum of a score's parts, twice, and by far.
constexpr float part_roundings = 16.0F;

// Sixteen sums side by side, so that the result depends on the two vectors alone: on neither the
// item's place nor the machine.
inline __attribute__((always_inline)) float dot(const float *a, const float *b,
                                                std::size_t size) noexcept {
    float sums[lanes] = {};
    std::size_t at = 0;
    for (; at + lanes <= size; at += lanes) {
        for (std::size_t lane = 0; lane < lanes; ++lane) sums[lane] += a[at + lane] * b[at + lane];
    }
    for (std::size_t lane = 0; at < size; ++at, ++lane) sums[lane] += a[at] * b[at];
    for (std::size_t half = lanes / 2; half; half /= 2) {
        for (std::size_t lane = 0; lane < half; ++lane) sums[lane] += sums[lane + half];
    }
    return sums[0];
}

inline __attribute__((always_inline)) float best_product(const ScoredCatalog &catalog,
                                                         const ScoredUser &user,
                                                         std::size_t row) noexcept {
    const float *vector = catalog.items.vectors + row * catalog.dimensions;
    const std::size_t interests = user.vectors.size() / catalog.dimensions;
    float most = dot(vector, user.vectors.data(), catalog.dimensions);
    for (std::size_t one = 1; one < interests; ++one) {
        const float other =
            dot(vector, user.vectors.data() + one * catalog.dimensions, catalog.dimensions);
        most = std::max(most, other);
    }
    return most;
}

// Adds what does not depend on a row's vector; `add(part)` is called for each part in turn.
template <typename Add>
inline __attribute__((always_inline)) void add_terms(const ScoredCatalog &catalog,
                                                     const ScoredUser &user, std::size_t row,
                                                     Add add) noexcept {
    const float offset = catalog.offsets[row];  // Read once: it is live.
    const ItemTerms &terms = catalog.terms[row];
    add(terms.offset_weight * offset + terms.popularity);
    if (user.begun != 0.0F) {
        const float withheld = user.tail_offset_weight * offset + user.tail_lift;
        add(user.begun * (user.opening_offset_weight * offset - terms.tail * withheld));
    }
}

inline __attribute__((always_inline)) float dense_score(const ScoredCatalog &catalog,
                                                        const ScoredUser &user,
                                                        std::size_t row) noexcept {
    float score = best_product(catalog, user, row);
    add_terms(catalog, user, row, [&](float part) { score += part; });
    return score;
}

inline __attribute__((always_inline)) void score_each(const ScoredCatalog &catalog,
                                                      const ScoredUser &user, float *scores) {
    const std::size_t d = catalog.dimensions, rows = catalog.items.rows;
    for (std::size_t row = 0; row < rows; ++row) {
        if (row + rows_ahead < rows) {
            const float *ahead = catalog.items.vectors + (row + rows_ahead) * d;
            for (std::size_t at = 0; at < d; at += line) __builtin_prefetch(ahead + at);
        }
        scores[row] = catalog.terms[row].alive ? dense_score(catalog, user, row) : left_out;
    }
}

// As `score_each`, by coarse rows as far as they go; returns the largest part of a score.
inline __attribute__((always_inline)) float score_each_coarsely(const ScoredCatalog &catalog,
                                                                const ScoredUser &user,
                                                                const CoarseVectors &vectors,
                                                                float *scores) {
    const CoarseRows coarse = catalog.coarse;
    float largest = 0.0F;
    for (std::size_t row = 0; row < catalog.items.rows; ++row) {
        if (!catalog.terms[row].alive) {
            scores[row] = left_out;
            continue;
        }
        if (row + rows_ahead < coarse.rows) {
            const std::int8_t *ahead = coarse.codes + (row + rows_ahead) * catalog.dimensions;
            for (std::size_t at = 0; at < catalog.dimensions; at += 64) {
                __builtin_prefetch(ahead + at);
            }
        }
        float score =
            row < coarse.rows ? vectors.best(coarse, row) : best_product(catalog, user, row);
        largest = std::max(largest, std::fabs(score));
        add_terms(catalog, user, row, [&](float part) {
            score += part;
            largest = std::max(largest, std::fabs(part));
        });
        scores[row] = score;
    }
    return largest;
}

// One body for each width of registers: the same sums, since products and sums stay apart (CMake's
// -ffp-contract=off), in fewer steps.
void score_each_anywhere(const ScoredCatalog &catalog, const ScoredUser &user, float *scores) {
    score_each(catalog, user, scores);
}

float score_each_coarsely_anywhere(const ScoredCatalog &catalog, const ScoredUser &user,
                                   const CoarseVectors &vectors, float *scores) {
    return score_each_coarsely(catalog, user, vectors, scores);
}

#if defined(__x86_64__)
__attribute__((target("avx2"))) void score_each_avx2(const ScoredCatalog &catalog,
                                                     const ScoredUser &user, float *scores) {
    score_each(catalog, user, scores);
}

__attribute__((target("avx2"))) float score_each_coarsely_avx2(const ScoredCatalog &catalog,
                                                               const ScoredUser &user,
                                                               const CoarseVectors &vectors,
                                                               float *scores) {
    return score_each_coarsely(catalog, user, vectors, scores);
}

const bool wide = widest_registers() != Registers::anywhere;
const auto score_all_rows = wide ? score_each_avx2 : score_each_anywhere;
const auto score_all_coarsely = wide ? score_each_coarsely_avx2 : score_each_coarsely_anywhere;
#else
const auto score_all_rows = score_each_anywhere;
const auto score_all_coarsely = score_each_coarsely_anywhere;
#endif

// Calls `add(item, amount)` for each neighbour of the recent items.
template <typename Add>
void for_neighbours(const ScoredCatalog &catalog, const std::vector<RecentItem> &recent, Add add) {
    for (const RecentItem &liked : recent) {
        const std::uint32_t place = liked.item + 1U;  // The opening wraps around to 0.
        if (place >= catalog.neighbour_rows) continue;  // Newer items have no neighbours yet.
        const std::uint32_t *entry =
            catalog.neighbours + 2 * catalog.neighbour_columns * std::size_t{place};
        for (std::size_t column = 0; column < catalog.neighbour_columns; ++column, entry += 2) {
            float strength;
            std::memcpy(&strength, entry + 1, sizeof strength);
            if (strength != 0.0F) add(entry[0], double{strength * liked.weight});
        }
    }
}

// Has the neighbours of a recent item brought into the cache.
void fetch_neighbours(const ScoredCatalog &catalog, std::uint32_t item) noexcept {
    const std::uint32_t place = item + 1U;
    if (place >= catalog.neighbour_rows) return;
    const std::size_t size = 2 * catalog.neighbour_columns;
    const std::uint32_t *entry = catalog.neighbours + size * place;
    for (std::size_t at = 0; at < size; at += line) __builtin_prefetch(entry + at);
}

bool better(const RankedRow &a, const RankedRow &b) noexcept {
    return a.score > b.score || (a.score == b.score && a.row < b.row);
}

// Keeps the best k of scores that come in the order of their places. What is no number or minus
// infinity is never kept.
class BestOf {
  public:
    BestOf(std::size_t k, std::vector<RankedRow> &best) : k_(k), best_(best) { best_.clear(); }

    void offer(std::uint32_t place, float score) {
        if (best_.size() < k_) {
            if (!(score > left_out)) return;
            best_.push_back({place, score});
            if (best_.size() == k_) std::make_heap(best_.begin(), best_.end(), better);
        } else if (score > best_.front().score) {
            std::pop_heap(best_.begin(), best_.end(), better);
            best_.back() = {place, score};
            std::push_heap(best_.begin(), best_.end(), better);
        }
    }

    void finish() { std::sort(best_.begin(), best_.end(), better); }

  private:
    std::size_t k_;
    std::vector<RankedRow> &best_;
};

// The places of some rows, by row: a small table that fits in the nearest cache.
class PlaceOf {
  public:
    void build(const std::vector<std::uint32_t> &rows) {
        bits_ = 8;
        while ((std::size_t{1} << bits_) < 4 * rows.size()) ++bits_;
        rows_.assign(std::size_t{1} << bits_, nowhere);
        places_.resize(rows_.size());
        for (std::uint32_t place = 0; place < rows.size(); ++place) {
            std::size_t at = first(rows[place]);
            while (rows_[at] != nowhere) at = (at + 1) & (rows_.size() - 1);
            rows_[at] = rows[place];
            places_[at] = place;
        }
    }

    std::uint32_t operator[](std::uint32_t row) const noexcept {
        for (std::size_t at = first(row); rows_[at] != nowhere; at = (at + 1) & (rows_.size() - 1)) {
            if (rows_[at] == row) return places_[at];
        }
        return nowhere;
    }

  private:
    std::size_t first(std::uint32_t row) const noexcept {
        return static_cast<std::uint32_t>(row * 2654435769U) >> (32 - bits_);
    }

    unsigned bits_ = 8;
    std::vector<std::uint32_t> rows_;
    std::vector<std::uint32_t> places_;
};

bool all_finite(const std::vector<float> &numbers) noexcept {
    return std::all_of(numbers.begin(), numbers.end(), [](float one) { return std::isfinite(one); });
}

// The rows whose scores are `least` or more, or no numbers; false where they are too many to be
// scored one by one.
bool close_to_best(const std::vector<float> &scores, float least,
                   std::vector<std::uint32_t> &close) {
    close.clear();
    for (std::size_t row = 0; row < scores.size(); ++row) {
        if (scores[row] < least || scores[row] == left_out) continue;
        if (close.size() == scores.size() / worth_less) return false;
        close.push_back(static_cast<std::uint32_t>(row));
    }
    return true;
}

}  // namespace

void fetch_row(const ScoredCatalog &catalog, std::size_t row) noexcept {
    const float *vector = catalog.items.vectors + row * catalog.dimensions;
    for (std::size_t at = 0; at < catalog.dimensions; at += line) __builtin_prefetch(vector + at);
    __builtin_prefetch(catalog.offsets + row);
}

void rank_some(const ScoredCatalog &catalog, const ScoredUser &user,
               const std::vector<std::uint32_t> &rows, std::size_t k,
               std::vector<RankedRow> &best) {
    thread_local PlaceOf place_of;
    thread_local std::vector<float> scores;
    thread_local std::vector<double> sums;
    for (const RecentItem &liked : user.recent) fetch_neighbours(catalog, liked.item);
    place_of.build(rows);
    scores.resize(rows.size());
    for (std::size_t place = 0; place < rows.size(); ++place) {
        scores[place] = dense_score(catalog, user, rows[place]);
    }
    const auto add_part = [&](float weight) {
        for (std::size_t place = 0; place < rows.size(); ++place) {
            scores[place] += weight * static_cast<float>(sums[place]);
        }
    };
    if (catalog.neighbour_rows) {
        sums.assign(rows.size(), 0.0);
        for_neighbours(catalog, user.recent, [&](std::uint32_t item, double amount) {
            const std::uint32_t place = place_of[item];
            if (place != nowhere) sums[place] += amount;
        });
        add_part(user.near_weight);
    }
    if (!user.repeats.items.empty()) {
        sums.assign(rows.size(), 0.0);
        for (std::size_t at = 0; at < user.repeats.items.size(); ++at) {
            const std::uint32_t place = place_of[user.repeats.items[at]];
            if (place != nowhere) sums[place] += user.repeats.shares[at];
        }
        add_part(user.repeat_weight);
    }
    for (const std::uint32_t item : user.left_out) {
        const std::uint32_t place = place_of[item];
        if (place != nowhere) scores[place] = left_out;
    }
    BestOf keeper(k, best);
    for (std::uint32_t place = 0; place < rows.size(); ++place) keeper.offer(place, scores[place]);
    keeper.finish();
    for (RankedRow &one : best) one.row = rows[one.row];
}

void rank_all(const ScoredCatalog &catalog, const ScoredUser &user, std::size_t k,
              std::vector<RankedRow> &best) {
    thread_local std::vector<float> scores;
    thread_local std::vector<double> sums;  // Zeros between two uses.
    thread_local std::vector<std::uint32_t> touched;
    scores.resize(catalog.items.rows);
    const bool coarsely = catalog.coarse.rows && all_finite(user.vectors);
    float margin = 0.0F, largest = 0.0F;
    if (coarsely) {
        const CoarseVectors vectors(user.vectors, catalog.dimensions);
        margin = vectors.margin(catalog.coarse);
        largest = score_all_coarsely(catalog, user, vectors, scores.data());
    } else {
        score_all_rows(catalog, user, scores.data());
    }
    if (sums.size() < catalog.items.rows) sums.resize(catalog.items.rows, 0.0);
    const auto add_to = [&](std::uint32_t item, double amount) {
        if (item >= catalog.items.rows) return;
        if (sums[item] == 0.0) touched.push_back(item);
        sums[item] += amount;
    };
    // An item is touched again where its sum comes back to 0; then nothing is left to add.
    const auto add_part = [&](float weight) {
        for (const std::uint32_t item : touched) {
            const float part = weight * static_cast<float>(sums[item]);
            largest = std::max(largest, std::fabs(part));
            scores[item] += part;
            sums[item] = 0.0;
        }
        touched.clear();
    };
    touched.clear();
    if (catalog.neighbour_rows) {
        for_neighbours(catalog, user.recent, add_to);
        add_part(user.near_weight);
    }
    for (std::size_t at = 0; at < user.repeats.items.size(); ++at) {
        add_to(user.repeats.items[at], user.repeats.shares[at]);
    }
    add_part(user.repeat_weight);
    for (const std::uint32_t item : user.left_out) {
        if (item < catalog.items.rows) scores[item] = left_out;
    }
    BestOf keeper(k, best);
    for (std::uint32_t row = 0; row < catalog.items.rows; ++row) keeper.offer(row, scores[row]);
    keeper.finish();
    if (!coarsely) return;
    margin += part_roundings * FLT_EPSILON * largest;
    thread_local std::vector<std::uint32_t> close;
    // An infinite score may have come of numbers that are finite.
    if (std::isfinite(margin) &&
        close_to_best(scores, best.size() < k ? left_out : best.back().score - 2.0F * margin,
                      close)) {
        rank_some(catalog, user, close, k, best);
    } else {
        ScoredCatalog exact = catalog;
        exact.coarse = {};
        rank_all(exact, user, k, best);
    }
}

}  // namespace penchant
