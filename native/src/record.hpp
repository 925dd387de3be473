// A user's record as `penchant.store.codec` writes it: its window, and the cached fold.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "fold.hpp"

namespace penchant {

// The schema whose records are read and written here; all others are the codec's.
constexpr std::uint8_t record_schema = 7;

struct RecordHead {
    std::uint64_t state_version;
    std::uint32_t events;
};

// What a cached fold is valid for.
struct FoldKey {
    std::uint64_t catalog_version;
    std::int64_t time_bucket;
    std::uint64_t settings;
    std::uint64_t context;
};

// The head of a sound record of this schema; false: the codec says what is wrong, if anything is.
// Every length and the checksum are looked at.
bool read_record(const std::uint8_t *value, std::size_t size, RecordHead &head) noexcept;

// The window of a record that `read_record` has found sound.
std::vector<WindowRow> window_of(const std::uint8_t *value, const RecordHead &head);

// Rows of WINDOW_DTYPE, one after another; the size is a multiple of theirs.
std::vector<WindowRow> window_rows(const std::uint8_t *bytes, std::size_t size);

// `penchant.domain.window.insert`: adds rows, and keeps the latest `capacity` of all.
void insert(std::vector<WindowRow> &window, const std::vector<WindowRow> &added,
            std::size_t capacity);

// `penchant.store.codec.encode_user` of a record and its fold.
std::vector<std::uint8_t> encode_record(std::uint64_t state_version,
                                        const std::vector<WindowRow> &window, const FoldKey &key,
                                        const Interest &interest);

// `penchant.domain.context.context_digest` of five slots; 0 for none, or if contexts do not count.
std::uint64_t context_digest(const std::uint32_t *slots, double context_halvings) noexcept;

}  // namespace penchant
