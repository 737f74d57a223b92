// The tables that isa_table.cpp makes, one for each instruction set that was compiled in.
#pragma once

#include "kernels.h"

#if defined(NETWEIGHT_HAS_AVX2)
namespace netweight::avx2 {
const Kernels& table();
}
#endif

#if defined(NETWEIGHT_HAS_AVX512)
namespace netweight::avx512 {
const Kernels& table();
}
#endif

#if defined(NETWEIGHT_HAS_AMX)
namespace netweight::amx {
const Kernels& table();
}
#endif
