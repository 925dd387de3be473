// The rank path as Python calls it: a request, the ids, and a catalog's view that answers.
#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/shared_ptr.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/string_view.h>
#include <sys/random.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "bindings.hpp"
#include "coarse_rows.hpp"
#include "fold.hpp"
#include "fold_clock.hpp"
#include "huge_pages.hpp"
#include "item_ids.hpp"
#include "rank_reply.hpp"
#include "rank_request.hpp"
#include "rank_scores.hpp"
#include "record_cache.hpp"
#include "store_keys.hpp"

namespace nb = nanobind;

namespace penchant {
namespace {

using Vector = nb::ndarray<const float, nb::ndim<1>, nb::c_contig, nb::device::cpu>;
using Matrix = nb::ndarray<const float, nb::ndim<2>, nb::c_contig, nb::device::cpu>;
using Mask = nb::ndarray<const bool, nb::ndim<1>, nb::c_contig, nb::device::cpu>;
using Bytes = nb::ndarray<const std::uint8_t, nb::ndim<1>, nb::c_contig, nb::device::cpu>;
using WritableBytes = nb::ndarray<std::uint8_t, nb::ndim<1>, nb::c_contig, nb::device::cpu>;
using Pairs = nb::ndarray<const std::uint32_t, nb::ndim<2>, nb::c_contig, nb::device::cpu>;

constexpr std::int64_t day_us = 86'400'000'000;    // `penchant.domain.exploration.DAY_US`
constexpr std::uint32_t opening = 0xFFFFFFFFU;     // `penchant.domain.neighbours.OPENING`
constexpr std::size_t meter_rows = 10;             // As many as the meter looks at.
constexpr std::size_t long_work = 1 << 16;         // Numbers from which Python's lock is let go.

std::string_view text_of(const nb::bytes &bytes) {
    return {static_cast<const char *>(bytes.data()), bytes.size()};
}

std::optional<std::string_view> text_of(const std::optional<nb::bytes> &bytes) {
    if (!bytes) return std::nullopt;
    return text_of(*bytes);
}

// `penchant.domain.exploration.explored_lately`: half-precision numbers from above 0 to below 1
// have bits from 1 to 0x3BFF.
std::uint32_t explored_lately(const CachedRecord &record, std::int64_t now_us) noexcept {
    std::uint32_t explored = 0;
    for (std::size_t at = 0; at < record.head.events; ++at) {
        const WindowRow event = record.row(at);
        explored += event.wait_s != -1.0F && event.propensity >= 1 && event.propensity < 0x3C00 &&
                    event.occurred_at_us > now_us - day_us;
    }
    return explored;
}

// Whether a list of candidates names an unknown id twice. Cost: O(n log n).
bool repeats(std::vector<std::string_view> ids) {
    std::sort(ids.begin(), ids.end());
    return std::adjacent_find(ids.begin(), ids.end()) != ids.end();
}

// See `penchant.store.newest`: nothing where it can't be read.
std::optional<std::int64_t> newest_in(const std::optional<nb::bytes> &row) {
    const auto value = text_of(row);
    if (!value) return std::nullopt;
    const auto payload = unsealed(*value);
    if (!payload || payload->size() != sizeof(std::int64_t)) return std::nullopt;
    return number_at<std::int64_t>(*payload, 0);
}

// The settings of the score and the fold's key that one version of the catalog fixes.
struct ViewSettings {
    std::uint64_t version;
    std::string encoder_version;
    std::uint64_t digest;
    double time_bucket_s;
    std::size_t interests;
    float slow_weight;
    float fast_weight;
    float near_weight;
    float tail_offset_weight;
    float tail_lift;
    float opening_offset_weight;
    bool knows_contexts;
    RepeatSettings repeat;

