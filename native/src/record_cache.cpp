#include "record_cache.hpp"

#include <cstring>

#include "crc32.hpp"

namespace penchant {
namespace {

constexpr std::size_t seal_size = 5;
constexpr std::size_t head_size = seal_size + 12;
constexpr std::size_t key_size = 40;

const std::uint8_t *data_of(std::string_view bytes) noexcept {
    return reinterpret_cast<const std::uint8_t *>(bytes.data());
}

}  // namespace

template <typename Number>
Number number_at(std::string_view bytes, std::size_t at) noexcept {
    Number number;
    std::memcpy(&number, bytes.data() + at, sizeof number);
    return number;
}

template double number_at<double>(std::string_view, std::size_t) noexcept;
template float number_at<float>(std::string_view, std::size_t) noexcept;
template std::int32_t number_at<std::int32_t>(std::string_view, std::size_t) noexcept;
template std::uint32_t number_at<std::uint32_t>(std::string_view, std::size_t) noexcept;
template std::uint64_t number_at<std::uint64_t>(std::string_view, std::size_t) noexcept;
template std::int64_t number_at<std::int64_t>(std::string_view, std::size_t) noexcept;

std::optional<std::string_view> unsealed(std::string_view value) noexcept {
    if (value.size() < seal_size) return std::nullopt;
    if (static_cast<std::uint8_t>(value[0]) != record_schema) return std::nullopt;
    const std::string_view payload = value.substr(seal_size);
    const std::uint32_t checksum = crc32(data_of(payload), payload.size(), record_schema);
    if (checksum != number_at<std::uint32_t>(value, 1)) return std::nullopt;
    return payload;
}

WindowRow CachedRecord::row(std::size_t at) const noexcept {
    WindowRow row;
    std::memcpy(&row, window.data() + at * sizeof row, sizeof row);
    return row;
}

std::optional<CachedRecord> read_cached_record(std::string_view value) noexcept {
    CachedRecord record;
    if (!read_record(data_of(value), value.size(), record.head)) return std::nullopt;
    // All lengths fit from here on.
    record.window = value.substr(head_size, record.head.events * sizeof(WindowRow));
    std::string_view rest = value.substr(head_size + record.window.size());
    if (rest.empty()) return record;
    record.has_fold = true;
    record.key.catalog_version = number_at<std::uint64_t>(rest, 0);
    record.key.time_bucket = number_at<std::int64_t>(rest, 8);
    record.key.settings = number_at<std::uint64_t>(rest, 16);
    record.key.context = number_at<std::uint64_t>(rest, 24);
    record.dimensions = number_at<std::uint32_t>(rest, 32);
    const std::size_t recent = number_at<std::uint32_t>(rest, 36);
    rest.remove_prefix(key_size);
    record.recent = rest.substr(rest.size() - recent * sizeof(RecentItem));
    rest.remove_suffix(record.recent.size());
    record.fast = rest.substr(rest.size() - record.dimensions * sizeof(float));
    record.slow = rest.substr(0, rest.size() - record.fast.size());
    return record;
}

}  // namespace penchant
