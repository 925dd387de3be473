// A call whose rows in the store are any bytes: taken or declined, and what it changes can be read.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "feedback_batch.hpp"
#include "record_cache.hpp"
#include "sealed_value.hpp"

namespace {

void must(bool law) {
    if (!law) std::abort();
}

// The bytes as the row of one kind, sealed or as they are.
class OneRow final : public penchant::RowReader {
  public:
    OneRow(const std::uint8_t *data, std::size_t size) {
        if (size == 0) return;
        kind_ = "UNKLG"[data[0] % 5];
        sealed_ = data[0] % 2 == 0;
        const auto value = sealed_value(data + 1, size - 1);
        row_ = sealed_ ? std::string(value.begin(), value.end())
                       : std::string(reinterpret_cast<const char *>(data + 1), size - 1);
    }

    bool read(const std::string &key, std::string &value) override {
        if (key.empty() || key[0] != kind_) return false;
        value = row_;
        return true;
    }

  private:
    char kind_ = 0;
    bool sealed_ = false;
    std::string row_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size) {
    static const float vectors[] = {1.0F, 0.0F, 0.6F, 0.8F};
    static const std::uint8_t alive[] = {1, 1};
    static const penchant::FoldTerms fold{2,    {1.0, 0.0, 0.0, 1.0}, {0.1, 0.1}, 1.0, 100.0, 1e6,
                                          5.0,  20.0,                 5.0,        2.0, {}};
    penchant::ItemIds ids;
    ids.add("toy");
    ids.add("bug");
    penchant::FeedbackTerms terms;
    terms.signals["like"].reward = 1.0;
    terms.signals["impression"].wait_s = 60.0;
    terms.half_life = {1000.0, 1'000'000'000};
    terms.capacity = 4;
    terms.time_bucket_s = 600.0;
    const penchant::FeedbackLimits limits{32, 256, 128, 64, 32, 128};
    static const std::string payload(
        "\x12\x1a\x0a\x18\x0a\x01" "e" "\x12\x01" "u" "\x1a\x03toy" "\x22\x04like" "\x30\x05"
        "\x3a\x01" "r" "\x4a\x00", 28);
    const auto request = penchant::parse_feedback_call(payload, limits);
    must(request.has_value());
    penchant::FeedbackRequest bare;  // An event that names nothing at all.
    bare.events.emplace_back().signal = "like";
    OneRow none(data, 0);
    penchant::FeedbackBatch empty(terms, ids, {vectors, alive, 2}, fold, none, 1, 0);
    std::string unused;
    must(!empty.take(bare, {{"u"}, {}}, unused));
    OneRow rows(data, size);
    penchant::FeedbackBatch batch(terms, ids, {vectors, alive, 2}, fold, rows,
                                  1'700'000'000'000'000, 5);
    std::string reply;
    const penchant::NamedUsers users{{"u"}, {}};
    const bool taken = batch.take(*request, users, reply);
    const auto changes = batch.changes();
    must(taken == (batch.events() == 1) && (taken || changes.rows.empty()));
    for (const auto &[key, value] : changes.rows) must(penchant::unsealed(value).has_value());
    for (const auto &[item, counters] : batch.counters()) {
        must(penchant::read_counters(penchant::encode_counters(counters, terms.half_life),
                                     terms.half_life).has_value());
    }
    return 0;
}