    bool weighs_beginners() const noexcept {
        return tail_offset_weight != 0.0F || tail_lift != 0.0F || opening_offset_weight != 0.0F;
    }
};

// One version of the catalog. It holds Python's arrays, and looks at them during a call alone.
class RankView {
  public:
    RankView(std::shared_ptr<ItemIds> ids, Matrix vectors, Vector offsets, Vector offset_weights,
             Vector popularity, Vector tail, Mask alive, Pairs neighbours, Vector prior_mean,
             std::optional<Bytes> coarse, ViewSettings settings, std::shared_ptr<FoldTerms> fold)
        : ids_(std::move(ids)), vectors_(std::move(vectors)), offsets_(std::move(offsets)),
          alive_(std::move(alive)), neighbours_(std::move(neighbours)),
          prior_mean_(std::move(prior_mean)), coarse_(std::move(coarse)),
          settings_(std::move(settings)), fold_(std::move(fold)) {
        const std::size_t rows = vectors_.shape(0);
        if (offsets_.shape(0) != rows || offset_weights.shape(0) != rows ||
            popularity.shape(0) != rows || tail.shape(0) != rows || alive_.shape(0) != rows ||
            ids_->size() < rows ||
            neighbours_.shape(1) % 2 != 0 || prior_mean_.shape(0) != vectors_.shape(1) ||
            vectors_.shape(1) == 0 || settings_.interests == 0 || !(settings_.time_bucket_s >= 1.0) ||
            settings_.time_bucket_s > 1e9 || (fold_ && fold_->dimensions != vectors_.shape(1))) {
            throw nb::value_error("the arrays of the catalog do not fit together");
        }
        if (coarse_) {
            const std::size_t d = vectors_.shape(1), size = coarse_->shape(0);
            coarse_rows_ =
                read_coarse_rows({reinterpret_cast<const char *>(coarse_->data()), size}, d);
            if (coarse_rows_.rows > rows || coarse_size(coarse_rows_.rows, d) != size ||
                reinterpret_cast<std::uintptr_t>(coarse_->data()) % alignof(float) != 0) {
                throw nb::value_error("coarse: its size or its place does not fit");
            }
        }
        terms_.reserve(rows);
        for (std::size_t row = 0; row < rows; ++row) {
            terms_.push_back({offset_weights.data()[row], popularity.data()[row], tail.data()[row],
                              alive_.data()[row]});
        }
    }

    // See `_core.pyi`.
    nb::object answer(const nb::list &calls, const nb::list &names, const nb::callable &get,
                      const std::optional<nb::bytes> &newest_row, std::int64_t now_us,
                      std::uint32_t explorations_per_day) const {
        if (names.size() != calls.size()) throw nb::value_error("names: expected one per call");
        const auto newest = newest_in(newest_row);
        nb::list replies, tops;
        std::size_t cold = 0, folds = 0;
        double fold_s = 0.0;
        for (std::size_t place = 0; place < calls.size(); ++place) {
            Answered answered;
            const nb::handle one = calls[place];
            if (one.is_none() || !answer_one(nb::cast<const RankRequest &>(one),
                                             nb::cast<std::string>(names[place]), get, newest,
                                             now_us, explorations_per_day, answered)) {
                replies.append(nb::none());
                continue;
            }
            replies.append(nb::bytes(answered.reply.data(), answered.reply.size()));
            tops.append(top_rows(answered.best));
            cold += answered.cold;
            folds += answered.fold_s != 0.0;
            fold_s += answered.fold_s;
        }
        return nb::make_tuple(replies, tops, cold, folds, fold_s);
    }

  private:
    struct Answered {
        std::string reply;
        std::vector<RankedRow> best;
        bool cold = false;
        double fold_s = 0.0;  // 0: none was made
    };

