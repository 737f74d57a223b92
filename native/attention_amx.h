// Attention by AMX tiles: 16 queries by 16 keys by 32 dimensions in one instruction.
//
// Rows of queries lie in tile 7, 32 dimensions at a time, beside 16 keys in tile 6; weights of 16 keys in tile 4
// beside their values, 16 dimensions at a time, in tile 5; sums in tiles 0 to 3. Pages are laid out for this.
// Weights are rounded to bfloat16 before they meet values, as in the reference; subnormal numbers count as
// zeros. A tile's rows do not meet, so that what attention.h says of one query's arithmetic holds here too:
// every query goes this way, alone or not.
#pragma once

#include "attention_tile.h"

namespace netweight::NETWEIGHT_ISA {
namespace {

constexpr std::size_t kRowsOfTile = 16;

// gcc 12's intrinsics for tiles do not say that they read memory.
NETWEIGHT_INLINE void finish_stores() { __asm__ volatile("" : : : "memory"); }

struct alignas(64) AttentionTiles {
  std::uint8_t palette = 1, start_row = 0, reserved[14] = {};
  std::uint16_t row_bytes[16] = {64, 64, 64, 64, 32, 64, 64, 64};
  std::uint8_t rows[16] = {16, 16, 16, 16, 16, 8, 16, 16};
};

template <std::size_t N>
NETWEIGHT_INLINE void score_pages(const Tile& tile, const std::uint16_t* q, std::size_t head_dim, float* scores) {
  const std::size_t stride = 2 * head_dim;
  _tile_zero(0);
  if constexpr (N > 1) _tile_zero(1);
  if constexpr (N > 2) _tile_zero(2);
  if constexpr (N > 3) _tile_zero(3);
  for (std::size_t dim = 0; dim < head_dim; dim += 32) {
    _tile_loadd(7, q + dim, stride);
    _tile_loadd(6, tile.keys[0] + dim * kPageTokens, 64);
    _tile_dpbf16ps(0, 7, 6);
    if constexpr (N > 1) {
      _tile_loadd(6, tile.keys[1] + dim * kPageTokens, 64);
      _tile_dpbf16ps(1, 7, 6);
    }
    if constexpr (N > 2) {
      _tile_loadd(6, tile.keys[2] + dim * kPageTokens, 64);
      _tile_dpbf16ps(2, 7, 6);
    }
    if constexpr (N > 3) {
      _tile_loadd(6, tile.keys[3] + dim * kPageTokens, 64);
      _tile_dpbf16ps(3, 7, 6);
    }
  }
  _tile_stored(0, scores + tile.slot[0] * kPageTokens, 4 * kTileKeys);
  if constexpr (N > 1) _tile_stored(1, scores + tile.slot[1] * kPageTokens, 4 * kTileKeys);
  if constexpr (N > 2) _tile_stored(2, scores + tile.slot[2] * kPageTokens, 4 * kTileKeys);
  if constexpr (N > 3) _tile_stored(3, scores + tile.slot[3] * kPageTokens, 4 * kTileKeys);
}

// Adds weights times values to N times 16 dimensions, from `dim` on.
template <std::size_t N>
NETWEIGHT_INLINE void mix_dims(const Tile& tile, const std::uint16_t* weights, std::size_t dim, std::size_t head_dim,
                               float* mixed) {
  const std::size_t stride = 4 * head_dim;  // bytes, of sums in float32 and of pairs of values alike
  _tile_loadd(0, mixed + dim, stride);
  _tile_loadd(1, mixed + dim + 16, stride);
  if constexpr (N > 2) _tile_loadd(2, mixed + dim + 32, stride);
  if constexpr (N > 2) _tile_loadd(3, mixed + dim + 48, stride);
  for (std::size_t page = 0; page < tile.count; ++page) {
    const std::uint16_t* values = tile.values[page] + 2 * dim;
    _tile_loadd(4, weights + tile.slot[page] * kPageTokens, 2 * kTileKeys);
    _tile_loadd(5, values, stride);
    _tile_dpbf16ps(0, 4, 5);
    _tile_loadd(5, values + 32, stride);
    _tile_dpbf16ps(1, 4, 5);
    if constexpr (N > 2) {
      _tile_loadd(5, values + 64, stride);
      _tile_dpbf16ps(2, 4, 5);
      _tile_loadd(5, values + 96, stride);
      _tile_dpbf16ps(3, 4, 5);
    }
  }
  _tile_stored(0, mixed + dim, stride);
  _tile_stored(1, mixed + dim + 16, stride);
  if constexpr (N > 2) _tile_stored(2, mixed + dim + 32, stride);
  if constexpr (N > 2) _tile_stored(3, mixed + dim + 48, stride);
}

// What `attend_by` asks of a way to multiply.
struct InTiles {
  static bool serves(std::size_t head_dim) { return head_dim % 32 == 0; }

