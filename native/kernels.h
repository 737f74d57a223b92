// What every instruction set offers, as a table of functions: chosen once, at run time, by what the
// processor can do. Each function's comment says what it computes; `reference.py` is the definition.
#pragma once

namespace netweight {

struct Kernels {
  const char* name;
};

// The table of one instruction set: "avx2", "avx512" or "amx"; null where it was not compiled in or
// the processor lacks it.
const Kernels* find_kernels(const char* name);

}  // namespace netweight
