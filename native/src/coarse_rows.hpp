// Vectors in a byte a number, with a bound on what that loses: they tell, from a quarter of the
// memory, which few rows of a large catalog may be the best, and those alone are scored exactly.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace penchant {

// The first rows of a catalog, as views of what `write_coarse_rows` has written: row i is about
// scales[i] * codes[i], each number of which is from -127 to 127.
struct CoarseRows {
    std::size_t rows = 0;
    const float *scales = nullptr;        // (rows,)
    const std::int8_t *codes = nullptr;   // (rows, d)
    float worst_loss = 0.0F;              // The largest length of a row less its coarse one.
    float worst_scale = 0.0F;
};

// Bytes of so many rows of `dimensions` numbers.
std::size_t coarse_size(std::size_t rows, std::size_t dimensions) noexcept;

// Writes `coarse_size` bytes: two bounds, the scales, the codes. Cost: O(rows d).
void write_coarse_rows(const float *vectors, std::size_t rows, std::size_t dimensions,
                       char *content);

// Views of what was written, at an address that floats may have; no rows if the size fits none.
CoarseRows read_coarse_rows(std::string_view content, std::size_t dimensions) noexcept;

// Some vectors in whole numbers, of which a sum with a row's codes has room in 32 bits.
class CoarseVectors {
  public:
    // Vectors of shape (n, dimensions), whose numbers are finite.
    CoarseVectors(const std::vector<float> &vectors, std::size_t dimensions);

    // The largest of the products with a row.
    inline __attribute__((always_inline)) float best(const CoarseRows &coarse,
                                                     std::size_t row) const noexcept {
        const std::int8_t *codes = coarse.codes + row * dimensions_;
        float most = 0.0F;
        for (std::size_t one = 0; one < steps_.size(); ++one) {
            const std::int16_t *whole = whole_.data() + one * dimensions_;
            std::int32_t sum = 0;
            for (std::size_t at = 0; at < dimensions_; ++at) {
                sum += std::int32_t{whole[at]} * std::int32_t{codes[at]};
            }
            // In this order, in which nothing small comes in between.
            const float product = coarse.scales[row] * (steps_[one] * static_cast<float>(sum));
            most = one == 0 || product > most ? product : most;
        }
        return most;
    }

    // How far `best` may be from the largest product with the row itself, summed in floats, beside
    // the roundings of `best` itself; infinite if anything is.
    float margin(const CoarseRows &coarse) const noexcept;

  private:
    std::size_t dimensions_;
    std::vector<std::int16_t> whole_;  // (n, dimensions)
    std::vector<float> steps_;         // (n,): of one in `whole_`
    double longest_ = 0.0;             // The largest length of a vector.
    double worst_loss_ = 0.0;          // The largest length of a vector less its coarse one.
};

}  // namespace penchant
