// Compiled once for each instruction set: the table of its functions.
#include "isa.h"
#include "kernels.h"
#include "products.h"
#include "rows_isa.h"

namespace netweight::NETWEIGHT_ISA {

#define NETWEIGHT_NAME_OF(isa) #isa
#define NETWEIGHT_NAME(isa) NETWEIGHT_NAME_OF(isa)

const Kernels& table() {
  static const Kernels kernels = {NETWEIGHT_NAME(NETWEIGHT_ISA), kTileKernels, kRowKernels, kAttentionKernels, kSamplingKernels};
  return kernels;
}

}  // namespace netweight::NETWEIGHT_ISA
