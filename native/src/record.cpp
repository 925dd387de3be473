#include "record.hpp"

#include <algorithm>
#include <cstring>

#include "blake2b.hpp"
#include "crc32.hpp"

namespace penchant {
namespace {

static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "records are little-endian");

constexpr std::size_t seal = 1 + 4;
constexpr std::size_t head_size = seal + 8 + 4;
constexpr std::size_t key_size = 4 * 8 + 2 * 4;

template <typename Number>
Number number_at(const std::uint8_t *place) noexcept {
    Number number;
    std::memcpy(&number, place, sizeof number);
    return number;
}

template <typename Number>
void append(std::vector<std::uint8_t> &bytes, const Number *numbers, std::size_t count) {
    const auto *begin = reinterpret_cast<const std::uint8_t *>(numbers);
    bytes.insert(bytes.end(), begin, begin + count * sizeof(Number));
}

template <typename Number>
void append(std::vector<std::uint8_t> &bytes, Number number) {
    append(bytes, &number, 1);
}

// Whether the bytes after a window are a cached fold, or none.
bool is_cache(const std::uint8_t *bytes, std::size_t size) noexcept {
    if (size == 0) return true;
    if (size < key_size) return false;
    const std::uint64_t d = number_at<std::uint32_t>(bytes + 32);
    const std::uint64_t recent = number_at<std::uint32_t>(bytes + 36);
    const std::uint64_t rest = size - key_size, recent_size = recent * sizeof(RecentItem);
    if (d == 0 || recent_size > rest || (rest - recent_size) % sizeof(float)) return false;
    const std::uint64_t numbers = (rest - recent_size) / sizeof(float);
    return numbers >= 2 * d && numbers % d == 0;
}

bool is_before(const WindowRow &one, const WindowRow &other) noexcept {
    if (one.occurred_at_us != other.occurred_at_us) {
        return one.occurred_at_us < other.occurred_at_us;
    }
    return one.event < other.event;
}

}  // namespace

bool read_record(const std::uint8_t *value, std::size_t size, RecordHead &head) noexcept {
    if (size < head_size || value[0] != record_schema) return false;
    if (crc32(value + seal, size - seal, record_schema) != number_at<std::uint32_t>(value + 1)) {
        return false;
    }
    head.state_version = number_at<std::uint64_t>(value + seal);
    head.events = number_at<std::uint32_t>(value + seal + 8);
    const std::uint64_t window = std::uint64_t{head.events} * sizeof(WindowRow);
    if (window > size - head_size) return false;
    return is_cache(value + head_size + window, size - head_size - window);
}

std::vector<WindowRow> window_of(const std::uint8_t *value, const RecordHead &head) {
    return window_rows(value + head_size, head.events * sizeof(WindowRow));
}

std::vector<WindowRow> window_rows(const std::uint8_t *bytes, std::size_t size) {
    std::vector<WindowRow> rows(size / sizeof(WindowRow));
    if (!rows.empty()) std::memcpy(rows.data(), bytes, rows.size() * sizeof(WindowRow));
    return rows;
}

void insert(std::vector<WindowRow> &window, const std::vector<WindowRow> &added,
            std::size_t capacity) {
    const bool in_order = added.size() == 1 && (window.empty() || is_before(window.back(), added[0]));
    window.insert(window.end(), added.begin(), added.end());
    if (!in_order) std::stable_sort(window.begin(), window.end(), is_before);
    if (window.size() > capacity) {
        window.erase(window.begin(), window.end() - static_cast<std::ptrdiff_t>(capacity));
    }
}

std::vector<std::uint8_t> encode_record(std::uint64_t state_version,
                                        const std::vector<WindowRow> &window, const FoldKey &key,
                                        const Interest &interest) {
    const std::size_t numbers = interest.slow.size() + interest.fast.size();
    std::vector<std::uint8_t> bytes;
    bytes.reserve(head_size + window.size() * sizeof(WindowRow) + key_size +
                  numbers * sizeof(float) + interest.recent.size() * sizeof(RecentItem));
    bytes.resize(seal);
    append(bytes, state_version);
    append(bytes, static_cast<std::uint32_t>(window.size()));
    append(bytes, window.data(), window.size());
    append(bytes, key.catalog_version);
    append(bytes, key.time_bucket);
    append(bytes, key.settings);
    append(bytes, key.context);
    append(bytes, static_cast<std::uint32_t>(interest.fast.size()));
    append(bytes, static_cast<std::uint32_t>(interest.recent.size()));
    append(bytes, interest.slow.data(), interest.slow.size());
    append(bytes, interest.fast.data(), interest.fast.size());
    append(bytes, interest.recent.data(), interest.recent.size());
    const std::uint32_t checksum = crc32(bytes.data() + seal, bytes.size() - seal, record_schema);
    bytes[0] = record_schema;
    std::memcpy(&bytes[1], &checksum, sizeof checksum);
    return bytes;
}

std::uint64_t context_digest(const std::uint32_t *slots, double context_halvings) noexcept {
    const bool any = std::any_of(slots, slots + context_slots, [](auto slot) { return slot != 0; });
    if (context_halvings == 0 || !any) return 0;
    char bytes[context_slots * sizeof(std::uint32_t)];
    std::memcpy(bytes, slots, sizeof bytes);
    return blake2b64({bytes, sizeof bytes}) | 1;
}

}  // namespace penchant
