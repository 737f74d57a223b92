// Linear layers, embeddings and mixtures of experts over packed matrices, with all threads.
//
// What runs where is decided here, once; the arithmetic of a tile is that of `Kernels::tiles`. A token's
// result depends neither on the number of threads nor on the tokens beside it.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels.h"
#include "pack.h"

namespace netweight {

struct Matrix {
  Form form;
  const std::uint8_t* data;
  std::size_t rows;
  std::size_t columns;
  const std::uint16_t* bias;  // [rows] bfloat16, or null
};

// x [tokens][columns] bfloat16 times the matrix, plus its bias: out [tokens][rows], rounded once.
void linear(const Kernels& kernels, const Matrix& matrix, const std::uint16_t* x, std::size_t tokens,
            std::uint16_t* out);
// The same without rounding.
void linear(const Kernels& kernels, const Matrix& matrix, const std::uint16_t* x, std::size_t tokens, float* out);

// Row ids[t] of the matrix as out[t] [columns], rounded to bfloat16 (exact but for int8). Ids are in range.
void embed(const Matrix& matrix, const std::int64_t* ids, std::size_t tokens, std::uint16_t* out);

struct Mixture {
  const std::uint8_t* const* gate_up;  // [experts] matrices of 2 * intermediate rows: gate and linear in turn
  const std::uint16_t* gate_up_bias;   // [experts][2 * intermediate] bfloat16
  const std::uint8_t* const* down;     // [experts] matrices of hidden rows
  const std::uint16_t* down_bias;      // [experts][hidden] bfloat16
  std::size_t experts;
  std::size_t hidden;        // a multiple of 32
  std::size_t intermediate;  // a multiple of 32
  float alpha;
  float limit;
};

// x [tokens][hidden] bfloat16 through its chosen experts [tokens][per_token] (in range), weighted, summed in
// order of slots and rounded: out [tokens][hidden]. Only chosen experts' pointers are followed.
void mix_experts(const Kernels& kernels, const Mixture& mixture, const std::uint16_t* x, const float* weights,
                 const std::int64_t* chosen, std::size_t tokens, std::size_t per_token, std::uint16_t* out);

// Reads memory with all threads; returns a sum of what was there, so that nothing is left out.
std::uint64_t read_all(const Kernels& kernels, const std::uint8_t* data, std::size_t bytes);

}  // namespace netweight
