#include "item_counters.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdlib>

#include "record_cache.hpp"
#include "sealed_row.hpp"

namespace penchant {
namespace {

constexpr double most_impressions = 1.0;
constexpr std::size_t contribution_size = 4 * 8;
constexpr std::size_t counted_size = 3 * 8;  // All that rows of older releases hold.
constexpr std::size_t exact_head = 2 * 4;
constexpr std::int64_t most_exponent = 2'000'000'000;  // Far from the ends of 32 bits.
constexpr double most_counted = 1e300;                 // Twice as much is a number, too.

double decay(std::int64_t elapsed_us, const HalfLife &half_life) noexcept {
    return std::exp2(static_cast<double>(-elapsed_us) / 1e6 / half_life.seconds);
}

// The part that the counters hold.
double counted_positives(const Contribution &one) noexcept {
    return std::min(one.strongest, one.positives);
}

double counted_impressions(const Contribution &one) noexcept {
    return std::min(most_impressions, one.impressions);
}

// Reads a sum from the front of `rest`; false if it does not fit.
bool read_sum(std::string_view &rest, ExactSum &sum) {
    if (rest.size() < exact_head) return false;
    sum.exponent = number_at<std::int32_t>(rest, 0);
    if (std::abs(sum.exponent) > most_exponent) return false;
    const std::size_t size = number_at<std::uint32_t>(rest, 4);
    rest.remove_prefix(exact_head);
    if (size > rest.size()) return false;
    sum.mantissa.assign((size + 3) / 4, 0);
    for (std::size_t at = 0; at < size; ++at) {
        const auto byte = static_cast<std::uint8_t>(rest[at]);
        sum.mantissa[at / 4] |= std::uint32_t{byte} << (8 * (at % 4));
    }
    while (!sum.mantissa.empty() && sum.mantissa.back() == 0) sum.mantissa.pop_back();
    rest.remove_prefix(size);
    return true;
}

void append_sum(std::string &row, const ExactSum &sum) {
    const std::uint64_t size = (bit_length(sum) + 7) / 8;
    append_number(row, static_cast<std::int32_t>(sum.exponent));
    append_number(row, static_cast<std::uint32_t>(size));
    for (std::uint64_t at = 0; at < size; ++at) {
        row.push_back(static_cast<char>(sum.mantissa[at / 4] >> (8 * (at % 4)) & 0xFF));
    }
}

}  // namespace

Contribution contribute(const Contribution *before, const Counted &event,
                        const HalfLife &half_life) {
    if (before == nullptr) return {event.positive, event.impressions, event.positive, event.at_us};
    Contribution after = *before;
    if (event.at_us >= before->as_of_us) {
        const double old = decay(event.at_us - before->as_of_us, half_life);
        after.positives = before->positives * old + event.positive;
        after.impressions = before->impressions * old + event.impressions;
        after.as_of_us = event.at_us;
    } else {
        const double late = decay(before->as_of_us - event.at_us, half_life);
        after.positives = before->positives + event.positive * late;
        after.impressions = before->impressions + event.impressions * late;
    }
    after.strongest = std::max(before->strongest, event.positive);
    return after;
}

void replace(Counters &counters, const Contribution *older, const Contribution &newer,
             const HalfLife &half_life) {
    ExactSum &positives = counters.exact_positives, &impressions = counters.exact_impressions;
    const std::int64_t h = half_life.us;
    if (older != nullptr) {
        positives = without(positives, part_of(counted_positives(*older), older->as_of_us, h));
        impressions = without(impressions, part_of(counted_impressions(*older), older->as_of_us, h));
    }
    positives = plus(positives, part_of(counted_positives(newer), newer.as_of_us, h));
    impressions = plus(impressions, part_of(counted_impressions(newer), newer.as_of_us, h));
    counters.as_of_us = std::max(counters.as_of_us, newer.as_of_us);
    counters.positives = value_of(positives, counters.as_of_us, h);
    counters.impressions = value_of(impressions, counters.as_of_us, h);
}

std::optional<Contribution> read_contribution(std::string_view value) noexcept {
    const auto payload = unsealed(value);
    if (!payload || payload->size() != contribution_size) return std::nullopt;
    const Contribution found{number_at<double>(*payload, 0), number_at<double>(*payload, 8),
                             number_at<double>(*payload, 16),
                             number_at<std::int64_t>(*payload, 24)};
    // As events make them.
    for (const double number : {found.positives, found.impressions, found.strongest}) {
        if (!(number >= 0.0 && number <= most_counted)) return std::nullopt;
    }
    if (found.as_of_us < 0) return std::nullopt;
    return found;
}

std::optional<Counters> read_counters(std::string_view value, const HalfLife &half_life) {
    const auto payload = unsealed(value);
    if (!payload || payload->size() < counted_size + 8) return std::nullopt;
    Counters found;
    found.positives = number_at<double>(*payload, 0);
    found.impressions = number_at<double>(*payload, 8);
    found.as_of_us = number_at<std::int64_t>(*payload, 16);
    if (found.as_of_us < 0) return std::nullopt;
    if (number_at<std::int64_t>(*payload, counted_size) != half_life.us) return std::nullopt;
    std::string_view rest = payload->substr(counted_size + 8);
    if (!read_sum(rest, found.exact_positives) || !read_sum(rest, found.exact_impressions)) {
        return std::nullopt;
    }
    if (!rest.empty()) return std::nullopt;
    return found;
}

std::string encode_contribution(const Contribution &contribution) {
    std::string row = begun_row();
    append_number(row, contribution.positives);
    append_number(row, contribution.impressions);
    append_number(row, contribution.strongest);
    append_number(row, contribution.as_of_us);
    seal(row);
    return row;
}

std::string encode_counters(const Counters &counters, const HalfLife &half_life) {
    std::string row = begun_row();
    append_number(row, counters.positives);
    append_number(row, counters.impressions);
    append_number(row, counters.as_of_us);
    append_number(row, half_life.us);
    append_sum(row, counters.exact_positives);
    append_sum(row, counters.exact_impressions);
    seal(row);
    return row;
}

}  // namespace penchant
