// The feedback path as Python calls it: a call, and a catalog's view that takes calls.
#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/shared_ptr.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/string_view.h>
#include <nanobind/stl/vector.h>

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "bindings.hpp"
#include "feedback_batch.hpp"
#include "feedback_request.hpp"
#include "fold.hpp"
#include "item_ids.hpp"

namespace nb = nanobind;

namespace penchant {
namespace {

using Matrix = nb::ndarray<const float, nb::ndim<2>, nb::c_contig, nb::device::cpu>;
using Mask = nb::ndarray<const bool, nb::ndim<1>, nb::c_contig, nb::device::cpu>;

constexpr std::size_t signal_values = 11;

std::string_view text_of(const nb::bytes &bytes) {
    return {static_cast<const char *>(bytes.data()), bytes.size()};
}

nb::bytes bytes_of(std::string_view text) { return nb::bytes(text.data(), text.size()); }

template <typename Number>
nb::bytes bytes_of(const std::vector<Number> &numbers) {
    return nb::bytes(reinterpret_cast<const char *>(numbers.data()), numbers.size() * sizeof(Number));
}

// Rows by a function of Python's: what it raises goes on, and so does a value that is not bytes.
class GottenRows final : public RowReader {
  public:
    explicit GottenRows(const nb::callable &get) : get_(get) {}

    bool read(const std::string &key, std::string &value) override {
        const auto row = nb::cast<std::optional<nb::bytes>>(get_(bytes_of(key)));
        if (!row) return false;
        value.assign(text_of(*row));
        return true;
    }

  private:
    const nb::callable &get_;
};

// Names and tombstones of the events of several calls, given one call after the other.
class NamedEvents {
  public:
    NamedEvents(const std::optional<nb::list> &names, const std::optional<nb::list> &tombstones)
        : names_(names), tombstones_(tombstones) {}

    NamedUsers of(const FeedbackRequest &request) {
        NamedUsers users;
        for (const ReportedEvent &event : request.events) {
            const bool short_of = (names_ && at_ >= names_->size()) ||
                                  (tombstones_ && at_ >= tombstones_->size());
            if (short_of) throw nb::value_error("names: expected one for each event");
            users.names.push_back(names_ ? nb::cast<std::string>((*names_)[at_])
                                         : std::string(event.user));
            if (tombstones_) {
                const auto key = nb::cast<nb::bytes>((*tombstones_)[at_]);
                users.tombstones.emplace_back(text_of(key));
            }
            ++at_;
        }
        return users;
    }

  private:
    const std::optional<nb::list> &names_;
    const std::optional<nb::list> &tombstones_;
    std::size_t at_ = 0;
};

// One version of the catalog. It holds Python's arrays, and looks at them during a call alone.
class FeedbackView {
  public:
    FeedbackView(std::shared_ptr<ItemIds> ids, Matrix vectors, Mask alive, FeedbackTerms terms,
                 std::shared_ptr<FoldTerms> fold)
        : ids_(std::move(ids)), vectors_(std::move(vectors)), alive_(std::move(alive)),
          terms_(std::move(terms)), fold_(std::move(fold)) {
        if (alive_.shape(0) != vectors_.shape(0) || ids_->size() < vectors_.shape(0) ||
            vectors_.shape(1) != fold_->dimensions) {
            throw nb::value_error("the arrays of the catalog do not fit together");
        }
        if (terms_.capacity == 0 || !(terms_.time_bucket_s >= 1.0) || terms_.time_bucket_s > 1e9 ||
            !(terms_.half_life.seconds >= 1.0) || terms_.half_life.us < 1 || terms_.future_us < 0) {
            throw nb::value_error("settings: out of range");
        }
    }

    // See `_core.pyi`.
    nb::tuple take(const nb::list &calls, const std::optional<nb::list> &names,
                   const std::optional<nb::list> &tombstones, const nb::callable &get,
                   std::int64_t arrived_us, std::int64_t newest_us) const {
        GottenRows rows(get);
        const CatalogRows catalog{vectors_.data(),
                                  reinterpret_cast<const std::uint8_t *>(alive_.data()),
                                  vectors_.shape(0)};
        FeedbackBatch batch(terms_, *ids_, catalog, *fold_, rows, arrived_us, newest_us);
        NamedEvents named(names, tombstones);
        nb::list replies;
        std::string reply;
        for (nb::handle call : calls) {
            const auto &request = nb::cast<const FeedbackRequest &>(call);
            if (batch.take(request, named.of(request), reply)) {
                replies.append(bytes_of(reply));
            } else {
                replies.append(nb::none());
            }
        }
        const auto began = std::chrono::steady_clock::now();
        FeedbackChanges changes;
        {
            nb::gil_scoped_release others_go_on;
            changes = batch.changes();
        }
        const auto took = std::chrono::steady_clock::now() - began;
        nb::list written, unfolded, outcomes;
        for (const auto &[key, value] : changes.rows) {
            written.append(nb::make_tuple(bytes_of(key), bytes_of(value)));
        }
        for (const UnfoldedUser &user : changes.unfolded) {
            nb::object before = nb::none();
            if (!user.before.empty()) before = bytes_of(user.before);
            unfolded.append(nb::make_tuple(user.name, before, bytes_of(user.added)));
        }
        for (const ShownOutcome &one : batch.outcomes()) {
            outcomes.append(nb::make_tuple(one.shown_as, one.impression, one.reward, one.score));
        }
        return nb::make_tuple(replies, written, unfolded, batch.events(), batch.newest_us(),
                              counted(batch), outcomes, changes.drift, changes.folded,
                              std::chrono::duration<double>(took).count());
    }

