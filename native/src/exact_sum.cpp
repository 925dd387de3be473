#include "exact_sum.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdlib>
#include <utility>

namespace penchant {
namespace {

using Words = std::vector<std::uint32_t>;

constexpr std::int64_t most_shift = 1 << 15;
constexpr std::int64_t most_exponent = 900;
constexpr unsigned word_bits = 32;

void trim(Words &words) noexcept {
    while (!words.empty() && words.back() == 0) words.pop_back();
}

unsigned bits_of(std::uint32_t word) noexcept {
    unsigned bits = 0;
    for (; word != 0; word >>= 1) ++bits;
    return bits;
}

Words shifted_left(const Words &words, std::uint64_t bits) {
    if (words.empty()) return {};
    const std::size_t whole = bits / word_bits;
    const unsigned rest = bits % word_bits;
    Words found(words.size() + whole + 1, 0);
    for (std::size_t at = 0; at < words.size(); ++at) {
        const std::uint64_t wide = std::uint64_t{words[at]} << rest;
        found[at + whole] |= static_cast<std::uint32_t>(wide);
        found[at + whole + 1] |= static_cast<std::uint32_t>(wide >> word_bits);
    }
    trim(found);
    return found;
}

Words shifted_right(const Words &words, std::uint64_t bits) {
    const std::size_t whole = bits / word_bits;
    const unsigned rest = bits % word_bits;
    if (whole >= words.size()) return {};
    Words found(words.size() - whole, 0);
    for (std::size_t at = 0; at < found.size(); ++at) {
        std::uint64_t wide = words[at + whole];
        if (at + whole + 1 < words.size()) {
            wide |= std::uint64_t{words[at + whole + 1]} << word_bits;
        }
        found[at] = static_cast<std::uint32_t>(wide >> rest);
    }
    trim(found);
    return found;
}

bool is_less(const Words &one, const Words &other) noexcept {
    if (one.size() != other.size()) return one.size() < other.size();
    return std::lexicographical_compare(one.rbegin(), one.rend(), other.rbegin(), other.rend());
}

void add(Words &words, const Words &more) {
    words.resize(std::max(words.size(), more.size()) + 1, 0);
    std::uint64_t carry = 0;
    for (std::size_t at = 0; at < words.size(); ++at) {
        carry += words[at];
        if (at < more.size()) carry += more[at];
        words[at] = static_cast<std::uint32_t>(carry);
        carry >>= word_bits;
    }
    trim(words);
}

// `less` is at most `words`.
void subtract(Words &words, const Words &less) noexcept {
    std::int64_t borrow = 0;
    for (std::size_t at = 0; at < words.size(); ++at) {
        std::int64_t rest = std::int64_t{words[at]} - borrow;
        if (at < less.size()) rest -= less[at];
        borrow = rest < 0 ? 1 : 0;
        words[at] = static_cast<std::uint32_t>(rest & 0xFFFFFFFF);
    }
    trim(words);
}

// The same number with an odd mantissa; of 0, the exponent is 0.
ExactSum normal(Words words, std::int64_t exponent) {
    if (words.empty()) return {};
    std::uint64_t zeros = 0;
    while (words[zeros / word_bits] == 0) zeros += word_bits;
    for (std::uint32_t word = words[zeros / word_bits]; (word & 1) == 0; word >>= 1) ++zeros;
    if (zeros != 0) words = shifted_right(words, zeros);
    return {std::move(words), exponent + static_cast<std::int64_t>(zeros)};
}

// Both mantissas under the lower of the two exponents.
std::pair<Words, Words> aligned(const ExactSum &one, const ExactSum &other) {
    const std::int64_t shift = one.exponent - other.exponent;
    if (shift >= 0) {
        return {shifted_left(one.mantissa, static_cast<std::uint64_t>(shift)), other.mantissa};
    }
    return {one.mantissa, shifted_left(other.mantissa, static_cast<std::uint64_t>(-shift))};
}

}  // namespace

ExactSum part_of(double part, std::int64_t at_us, std::int64_t half_life_us) {
    if (part == 0.0) return {};
    const std::int64_t whole = at_us / half_life_us, rest = at_us % half_life_us;
    int exponent = 0;
    const double fraction = std::frexp(
        part * std::exp2(static_cast<double>(rest) / static_cast<double>(half_life_us)), &exponent);
    const auto mantissa = static_cast<std::uint64_t>(std::ldexp(fraction, 53));
    Words words{static_cast<std::uint32_t>(mantissa & 0xFFFFFFFF),
                static_cast<std::uint32_t>(mantissa >> word_bits)};
    trim(words);
    return normal(std::move(words), whole + exponent - 53);
}

ExactSum plus(const ExactSum &one, const ExactSum &other) {
    if (one.mantissa.empty()) return other;
    if (other.mantissa.empty()) return one;
    const std::int64_t shift = one.exponent - other.exponent;
    if (std::abs(shift) > most_shift) return shift > 0 ? one : other;
    auto [first, second] = aligned(one, other);
    add(first, second);
    return normal(std::move(first), std::min(one.exponent, other.exponent));
}

ExactSum without(const ExactSum &one, const ExactSum &other) {
    if (other.mantissa.empty()) return one.mantissa.empty() ? other : one;
    if (one.mantissa.empty()) return {};
    const std::int64_t shift = one.exponent - other.exponent;
    if (std::abs(shift) > most_shift) return shift > 0 ? one : ExactSum{};
    auto [first, second] = aligned(one, other);
    if (is_less(first, second)) return {};
    subtract(first, second);
    return normal(std::move(first), std::min(one.exponent, other.exponent));
}

double value_of(const ExactSum &total, std::int64_t at_us, std::int64_t half_life_us) {
    const std::uint64_t bits = bit_length(total);
    const std::uint64_t more = bits > 64 ? bits - 64 : 0;
    const Words top = shifted_right(total.mantissa, more);
    std::uint64_t mantissa = top.empty() ? 0 : top[0];
    if (top.size() > 1) mantissa |= std::uint64_t{top[1]} << word_bits;
    const std::int64_t whole = at_us / half_life_us, rest = at_us % half_life_us;
    const std::int64_t exponent = total.exponent + static_cast<std::int64_t>(more) - whole;
    const double faded =
        std::ldexp(static_cast<double>(mantissa),
                   static_cast<int>(std::clamp(exponent, -most_exponent, most_exponent)));
    return faded * std::exp2(static_cast<double>(-rest) / static_cast<double>(half_life_us));
}

std::uint64_t bit_length(const ExactSum &number) noexcept {
    if (number.mantissa.empty()) return 0;
    return std::uint64_t{number.mantissa.size() - 1} * word_bits + bits_of(number.mantissa.back());
}

}  // namespace penchant