    // False: it is declined.
    bool answer_one(const RankRequest &request, const std::string &name, const nb::callable &get,
                    const std::optional<std::int64_t> &newest, std::int64_t now_us,
                    std::uint32_t explorations_per_day, Answered &answered) const {
        if (request.has_context && settings_.knows_contexts) return false;
        // What is viewed below: it is let go at the end.
        const auto record_row = row_of(get, Kind::user, name);
        const auto owned_row = request.exclude_owned ? row_of(get, Kind::owned, name) : std::nullopt;
        CachedRecord record;
        if (const auto value = text_of(record_row)) {
            const auto read = read_cached_record(*value);
            if (!read) return false;
            record = *read;
        }
        if (record.head.state_version < request.min_state_version) return false;
        const std::int64_t at_us = request.as_of_us.value_or(now_us);
        std::int64_t fold_us = at_us;
        if (!request.as_of_us) {
            if (newest) fold_us = fold_time(fold_us, *newest);
        }
        ScoredUser user;
        const std::int64_t bucket = time_bucket(fold_us, settings_.time_bucket_s);
        if (!set_interest(record, bucket, user) && !folded(record, bucket, user, answered.fold_s)) {
            return false;
        }
        if (settings_.repeat.weight != 0.0F && record.head.events != 0) {
            static const std::vector<double> no_factors;
            user.repeat_weight = settings_.repeat.weight;
            user.repeats = repeats_of(window_rows_of(record), fold_ ? fold_->factors : no_factors,
                                      start_of(bucket), settings_.repeat);
        }
        if (!user.recent.empty() && user.recent.back().item == opening) {
            user.begun = user.recent.back().weight;
        }
        user.tail_offset_weight = settings_.tail_offset_weight;
        user.tail_lift = settings_.tail_lift;
        user.opening_offset_weight = settings_.opening_offset_weight;
        if (!settings_.weighs_beginners()) user.begun = 0.0F;
        if (request.exclude_seen) {
            for (std::size_t at = 0; at < record.head.events; ++at) {
                user.left_out.push_back(record.row(at).item);
            }
        }
        if (request.exclude_owned && !leave_out_owned(owned_row, user)) return false;

        RankReply reply;
        std::vector<RankedRow> &best = answered.best;
        const ScoredCatalog catalog = scored();
        if (request.has_candidates) {
            std::vector<std::uint32_t> found;
            if (!find(request, catalog, found, reply.unknown_candidates)) return false;
            rank_some(catalog, user, found, request.k, best);
        } else if (catalog.items.rows * catalog.dimensions < long_work) {
            rank_all(catalog, user, request.k, best);
        } else {
            nb::gil_scoped_release others_go_on;
            rank_all(catalog, user, request.k, best);
        }
        const std::string recommendation_id = random_name();
        reply.recommendation_id = recommendation_id;
        reply.items.reserve(best.size());
        for (const RankedRow &one : best) {
            reply.items.push_back({ids_->id(one.row), double{one.score}});
        }
        reply.state_version = record.head.state_version;
        reply.catalog_version = settings_.version;
        reply.encoder_version = settings_.encoder_version;
        reply.cold_start = record.head.state_version == 0;
        const std::uint32_t explored = explored_lately(record, at_us);
        reply.explorations_left =
            explored < explorations_per_day ? explorations_per_day - explored : 0;
        answered.cold = reply.cold_start;
        answered.reply = write_rank_reply(reply);
        return true;
    }

    // A row of the store; what is neither bytes nor None is an error of the caller.
    static std::optional<nb::bytes> row_of(const nb::callable &get, Kind kind,
                                           std::string_view user) {
        const std::string key = key_of(kind, user);
        return nb::cast<std::optional<nb::bytes>>(get(nb::bytes(key.data(), key.size())));
    }

    CatalogRows items() const {
        return {vectors_.data(), reinterpret_cast<const std::uint8_t *>(alive_.data()),
                vectors_.shape(0)};
    }

    ScoredCatalog scored() const {
        ScoredCatalog catalog;
        catalog.items = items();
        catalog.dimensions = vectors_.shape(1);
        catalog.offsets = offsets_.data();
        catalog.terms = terms_.data();
        catalog.neighbours = neighbours_.data();
        catalog.neighbour_rows = neighbours_.shape(0);
        catalog.neighbour_columns = neighbours_.shape(1) / 2;
        catalog.coarse = coarse_rows_;
        return catalog;
    }

    // The user's vectors and recent items from the cached fold, or from none for a new user; false
    // if the cache is stale.
    bool set_interest(const CachedRecord &record, std::int64_t bucket, ScoredUser &user) const {
        const std::size_t d = vectors_.shape(1);
        user.vectors.resize(settings_.interests * d);
        user.near_weight = settings_.near_weight;
        if (record.head.events == 0 && !record.has_fold) {
            for (std::size_t at = 0; at < user.vectors.size(); ++at) {
                const float slow = prior_mean_.data()[at % d];
                user.vectors[at] = settings_.slow_weight * slow + settings_.fast_weight * 0.0F;
            }
            user.recent.push_back({opening, 1.0F});
            return true;
        }
        if (!record.has_fold || record.key.catalog_version != settings_.version ||
            record.key.time_bucket != bucket || record.key.settings != settings_.digest ||
            record.key.context != 0 || record.dimensions != d ||
            record.slow.size() != user.vectors.size() * sizeof(float)) {
            return false;
        }
        for (std::size_t at = 0; at < user.vectors.size(); ++at) {
            const auto slow = number_at<float>(record.slow, at * sizeof(float));
            const auto fast = number_at<float>(record.fast, at % d * sizeof(float));
            user.vectors[at] = settings_.slow_weight * slow + settings_.fast_weight * fast;
        }
        for (std::size_t at = 0; at < record.recent.size(); at += 8) {
            user.recent.push_back({number_at<std::uint32_t>(record.recent, at),
                                   number_at<float>(record.recent, at + 4)});
        }
        return true;
    }

