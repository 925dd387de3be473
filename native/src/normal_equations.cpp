#include "normal_equations.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "processor.hpp"

namespace penchant {
namespace {

// Columns of a panel, and rows of a tile. Each number of the matrix is loaded once for four
// products.
constexpr std::size_t panel = 4;
// Rows of X that stay in the first cache while all tiles pass over them.
constexpr std::size_t rows_at_once = 32;

typedef double Lane __attribute__((vector_size(lanes * sizeof(double))));

// Places in a matrix have a double's alignment alone. Clang forgets that of a lane's own type behind
// a reference, and a move of aligned numbers from there ends the process; so lanes are copied.
inline __attribute__((always_inline)) Lane load(const double *place) {
    Lane lane;
    std::memcpy(&lane, place, sizeof lane);
    return lane;
}

inline __attribute__((always_inline)) void store(double *place, const Lane &lane) {
    std::memcpy(place, &lane, sizeof lane);
}

// matrix += X'X in tiles of 4 x 8 on and below the diagonal.
inline __attribute__((always_inline)) void add_products(double *matrix, const double *rows,
                                                        std::size_t count, std::size_t width) {
    for (std::size_t i = 0; i < width; i += panel) {
        for (std::size_t j = 0; j < i + panel; j += lanes) {
            double *tile = matrix + i * width + j;
            Lane sum0 = load(tile), sum1 = load(tile + width), sum2 = load(tile + 2 * width),
                 sum3 = load(tile + 3 * width);
            for (std::size_t t = 0; t < count; ++t) {
                const double *row = rows + t * width;
                const Lane others = load(row + j);
                sum0 += others * row[i];
                sum1 += others * row[i + 1];
                sum2 += others * row[i + 2];
                sum3 += others * row[i + 3];
            }
            store(tile, sum0);
            store(tile + width, sum1);
            store(tile + 2 * width, sum2);
            store(tile + 3 * width, sum3);
        }
    }
}

// Factors the matrix as L L' in place, and replaces the row below it, b, by L^-1 b.
//
// G. H. Golub and C. F. Van Loan, "Matrix computations", 2013, section 4.2.6: a panel of columns,
// then the rest without what the panel explains. `columns` holds the panel's, by column.
inline __attribute__((always_inline)) bool factor(double *matrix, double *columns,
                                                  std::size_t width) {
    for (std::size_t k = 0; k < width; k += panel) {
        double *top[panel];
        double inverse[panel];
        for (std::size_t q = 0; q < panel; ++q) top[q] = matrix + (k + q) * width + k;
        for (std::size_t q = 0; q < panel; ++q) {
            for (std::size_t p = 0; p < q; ++p) {
                double rest = top[q][p];
                for (std::size_t r = 0; r < p; ++r) rest -= top[q][r] * top[p][r];
                top[q][p] = rest * inverse[p];
            }
            double pivot = top[q][q];
            for (std::size_t r = 0; r < q; ++r) pivot -= top[q][r] * top[q][r];
            if (!(pivot > 0)) return false;
            top[q][q] = std::sqrt(pivot);
            inverse[q] = 1 / top[q][q];
        }
        const std::size_t below = k + panel, first = below / lanes * lanes;
        for (std::size_t q = 0; q < panel; ++q) {
            for (std::size_t i = first; i < below; ++i) columns[q * width + i] = 0;
        }
        for (std::size_t i = below; i <= width; ++i) {
            double *row = matrix + i * width + k;
            const double part0 = row[0] * inverse[0];
            const double part1 = (row[1] - part0 * top[1][0]) * inverse[1];
            const double part2 = (row[2] - part0 * top[2][0] - part1 * top[2][1]) * inverse[2];
            const double part3 = (row[3] - part0 * top[3][0] - part1 * top[3][1] -
                                  part2 * top[3][2]) *
                                 inverse[3];
            row[0] = part0;
            row[1] = part1;
            row[2] = part2;
            row[3] = part3;
            if (i < width) {
                columns[i] = part0;
                columns[width + i] = part1;
                columns[2 * width + i] = part2;
                columns[3 * width + i] = part3;
            }
        }
        for (std::size_t i = below; i <= width; ++i) {
            double *row = matrix + i * width;
            const double part0 = row[k], part1 = row[k + 1], part2 = row[k + 2],
                         part3 = row[k + 3];
            const std::size_t end = i < width ? i + 1 : width;
            for (std::size_t j = first; j < end; j += lanes) {
                const Lane explained = load(columns + j) * part0 + load(columns + width + j) * part1 +
                                       (load(columns + 2 * width + j) * part2 +
                                        load(columns + 3 * width + j) * part3);
                store(row + j, load(row + j) - explained);
            }
        }
    }
    return true;
}

// From L^-1 b, the row below the matrix, to L'^-1 L^-1 b, in its place.
inline __attribute__((always_inline)) void substitute_back(double *matrix, std::size_t width) {
    double *numbers = matrix + width * width;
    for (std::size_t k = width; k-- > 0;) {
        const double *row = matrix + k * width;
        const double number = numbers[k] / row[k];
        for (std::size_t j = 0; j < k; ++j) numbers[j] -= row[j] * number;
        numbers[k] = number;
    }
}

// One body for each width of registers; which one runs moves the last bits of the sums.
#define PENCHANT_KERNELS(NAME, TARGET)                                                        \
    TARGET void add_##NAME(double *matrix, const double *rows, std::size_t count,             \
                           std::size_t width) {                                               \
        add_products(matrix, rows, count, width);                                             \
    }                                                                                         \
    TARGET bool solve_##NAME(double *matrix, double *columns, std::size_t width) {            \
        if (!factor(matrix, columns, width)) return false;                                    \
        substitute_back(matrix, width);                                                       \
        return true;                                                                          \
    }

