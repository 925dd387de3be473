#include "processor.hpp"

#if defined(__x86_64__)
#include <cpuid.h>
#endif

namespace penchant {

#if defined(__x86_64__)
// Asked by hand, since not every compiler that PyPI carries brings the table behind
// __builtin_cpu_supports.
Registers widest_registers() noexcept {
    unsigned a = 0, b = 0, c = 0, d = 0;
    const bool fits = __get_cpuid(1, &a, &b, &c, &d) && (c & bit_OSXSAVE) && (c & bit_FMA);
    if (fits && __get_cpuid_count(7, 0, &a, &b, &c, &d) && (b & bit_AVX2)) {
        unsigned low = 0, high = 0;
        __asm__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
        if ((b & bit_AVX512F) && (low & 0xE6) == 0xE6) return Registers::avx512;
        if ((low & 6) == 6) return Registers::avx2;
    }
    return Registers::anywhere;
}
#else
Registers widest_registers() noexcept { return Registers::anywhere; }
#endif

}  // namespace penchant
