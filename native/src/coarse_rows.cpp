#include "coarse_rows.hpp"

#include <algorithm>
#include <cfloat>
#include <cmath>
#include <cstring>
#include <limits>

namespace penchant {
namespace {

constexpr float most_code = 127.0F;
constexpr float least_scale = 1e-30F;  // Below it, a division by it might overflow.
constexpr double rounded_up = 1.000001;
constexpr std::size_t bounds = 2;
constexpr float unbounded = std::numeric_limits<float>::infinity();

// The nearest whole number of a float that an int has room for.
inline int nearest(float value) noexcept {
    return static_cast<int>(value + (value < 0.0F ? -0.5F : 0.5F));
}

// The largest number in size; not finite if one of them is not. Finite floats without their sign lie
// in the order of their bits, which compilers compare side by side.
float largest(const float *numbers, std::size_t size) noexcept {
    std::int32_t most = 0;
    for (std::size_t at = 0; at < size; ++at) {
        std::int32_t bits;
        std::memcpy(&bits, numbers + at, sizeof bits);
        most = std::max(most, bits & 0x7FFFFFFF);
    }
    float found;
    std::memcpy(&found, &most, sizeof found);
    return found;
}

// The length of what `number(at)` gives, rounded up. Sums side by side, for speed; of doubles, in
// which no square of a float is too small or too large.
template <typename Number>
double length(std::size_t size, Number number) noexcept {
    constexpr std::size_t lanes = 4;
    double sums[lanes] = {};
    std::size_t at = 0;
    for (; at + lanes <= size; at += lanes) {
        for (std::size_t lane = 0; lane < lanes; ++lane) {
            const double one = number(at + lane);
            sums[lane] += one * one;
        }
    }
    double squares = 0.0;
    for (; at < size; ++at) squares += double{number(at)} * double{number(at)};
    for (const double sum : sums) squares += sum;
    return std::sqrt(squares) * rounded_up;
}

// A bound as a float, rounded up; what has no room is infinite.
float bound(double value) noexcept {
    return value < FLT_MAX / rounded_up ? static_cast<float>(value * rounded_up + FLT_MIN) : unbounded;
}

struct CodedRow {
    float scale;
    float loss;
};

CodedRow write_row(const float *row, std::size_t size, std::int8_t *codes) noexcept {
    const float most = largest(row, size), scale = most / most_code;
    if (!std::isfinite(most) || scale < least_scale) {
        std::memset(codes, 0, size);
        const double lost = length(size, [row](std::size_t at) { return row[at]; });
        return {0.0F, std::isfinite(most) ? bound(lost) : unbounded};
    }
    const float inverse = 1.0F / scale;
    for (std::size_t at = 0; at < size; ++at) {
        codes[at] = static_cast<std::int8_t>(nearest(row[at] * inverse));
    }
    const double loss = length(size, [row, codes, scale](std::size_t at) {
        return row[at] - scale * static_cast<float>(codes[at]);
    });
    return {scale, bound(loss)};
}

}  // namespace

std::size_t coarse_size(std::size_t rows, std::size_t dimensions) noexcept {
    return bounds * sizeof(float) + rows * (sizeof(float) + dimensions);
}

void write_coarse_rows(const float *vectors, std::size_t rows, std::size_t dimensions,
                       char *content) {
    char *scales = content + bounds * sizeof(float);
    char *codes = scales + rows * sizeof(float);
    float worst[bounds] = {};
    for (std::size_t row = 0; row < rows; ++row) {
        const CodedRow coded =
            write_row(vectors + row * dimensions, dimensions,
                      reinterpret_cast<std::int8_t *>(codes) + row * dimensions);
        std::memcpy(scales + row * sizeof(float), &coded.scale, sizeof(float));
        worst[0] = std::max(worst[0], coded.loss);
        worst[1] = std::max(worst[1], coded.scale);
    }
    std::memcpy(content, worst, sizeof worst);
}

CoarseRows read_coarse_rows(std::string_view content, std::size_t dimensions) noexcept {
    const std::size_t head = bounds * sizeof(float), row = sizeof(float) + dimensions;
    if (content.size() < head || (content.size() - head) % row != 0) return {};
    CoarseRows coarse;
    coarse.rows = (content.size() - head) / row;
    coarse.scales = reinterpret_cast<const float *>(content.data() + head);
    coarse.codes = reinterpret_cast<const std::int8_t *>(content.data() + head +
                                                         coarse.rows * sizeof(float));
    std::memcpy(&coarse.worst_loss, content.data(), sizeof(float));
    std::memcpy(&coarse.worst_scale, content.data() + sizeof(float), sizeof(float));
    return coarse;
}

CoarseVectors::CoarseVectors(const std::vector<float> &vectors, std::size_t dimensions)
    : dimensions_(dimensions), whole_(vectors.size()) {
    const double room = std::numeric_limits<std::int32_t>::max() / (127.0 * dimensions);
    const float most = static_cast<float>(std::floor(std::min(32767.0, room)));
    for (std::size_t first = 0; first < vectors.size(); first += dimensions) {
        const float *vector = vectors.data() + first;
        float step = largest(vector, dimensions) / most;
        if (step < least_scale) step = 0.0F;
        const float inverse = step == 0.0F ? 0.0F : 1.0F / step;
        const int room_here = static_cast<int>(most);
        for (std::size_t at = 0; at < dimensions; ++at) {
            const int whole = std::clamp(nearest(vector[at] * inverse), -room_here, room_here);
            whole_[first + at] = static_cast<std::int16_t>(whole);
        }
        const std::int16_t *whole = whole_.data() + first;
        steps_.push_back(step);
        longest_ = std::max(longest_, length(dimensions, [vector](std::size_t at) {
                                return vector[at];
                            }));
        worst_loss_ = std::max(worst_loss_, length(dimensions, [=](std::size_t at) {
                                   return vector[at] - step * static_cast<float>(whole[at]);
                               }));
    }
}

// |v u - v' u'| <= |v - v'| |u| + |v'| |u - u'|, where |v'| is at most 127 scale sqrt(d); and the
// sum of d products in floats is off by (d + 8) roundings of |v| |u|, or less.
float CoarseVectors::margin(const CoarseRows &coarse) const noexcept {
    const double d = static_cast<double>(dimensions_), loss = coarse.worst_loss;
    const double reach = most_code * coarse.worst_scale * std::sqrt(d) + loss;
    const double rounded = (d + 8.0) * FLT_EPSILON * longest_;
    return bound(loss * longest_ + reach * (worst_loss_ + rounded));
}

}  // namespace penchant
