// What every instruction set offers, as a table of functions: chosen once, at run time, by what the
// processor can do. Each function's comment says what it computes; `reference.py` is the definition.
#pragma once

#include "attention.h"
#include "rows.h"
#include "sampling.h"
#include "tiles.h"

namespace netweight {

struct Kernels {
  const char* name;
  TileKernels tiles;
  RowKernels rows;
  AttentionKernels attention;
  SamplingKernels sampling;
};

// The table of one instruction set: "avx2", "avx512" or "amx"; null where it was not compiled in or
// the processor lacks it.
const Kernels* find_kernels(const char* name);

// The table in use: the best that the processor can run, until `use_kernels` picks another by name.
// The latter returns whether it could. Null where there is none at all.
const Kernels* kernels();
bool use_kernels(const char* name);

}  // namespace netweight
