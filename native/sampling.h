// From logits to a token: the passes over the whole vocabulary. What is left to do after them is in draw.h.
//
// A weight is exp((logit - largest) / temperature), in float32: 1 for the likeliest token.
#pragma once

#include <cstddef>
#include <cstdint>

namespace netweight {

// Weights are summed, and their largest kept, in blocks: what follows looks into few of them.
constexpr std::size_t kWeightBlock = 64;

struct SamplingKernels {
  // The largest of x [size]; numbers only.
  float (*largest)(const float* x, std::size_t size);

  // The weights of logits [size], and of each block their sum and the largest.
  void (*weigh)(const float* logits, std::size_t size, float largest, float temperature, float* weights, float* sums,
                float* largest_weights);
};

}  // namespace netweight
