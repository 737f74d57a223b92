// Compiled once for each instruction set: passes over all logits (sampling.h says what each function computes).
#include "rows_isa.h"
#include "simd.h"

namespace netweight::NETWEIGHT_ISA {
namespace {

// What is missing of a last vector counts as minus infinity.
NETWEIGHT_INLINE Floats load_logits(const float* from, std::size_t count) {
  if (count >= 16) return load(from);
  float padded[16];
  for (std::size_t i = 0; i < 16; ++i) padded[i] = i < count ? from[i] : -__builtin_inff();
  return load(padded);
}

}  // namespace

float largest_logit(const float* x, std::size_t size) {
  Floats top[4];
  for (Floats& part : top) part = all_lanes(-__builtin_inff());
  std::size_t i = 0;
  for (; i + 64 <= size; i += 64) {
#pragma GCC unroll 4
    for (std::size_t part = 0; part < 4; ++part) top[part] = larger(load(x + i + 16 * part), top[part]);
  }
  for (; i < size; i += 16) top[0] = larger(load_logits(x + i, size - i), top[0]);
  return largest_of(larger(larger(top[0], top[1]), larger(top[2], top[3])));
}

void weigh(const float* logits, std::size_t size, float largest, float temperature, float* weights, float* sums,
           float* largest_weights) {
  const Floats shift = all_lanes(largest), factor = all_lanes(1.44269504f / temperature);
  for (std::size_t block = 0; block * kWeightBlock < size; ++block) {
    Floats sum = zero_floats(), top = zero_floats();
    for (std::size_t i = block * kWeightBlock; i < size && i < (block + 1) * kWeightBlock; i += 16) {
      const Floats weight = exp2(times(minus(load_logits(logits + i, size - i), shift), factor));
      sum = plus(sum, weight);
      top = larger(weight, top);
      if (i + 16 <= size) {
        store(weights + i, weight);
      } else {
        float part[16];
        store(part, weight);
        __builtin_memcpy(weights + i, part, 4 * (size - i));
      }
    }
    sums[block] = sum_of(sum);
    largest_weights[block] = largest_of(top);
  }
}

}  // namespace netweight::NETWEIGHT_ISA
