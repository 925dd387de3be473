#include "fold.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "normal_equations.hpp"

namespace penchant {
namespace {

constexpr double rounding = 0x1p-53;
// Roundings by which a weight may differ: that of one exp2 is 4 units in the last place or less in
// NumPy and in libm, and a few products follow.
constexpr double weight_roundings = 16;
// How far two solutions may lie apart, in units of rounding (trace(A) |m| + |b|) / lambda(A_0): the
// form of the bounds of N. J. Higham, "Accuracy and stability of numerical algorithms", 2002,
// theorems 7.2 and 10.4, whose factor is some d. In practice it is 1.4 at most at d = 5, 0.3 at
// d = 64, whatever the spectrum, since errors cancel (N. J. Higham and T. Mary, "A new approach to
// probabilistic rounding error analysis", 2019).
constexpr double error_units = 16;
// Below this, products of weights could leave the range of normal numbers.
constexpr double least_weight = 1e-100;
constexpr float no_wait = -1.0F;
constexpr std::uint32_t opening = 0xFFFFFFFF;
constexpr double opening_halvings = 6;
constexpr double recent_events = 32;
constexpr double age_steps = 1024;

struct Weights {
    std::vector<double> slow, fast, near;
    double counted = 0;
};

// Whether all doubles within `error` of one round to the same single, which is `rounded` then.
bool rounds_alike(double number, double error, float &rounded) noexcept {
    rounded = static_cast<float>(number);
    if (!std::isfinite(rounded)) return false;
    if (error == 0) return true;
    const auto low = static_cast<float>(number - error), high = static_cast<float>(number + error);
    return std::memcmp(&low, &rounded, sizeof rounded) == 0 &&
           std::memcmp(&high, &rounded, sizeof rounded) == 0;
}

bool is_sane(const std::vector<WindowRow> &window) noexcept {
    return std::all_of(window.begin(), window.end(), [](const WindowRow &row) {
        const bool no_sign = row.reward != 0 || !std::signbit(row.reward);
        return std::isfinite(row.reward) && no_sign && std::isfinite(row.weight) &&
               row.weight >= 0 && std::isfinite(row.wait_s);
    });
}

// Which rows count, of items that are known.
std::vector<std::uint8_t> counted_of(const std::vector<WindowRow> &window,
                                     const CatalogRows &catalog, double bucket_start_us) {
    std::vector<std::uint8_t> counts(window.size(), 0);
    for (std::size_t t = 0; t < window.size(); ++t) {
        const std::uint32_t item = window[t].item;
        const bool known = item < catalog.rows && catalog.alive[item];
        counts[t] = known && is_counted(window, t, bucket_start_us);
    }
    return counts;
}

// The kernel of `penchant.domain.context`.
double similarity_of(const std::uint32_t *there, const std::uint32_t *here, double halvings) {
    int both = 0, differing = 0;
    for (std::size_t i = 0; i < context_slots; ++i) {
        for (std::size_t j = 0; j < context_slots; ++j) {
            if (here[j] == 0 || there[i] == 0 || here[j] >> 16 != there[i] >> 16) continue;
            ++both;
            differing += here[j] != there[i];
        }
    }
    return std::exp2(-halvings * (static_cast<double>(differing) / std::max(both, 1)));
}

// `penchant.domain.event_weights.weigh` for one window; false: a case for NumPy.
bool weigh(const FoldTerms &terms, const CatalogRows &catalog, const std::vector<WindowRow> &window,
           const std::uint32_t *context, double bucket_start_us, Weights &weights) {
    const std::size_t n = window.size();
    const std::vector<std::uint8_t> counts = counted_of(window, catalog, bucket_start_us);
    std::vector<double> so_far(n);
    for (std::size_t t = 0; t < n; ++t) {
        double age = counts[t];
        if (!terms.factors.empty()) {
            const double factor = std::min(1.0, terms.factors[window[t].signal]);
            age = counts[t] * std::nearbyint(factor * age_steps) / age_steps;
        }
        weights.counted += age;
        so_far[t] = weights.counted;
    }
    const bool kernel = context != nullptr && terms.context_halvings != 0;
    weights.slow.assign(n, 0);
    weights.fast.assign(n, 0);
    weights.near.assign(n, 0);
    std::size_t near = 0;
    double most_liked = 0, most_fast = 0;
    for (std::size_t t = 0; t < n; ++t) {
        if (!counts[t]) continue;
        const WindowRow &row = window[t];
        double part = kernel ? similarity_of(row.context, context, terms.context_halvings) : 1.0;
        if (!terms.factors.empty()) part *= terms.factors[row.signal];
        const double age_events = weights.counted - so_far[t];
        const double age_s =
            std::max(0.0, (bucket_start_us - static_cast<double>(row.occurred_at_us)) / 1e6);
        weights.slow[t] =
            part * row.weight *
            std::exp2(-age_events / terms.half_life_events - age_s / terms.half_life_s);
        const double liked = part * std::max(0.0F, row.reward);
        if (liked == 0) continue;
        weights.fast[t] = liked * std::exp2(-age_events / terms.fast_half_life_events);
        most_liked = std::max(most_liked, liked);
        most_fast = std::max(most_fast, weights.fast[t]);
        if (age_events >= recent_events) continue;
        weights.near[t] = liked * std::exp2(-age_events / terms.near_half_life_events);
        if (weights.near[t] < least_weight) return false;
        ++near;
    }
    if (most_liked > 0 && most_fast < least_weight) return false;
    // With factors more than these may be left; which ones may hang on a last bit.
    return static_cast<double>(near) <= recent_events;
}

bool fold_slow(const FoldTerms &terms, const std::vector<double> &vectors,
               const std::vector<WindowRow> &window, const Weights &weights,
               std::vector<float> &slow) {
    const std::size_t d = terms.dimensions, width = padded(d);
    std::vector<double> rows;
    rows.reserve(window.size() * width);
    NormalEquations equations(d);
    equations.start(terms.precision.data(), terms.target.data());
    double *target = equations.target();
    double size = 0;  // Of what the target sums up.
    for (std::size_t j = 0; j < d; ++j) size += target[j] * target[j];
    size = std::sqrt(size);
    for (std::size_t t = 0; t < window.size(); ++t) {
        const double weight = weights.slow[t];
        if (weight == 0) continue;
        const double root = std::sqrt(weight), part = weight * window[t].reward;
        const double *vector = &vectors[t * width];
        double square = 0;
        const std::size_t start = rows.size();
        rows.resize(start + width);
        for (std::size_t j = 0; j < width; ++j) {
            rows[start + j] = root * vector[j];
            square += vector[j] * vector[j];
        }
        for (std::size_t j = 0; j < d; ++j) target[j] += part * vector[j];
        size += std::abs(part) * std::sqrt(square);
    }
    equations.add(rows.data(), rows.size() / width);
    const double trace = equations.trace();
    std::vector<double> solution(d);
    if (!(terms.least_eigenvalue > 0) || !equations.solve(solution.data())) return false;
    double norm = 0;
    for (const double number : solution) norm += number * number;
    norm = std::sqrt(norm);
    const double error =
        rounding * error_units * (trace * norm + size) / terms.least_eigenvalue;
    slow.resize(d);
    bool alike = true;
    for (std::size_t j = 0; j < d; ++j) alike &= rounds_alike(solution[j], error, slow[j]);
    return alike;
}

// Zeros, with the signs that products with the weight 0 leave.
void fold_nothing_liked(const std::vector<double> &vectors, std::size_t events, std::size_t d,
                        std::vector<float> &fast) {
    const std::size_t width = padded(d);
    for (std::size_t j = 0; j < d; ++j) {
        bool negative = true;
        for (std::size_t t = 0; t < events; ++t) negative &= std::signbit(vectors[t * width + j]);
        fast[j] = negative ? -0.0F : 0.0F;
    }
}

bool fold_fast(const std::vector<double> &vectors, const Weights &weights, std::size_t d,
               std::vector<float> &fast) {
    const std::size_t width = padded(d), n = weights.fast.size();
    fast.assign(d, 0.0F);
    std::vector<double> sums(width), sizes(width);
    std::vector<std::uint8_t> signs(width);  // Whether a part was +0 or more.
    bool any = false;
    for (std::size_t t = 0; t < n; ++t) {
        const double weight = weights.fast[t];
        if (weight == 0) continue;
        any = true;
        const double *vector = &vectors[t * width];
        for (std::size_t j = 0; j < width; ++j) {
            const double part = weight * vector[j];
            sums[j] += part;
            sizes[j] += std::abs(part);
            signs[j] |= !std::signbit(part);
        }
    }
    if (!any) {
        fold_nothing_liked(vectors, n, d, fast);
        return true;
    }
    double square = 0, crossed = 0;
    for (std::size_t j = 0; j < d; ++j) {
        square += sums[j] * sums[j];
        crossed += std::abs(sums[j]) * sizes[j];
    }
    if (!(square > 0) || !std::isfinite(square)) return false;
    const double norm = std::sqrt(square), roundings = static_cast<double>(n) + weight_roundings;
    const double of_norm = roundings * crossed / square + static_cast<double>(d) + 8;
    for (std::size_t j = 0; j < d; ++j) {
        const double number = sums[j] / norm;
        const double error =
            rounding * (roundings * sizes[j] / norm + of_norm * std::abs(number));
        if (sizes[j] == 0 && !signs[j]) return false;  // Zeros whose sign the rest decides.
        if (!rounds_alike(number, error, fast[j])) return false;
    }
    return true;
}

bool find_recent(const FoldTerms &terms, const std::vector<WindowRow> &window,
                 const Weights &weights, std::vector<RecentItem> &recent) {
    recent.clear();
    double total = 0;
    for (const double weight : weights.near) total += weight;
    const double roundings = static_cast<double>(window.size()) + 2 * weight_roundings;
    for (std::size_t t = 0; t < window.size(); ++t) {
        if (weights.near[t] == 0) continue;
        const double share = weights.near[t] / total;
        float rounded = 0;
        if (!rounds_alike(share, rounding * roundings * share, rounded)) return false;
        recent.push_back({window[t].item, rounded});
    }
    const double halvings = weights.counted / terms.opening_half_life_events;
    if (halvings < opening_halvings) {
        const double begun = std::pow(2.0, -halvings);
        float rounded = 0;
        if (!rounds_alike(begun, rounding * 8 * begun, rounded)) return false;
        recent.push_back({opening, rounded});
    }
    return true;
}

}  // namespace

bool is_counted(const std::vector<WindowRow> &window, std::size_t at, double bucket_start_us) {
    const WindowRow &shown = window[at];
    if (shown.wait_s == no_wait) return true;
    const auto wait_us = static_cast<double>(shown.wait_s * 1e6F);
    if (!(static_cast<double>(shown.occurred_at_us) + wait_us <= bucket_start_us)) return false;
    return std::none_of(window.begin(), window.end(), [&](const WindowRow &row) {
        if (row.wait_s != no_wait || row.item != shown.item) return false;
        return shown.recommendation == 0 ? shown.occurred_at_us <= row.occurred_at_us
                                         : shown.recommendation == row.recommendation;
    });
}

bool fold(const FoldTerms &terms, const CatalogRows &catalog, const std::vector<WindowRow> &window,
          const std::uint32_t *context, double bucket_start_us, Interest &interest) {
    const std::size_t n = window.size(), d = terms.dimensions, width = padded(d);
    if (n == 0 || d == 0 || catalog.rows == 0 || !is_sane(window)) return false;
    Weights weights;
    if (!weigh(terms, catalog, window, context, bucket_start_us, weights)) return false;
    std::vector<double> vectors(n * width);
    for (std::size_t t = 0; t < n; ++t) {
        // A row of another item stands for an unknown one's, as in NumPy; its weights are 0.
        const std::size_t row = window[t].item < catalog.rows ? window[t].item : 0;
        const float *vector = catalog.vectors + row * d;
        std::copy(vector, vector + d, &vectors[t * width]);
    }
    return fold_fast(vectors, weights, d, interest.fast) &&
           find_recent(terms, window, weights, interest.recent) &&
           fold_slow(terms, vectors, window, weights, interest.slow);
}

}  // namespace penchant
