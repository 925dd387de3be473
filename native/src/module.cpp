// Python's side of the module: what it takes, what it gives, and nothing of the work itself.
#include <nanobind/nanobind.h>

#include "bindings.hpp"
#include "crc32.hpp"

namespace nb = nanobind;

// See `_core.pyi`; `penchant.system.native_module` holds the same number.
constexpr int interface_number = 6;

NB_MODULE(_core, module) {
    // What caches hold until the process ends is no leak, and a server's log no place to say so.
    nb::set_leak_warnings(false);
    module.attr("INTERFACE") = interface_number;
    module.def(
        "crc32",
        [](nb::bytes data, std::uint32_t start) {
            return penchant::crc32(static_cast<const std::uint8_t *>(data.data()), data.size(), start);
        },
        nb::arg("data"), nb::arg("start") = 0);
    penchant::bind_feedback(module);
    penchant::bind_fold(module);
    penchant::bind_rank(module);
}
