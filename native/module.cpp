// The Python face of the native kernels. Shapes are checked here, once; the kernels trust them.
#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>

#include "bind_matrices.h"
#include "bind_rows.h"
#include "mxfp4.h"

namespace nb = nanobind;
using nb::literals::operator""_a;

namespace {

using Bytes = nb::ndarray<const std::uint8_t, nb::ndim<1>, nb::c_contig, nb::device::cpu>;

template <typename T>
using Output = nb::ndarray<T, nb::ndim<1>, nb::c_contig, nb::device::cpu>;

template <typename T>
void dequantize(const Bytes& blocks, const Bytes& scales, const Output<T>& out,
                void (*kernel)(const std::uint8_t*, const std::uint8_t*, std::size_t, T*)) {
  const std::size_t num_blocks = scales.shape(0);
  if (blocks.shape(0) != num_blocks * netweight::kBlockBytes || out.shape(0) != num_blocks * netweight::kBlockValues) {
    throw nb::value_error("each scale needs 16 bytes of blocks and 32 values of output");
  }
  nb::gil_scoped_release release;
  kernel(blocks.data(), scales.data(), num_blocks, out.data());
}

}  // namespace

NB_MODULE(_native, module) {
  module.doc() = "netweight's native CPU kernels.";
  netweight::bind_matrices(module);
  netweight::bind_rows(module);
  module.def(
      "mxfp4_to_float32",
      [](const Bytes& blocks, const Bytes& scales, const Output<float>& out) {
        dequantize(blocks, scales, out, netweight::dequantize_to_float32);
      },
      "blocks"_a, "scales"_a, "out"_a);
  module.def(
      "mxfp4_to_bfloat16",
      [](const Bytes& blocks, const Bytes& scales, const Output<std::uint16_t>& out) {
        dequantize(blocks, scales, out, netweight::dequantize_to_bfloat16);
      },
      "blocks"_a, "scales"_a, "out"_a, "`out` is the bit pattern of bfloat16 as uint16.");
}
