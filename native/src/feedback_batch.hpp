// The events of one transaction, taken call by call: `penchant.service.feedback_batch` for the
// common case.
//
// A call is taken whole or declined whole; one that is declined leaves no trace, and the general
// path answers it in the same transaction. Declined are events that are refused, duplicates, those
// whose signal makes an item the user's own or that may confirm a reservation, those of users who
// were once forgotten, and whatever needs a row that the codec has to look at.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "feedback_request.hpp"
#include "fold.hpp"
#include "item_counters.hpp"
#include "item_ids.hpp"
#include "learnt_record.hpp"

namespace penchant {

// A row of `penchant.domain.rewards.SignalTable`.
struct SignalRow {
    double reward = 0.0;
    double weight = 1.0;
    std::optional<double> neutral;  // With `scale`, or neither.
    std::optional<double> scale;
    std::optional<double> value_min;
    std::optional<double> value_max;
    bool value_required = false;
    std::optional<double> wait_s;
    bool owned = false;
    std::uint16_t code = 0;  // `penchant.domain.signal_weights.signal_code`.
};

// What all batches in one version of the catalog share.
struct FeedbackTerms {
    std::unordered_map<std::string, SignalRow> signals;
    HalfLife half_life{};
    std::int64_t future_us = 0;  // How far an event's time may lie ahead of the clock.
    std::size_t capacity = 0;
    double time_bucket_s = 0.0;
    std::uint64_t catalog_version = 0;
    std::uint64_t settings = 0;
};

// Reads rows of the transaction.
class RowReader {
  public:
    RowReader() = default;
    RowReader(const RowReader &) = delete;
    RowReader &operator=(const RowReader &) = delete;
    virtual ~RowReader() = default;

    // False: there is none.
    virtual bool read(const std::string &key, std::string &value) = 0;
};

// The users of a call's events as the store knows them.
struct NamedUsers {
    std::vector<std::string> names;
    // The keys of their tombstones, as many; empty where nobody was ever forgotten.
    std::vector<std::string> tombstones;
};

// What an accepted event says about what was shown: see `penchant.service.batch_quality`.
struct ShownOutcome {
    std::uint64_t shown_as;  // `penchant.service.shown_scores` knows it by this digest.
    bool impression;
    double reward;
    double score;  // 0: the caller knows none.
};

// A user whose fold was declined: NumPy makes it.
struct UnfoldedUser {
    std::string name;
    std::string before;  // The row in the store; empty: there is none.
    std::vector<WindowRow> added;
};

// What a batch changes.
struct FeedbackChanges {
    std::vector<std::pair<std::string, std::string>> rows;  // Keys and values to write.
    std::vector<UnfoldedUser> unfolded;
    std::size_t folded = 0;
    std::optional<double> drift;  // How far one user's interest moved; see `BatchQuality`.
};

// One transaction's events. Not safe in threads; what it was made of outlives it.
class FeedbackBatch {
  public:
    FeedbackBatch(const FeedbackTerms &terms, const ItemIds &ids, const CatalogRows &catalog,
                  const FoldTerms &fold, RowReader &rows, std::int64_t arrived_us,
                  std::int64_t newest_us);

    // Takes the events of a call, and writes its reply; false: declined.
    bool take(const FeedbackRequest &request, const NamedUsers &users, std::string &reply);

    // What the calls change; once, after the last of them. Reads no rows.
    FeedbackChanges changes();

    std::size_t events() const noexcept { return outcomes_.size(); }
    std::int64_t newest_us() const noexcept { return newest_us_; }  // Those of the batch included.
    const std::vector<ShownOutcome> &outcomes() const noexcept { return outcomes_; }
    const std::map<std::uint32_t, Counters> &counters() const noexcept { return counters_; }

  private:
    struct Draft {
        std::string before;
        std::uint64_t state_version = 0;
        std::vector<WindowRow> added;
        bool sound = true;
    };
    struct Part {
        std::optional<Contribution> contribution;
        bool changed = false;
    };
    struct Resolved {
        const SignalRow *signal = nullptr;
        double reward = 0.0;
    };
    // An event that has passed all checks.
    struct Staged {
        const ReportedEvent *event = nullptr;
        const std::string *user = nullptr;
        std::string log_key;
        Resolved resolved;
        std::int64_t at_us = 0;
        std::uint64_t digest = 0;
        std::uint32_t item = 0;
        Draft *draft = nullptr;
    };

    bool stage(const ReportedEvent &event, const std::string &user, const std::string *tombstone,
               Staged &staged);
    bool resolve(const ReportedEvent &event, Resolved &resolved) const;
    bool find_item(std::string_view id, std::uint32_t &number) const;
    bool read_counted(std::uint32_t item, const std::string &user);
    Draft &draft_of(const std::string &user);
    void accept(const Staged &staged, std::string &results);
    void count(const Staged &staged);

    const FeedbackTerms &terms_;
    const ItemIds &ids_;
    const CatalogRows catalog_;
    const FoldTerms &fold_;
    RowReader &reader_;
    const std::int64_t arrived_us_;
    std::int64_t newest_us_;

    std::unordered_map<std::string, Draft> drafts_;
    std::vector<const std::string *> order_;  // Users, in order of their first event.
    std::map<std::uint32_t, std::optional<Counters>> counters_before_;
    std::map<std::pair<std::uint32_t, std::string>, Part> contributions_;  // By item and user.
    std::map<std::uint32_t, Counters> counters_;
    std::unordered_map<std::string, std::string> log_rows_;  // By key.
    std::vector<ShownOutcome> outcomes_;
};

}  // namespace penchant
