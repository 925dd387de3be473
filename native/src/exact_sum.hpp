// `penchant.domain.exact_sums`: sums of decayed parts that do not depend on their order.
#pragma once

#include <cstdint>
#include <vector>

namespace penchant {

// The number `mantissa * 2^exponent`, 0 or more. The words of the mantissa begin with the lowest,
// and the highest is not 0; that of the number 0 has no words.
struct ExactSum {
    std::vector<std::uint32_t> mantissa;
    std::int64_t exponent = 0;
};

// A part of a time, in the frame of 1970; the part is 0 or more, and so is the time.
ExactSum part_of(double part, std::int64_t at_us, std::int64_t half_life_us);

ExactSum plus(const ExactSum &one, const ExactSum &other);

// One sum without another; 0 where that is larger, as `penchant.domain.user_contribution` has it.
ExactSum without(const ExactSum &one, const ExactSum &other);

// A sum, decayed to a time.
double value_of(const ExactSum &total, std::int64_t at_us, std::int64_t half_life_us);

std::uint64_t bit_length(const ExactSum &number) noexcept;

}  // namespace penchant