  // More than 16 rows are padded to a multiple of 16 (Scratch has the room): no one looks at the sums of the rest.
  static void start(std::size_t rows) {
    AttentionTiles tiles;
    if (rows < kRowsOfTile) {
      for (std::size_t tile = 0; tile < 8; ++tile) {
        if (tile != 5 && tile != 6) tiles.rows[tile] = static_cast<std::uint8_t>(rows);
      }
    }
#if defined(NETWEIGHT_EMULATED)
    emulated::configure(reinterpret_cast<const emulated::TileConfig&>(tiles));
#else
    __asm__ volatile("ldtilecfg %0" : : "m"(tiles) : "memory");
#endif
  }
  static void stop() {
#if !defined(NETWEIGHT_EMULATED)
    __asm__ volatile("tilerelease" : : : "memory");
#endif
  }

  static void put(const std::uint16_t* q, std::size_t row, std::size_t head_dim, const Scratch& scratch) {
    __builtin_memcpy(scratch.narrow_q + row * head_dim, q, 2 * head_dim);
  }

  static void score(const Tile& tile, std::size_t rows, std::size_t head_dim, const Scratch& scratch) {
    finish_stores();
    for (std::size_t row = 0; row < rows; row += kRowsOfTile) {
      const std::uint16_t* q = scratch.narrow_q + row * head_dim;
      float* scores = scratch.scores + row * kTileKeys;
      switch (tile.count) {
        case 1: score_pages<1>(tile, q, head_dim, scores); break;
        case 2: score_pages<2>(tile, q, head_dim, scores); break;
        case 3: score_pages<3>(tile, q, head_dim, scores); break;
        default: score_pages<4>(tile, q, head_dim, scores); break;
      }
    }
  }

  static Floats scaled(Floats score, float scale) { return times(score, all_lanes(scale)); }

  static void keep(Floats weights, std::size_t row, std::size_t slot, const Scratch& scratch) {
    store_bfloat16(scratch.narrow_weights + row * kTileKeys + slot * kPageTokens, to_bfloat16(weights));
  }

  // While rows are weighed, the next tile comes from memory: a part of it beside each row.
  static void fetch_part(const Tile& next, std::size_t row, std::size_t rows, std::size_t head_dim) {
    const std::size_t page_bytes = 2 * kPageTokens * head_dim;
    const std::size_t first = page_bytes * row / rows / 64 * 64, last = page_bytes * (row + 1) / rows / 64 * 64;
    for (std::size_t page = 0; page < next.count; ++page) {
      for (std::size_t line = first; line < last; line += 64) {
        fetch_line(reinterpret_cast<const char*>(next.keys[page]) + line);
        fetch_line(reinterpret_cast<const char*>(next.values[page]) + line);
      }
    }
  }

  static void mix(const Tile& tile, const Tile&, std::size_t rows, std::size_t head_dim, const Scratch& scratch) {
    finish_stores();
    for (std::size_t row = 0; row < rows; row += kRowsOfTile) {
      const std::uint16_t* weights = scratch.narrow_weights + row * kTileKeys;
      float* mixed = scratch.mixed + row * head_dim;
      std::size_t dim = 0;
      for (; dim + 64 <= head_dim; dim += 64) mix_dims<4>(tile, weights, dim, head_dim, mixed);
      if (dim < head_dim) mix_dims<2>(tile, weights, dim, head_dim, mixed);
    }
  }
};

}  // namespace
}  // namespace netweight::NETWEIGHT_ISA
