// The hot calls of the module, each in a function of its own that callgrind counts.
#include <cstdint>
#include <cstdio>
#include <string>
#include <vector>

#include "coarse_rows.hpp"
#include "crc32.hpp"
#include "feedback_batch.hpp"
#include "feedback_request.hpp"
#include "fold.hpp"
#include "item_ids.hpp"
#include "rank_reply.hpp"
#include "rank_request.hpp"
#include "rank_scores.hpp"
#include "record.hpp"
#include "record_cache.hpp"

#define CASE extern "C" __attribute__((noinline)) std::uint64_t

namespace {

constexpr std::size_t dimensions = 64;
constexpr std::size_t rows = 1000;

// Numbers in [-0.5, 0.5), the same in every run.
float drawn(std::uint32_t &state) {
    state = state * 1664525U + 1013904223U;
    return static_cast<float>(state >> 8) / 16777216.0F - 0.5F;
}

struct World {
    std::vector<float> vectors, zeros = std::vector<float>(rows);
    std::vector<std::uint8_t> alive = std::vector<std::uint8_t>(rows, 1);
    std::vector<penchant::ItemTerms> item_terms =
        std::vector<penchant::ItemTerms>(rows, {0.0F, 0.0F, 0.0F, 1});
    penchant::ItemIds ids;
    std::vector<std::string> names;
    penchant::ScoredCatalog catalog;
    std::vector<char> coarse;
    penchant::ScoredUser user;
    penchant::FoldTerms terms;
    std::vector<std::uint32_t> candidates;

    World() {
        std::uint32_t state = 1;
        for (std::size_t at = 0; at < rows * dimensions; ++at) vectors.push_back(drawn(state) / 4);
        for (std::size_t at = 0; at < rows; ++at) names.push_back("item-" + std::to_string(at));
        for (const auto &name : names) ids.add(name);
        catalog.items = {vectors.data(), alive.data(), rows};
        catalog.dimensions = dimensions;
        catalog.offsets = zeros.data();
        catalog.terms = item_terms.data();
        coarse.resize(penchant::coarse_size(rows, dimensions));
        penchant::write_coarse_rows(vectors.data(), rows, dimensions, coarse.data());
        for (std::size_t at = 0; at < dimensions; ++at) user.vectors.push_back(drawn(state));
        for (std::uint32_t at = 0; at < 100; ++at) candidates.push_back((at * 37) % rows);
        terms.dimensions = dimensions;
        terms.precision.assign(dimensions * dimensions, 0.0);
        for (std::size_t at = 0; at < dimensions; ++at) terms.precision[at * (dimensions + 1)] = 1.0;
        terms.target.assign(dimensions, 0.1);
        terms.least_eigenvalue = 1.0;
        terms.half_life_events = 100.0;
        terms.half_life_s = 1e7;
        terms.fast_half_life_events = 5.0;
        terms.near_half_life_events = 20.0;
        terms.opening_half_life_events = 5.0;
        terms.context_halvings = 0.0;
    }

    std::vector<penchant::WindowRow> window(std::uint32_t events) const {
        std::vector<penchant::WindowRow> found(events);
        for (std::uint32_t at = 0; at < events; ++at) {
            found[at].occurred_at_us = 1'000'000'000'000'000 + at * 1'000'000;
            found[at].event = at;
            found[at].item = at * 7 % rows;
            found[at].reward = at % 3 == 0 ? 0.0F : 1.0F;
            found[at].weight = 1.0F;
        }
        return found;
    }
};

// A store that holds the record of a user, and nothing else.
class KeptRows final : public penchant::RowReader {
  public:
    explicit KeptRows(const std::vector<std::uint8_t> &record)
        : record_(record.begin(), record.end()) {}

    bool read(const std::string &key, std::string &value) override {
        if (key[0] != 'U') return false;
        value = record_;
        return true;
    }

  private:
    std::string record_;
};

// A field of protobuf with bytes in it.
std::string field(int number, const std::string &bytes) {
    std::string found(1, static_cast<char>(number << 3 | 2));
    std::size_t size = bytes.size();
    for (; size >= 0x80; size >>= 7) found += static_cast<char>(size & 0x7F | 0x80);
    return found + static_cast<char>(size) + bytes;
}

}  // namespace

CASE case_crc32_of_4_5_kb(const std::vector<std::uint8_t> &value) {
    return penchant::crc32(value.data(), value.size(), 7);
}

CASE case_parse_a_call_of_100(const std::string &call, const penchant::RankLimits &limits) {
    const auto request = penchant::parse_rank_call(call, limits);
    return request ? request->candidates.size() : 0;
}

CASE case_find_100_ids(const World &world, const std::vector<std::string_view> &ids) {
    std::vector<std::uint32_t> numbers;
    world.ids.find(ids, numbers);
    return numbers.size();
}

CASE case_read_a_record(const std::vector<std::uint8_t> &value) {
    const std::string_view bytes(reinterpret_cast<const char *>(value.data()), value.size());
    const auto record = penchant::read_cached_record(bytes);
    return record ? record->head.events : 0;
}

