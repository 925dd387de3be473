// The parts of the module, each bound in a file of its own; `module.cpp` puts them together.
#pragma once

#include <nanobind/nanobind.h>

namespace penchant {

void bind_fold(nanobind::module_ &module);

}  // namespace penchant
