#include "item_ids.hpp"

#include <cstring>
#include <random>

namespace penchant {
namespace {

constexpr std::size_t least_slots = 1024;

std::uint64_t mix(std::uint64_t a, std::uint64_t b) noexcept {
    __extension__ using Wide = unsigned __int128;
    const Wide product = static_cast<Wide>(a) * b;
    return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
}

std::uint64_t word(const char *from, std::size_t size) noexcept {
    std::uint64_t value = 0;
    std::memcpy(&value, from, size);
    return value;
}

}  // namespace

ItemIds::ItemIds() : slots_(least_slots, Slot{0, none}) {
    // Seeded in each process, so that nobody can choose ids that collide.
    std::random_device device;
    seed_ = (std::uint64_t{device()} << 32 | device()) | 1;
}

// Multiplies and folds words of 8 bytes, as wyhash does.
std::uint64_t ItemIds::hash(std::string_view id) const noexcept {
    std::uint64_t value = seed_ ^ id.size();
    const char *at = id.data();
    std::size_t left = id.size();
    for (; left > 8; at += 8, left -= 8) {
        value = mix(value ^ word(at, 8), 0x9E3779B97F4A7C15ULL);
    }
    value = mix(value ^ word(at, left), 0xE7037ED1A0B428DBULL ^ seed_);
    return mix(value, 0x8EBC6AF09C88C6E3ULL);
}

void ItemIds::add(std::string_view id) {
    full_ = full_ || size() + 1 >= none || arena_.size() + id.size() > none;
    if (full_) return;
    if (2 * (used_ + 1) > slots_.size()) grow();
    arena_.insert(arena_.end(), id.begin(), id.end());
    starts_.push_back(static_cast<std::uint32_t>(arena_.size()));
    insert(hash(id), static_cast<std::uint32_t>(size() - 1));
}

void ItemIds::insert(std::uint64_t hash, std::uint32_t number) {
    const std::size_t mask = slots_.size() - 1;
    const auto tag = static_cast<std::uint32_t>(hash >> 32);
    std::size_t at = static_cast<std::size_t>(hash) & mask;
    for (; slots_[at].number != none; at = (at + 1) & mask) {
        if (slots_[at].tag == tag && id(slots_[at].number) == id(number)) {
            slots_[at].number = number;
            return;
        }
    }
    slots_[at] = Slot{tag, number};
    ++used_;
}

void ItemIds::grow() {
    slots_.assign(2 * slots_.size(), Slot{0, none});
    used_ = 0;
    for (std::size_t number = 0; number < size(); ++number) {
        insert(hash(id(number)), static_cast<std::uint32_t>(number));
    }
}

void ItemIds::find(const std::vector<std::string_view> &ids,
                   std::vector<std::uint32_t> &numbers) const {
    const std::size_t mask = slots_.size() - 1;
    thread_local std::vector<std::uint64_t> kept;
    kept.resize(ids.size());
    numbers.resize(ids.size());
    std::uint64_t *const hashes = kept.data();
    const Slot *const slots = slots_.data();
    const std::uint32_t *const starts = starts_.data();
    const char *const arena = arena_.data();
    for (std::size_t place = 0; place < ids.size(); ++place) {
        hashes[place] = hash(ids[place]);
        __builtin_prefetch(slots + (hashes[place] & mask));
    }
    // The first slot with something in it is nearly always the right one: its text is fetched early.
    for (std::size_t place = 0; place < ids.size(); ++place) {
        const Slot &slot = slots[hashes[place] & mask];
        if (slot.number != none) __builtin_prefetch(starts + slot.number);
    }
    for (std::size_t place = 0; place < ids.size(); ++place) {
        const Slot &slot = slots[hashes[place] & mask];
        if (slot.number != none) __builtin_prefetch(arena + starts[slot.number]);
    }
    for (std::size_t place = 0; place < ids.size(); ++place) {
        const auto tag = static_cast<std::uint32_t>(hashes[place] >> 32);
        const std::string_view text = ids[place];
        std::uint32_t found = none;
        for (std::size_t at = hashes[place] & mask; slots[at].number != none; at = (at + 1) & mask) {
            const std::uint32_t number = slots[at].number;
            if (slots[at].tag != tag || starts[number + 1] - starts[number] != text.size()) continue;
            if (std::memcmp(arena + starts[number], text.data(), text.size()) == 0) {
                found = number;
                break;
            }
        }
        numbers[place] = found;
    }
}

}  // namespace penchant
