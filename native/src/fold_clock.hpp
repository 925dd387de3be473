// The clock of folds; see `penchant.domain.event_weights`.
#pragma once

#include <cstdint>

namespace penchant {

constexpr std::int64_t quiet_us = 86'400'000'000;  // `QUIET_US`

// The time as of which interests are folded: now, but at most a quiet day after the newest event.
// `now_us` is 0 or more.
inline std::int64_t fold_time(std::int64_t now_us, std::int64_t newest_us) noexcept {
    return newest_us < now_us - quiet_us ? newest_us + quiet_us : now_us;
}

// The bucket of a moment; the step is 1 s or more.
inline std::int64_t time_bucket(std::int64_t at_us, double time_bucket_s) noexcept {
    const auto step = static_cast<std::int64_t>(time_bucket_s * 1e6);
    return at_us / step - (at_us % step < 0 ? 1 : 0);
}

// The start of a bucket, in microseconds since 1970.
inline double start_of_bucket(std::int64_t bucket, double time_bucket_s) noexcept {
    return static_cast<double>(bucket) * time_bucket_s * 1e6;
}

}  // namespace penchant
