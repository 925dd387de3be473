// Any rows and vectors: no coarse product is further from the exact one than its margin.
#include <algorithm>
#include <cfloat>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "coarse_rows.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size) {
    if (size < 2) return 0;
    const std::size_t d = 1 + data[0] % 40, interests = 1 + data[1] % 2;
    std::vector<float> numbers((size - 2) / sizeof(float));
    if (numbers.size() < interests * d) return 0;
    std::memcpy(numbers.data(), data + 2, numbers.size() * sizeof(float));
    const std::vector<float> user(numbers.begin(), numbers.begin() + interests * d);
    const float *rows = numbers.data() + user.size();
    const std::size_t count = (numbers.size() - user.size()) / d;
    std::string content(penchant::coarse_size(count, d), '\0');
    penchant::write_coarse_rows(rows, count, d, content.data());
    const penchant::CoarseRows coarse = penchant::read_coarse_rows(content, d);
    if (coarse.rows != count) std::abort();
    const auto finite = [](float number) { return std::isfinite(number); };
    if (!std::all_of(user.begin(), user.end(), finite)) return 0;
    const penchant::CoarseVectors vectors(user, d);
    const float margin = vectors.margin(coarse);
    for (std::size_t row = 0; row < count; ++row) {
        const float found = vectors.best(coarse, row);
        if (!std::isfinite(margin) || !std::isfinite(found)) continue;
        double exact = -HUGE_VAL;
        for (std::size_t one = 0; one < interests; ++one) {
            double sum = 0.0;
            for (std::size_t at = 0; at < d; ++at) {
                sum += double{rows[row * d + at]} * double{user[one * d + at]};
            }
            exact = std::max(exact, sum);
        }
        const double rounded = 4.0 * FLT_EPSILON * std::fabs(exact) + FLT_MIN;
        if (std::fabs(exact - double{found}) > double{margin} + rounded) std::abort();
    }
    return 0;
}
