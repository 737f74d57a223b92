// Binds what matrices.h and pack.h offer.
#pragma once

#include <nanobind/nanobind.h>

namespace netweight {

void bind_matrices(nanobind::module_& module);

}  // namespace netweight