    // The same from a new fold; false if it is declined.
    bool folded(const CachedRecord &record, std::int64_t bucket, ScoredUser &user,
                double &fold_s) const {
        if (!fold_ || settings_.interests != 1 || record.head.events == 0) return false;
        const auto began = std::chrono::steady_clock::now();
        Interest interest;
        if (!fold(*fold_, items(), window_rows_of(record), nullptr, start_of(bucket), interest)) {
            return false;
        }
        for (std::size_t at = 0; at < user.vectors.size(); ++at) {
            user.vectors[at] = settings_.slow_weight * interest.slow[at] +
                               settings_.fast_weight * interest.fast[at];
        }
        user.recent = std::move(interest.recent);
        fold_s = std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
        return true;
    }

    static std::vector<WindowRow> window_rows_of(const CachedRecord &record) {
        std::vector<WindowRow> window(record.head.events);
        for (std::size_t at = 0; at < window.size(); ++at) window[at] = record.row(at);
        return window;
    }

    double start_of(std::int64_t bucket) const noexcept {
        return start_of_bucket(bucket, settings_.time_bucket_s);
    }

    static bool leave_out_owned(const std::optional<nb::bytes> &row, ScoredUser &user) {
        const auto value = text_of(row);
        if (!value) return true;
        const auto payload = unsealed(*value);
        if (!payload || payload->size() % sizeof(std::uint32_t) != 0) return false;
        for (std::size_t at = 0; at < payload->size(); at += sizeof(std::uint32_t)) {
            user.left_out.push_back(number_at<std::uint32_t>(*payload, at));
        }
        return true;
    }

    // The rows of the candidates that can be ranked, in order, and the others; false if one is
    // named twice.
    bool find(const RankRequest &request, const ScoredCatalog &catalog,
              std::vector<std::uint32_t> &found, std::vector<std::string_view> &unknown) const {
        std::vector<std::uint32_t> numbers;
        ids_->find(request.candidates, numbers);
        const std::size_t rows = vectors_.shape(0);
        for (const std::uint32_t number : numbers) {
            if (number < rows) __builtin_prefetch(&terms_[number]);
        }
        found.reserve(numbers.size());
        for (std::size_t place = 0; place < numbers.size(); ++place) {
            if (numbers[place] < rows && terms_[numbers[place]].alive) {
                found.push_back(numbers[place]);
                fetch_row(catalog, numbers[place]);
            } else {
                unknown.push_back(request.candidates[place]);
            }
        }
        numbers = found;
        std::sort(numbers.begin(), numbers.end());
        return std::adjacent_find(numbers.begin(), numbers.end()) == numbers.end() &&
               !repeats(unknown);
    }

    static std::string random_name() {
        unsigned char random[12];
        if (getrandom(random, sizeof random, 0) != sizeof random) {
            throw std::runtime_error("the system gave no random bytes");
        }
        std::string name;
        for (const unsigned char byte : random) {
            name.push_back("0123456789abcdef"[byte >> 4]);
            name.push_back("0123456789abcdef"[byte & 15]);
        }
        return name;
    }

    static nb::bytes top_rows(const std::vector<RankedRow> &best) {
        std::int64_t rows[meter_rows];
        const std::size_t size = std::min(best.size(), meter_rows);
        for (std::size_t at = 0; at < size; ++at) rows[at] = best[at].row;
        return nb::bytes(rows, size * sizeof *rows);
    }

