// The linear system of the ridge fold: equation 2 of `penchant.domain.interest`.
#pragma once

#include <cstddef>
#include <vector>

namespace penchant {

// Numbers in a row of a padded matrix: whole vectors of the widest registers.
constexpr std::size_t lanes = 8;

constexpr std::size_t padded(std::size_t numbers) noexcept {
    return (numbers + lanes - 1) / lanes * lanes;
}

// A = A_0 + X'X and b, for X of shape (n, padded(d)), one after another in one matrix.
class NormalEquations {
public:
    explicit NormalEquations(std::size_t dimensions);

    // Sets A to A_0, shape (d, d) by rows, and b to b_0, shape (d,).
    void start(const double *precision, const double *target) noexcept;

    // Adds X'X to A, for n rows of padded(d) numbers each, zeros at their ends.
    void add(const double *rows, std::size_t count) noexcept;

    // b, shape (d,), to add to.
    double *target() noexcept { return &matrix_[width_ * width_]; }

    // The trace of A.
    double trace() const noexcept;

    // Solves A m = b by Cholesky's factors, in place of both; false unless A is positive definite.
    // `solution` has shape (d,). Cost: d^3 / 6 multiply-adds.
    bool solve(double *solution) noexcept;

private:
    std::size_t dimensions_;
    std::size_t width_;
    // The lower triangle of A, padded with the identity, shape (width, width); then b, shape
    // (width,).
    std::vector<double> matrix_;
    std::vector<double> columns_;
};

}  // namespace penchant
