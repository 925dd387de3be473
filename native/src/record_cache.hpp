// A user's record, read in place: its window's rows, and the cached fold with its key.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "record.hpp"

namespace penchant {

// A number at a place of some bytes, which may be unaligned; the caller has checked the bounds.
template <typename Number>
Number number_at(std::string_view bytes, std::size_t at) noexcept;

// The payload of a sealed value; nothing if it is of another schema or damaged.
std::optional<std::string_view> unsealed(std::string_view value) noexcept;

// A record and its cached fold; the views are of the value.
struct CachedRecord {
    RecordHead head{};
    std::string_view window;
    bool has_fold = false;
    FoldKey key{};
    std::size_t dimensions = 0;
    std::string_view slow;    // Floats, a multiple of `dimensions`.
    std::string_view fast;    // Floats, `dimensions` of them.
    std::string_view recent;  // Pairs of an item and a weight.

    WindowRow row(std::size_t at) const noexcept;
};

// Reads a sealed record; nothing where `read_record` finds none.
std::optional<CachedRecord> read_cached_record(std::string_view value) noexcept;

}  // namespace penchant
