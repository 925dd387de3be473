#include "feedback_batch.hpp"

#include <algorithm>
#include <cmath>
#include <unordered_set>

#include "blake2b.hpp"
#include "fold_clock.hpp"
#include "log_row.hpp"
#include "record.hpp"
#include "record_cache.hpp"
#include "store_keys.hpp"
#include "wire_writer.hpp"

namespace penchant {
namespace {

constexpr float no_wait = -1.0F;
constexpr std::int64_t most_half_lives = 2'000'000'000;  // Since 1970: an exponent of 32 bits.
constexpr std::uint64_t status_accepted = 1;

// `penchant.domain.window.digest64`.
std::uint64_t digest64(std::string_view text) noexcept { return text.empty() ? 0 : blake2b64(text); }

std::uint32_t sixteen_bits(std::string_view text) noexcept { return blake2b32(text) % 65535 + 1; }

// `penchant.domain.context.slots_of`.
void set_slots(const ReportedContext &context, std::uint32_t *slots) noexcept {
    const std::size_t filled = std::min(context.size(), context_slots);
    for (std::size_t at = 0; at < filled; ++at) {
        slots[at] = sixteen_bits(context[at].first) << 16 | sixteen_bits(context[at].second);
    }
}

// `penchant.domain.window.half_propensity`, in half precision; the chance is 0 to 1.
std::uint16_t half_propensity(double chance) noexcept {
    if (chance == 0.0) return std::signbit(chance) ? 0x8000 : 0;
    if (chance == 1.0) return 0x3C00;
    chance = std::max(0x1p-24, std::min(chance, 1 - 0x1p-11));
    int exponent = 0;
    const double fraction = std::frexp(chance, &exponent);  // From 0.5 on, below 1.
    // Rounded half to even, as Python does; what rounds up to the next power has its bits, too.
    if (exponent < -13) return static_cast<std::uint16_t>(std::nearbyint(std::ldexp(chance, 24)));
    const double mantissa = std::nearbyint(std::ldexp(fraction, 11)) - 1024.0;
    return static_cast<std::uint16_t>(((exponent + 14) << 10) + static_cast<int>(mantissa));
}

// 1 - cosine of a slow interest and the one before; nothing where they can't be compared.
std::optional<double> moved(std::string_view before, std::uint64_t catalog_version,
                            const Interest &after) {
    const auto record = read_cached_record(before);
    if (!record || !record->has_fold || record->key.catalog_version != catalog_version ||
        record->slow.size() != after.slow.size() * sizeof(float)) {
        return std::nullopt;
    }
    double old_square = 0.0, new_square = 0.0, product = 0.0;
    for (std::size_t at = 0; at < after.slow.size(); ++at) {
        const double old = number_at<float>(record->slow, at * sizeof(float));
        const double now = after.slow[at];
        old_square += old * old;
        new_square += now * now;
        product += old * now;
    }
    const double norms = std::sqrt(old_square) * std::sqrt(new_square);
    if (!(norms > 0.0)) return std::nullopt;
    return std::max(0.0, 1.0 - product / norms);
}

}  // namespace

FeedbackBatch::FeedbackBatch(const FeedbackTerms &terms, const ItemIds &ids,
                             const CatalogRows &catalog, const FoldTerms &fold, RowReader &rows,
                             std::int64_t arrived_us, std::int64_t newest_us)
    : terms_(terms), ids_(ids), catalog_(catalog), fold_(fold), reader_(rows),
      arrived_us_(arrived_us), newest_us_(newest_us) {}

bool FeedbackBatch::take(const FeedbackRequest &request, const NamedUsers &users,
                         std::string &reply) {
    if (users.names.size() != request.events.size() || newest_us_ < 0) return false;
    if (!users.tombstones.empty() && users.tombstones.size() != users.names.size()) return false;
    std::vector<Staged> staged(request.events.size());
    std::unordered_set<std::string_view> keys;
    for (std::size_t at = 0; at < staged.size(); ++at) {
        const std::string *tombstone = users.tombstones.empty() ? nullptr : &users.tombstones[at];
        if (!stage(request.events[at], users.names[at], tombstone, staged[at])) return false;
        if (!keys.insert(staged[at].log_key).second) return false;
    }
    std::string results;
    for (const Staged &one : staged) accept(one, results);
    reply.clear();
    put_text(reply, 2, results);
    return true;
}

bool FeedbackBatch::stage(const ReportedEvent &event, const std::string &user,
                          const std::string *tombstone, Staged &staged) {
    staged.event = &event;
    staged.user = &user;
    staged.at_us = event.occurred_at_us.value_or(arrived_us_);
    if (staged.at_us < 0 || staged.at_us > arrived_us_ + terms_.future_us) return false;
    if (staged.at_us / terms_.half_life.us > most_half_lives) return false;
    if (!resolve(event, staged.resolved) || !find_item(event.item, staged.item)) return false;
    std::string unused;
    if (tombstone != nullptr && reader_.read(*tombstone, unused)) return false;
    staged.digest = digest64(event.event_id);
    staged.log_key = key_of(Kind::log, user, staged.digest);
    if (log_rows_.count(staged.log_key) || reader_.read(staged.log_key, unused)) return false;
    const bool may_confirm = staged.resolved.signal->wait_s && !event.recommendation_id.empty();
    if (may_confirm && reader_.read(key_of(Kind::ledger, user), unused)) return false;
    staged.draft = &draft_of(user);
    return staged.draft->sound && read_counted(staged.item, user);
}

bool FeedbackBatch::resolve(const ReportedEvent &event, Resolved &resolved) const {
    const auto found = terms_.signals.find(std::string(event.signal));
    if (found == terms_.signals.end() || found->second.owned) return false;
    const SignalRow &signal = found->second;
    resolved = {&signal, signal.reward};
    if (!event.value) return !signal.value_required;
    const double value = *event.value;
    if (!std::isfinite(value)) return false;
    if (signal.value_min && !(*signal.value_min <= value)) return false;
    if (signal.value_max && !(value <= *signal.value_max)) return false;
    if (signal.neutral && signal.scale) {
        const double reward = (value - *signal.neutral) / *signal.scale;
        const double most = reward < 1.0 ? reward : 1.0;
        resolved.reward = most > -1.0 ? most : -1.0;
    }
    return true;
}

bool FeedbackBatch::find_item(std::string_view id, std::uint32_t &number) const {
    if (id.empty()) return false;
    std::vector<std::uint32_t> numbers;
    ids_.find({id}, numbers);
    number = numbers[0];
    return number < catalog_.rows && catalog_.alive[number] != 0;
}

bool FeedbackBatch::read_counted(std::uint32_t item, const std::string &user) {
    std::string row;
    auto counters = counters_before_.find(item);
    if (counters == counters_before_.end()) {
        std::optional<Counters> found;
        if (reader_.read(key_of(Kind::counters, item), row)) {
            found = read_counters(row, terms_.half_life);
            if (!found) return false;
        }
        counters = counters_before_.emplace(item, std::move(found)).first;
    }
    const auto whose = std::make_pair(item, user);
    auto part = contributions_.find(whose);
    if (part == contributions_.end()) {
        Part found;
        if (reader_.read(key_of(Kind::contribution, item, user), row)) {
            found.contribution = read_contribution(row);
            if (!found.contribution) return false;
        }
        part = contributions_.emplace(whose, found).first;
    }
    // Counters that lack what a contribution says they hold: somebody has to make them again.
    return counters->second || !part->second.contribution || counters_.count(item) != 0;
}

FeedbackBatch::Draft &FeedbackBatch::draft_of(const std::string &user) {
    const auto [found, is_new] = drafts_.try_emplace(user);
    Draft &draft = found->second;
    if (is_new && reader_.read(key_of(Kind::user, user), draft.before)) {
        RecordHead head{};
        const auto *value = reinterpret_cast<const std::uint8_t *>(draft.before.data());
        draft.sound = read_record(value, draft.before.size(), head);
        draft.state_version = head.state_version;
    }
    return draft;
}

void FeedbackBatch::accept(const Staged &staged, std::string &results) {
    const ReportedEvent &event = *staged.event;
    const SignalRow &signal = *staged.resolved.signal;
    count(staged);
    newest_us_ = std::max(newest_us_, staged.at_us);
    WindowRow row{};
    row.occurred_at_us = staged.at_us;
    row.event = staged.digest;
    row.recommendation = digest64(event.recommendation_id);
    row.item = staged.item;
    row.reward = static_cast<float>(staged.resolved.reward);
    row.weight = static_cast<float>(signal.weight);
    row.wait_s = signal.wait_s ? static_cast<float>(*signal.wait_s) : no_wait;
    row.propensity = event.exposure ? half_propensity(event.exposure->propensity) : 0;
    row.signal = signal.code;
    set_slots(event.context, row.context);
    Draft &draft = *staged.draft;
    if (draft.added.empty()) order_.push_back(&drafts_.find(*staged.user)->first);
    draft.added.push_back(row);
    const std::uint64_t state_version = draft.state_version + draft.added.size();
    log_rows_.emplace(staged.log_key, encode_log_row(event, *staged.user, staged.at_us,
                                                     state_version, arrived_us_));
    const std::string shown = *staged.user + '\0' + std::string(event.item);
    outcomes_.push_back({digest64(shown), signal.wait_s.has_value(), staged.resolved.reward,
                         event.exposure ? event.exposure->score : 0.0});
    std::string result;
    put_text(result, 1, event.event_id);
    put_number(result, 2, status_accepted);
    put_number(result, 5, state_version);
    put_text(results, 1, result);
}

void FeedbackBatch::count(const Staged &staged) {
    const SignalRow &signal = *staged.resolved.signal;
    const double reward = staged.resolved.reward;
    Counted counted{0.0, 1.0, staged.at_us};
    if (!signal.wait_s) {
        counted.positive = signal.weight * (reward > 0.0 ? reward : 0.0);
        counted.impressions = 0.0;
    }
    Part &part = contributions_.find({staged.item, *staged.user})->second;
    const std::optional<Contribution> before = part.contribution;
    const Contribution *older = before ? &*before : nullptr;
    part = {contribute(older, counted, terms_.half_life), true};
    auto counters = counters_.find(staged.item);
    if (counters == counters_.end()) {
        const std::optional<Counters> &known = counters_before_.find(staged.item)->second;
        counters = counters_.emplace(staged.item, known.value_or(Counters{})).first;
    }
    replace(counters->second, older, *part.contribution, terms_.half_life);
}

FeedbackChanges FeedbackBatch::changes() {
    FeedbackChanges changes;
    if (log_rows_.empty()) return changes;
    const std::int64_t bucket =
        time_bucket(fold_time(arrived_us_, newest_us_), terms_.time_bucket_s);
    const double start_us = start_of_bucket(bucket, terms_.time_bucket_s);
    const LearntIn world{catalog_, fold_, terms_.catalog_version, terms_.settings,
                         terms_.capacity, bucket, start_us};
    bool follows = true;  // The first user who had a record.
    for (const std::string *name : order_) {
        Draft &draft = drafts_.find(*name)->second;
        const bool followed = follows && !draft.before.empty();
        if (followed) follows = false;
        LearntRecord learnt;
        if (!learn(world, draft.before, draft.added, learnt)) {
            changes.unfolded.push_back({*name, std::move(draft.before), std::move(draft.added)});
            continue;
        }
        ++changes.folded;
        if (followed) changes.drift = moved(draft.before, terms_.catalog_version, learnt.interest);
        const auto *value = reinterpret_cast<const char *>(learnt.value.data());
        changes.rows.emplace_back(key_of(Kind::user, *name),
                                  std::string(value, learnt.value.size()));
    }
    for (const auto &[whose, part] : contributions_) {
        if (!part.changed) continue;
        changes.rows.emplace_back(key_of(Kind::contribution, whose.first, whose.second),
                                  encode_contribution(*part.contribution));
    }
    for (const auto &[item, counters] : counters_) {
        changes.rows.emplace_back(key_of(Kind::counters, item),
                                  encode_counters(counters, terms_.half_life));
    }
    for (auto &[key, value] : log_rows_) changes.rows.emplace_back(key, std::move(value));
    return changes;
}

}  // namespace penchant
