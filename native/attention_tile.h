// What the ways to multiply in attention share: tiles of 64 keys, and memory for a block of queries.
#pragma once

#include "attention.h"
#include "simd.h"

namespace netweight::NETWEIGHT_ISA {
namespace {

constexpr std::size_t kTilePages = 4;
constexpr std::size_t kTileKeys = kTilePages * kPageTokens;
constexpr float kLog2E = 1.44269504f;

NETWEIGHT_INLINE void fetch_line(const void* address) { _mm_prefetch(static_cast<const char*>(address), _MM_HINT_T0); }

// The pages of a tile that a block of queries can see any of.
struct Tile {
  std::size_t first_position;
  std::size_t count;
  std::size_t slot[kTilePages];  // which page of the tile: 0 to 3
  const std::uint16_t* keys[kTilePages];
  const std::uint16_t* values[kTilePages];
};

struct Scratch {
  float* q;        // [rows][head_dim], scaled
  float* scores;   // [rows][64]: of the tile, then the weights
  float* sums;     // [rows][16] of weights
  float* mixed;    // [rows][padded head_dim]
  float* largest;  // [rows]
  std::uint16_t* narrow_q;        // [rows][head_dim]: as they came
  std::uint16_t* narrow_weights;  // [rows][64]
  std::uint16_t* turned;          // [head_dim]
  std::uint16_t* values;          // one page's
};

constexpr std::size_t padded(std::size_t count) { return (count + 15) / 16 * 16; }

float score_scale(std::size_t head_dim) { return kLog2E / __builtin_sqrtf(static_cast<float>(head_dim)); }

Scratch divide(float* scratch, std::size_t count, std::size_t head_dim) {
  const std::size_t rows = padded(count);
  Scratch parts;
  const auto take = [&](std::size_t count) {
    float* part = scratch;
    scratch += padded(count);
    return part;
  };
  parts.q = take(rows * head_dim);
  parts.scores = take(rows * kTileKeys);
  parts.sums = take(rows * 16);
  parts.mixed = take(rows * padded(head_dim));
  parts.largest = take(rows);
  parts.narrow_q = reinterpret_cast<std::uint16_t*>(take(rows * head_dim / 2));
  parts.narrow_weights = reinterpret_cast<std::uint16_t*>(take(rows * kTileKeys / 2));
  parts.turned = reinterpret_cast<std::uint16_t*>(take(head_dim));
  parts.values = reinterpret_cast<std::uint16_t*>(take(kPageTokens / 2 * head_dim));
  return parts;
}

}  // namespace
}  // namespace netweight::NETWEIGHT_ISA
