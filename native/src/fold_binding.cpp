// Python's side of the fold and of the record; see `_core.pyi`.
#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/shared_ptr.h>

#include <cstring>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "bindings.hpp"
#include "fold.hpp"
#include "learnt_record.hpp"
#include "record.hpp"

namespace nb = nanobind;

namespace penchant {
namespace {

using Vectors = nb::ndarray<const float, nb::ndim<2>, nb::c_contig, nb::device::cpu>;
using Alive = nb::ndarray<const bool, nb::ndim<1>, nb::c_contig, nb::device::cpu>;
using Doubles = nb::ndarray<const double, nb::ndim<1>, nb::c_contig, nb::device::cpu>;
using DoubleRows = nb::ndarray<const double, nb::ndim<2>, nb::c_contig, nb::device::cpu>;

constexpr std::size_t signal_codes = 1 << 16;

const std::uint8_t *data_of(const nb::bytes &bytes) {
    return static_cast<const std::uint8_t *>(bytes.data());
}

std::vector<double> copied(const double *numbers, std::size_t count) {
    return count ? std::vector<double>(numbers, numbers + count) : std::vector<double>();
}

std::vector<WindowRow> rows_of(const nb::bytes &bytes) {
    if (bytes.size() % sizeof(WindowRow)) throw nb::value_error("window: not whole rows");
    return window_rows(data_of(bytes), bytes.size());
}

template <typename Number>
nb::bytes bytes_of(const std::vector<Number> &numbers) {
    return nb::bytes(reinterpret_cast<const char *>(numbers.data()), numbers.size() * sizeof(Number));
}

// The folds of one catalog version under its settings.
class Folds {
public:
    Folds(const DoubleRows &precision, const Doubles &target, double least_eigenvalue,
          double half_life_events, double half_life_s, double fast_half_life_events,
          double near_half_life_events, double opening_half_life_events, double context_halvings,
          const std::optional<Doubles> &factors, std::uint64_t catalog_version,
          std::uint64_t settings)
        : catalog_version_(catalog_version), settings_(settings) {
        const std::size_t d = target.shape(0);
        if (precision.shape(0) != d || precision.shape(1) != d) {
            throw nb::value_error("precision: expected shape (d, d)");
        }
        if (factors && factors->shape(0) != signal_codes) {
            throw nb::value_error("factors: expected shape (65536,)");
        }
        terms_->dimensions = d;
        terms_->precision = copied(precision.data(), d * d);
        terms_->target = copied(target.data(), d);
        terms_->least_eigenvalue = least_eigenvalue;
        terms_->half_life_events = half_life_events;
        terms_->half_life_s = half_life_s;
        terms_->fast_half_life_events = fast_half_life_events;
        terms_->near_half_life_events = near_half_life_events;
        terms_->opening_half_life_events = opening_half_life_events;
        terms_->context_halvings = context_halvings;
        if (factors) terms_->factors = copied(factors->data(), signal_codes);
    }

    nb::object interest(const Vectors &vectors, const Alive &alive, const nb::bytes &window,
                        const std::optional<nb::bytes> &context, double bucket_start_us) const {
        const CatalogRows catalog = rows_in(vectors, alive);
        const std::vector<WindowRow> rows = rows_of(window);
        std::uint32_t slots[context_slots] = {};
        if (context) {
            if (context->size() != sizeof slots) throw nb::value_error("context: expected 20 bytes");
            std::memcpy(slots, context->data(), sizeof slots);
        }
        Interest found;
        bool folded = false;
        {
            nb::gil_scoped_release released;
            folded = fold(*terms_, catalog, rows, context ? slots : nullptr, bucket_start_us, found);
        }
        if (!folded) return nb::none();
        return nb::make_tuple(bytes_of(found.slow), bytes_of(found.fast), bytes_of(found.recent));
    }

    nb::list learn(const Vectors &vectors, const Alive &alive, const nb::list &users,
                   std::size_t capacity, std::int64_t bucket, double bucket_start_us) const {
        const LearntIn world{rows_in(vectors, alive), *terms_, catalog_version_, settings_,
                             capacity, bucket, bucket_start_us};
        std::vector<Learner> learners;
        learners.reserve(users.size());
        for (nb::handle user : users) {
            const auto parts = nb::cast<nb::tuple>(user);
            if (parts.size() != 2) throw nb::value_error("users: expected pairs");
            Learner &one = learners.emplace_back();
            if (!nb::object(parts[0]).is_none()) {
                one.record = nb::cast<nb::bytes>(parts[0]);
                one.before = {static_cast<const char *>(one.record->data()), one.record->size()};
            }
            one.added = rows_of(nb::cast<nb::bytes>(parts[1]));
        }
        {
            nb::gil_scoped_release released;
            for (Learner &one : learners) {
                // An empty row of the store is damaged; no row at all is a new user's.
                if (one.record && one.before.empty()) continue;
                one.is_learnt = penchant::learn(world, one.before, one.added, one.learnt);
            }
        }
        nb::list records;
        for (const Learner &one : learners) {
            if (one.is_learnt) {
                records.append(bytes_of(one.learnt.value));
            } else {
                records.append(nb::none());
            }
        }
        return records;
    }

    std::shared_ptr<FoldTerms> terms() const { return terms_; }

private:
    struct Learner {
        std::optional<nb::bytes> record;  // Held, so that its bytes stay.
        std::string_view before;
        std::vector<WindowRow> added;
        LearntRecord learnt;
        bool is_learnt = false;
    };

    CatalogRows rows_in(const Vectors &vectors, const Alive &alive) const {
        if (vectors.shape(1) != terms_->dimensions || alive.shape(0) != vectors.shape(0)) {
            throw nb::value_error("vectors: expected shape (rows, d), and alive (rows,)");
        }
        return {vectors.data(), reinterpret_cast<const std::uint8_t *>(alive.data()),
                vectors.shape(0)};
    }

    std::shared_ptr<FoldTerms> terms_ = std::make_shared<FoldTerms>();
    std::uint64_t catalog_version_;
    std::uint64_t settings_;
};

nb::object version_of(const nb::bytes &record) {
    RecordHead head{};
    if (!read_record(data_of(record), record.size(), head)) return nb::none();
    return nb::int_(head.state_version);
}

}  // namespace

void bind_fold(nb::module_ &module) {
    module.attr("RECORD_SCHEMA") = int{record_schema};
    module.def("record_version", &version_of, nb::arg("record"));
    nb::class_<FoldTerms>(module, "FoldTerms");
    nb::class_<Folds>(module, "Folds")
        .def(nb::init<const DoubleRows &, const Doubles &, double, double, double, double, double,
                      double, double, const std::optional<Doubles> &, std::uint64_t,
                      std::uint64_t>(),
             nb::kw_only(), nb::arg("precision"), nb::arg("target"), nb::arg("least_eigenvalue"),
             nb::arg("half_life_events"), nb::arg("half_life_s"), nb::arg("fast_half_life_events"),
             nb::arg("near_half_life_events"), nb::arg("opening_half_life_events"),
             nb::arg("context_halvings"), nb::arg("factors").none(), nb::arg("catalog_version"),
             nb::arg("settings"))
        .def_prop_ro("terms", &Folds::terms)
        .def("interest", &Folds::interest, nb::arg("vectors"), nb::arg("alive"), nb::arg("window"),
             nb::arg("context").none(), nb::arg("bucket_start_us"))
        .def("learn", &Folds::learn, nb::arg("vectors"), nb::arg("alive"), nb::arg("users"),
             nb::arg("capacity"), nb::arg("bucket"), nb::arg("bucket_start_us"));
}

}  // namespace penchant