    std::shared_ptr<ItemIds> ids_;
    Matrix vectors_;
    Vector offsets_;
    Mask alive_;
    Pairs neighbours_;
    Vector prior_mean_;
    std::optional<Bytes> coarse_;
    CoarseRows coarse_rows_{};
    ViewSettings settings_;
    std::shared_ptr<FoldTerms> fold_;
    HugeVector<ItemTerms> terms_;
};

}  // namespace

void bind_rank(nb::module_ &module) {
    nb::class_<RankLimits>(module, "RankLimits")
        .def(
            "__init__",
            [](RankLimits *self, std::uint64_t k, std::uint64_t candidates, std::uint64_t id_bytes,
               std::uint64_t context_entries, std::uint64_t context_bytes,
               std::uint64_t candidates_of_cost) {
                if (candidates_of_cost == 0) throw nb::value_error("candidates_of_cost: got 0");
                new (self) RankLimits{k, candidates, id_bytes, context_entries, context_bytes,
                                      candidates_of_cost};
            },
            nb::kw_only(), nb::arg("k"), nb::arg("candidates"), nb::arg("id_bytes"),
            nb::arg("context_entries"), nb::arg("context_bytes"),
            nb::arg("candidates_of_cost"));

    nb::class_<RankRequest>(module, "RankCall")
        .def_prop_ro("user", [](const RankRequest &self) { return self.user; })
        .def_prop_ro("candidates", [](const RankRequest &self) { return self.candidates.size(); })
        .def_ro("cost", &RankRequest::cost)
        .def_ro("timeout_ms", &RankRequest::timeout_ms)
        .def_ro("health_check", &RankRequest::health_check)
        .def_ro("exclude_owned", &RankRequest::exclude_owned);

    module.def(
        "parse_rank_call",
        [](nb::handle payload, const RankLimits &limits) -> std::optional<RankRequest> {
            if (!nb::isinstance<nb::bytes>(payload)) return std::nullopt;
            return parse_rank_call(text_of(nb::borrow<nb::bytes>(payload)), limits);
        },
        nb::arg("payload"), nb::arg("limits"));

    nb::class_<ItemIds>(module, "ItemIds")
        .def(nb::init<>())
        .def("__len__", &ItemIds::size)
        .def("follow", [](ItemIds &self, nb::list ids) {
            for (std::size_t at = self.size(); at < ids.size(); ++at) {
                self.add(nb::cast<std::string_view>(ids[at]));
            }
        });

    module.def("coarse_size", coarse_size, nb::arg("rows"), nb::arg("dimensions"));

    module.def(
        "write_coarse_rows",
        [](const Matrix &vectors, const WritableBytes &content) {
            const std::size_t rows = vectors.shape(0), d = vectors.shape(1);
            if (content.shape(0) != coarse_size(rows, d)) {
                throw nb::value_error("content: expected coarse_size(rows, d) bytes");
            }
            nb::gil_scoped_release others_go_on;
            write_coarse_rows(vectors.data(), rows, d, reinterpret_cast<char *>(content.data()));
        },
        nb::arg("vectors").noconvert(), nb::arg("content").noconvert());

    nb::class_<RankView>(module, "RankView")
        .def(
            "__init__",
            [](RankView *self, std::shared_ptr<ItemIds> ids, Matrix vectors, Vector offsets,
               Vector offset_weights, Vector popularity, Vector tail, Mask alive,
               Pairs neighbours, Vector prior_mean, std::optional<Bytes> coarse,
               std::uint64_t version, std::string encoder_version,
               std::uint64_t digest, double time_bucket_s, std::size_t interests,
               float slow_weight, float fast_weight, float near_weight, float tail_offset_weight,
               float tail_lift, float opening_offset_weight, bool knows_contexts,
               float repeat_weight, double repeat_half_life_s, double repeat_pause_s,
               double repeat_basket_weight, std::shared_ptr<FoldTerms> fold) {
                new (self) RankView(
                    std::move(ids), std::move(vectors), std::move(offsets),
                    std::move(offset_weights), std::move(popularity), std::move(tail), std::move(alive),
                    std::move(neighbours), std::move(prior_mean), std::move(coarse),
                    ViewSettings{version, std::move(encoder_version), digest, time_bucket_s, interests,
                                 slow_weight, fast_weight, near_weight, tail_offset_weight, tail_lift,
                                 opening_offset_weight, knows_contexts,
                                 RepeatSettings{repeat_weight, repeat_half_life_s, repeat_pause_s,
                                                repeat_basket_weight}},
                    std::move(fold));
            },
            nb::kw_only(), nb::arg("ids"), nb::arg("vectors").noconvert(),
            nb::arg("offsets").noconvert(), nb::arg("offset_weights").noconvert(),
            nb::arg("popularity").noconvert(), nb::arg("tail").noconvert(), nb::arg("alive").noconvert(),
            nb::arg("neighbours").noconvert(), nb::arg("prior_mean").noconvert(),
            nb::arg("coarse").noconvert().none(),
            nb::arg("version"), nb::arg("encoder_version"), nb::arg("digest"),
            nb::arg("time_bucket_s"), nb::arg("interests"), nb::arg("slow_weight"),
            nb::arg("fast_weight"), nb::arg("near_weight"),
            nb::arg("tail_offset_weight"), nb::arg("tail_lift"),
            nb::arg("opening_offset_weight"), nb::arg("knows_contexts"), nb::arg("repeat_weight"),
            nb::arg("repeat_half_life_s"), nb::arg("repeat_pause_s"), nb::arg("repeat_basket_weight"),
            nb::arg("fold").none())
        .def("answer", &RankView::answer, nb::arg("calls"), nb::arg("names"), nb::arg("get"),
             nb::arg("newest").none(), nb::arg("now_us"), nb::arg("explorations_per_day"));
}

}  // namespace penchant
