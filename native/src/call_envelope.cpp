#include "call_envelope.hpp"

#include "wire_fields.hpp"

namespace penchant {

bool open_call(std::string_view payload, std::uint32_t method, CallEnvelope &call,
               std::string_view &message) {
    call.payload.assign(payload.begin(), payload.end());
    WireReader reader(std::string_view(call.payload.data(), call.payload.size()));
    bool found = false;
    while (!reader.at_end()) {
        std::uint32_t field = 0;
        WireType type{};
        if (!reader.tag(field, type)) return false;
        bool read = false;
        if (field == method) {  // A second one would be merged with the first.
            read = !found && read_part(reader, type, message);
            found = true;
        } else if (field == 11) {
            read = read_uint32(reader, type, call.timeout_ms);
        } else if (field == 12) {
            read = read_flag(reader, type, call.health_check);
        }
        if (!read) return false;
    }
    return found;
}

}  // namespace penchant
