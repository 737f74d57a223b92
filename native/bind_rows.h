// The part of the Python module that is in bind_rows.cpp.
#pragma once

#include <nanobind/nanobind.h>

namespace netweight {

void bind_rows(nanobind::module_& module);

}  // namespace netweight
