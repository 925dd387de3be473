// Memory for tables that are read at random: in large pages, where the system has any to give.
#pragma once

#include <cstddef>
#include <cstdlib>
#include <new>
#include <vector>

#if defined(__linux__)
#include <sys/mman.h>
#endif

namespace penchant {

// A process that waited between two calls finds neither the caches nor the translations of its
// addresses: of a table of 2 MB, up to 512, and with a large page, one.
template <typename Element>
struct HugePages {
    using value_type = Element;

    static constexpr std::size_t page = std::size_t{2} << 20;
    static constexpr std::size_t least = page / 2;  // Smaller tables would waste too much of one.

    HugePages() = default;
    template <typename Other>
    HugePages(const HugePages<Other> &) noexcept {}

    Element *allocate(std::size_t count) {
        std::size_t size = count * sizeof(Element);
        const bool large = size >= least;
        if (large) size = (size + page - 1) / page * page;
        void *found = large ? std::aligned_alloc(page, size) : std::malloc(size);
        if (found == nullptr) throw std::bad_alloc();
#if defined(__linux__) && defined(MADV_HUGEPAGE)
        if (large) madvise(found, size, MADV_HUGEPAGE);  // Only a wish: a refusal changes nothing.
#endif
        return static_cast<Element *>(found);
    }

    void deallocate(Element *place, std::size_t) noexcept { std::free(place); }

    template <typename Other>
    bool operator==(const HugePages<Other> &) const noexcept { return true; }
    template <typename Other>
    bool operator!=(const HugePages<Other> &) const noexcept { return false; }
};

template <typename Element>
using HugeVector = std::vector<Element, HugePages<Element>>;

}  // namespace penchant
