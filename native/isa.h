// One source, several instruction sets: a file that includes this is compiled once for each, with
// NETWEIGHT_ISA naming the namespace its functions go into. CMakeLists.txt has the compiler's flags.
//
// avx2:   AVX2, FMA, F16C.
// avx512: AVX-512 F, BW, DQ, VL, VNNI, BF16.
// amx:    avx512, and AMX tiles of bfloat16.
#pragma once

#ifndef NETWEIGHT_ISA
#error "compile this file for an instruction set: -DNETWEIGHT_ISA=avx2 and the like"
#endif

// For what is shared by files of one instruction set. Always inlined, so that no copy is left of which the
// linker could keep one for all instruction sets.
#define NETWEIGHT_INLINE inline __attribute__((always_inline))