struct Kernels {
    void (*add)(double *, const double *, std::size_t, std::size_t);
    bool (*solve)(double *, double *, std::size_t);
};

PENCHANT_KERNELS(anywhere, )

#if defined(__x86_64__)
PENCHANT_KERNELS(avx2, __attribute__((target("avx2,fma"))))
PENCHANT_KERNELS(avx512, __attribute__((target("avx512f,avx2,fma"))))

Kernels chosen() noexcept {
    const Registers widest = widest_registers();
    if (widest == Registers::avx512) return {add_avx512, solve_avx512};
    if (widest == Registers::avx2) return {add_avx2, solve_avx2};
    return {add_anywhere, solve_anywhere};
}
#else
Kernels chosen() noexcept { return {add_anywhere, solve_anywhere}; }
#endif

const Kernels kernels = chosen();

}  // namespace

NormalEquations::NormalEquations(std::size_t dimensions)
    : dimensions_(dimensions),
      width_(padded(dimensions)),
      matrix_(width_ * (width_ + 1)),
      columns_(panel * width_) {}

void NormalEquations::start(const double *precision, const double *target) noexcept {
    std::fill(matrix_.begin(), matrix_.end(), 0.0);
    for (std::size_t i = 0; i < width_; ++i) {
        double *row = &matrix_[i * width_];
        if (i < dimensions_) {
            std::copy(precision + i * dimensions_, precision + i * dimensions_ + i + 1, row);
        } else {
            row[i] = 1;
        }
    }
    std::copy(target, target + dimensions_, this->target());
}

void NormalEquations::add(const double *rows, std::size_t count) noexcept {
    for (std::size_t t = 0; t < count; t += rows_at_once) {
        kernels.add(matrix_.data(), rows + t * width_, std::min(rows_at_once, count - t), width_);
    }
}

double NormalEquations::trace() const noexcept {
    double sum = 0;
    for (std::size_t i = 0; i < dimensions_; ++i) sum += matrix_[i * width_ + i];
    return sum;
}

bool NormalEquations::solve(double *solution) noexcept {
    if (!kernels.solve(matrix_.data(), columns_.data(), width_)) return false;
    std::copy(target(), target() + dimensions_, solution);
    return true;
}

}  // namespace penchant
