// What each part of the module binds.
#pragma once

#include <nanobind/nanobind.h>

namespace penchant {

void bind_feedback(nanobind::module_ &module);
void bind_fold(nanobind::module_ &module);
void bind_rank(nanobind::module_ &module);

}  // namespace penchant
