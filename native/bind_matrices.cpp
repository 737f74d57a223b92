// The Python face of packed matrices. Addresses come as integers: wrapping a torch tensor costs more than a
// small product. src/netweight/model/kernels/packed.py checks shapes, types and ranges; nothing else calls this.
#include "bind_matrices.h"

#include <nanobind/nanobind.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <string>
#include <vector>

#include "matrices.h"
#include "pool.h"

namespace nb = nanobind;
using nb::literals::operator""_a;

namespace netweight {
namespace {

using Address = std::uintptr_t;

template <typename T>
T* at(Address address) {
  return reinterpret_cast<T*>(address);
}

Form form_of(const std::string& name) {
  if (name == "bf16") return Form::bfloat16;
  if (name == "int8") return Form::int8;
  if (name == "mxfp4") return Form::mxfp4;
  throw nb::value_error(("no packed form is called " + name + "; there are bf16, int8 and mxfp4").c_str());
}

const Kernels& needed_kernels() {
  const Kernels* found = kernels();
  if (found == nullptr) throw std::runtime_error("this processor runs none of the native instruction sets");
  return *found;
}

Matrix matrix_of(const std::string& form, Address data, std::size_t rows, std::size_t columns, Address bias) {
  return {form_of(form), at<const std::uint8_t>(data), rows, columns, at<const std::uint16_t>(bias)};
}

void pack(const std::string& form, Address weights, bool is_float32, std::size_t rows, std::size_t columns,
          Address out) {
  const Form packed = form_of(form);
  auto* to = at<std::uint8_t>(out);
  nb::gil_scoped_release release;
  if (packed == Form::bfloat16 && !is_float32) {
    pack_bfloat16(at<const std::uint16_t>(weights), rows, columns, to);
  } else if (packed == Form::int8 && is_float32) {
    pack_int8(at<const float>(weights), rows, columns, to);
  } else if (packed == Form::int8) {
    pack_int8(at<const std::uint16_t>(weights), rows, columns, to);
  } else {
    throw std::invalid_argument("bf16 is packed from bfloat16, int8 from bfloat16 or float32");
  }
}

template <typename T>
void run_linear(const Matrix& matrix, Address x, std::size_t tokens, Address out) {
  const Kernels& table = needed_kernels();
  nb::gil_scoped_release release;
  linear(table, matrix, at<const std::uint16_t>(x), tokens, at<T>(out));
}

// Throws unless all indices are in [0, stop).
void check_range(const std::int64_t* indices, std::size_t count, std::size_t stop, const char* what) {
  for (std::size_t i = 0; i < count; ++i) {
    if (static_cast<std::uint64_t>(indices[i]) >= stop) {
      const std::string message = std::string(what) + " " + std::to_string(indices[i]) + " is not in 0.." +
                                  std::to_string(static_cast<std::int64_t>(stop) - 1);
      throw nb::index_error(message.c_str());
    }
  }
}

struct BoundMixture {
  BoundMixture(Address gate_up, Address gate_up_bias, Address down, Address down_bias, std::size_t experts,
               std::size_t hidden, std::size_t intermediate, float alpha, float limit)
      : mixture{at<const std::uint8_t* const>(gate_up),
                at<const std::uint16_t>(gate_up_bias),
                at<const std::uint8_t* const>(down),
                at<const std::uint16_t>(down_bias),
                experts,
                hidden,
                intermediate,
                alpha,
                limit} {}

  void call(Address x, Address weights, Address chosen, std::size_t tokens, std::size_t per_token, Address out) const {
    const Kernels& table = needed_kernels();
    check_range(at<const std::int64_t>(chosen), tokens * per_token, mixture.experts, "expert");
    nb::gil_scoped_release release;
    mix_experts(table, mixture, at<const std::uint16_t>(x), at<const float>(weights), at<const std::int64_t>(chosen),
                tokens, per_token, at<std::uint16_t>(out));
  }

  Mixture mixture;
};

std::vector<std::string> supported() {
  std::vector<std::string> names;
  for (const char* name : {"avx2", "avx512", "amx"}) {
    if (find_kernels(name) != nullptr) names.emplace_back(name);
  }
  return names;
}

void bind_selection(nb::module_& module) {
  module.def("supported", supported, "The instruction sets that this processor runs, best last.");
  module.def(
      "use",
      [](const std::string& name) {
        if (!use_kernels(name.c_str())) {
          throw nb::value_error(("the instruction set " + name + " is not built or this processor lacks it").c_str());
        }
      },
      "name"_a);
  module.def("using", [] { return std::string(needed_kernels().name); });
  module.def("set_num_threads", set_num_threads, "num_threads"_a, nb::call_guard<nb::gil_scoped_release>());
  module.def("num_threads", num_threads);
  module.def(
      "read_bandwidth_bytes",
      [](Address data, std::size_t bytes) {
        const Kernels& table = needed_kernels();
        nb::gil_scoped_release release;
        return read_all(table, at<const std::uint8_t>(data), bytes);
      },
      "data"_a, "bytes"_a, "Reads all bytes, with all threads, as fast as they come; returns a sum of them.");
}

}  // namespace

void bind_matrices(nb::module_& module) {
  bind_selection(module);
  module.def(
      "packed_bytes",
      [](const std::string& form, std::size_t rows, std::size_t columns) {
        return packed_bytes(form_of(form), rows, columns);
      },
      "form"_a, "rows"_a, "columns"_a);
  module.def("pack", pack, "form"_a, "weights"_a, "is_float32"_a, "rows"_a, "columns"_a, "out"_a);
  module.def(
      "pack_mxfp4",
      [](Address blocks, Address scales, std::size_t rows, std::size_t columns, Address out) {
        pack_mxfp4(at<const std::uint8_t>(blocks), at<const std::uint8_t>(scales), rows, columns,
                   at<std::uint8_t>(out));
      },
      "blocks"_a, "scales"_a, "rows"_a, "columns"_a, "out"_a, nb::call_guard<nb::gil_scoped_release>());
  nb::class_<Matrix>(module, "Matrix")
      .def("__init__",
           [](Matrix* self, const std::string& form, Address data, std::size_t rows, std::size_t columns,
              Address bias) { new (self) Matrix(matrix_of(form, data, rows, columns, bias)); },
           "form"_a, "data"_a, "rows"_a, "columns"_a, "bias"_a)
      .def("linear", run_linear<std::uint16_t>, "x"_a, "tokens"_a, "out"_a)
      .def("logits", run_linear<float>, "x"_a, "tokens"_a, "out"_a)
      .def(
          "embed",
          [](const Matrix& matrix, Address ids, std::size_t tokens, Address out) {
            check_range(at<const std::int64_t>(ids), tokens, matrix.rows, "token id");
            nb::gil_scoped_release release;
            embed(matrix, at<const std::int64_t>(ids), tokens, at<std::uint16_t>(out));
          },
          "ids"_a, "tokens"_a, "out"_a);
  nb::class_<BoundMixture>(module, "Mixture")
      .def(nb::init<Address, Address, Address, Address, std::size_t, std::size_t, std::size_t, float, float>(),
           "gate_up"_a, "gate_up_bias"_a, "down"_a, "down_bias"_a, "experts"_a, "hidden"_a, "intermediate"_a,
           "alpha"_a, "limit"_a)
      .def("call", &BoundMixture::call, "x"_a, "weights"_a, "chosen"_a, "tokens"_a, "per_token"_a, "out"_a);
}

}  // namespace netweight
