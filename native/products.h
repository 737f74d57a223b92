// One instruction set's functions for tiles.h's table. Include it only where NETWEIGHT_ISA is set.
#pragma once

#include "isa.h"
#include "tiles.h"

namespace netweight::NETWEIGHT_ISA {

void quantize_row(const std::uint16_t* x, std::size_t columns, Order order, const Quantized& out, std::size_t row);
void widen_row(const std::uint16_t* x, std::size_t columns, std::size_t padded, float* out);
void mxfp4_product(const std::uint8_t* tile, std::size_t tiles, std::size_t blocks, const Quantized& x,
                   std::size_t first, std::size_t count, float* out);
void int8_product(const std::uint8_t* tile, std::size_t tiles, std::size_t blocks, const Quantized& x,
                  std::size_t first, std::size_t count, float* out);
void bfloat16_product(const std::uint8_t* tile, std::size_t tiles, std::size_t blocks, const float* x,
                      std::size_t count, float* out);
void add_bias(const std::uint16_t* bias, std::size_t count, std::size_t width, float* sums);
void round_rows(const float* sums, std::size_t count, std::size_t width, std::uint16_t* out, std::size_t stride);
void swiglu_rows(const std::uint16_t* x, std::size_t count, float alpha, float limit, std::uint16_t* out);
void mix_rows(const std::uint16_t* const* rows, const float* weights, std::size_t num_rows, std::size_t size,
              std::uint16_t* out);
std::uint64_t sum_words(const std::uint8_t* data, std::size_t bytes);

inline constexpr TileKernels kTileKernels = {quantize_row, widen_row,  mxfp4_product, int8_product, bfloat16_product,
                                             add_bias,     round_rows, swiglu_rows,   mix_rows,     sum_words};

}  // namespace netweight::NETWEIGHT_ISA
