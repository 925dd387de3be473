// The keys of the store; see `penchant.store.keys`.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace penchant {

// The kinds of `penchant.store.keys.Kind` that are read or written here.
enum class Kind : char {
    user = 'U',
    log = 'L',
    owned = 'O',
    ledger = 'G',
    counters = 'N',
    contribution = 'K',
};

// The key of a user's row.
std::string key_of(Kind kind, std::string_view user);

// The key of an item's row.
std::string key_of(Kind kind, std::uint64_t number);

// The key of a row of an item and a user.
std::string key_of(Kind kind, std::uint64_t number, std::string_view user);

// The key of a row of a user and a digest.
std::string key_of(Kind kind, std::string_view user, std::uint64_t digest);

}  // namespace penchant
