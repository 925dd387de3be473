// The checksum of any bytes, wherever they begin, against its definition bit by bit.
#include <cstdint>
#include <cstdlib>

#include "crc32.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size) {
    const std::size_t skipped = size == 0 ? 0 : data[0] % size;
    std::uint32_t expected = ~7U;
    for (std::size_t at = skipped; at < size; ++at) {
        expected ^= data[at];
        for (int bit = 0; bit < 8; ++bit) {
            expected = (expected >> 1) ^ (0xEDB88320U & (0U - (expected & 1U)));
        }
    }
    if (penchant::crc32(data + skipped, size - skipped, 7) != ~expected) std::abort();
    return 0;
}