  private:
    static nb::tuple counted(const FeedbackBatch &batch) {
        std::vector<std::int64_t> numbers, times_us;
        std::vector<double> positives, impressions;
        for (const auto &[item, counters] : batch.counters()) {
            numbers.push_back(item);
            positives.push_back(counters.positives);
            impressions.push_back(counters.impressions);
            times_us.push_back(counters.as_of_us);
        }
        return nb::make_tuple(bytes_of(numbers), bytes_of(positives), bytes_of(impressions),
                              bytes_of(times_us));
    }

    std::shared_ptr<ItemIds> ids_;
    Matrix vectors_;
    Mask alive_;
    FeedbackTerms terms_;
    std::shared_ptr<FoldTerms> fold_;
};

SignalRow signal_of(const nb::tuple &values) {
    if (values.size() != signal_values) throw nb::value_error("signals: expected 11 values each");
    SignalRow signal;
    signal.reward = nb::cast<double>(values[1]);
    signal.weight = nb::cast<double>(values[2]);
    signal.neutral = nb::cast<std::optional<double>>(values[3]);
    signal.scale = nb::cast<std::optional<double>>(values[4]);
    signal.value_min = nb::cast<std::optional<double>>(values[5]);
    signal.value_max = nb::cast<std::optional<double>>(values[6]);
    signal.value_required = nb::cast<bool>(values[7]);
    signal.wait_s = nb::cast<std::optional<double>>(values[8]);
    signal.owned = nb::cast<bool>(values[9]);
    signal.code = nb::cast<std::uint16_t>(values[10]);
    return signal;
}

}  // namespace

void bind_feedback(nb::module_ &module) {
    nb::class_<FeedbackLimits>(module, "FeedbackLimits")
        .def(
            "__init__",
            [](FeedbackLimits *self, std::uint64_t events, std::uint64_t id_bytes,
               std::uint64_t event_id_bytes, std::uint64_t recommendation_id_bytes,
               std::uint64_t context_entries, std::uint64_t context_bytes) {
                new (self) FeedbackLimits{events, id_bytes, event_id_bytes,
                                          recommendation_id_bytes, context_entries, context_bytes};
            },
            nb::kw_only(), nb::arg("events"), nb::arg("id_bytes"), nb::arg("event_id_bytes"),
            nb::arg("recommendation_id_bytes"), nb::arg("context_entries"),
            nb::arg("context_bytes"));

    nb::class_<FeedbackRequest>(module, "FeedbackCall")
        .def_prop_ro("users",
                     [](const FeedbackRequest &self) {
                         nb::list users;
                         for (const ReportedEvent &event : self.events) {
                             users.append(nb::str(event.user.data(), event.user.size()));
                         }
                         return users;
                     })
        .def_prop_ro("payload",
                     [](const FeedbackRequest &self) {
                         return nb::bytes(self.payload.data(), self.payload.size());
                     })
        .def_prop_ro("cost", [](const FeedbackRequest &) { return 1.0; })
        .def_ro("timeout_ms", &FeedbackRequest::timeout_ms)
        .def_ro("health_check", &FeedbackRequest::health_check);

    module.def(
        "parse_feedback_call",
        [](nb::handle payload, const FeedbackLimits &limits) -> std::optional<FeedbackRequest> {
            if (!nb::isinstance<nb::bytes>(payload)) return std::nullopt;
            return parse_feedback_call(text_of(nb::borrow<nb::bytes>(payload)), limits);
        },
        nb::arg("payload"), nb::arg("limits"));

    nb::class_<FeedbackView>(module, "FeedbackView")
        .def(
            "__init__",
            [](FeedbackView *self, std::shared_ptr<ItemIds> ids, Matrix vectors, Mask alive,
               const nb::list &signals, double half_life_s, std::int64_t half_life_us,
               std::int64_t future_us, std::size_t capacity, double time_bucket_s,
               std::uint64_t version, std::uint64_t digest, std::shared_ptr<FoldTerms> fold) {
                FeedbackTerms terms;
                for (nb::handle signal : signals) {
                    const auto values = nb::cast<nb::tuple>(signal);
                    const SignalRow row = signal_of(values);
                    terms.signals.emplace(nb::cast<std::string>(values[0]), row);
                }
                terms.half_life = {half_life_s, half_life_us};
                terms.future_us = future_us;
                terms.capacity = capacity;
                terms.time_bucket_s = time_bucket_s;
                terms.catalog_version = version;
                terms.settings = digest;
                new (self) FeedbackView(std::move(ids), std::move(vectors), std::move(alive),
                                        std::move(terms), std::move(fold));
            },
            nb::kw_only(), nb::arg("ids"), nb::arg("vectors").noconvert(),
            nb::arg("alive").noconvert(), nb::arg("signals"), nb::arg("half_life_s"),
            nb::arg("half_life_us"), nb::arg("future_us"), nb::arg("capacity"),
            nb::arg("time_bucket_s"), nb::arg("version"), nb::arg("digest"), nb::arg("fold"))
        .def("take", &FeedbackView::take, nb::arg("calls"), nb::arg("names").none(),
             nb::arg("tombstones").none(), nb::arg("get"), nb::arg("arrived_us"),
             nb::arg("newest_us"));
}

}  // namespace penchant
