// What is done to the rows of single tokens: norm, rotation, the choice of experts.
#pragma once

#include <cstddef>
#include <cstdint>

namespace netweight {

// Numbers as they are stored: bfloat16 where that is not null, float32 otherwise.
struct Stored {
  const std::uint16_t* bfloat16;
  const float* float32;
};

struct RowKernels {
  // out = x / sqrt(mean(x^2) + eps) * scale, in float32, rounded once to bfloat16.
  void (*rms_norm)(const std::uint16_t* x, Stored scale, std::size_t size, float eps, std::uint16_t* out);

  // One head turned: pairs (i, i + head_dim / 2) of x by cos and sin [head_dim / 2]. Every product and every
  // sum is rounded to bfloat16, as the reference does.
  void (*rotate)(const std::uint16_t* x, const std::uint16_t* cos, const std::uint16_t* sin, std::size_t head_dim,
                 std::uint16_t* out);

  // The `count` largest of logits [size], largest first, the lower index first among equals, with a
  // softmax over them. What is not a number counts as larger than all numbers.
  void (*route)(Stored logits, std::size_t size, std::size_t count, float* weights, std::int64_t* chosen);

  // out = 2^x for x <= 127, within 1 unit in the last place: what attention uses, here for its test.
  void (*exp2)(const float* x, std::size_t size, float* out);
};

}  // namespace netweight
