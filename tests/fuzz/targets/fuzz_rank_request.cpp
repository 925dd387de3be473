// Any bytes as a call of rank: parsed or declined, within the limits, and nothing read beyond them.
#include <cstdint>
#include <cstdlib>

#include "rank_request.hpp"

namespace {

void must(bool law) {
    if (!law) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size) {
    penchant::RankLimits limits;
    limits.k = 1000;
    limits.candidates = 10000;
    limits.id_bytes = 256;
    limits.context_entries = 16;
    limits.context_bytes = 64;
    const std::string_view payload(reinterpret_cast<const char *>(data), size);
    const auto request = penchant::parse_rank_call(payload, limits);
    if (!request) return 0;
    must(request->k <= limits.k);
    must(request->candidates.size() <= limits.candidates);
    must(request->user.size() <= limits.id_bytes);
    std::size_t read = 0;
    for (const auto id : request->candidates) {
        must(id.size() <= limits.id_bytes);
        for (const char letter : id) read += static_cast<unsigned char>(letter);
    }
    return read == SIZE_MAX;
}
