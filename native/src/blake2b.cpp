#include "blake2b.hpp"

#include <cstring>

namespace penchant {
namespace {

constexpr std::uint64_t initial[8] = {
    0x6A09E667F3BCC908, 0xBB67AE8584CAA73B, 0x3C6EF372FE94F82B, 0xA54FF53A5F1D36F1,
    0x510E527FADE682D1, 0x9B05688C2B3E6C1F, 0x1F83D9ABFB41BD6B, 0x5BE0CD19137E2179};

constexpr std::uint8_t order[10][16] = {
    {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15},
    {14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3},
    {11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4},
    {7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8},
    {9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13},
    {2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9},
    {12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11},
    {13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10},
    {6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5},
    {10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0}};

constexpr std::size_t block = 128;

inline std::uint64_t turned(std::uint64_t word, int bits) noexcept {
    return word >> bits | word << (64 - bits);
}

inline void mix(std::uint64_t *v, int a, int b, int c, int d, std::uint64_t x,
                std::uint64_t y) noexcept {
    v[a] += v[b] + x;
    v[d] = turned(v[d] ^ v[a], 32);
    v[c] += v[d];
    v[b] = turned(v[b] ^ v[c], 24);
    v[a] += v[b] + y;
    v[d] = turned(v[d] ^ v[a], 16);
    v[c] += v[d];
    v[b] = turned(v[b] ^ v[c], 63);
}

// Takes in one block of data; `last`: all of the data is in.
void take(std::uint64_t *state, const std::uint8_t *bytes, std::uint64_t taken, bool last) noexcept {
    std::uint64_t m[16], v[16];
    for (int word = 0; word < 16; ++word) {
        m[word] = 0;
        for (int byte = 7; byte >= 0; --byte) m[word] = m[word] << 8 | bytes[8 * word + byte];
    }
    for (int word = 0; word < 8; ++word) {
        v[word] = state[word];
        v[8 + word] = initial[word];
    }
    v[12] ^= taken;
    if (last) v[14] = ~v[14];
    for (int round = 0; round < 12; ++round) {
        const std::uint8_t *s = order[round % 10];
        mix(v, 0, 4, 8, 12, m[s[0]], m[s[1]]);
        mix(v, 1, 5, 9, 13, m[s[2]], m[s[3]]);
        mix(v, 2, 6, 10, 14, m[s[4]], m[s[5]]);
        mix(v, 3, 7, 11, 15, m[s[6]], m[s[7]]);
        mix(v, 0, 5, 10, 15, m[s[8]], m[s[9]]);
        mix(v, 1, 6, 11, 12, m[s[10]], m[s[11]]);
        mix(v, 2, 7, 8, 13, m[s[12]], m[s[13]]);
        mix(v, 3, 4, 9, 14, m[s[14]], m[s[15]]);
    }
    for (int word = 0; word < 8; ++word) state[word] ^= v[word] ^ v[8 + word];
}

// The first word of the digest; fan-out and depth are 1, and there is no key.
std::uint64_t digest(std::string_view data, std::uint8_t digest_size) noexcept {
    std::uint64_t state[8];
    std::memcpy(state, initial, sizeof state);
    state[0] ^= 0x01010000U | digest_size;
    const auto *bytes = reinterpret_cast<const std::uint8_t *>(data.data());
    std::size_t at = 0;
    for (; data.size() - at > block; at += block) take(state, bytes + at, at + block, false);
    std::uint8_t rest[block] = {};
    if (data.size() > at) std::memcpy(rest, bytes + at, data.size() - at);
    take(state, rest, data.size(), true);
    return state[0];
}

}  // namespace

std::uint64_t blake2b64(std::string_view data) noexcept { return digest(data, 8); }

std::uint32_t blake2b32(std::string_view data) noexcept {
    return static_cast<std::uint32_t>(digest(data, 4));
}

}  // namespace penchant
