// The Python face of the native kernels. Shapes are checked in Python, once; the kernels trust them.
#include <nanobind/nanobind.h>

#include "bind_matrices.h"
#include "bind_rows.h"

NB_MODULE(_native, module) {
  module.doc() = "netweight's native CPU kernels.";
  netweight::bind_matrices(module);
  netweight::bind_rows(module);
}
