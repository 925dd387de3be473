// The hot calls of the module, each in a function of its own that callgrind counts.
#include <cstdint>
#include <cstdio>
#include <vector>

#include "crc32.hpp"

#define CASE extern "C" __attribute__((noinline)) std::uint64_t

namespace {

std::vector<std::uint8_t> some_bytes(std::size_t size) {
    std::vector<std::uint8_t> bytes(size);
    for (std::size_t at = 0; at < size; ++at) bytes[at] = static_cast<std::uint8_t>(at * 7);
    return bytes;
}

}  // namespace

// The checksum of a record of 64 events and its fold.
CASE case_crc32_of_4_5_kb(const std::vector<std::uint8_t> &value) {
    return penchant::crc32(value.data(), value.size(), 7);
}

int main() {
    const auto value = some_bytes(4500);
    std::uint64_t sum = case_crc32_of_4_5_kb(value);
    std::printf("%llu\n", static_cast<unsigned long long>(sum));
    return 0;
}
