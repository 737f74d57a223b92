// Products of packed matrices, tile by tile: what each instruction set does its own way.
//
// A tile is 16 rows of a matrix; pack.h has the layouts. Activations come as float32 (for bfloat16
// matrices) or as 16-bit integers with a float32 scale per 32 inputs (for the others). A product adds
// up in ascending order of inputs, one chain per row, so that a token's result does not depend on
// which other tokens are computed beside it, nor on the instruction set.
#pragma once

#include <cstddef>
#include <cstdint>

namespace netweight {

constexpr std::size_t kTileRows = 16;
constexpr std::size_t kBlockInputs = 32;  // inputs that share a scale

// In which order the inputs of a block stand, so that they meet the weights of a form in pairs.
enum class Order { natural, mxfp4 };

// Activations as a product of quantised weights takes them: `count` rows, block by block. What the values are is
// between an instruction set's `quantize` and its products: 16-bit integers, or for MXFP4 with AMX bfloat16,
// with no scales.
struct Quantized {
  std::int16_t* values;  // [blocks][count][32]
  float* scales;         // [blocks][count]; for MXFP4 halved, as its weights are doubled
  std::size_t count;
  // For MXFP4, or null: the values again, in natural order, as 32 upper and 32 lower bytes, value = 256 * upper +
  // lower, [blocks][count][2][32]; and -12 times their sum [blocks][count]. One token goes faster with them.
  std::int8_t* bytes = nullptr;
  std::int32_t* corrections = nullptr;
};

struct TileKernels {
  // Row `row` of `out` from x [columns] bfloat16: per block s = max|x| / 32512 and q = round(x / s), to even.
  // Blocks under 2^-100 become zeros; one that holds an infinity or a NaN gets a NaN for its scale.
  // What x lacks to a whole block is zero.
  void (*quantize)(const std::uint16_t* x, std::size_t columns, Order order, const Quantized& out, std::size_t row);

  // x [columns] bfloat16 to what `bfloat16` takes, padded with zeros to `padded` inputs: float32, or with AMX
  // bfloat16 in the first half of `out`.
  void (*widen)(const std::uint16_t* x, std::size_t columns, std::size_t padded, float* out);

  // out[i][t][r] = sum over inputs of row r of tile i * x[first + t], for `tiles` tiles that stand one after another,
  // `count` tokens and 16 rows.
  void (*mxfp4)(const std::uint8_t* tile, std::size_t tiles, std::size_t blocks, const Quantized& x,
                std::size_t first, std::size_t count, float* out);
  void (*int8)(const std::uint8_t* tile, std::size_t tiles, std::size_t blocks, const Quantized& x,
               std::size_t first, std::size_t count, float* out);
  // The same with x [count][32 * blocks] as `widen` makes it.
  void (*bfloat16)(const std::uint8_t* tile, std::size_t tiles, std::size_t blocks, const float* x,
                   std::size_t count, float* out);

  // sums [count][16] += bias, of which `width` are there.
  void (*add_bias)(const std::uint16_t* bias, std::size_t count, std::size_t width, float* sums);
  // Rounds `width` of each row of sums [count][16] to bfloat16, out [count][stride].
  void (*round)(const float* sums, std::size_t count, std::size_t width, std::uint16_t* out, std::size_t stride);

  // gpt-oss's SwiGLU of `count` rows of 64 (gate and linear interleaved) bfloat16 to rows of 32 bfloat16.
  void (*swiglu)(const std::uint16_t* x, std::size_t count, float alpha, float limit, std::uint16_t* out);

  // out[i] = sum over k of weights[k] * rows[k][i], in float32, in order, rounded to bfloat16; size a multiple of 16.
  void (*mix)(const std::uint16_t* const* rows, const float* weights, std::size_t num_rows, std::size_t size,
              std::uint16_t* out);

  // A sum over all bytes, to read memory as fast as it goes.
  std::uint64_t (*sum)(const std::uint8_t* data, std::size_t bytes);
};

}  // namespace netweight
