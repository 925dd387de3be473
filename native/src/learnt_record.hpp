// A user's record with new events and the fold that the next ranking needs.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "fold.hpp"
#include "record.hpp"

namespace penchant {

// The catalog that a record is learnt in: its items, the terms of its folds, and their key.
struct LearntIn {
    CatalogRows catalog;
    const FoldTerms &terms;
    std::uint64_t catalog_version;
    std::uint64_t settings;  // Digest of the fold's settings.
    std::size_t capacity;    // Events that a window keeps, 1 or more.
    std::int64_t bucket;     // The time bucket, and its start.
    double bucket_start_us;
};

struct LearntRecord {
    std::vector<std::uint8_t> value;
    Interest interest;
};

// The encoded record of a user after new events; false: declined, by the codec's part or the fold's.
//
// `before` is the row in the store, empty for none; `added` has one event or more.
bool learn(const LearntIn &world, std::string_view before, const std::vector<WindowRow> &added,
           LearntRecord &learnt);

}  // namespace penchant
