#include "user_record.hpp"

#include <cstring>

#include "crc32.hpp"

namespace penchant {
namespace {

constexpr std::size_t header_size = 5;
constexpr std::size_t record_size = 12;
constexpr std::size_t cache_size = 40;

}  // namespace

template <typename Number>
Number number_at(std::string_view bytes, std::size_t at) noexcept {
    Number number;
    std::memcpy(&number, bytes.data() + at, sizeof number);
    return number;
}

template float number_at<float>(std::string_view, std::size_t) noexcept;
template std::uint32_t number_at<std::uint32_t>(std::string_view, std::size_t) noexcept;
template std::uint64_t number_at<std::uint64_t>(std::string_view, std::size_t) noexcept;
template std::int64_t number_at<std::int64_t>(std::string_view, std::size_t) noexcept;

std::optional<std::string_view> unsealed(std::string_view value) noexcept {
    if (value.size() < header_size) return std::nullopt;
    if (static_cast<std::uint8_t>(value[0]) != schema_version) return std::nullopt;
    const std::string_view payload = value.substr(header_size);
    const auto *bytes = reinterpret_cast<const std::uint8_t *>(payload.data());
    const std::uint32_t checksum = crc32(bytes, payload.size(), schema_version);
    if (checksum != number_at<std::uint32_t>(value, 1)) return std::nullopt;
    return payload;
}

WindowEvent UserRecord::event(std::size_t at) const noexcept {
    WindowEvent event;
    std::memcpy(&event, window.data() + at * sizeof event, sizeof event);
    return event;
}

std::optional<UserRecord> read_user_record(std::string_view value) noexcept {
    const auto payload = unsealed(value);
    if (!payload || payload->size() < record_size) return std::nullopt;
    UserRecord record;
    record.state_version = number_at<std::uint64_t>(*payload, 0);
    record.events = number_at<std::uint32_t>(*payload, 8);
    std::string_view rest = payload->substr(record_size);
    if (record.events > rest.size() / sizeof(WindowEvent)) return std::nullopt;
    record.window = rest.substr(0, record.events * sizeof(WindowEvent));
    rest.remove_prefix(record.window.size());
    if (rest.empty()) return record;
    if (rest.size() < cache_size) return std::nullopt;
    record.has_fold = true;
    record.catalog_version = number_at<std::uint64_t>(rest, 0);
    record.time_bucket = number_at<std::int64_t>(rest, 8);
    record.settings = number_at<std::uint64_t>(rest, 16);
    record.context = number_at<std::uint64_t>(rest, 24);
    record.dimensions = number_at<std::uint32_t>(rest, 32);
    const std::size_t recent = number_at<std::uint32_t>(rest, 36);
    rest.remove_prefix(cache_size);
    if (recent > rest.size() / 8) return std::nullopt;
    record.recent = rest.substr(rest.size() - recent * 8);
    rest.remove_suffix(record.recent.size());
    const std::size_t fast = record.dimensions * sizeof(float);
    if (fast == 0 || rest.size() % fast != 0 || rest.size() < 2 * fast) return std::nullopt;
    record.fast = rest.substr(rest.size() - fast);
    record.slow = rest.substr(0, rest.size() - fast);
    return record;
}

}  // namespace penchant
