// Any bytes as a user's record, whether or not its checksum holds: read in place, and learnt from.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "record.hpp"
#include "record_cache.hpp"
#include "sealed_value.hpp"

namespace {

void must(bool law) {
    if (!law) std::abort();
}

std::uint64_t read_in_place(const std::uint8_t *value, std::size_t size) {
    const std::string_view bytes(reinterpret_cast<const char *>(value), size);
    const auto record = penchant::read_cached_record(bytes);
    if (!record) return 0;
    std::uint64_t read = record->head.state_version;
    for (std::size_t at = 0; at < record->head.events; ++at) read += record->row(at).item;
    for (const auto part : {record->window, record->slow, record->fast, record->recent}) {
        for (const char byte : part) read += static_cast<unsigned char>(byte);
    }
    return read;
}

// A sound record takes an event, keeps to its capacity, and what is written is read again.
void learn_from(const std::uint8_t *value, std::size_t size) {
    penchant::RecordHead head{};
    if (!penchant::read_record(value, size, head)) return;
    auto window = penchant::window_of(value, head);
    must(window.size() == head.events);
    penchant::WindowRow row{};
    row.event = 1;
    penchant::insert(window, {row}, 256);
    must(!window.empty() && window.size() <= 256);
    const penchant::Interest interest{{0.0F}, {0.0F}, {}};
    const auto written = penchant::encode_record(1, window, {}, interest);
    must(penchant::read_record(written.data(), written.size(), head));
    must(head.events == window.size());
    must(read_in_place(written.data(), written.size()) > 0);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size) {
    const auto value = sealed_value(data, size);
    learn_from(data, size);
    learn_from(value.data(), value.size());
    return read_in_place(data, size) + read_in_place(value.data(), value.size()) == UINT64_MAX;
}
