// The tables that isa_table.cpp makes, one for each instruction set that was compiled in.
#pragma once

#include "kernels.h"

#if defined(NETWEIGHT_HAS_AVX2)
namespace netweight::avx2 {
const Kernels& table();
}
#endif
