// A user's record as the store's codec writes it, read in place.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace penchant {

// The schema of the store's values that is read here; older and newer ones are left to the codec.
constexpr std::uint8_t schema_version = 7;

// The payload of a sealed value; nothing if it is of another schema or damaged.
std::optional<std::string_view> unsealed(std::string_view value) noexcept;

// A number at a place of some bytes, which may be unaligned; the caller has checked the bounds.
template <typename Number>
Number number_at(std::string_view bytes, std::size_t at) noexcept;

// One event of a window, WINDOW_DTYPE of `penchant.domain.types`.
struct WindowEvent {
    std::int64_t occurred_at_us;
    std::uint64_t event;
    std::uint64_t recommendation;
    std::uint32_t item;
    float reward;
    float weight;
    float wait_s;
    std::uint16_t propensity;  // The bits of a half-precision number.
    std::uint16_t signal;
    std::uint32_t context[5];
};
static_assert(sizeof(WindowEvent) == 64);

// A record and its cached fold; the views are of the value.
struct UserRecord {
    std::uint64_t state_version = 0;
    std::size_t events = 0;
    std::string_view window;
    bool has_fold = false;
    std::uint64_t catalog_version = 0;
    std::int64_t time_bucket = 0;
    std::uint64_t settings = 0;
    std::uint64_t context = 0;
    std::size_t dimensions = 0;
    std::string_view slow;    // Floats, a multiple of `dimensions`.
    std::string_view fast;    // Floats, `dimensions` of them.
    std::string_view recent;  // Pairs of an item and a weight.

    WindowEvent event(std::size_t at) const noexcept;
};

// Reads a sealed record; nothing if it is damaged, or not of this schema.
std::optional<UserRecord> read_user_record(std::string_view value) noexcept;

}  // namespace penchant
