// The ids of a catalog's items by number, and their numbers by id.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "huge_pages.hpp"

namespace penchant {

// A hash table over one arena of text. An item's number never changes, so that ids are only ever
// added; whether an item may be ranked is its catalog's to say. Of two items of one id, the newer
// counts. Not safe in threads: its owner holds Python's lock.
class ItemIds {
  public:
    static constexpr std::uint32_t none = 0xFFFFFFFFU;

    ItemIds();

    // Adds the id of the item with the next number. From the first on that makes the ids take more
    // than 4 GiB, none is added: `size` tells.
    void add(std::string_view id);

    std::size_t size() const noexcept { return starts_.size() - 1; }

    // The id of an item; `number` is below `size`.
    std::string_view id(std::size_t number) const noexcept {
        return {arena_.data() + starts_[number], starts_[number + 1] - starts_[number]};
    }

    // The number of each id, or `none`. Cost: two cache misses an id, of several ids at once.
    void find(const std::vector<std::string_view> &ids, std::vector<std::uint32_t> &numbers) const;

  private:
    struct Slot {
        std::uint32_t tag;
        std::uint32_t number;
    };

    std::uint64_t hash(std::string_view id) const noexcept;
    void insert(std::uint64_t hash, std::uint32_t number);
    void grow();

    HugeVector<char> arena_;
    HugeVector<std::uint32_t> starts_{0};
    HugeVector<Slot> slots_;
    std::size_t used_ = 0;
    bool full_ = false;
    std::uint64_t seed_;
};

}  // namespace penchant
