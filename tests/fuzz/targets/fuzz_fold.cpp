// Any rows as a window: folded to finite numbers over two items, or declined.
#include <cmath>
#include <cstdint>
#include <cstdlib>

#include "fold.hpp"
#include "record.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size) {
    static const float vectors[] = {1.0F, 0.0F, 0.6F, 0.8F};
    static const std::uint8_t alive[] = {1, 0};
    const penchant::FoldTerms terms{2,    {1.0, 0.0, 0.0, 1.0}, {0.1, 0.1}, 1.0, 100.0, 1e6, 5.0,
                                    20.0, 5.0,                  2.0,        {}};
    const std::size_t whole = size - size % sizeof(penchant::WindowRow);
    if (whole == 0) return 0;
    const auto window = penchant::window_rows(data, whole);
    const std::uint32_t *context = data[0] % 2 == 0 ? nullptr : window[0].context;
    penchant::Interest interest;
    if (!penchant::fold(terms, {vectors, alive, 2}, window, context, 1e15, interest)) return 0;
    if (interest.slow.size() != 2 || interest.fast.size() != 2) std::abort();
    for (const float number : interest.slow) {
        if (!std::isfinite(number)) std::abort();
    }
    return 0;
}