CASE case_rank_100_of_64(const World &world, std::vector<penchant::RankedRow> &best) {
    penchant::rank_some(world.catalog, world.user, world.candidates, 10, best);
    return best.size();
}

CASE case_rank_all_1000_of_64(const World &world, std::vector<penchant::RankedRow> &best) {
    penchant::rank_all(world.catalog, world.user, 10, best);
    return best.size();
}

CASE case_rank_all_1000_of_64_by_coarse_rows(const World &world,
                                             std::vector<penchant::RankedRow> &best) {
    penchant::ScoredCatalog catalog = world.catalog;
    catalog.coarse = penchant::read_coarse_rows({world.coarse.data(), world.coarse.size()}, dimensions);
    penchant::rank_all(catalog, world.user, 10, best);
    return best.size();
}

CASE case_write_a_reply_of_10(const penchant::RankReply &reply) {
    return penchant::write_rank_reply(reply).size();
}

CASE case_fold_30_events(const World &world, const std::vector<penchant::WindowRow> &window) {
    penchant::Interest interest;
    penchant::fold(world.terms, world.catalog.items, window, nullptr, 1.1e15, interest);
    return interest.slow.size();
}

CASE case_fold_256_events(const World &world, const std::vector<penchant::WindowRow> &window) {
    penchant::Interest interest;
    penchant::fold(world.terms, world.catalog.items, window, nullptr, 1.1e15, interest);
    return interest.slow.size();
}

CASE case_parse_a_call_of_feedback(const std::string &call, const penchant::FeedbackLimits &limits) {
    const auto request = penchant::parse_feedback_call(call, limits);
    return request ? request->events.size() : 0;
}

CASE case_take_an_event(const World &world, const penchant::FeedbackTerms &terms,
                        const penchant::FeedbackRequest &request, KeptRows &rows) {
    const penchant::NamedUsers users{{"user-1"}, {}};
    penchant::FeedbackBatch batch(terms, world.ids, world.catalog.items, world.terms, rows,
                                  1'100'000'000'000'000, 0);
    std::string reply;
    return batch.take(request, users, reply) ? batch.changes().rows.size() : 0;
}

CASE case_insert_and_encode(std::vector<penchant::WindowRow> window,
                            const penchant::Interest &interest) {
    penchant::WindowRow row{};
    row.occurred_at_us = 1'000'000'000'500'000;
    penchant::insert(window, {row}, 256);
    return penchant::encode_record(1, window, {}, interest).size();
}

int main() {
    const World world;
    const auto few = world.window(30), many = world.window(256);
    penchant::Interest interest;
    interest.slow.assign(dimensions, 0.5F);
    interest.fast.assign(dimensions, 0.5F);
    const auto record = penchant::encode_record(1, few, {}, interest);
    std::string candidates;
    std::vector<std::string_view> ids;
    for (const auto row : world.candidates) {
        candidates += field(1, world.names[row]);
        ids.push_back(world.names[row]);
    }
    // `Call.rank`, with the user, the candidates and k = 10 of `RankRequest`.
    const auto call = field(1, field(1, "user-1") + field(2, candidates) + "\x18\x0a");
    const penchant::RankLimits limits{1000, 10000, 256, 16, 64};
    std::vector<penchant::RankedRow> best;
    penchant::RankReply reply;
    reply.recommendation_id = "0123456789abcdef";
    for (std::size_t at = 0; at < 10; ++at) reply.items.push_back({ids[at], 0.5});
    std::uint64_t sum = case_crc32_of_4_5_kb(std::vector<std::uint8_t>(4500, 7));
    sum += case_parse_a_call_of_100(call, limits);
    sum += case_find_100_ids(world, ids) + case_read_a_record(record);
    sum += case_rank_100_of_64(world, best) + case_rank_all_1000_of_64(world, best);
    sum += case_rank_all_1000_of_64_by_coarse_rows(world, best);
    sum += case_write_a_reply_of_10(reply) + case_insert_and_encode(few, interest);
    sum += case_fold_30_events(world, few) + case_fold_256_events(world, many);
    // `Call.feedback` of one event that a user likes an item.
    const auto event = field(1, "e1") + field(2, "user-1") + field(3, "item-7") + field(4, "like");
    const auto events = field(2, field(1, event));
    const penchant::FeedbackLimits event_limits{32, 256, 128, 64, 32, 128};
    penchant::FeedbackTerms terms;
    terms.signals["like"].reward = 1.0;
    terms.half_life = {1'209'600.0, 1'209'600'000'000};
    terms.capacity = 256;
    terms.time_bucket_s = 600.0;
    KeptRows kept(record);
    sum += case_parse_a_call_of_feedback(events, event_limits);
    sum += case_take_an_event(world, terms, *penchant::parse_feedback_call(events, event_limits),
                              kept);
    std::printf("%llu\n", static_cast<unsigned long long>(sum));
    return 0;
}
