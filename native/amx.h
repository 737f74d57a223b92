// Products by AMX tiles: 16 tokens by 16 rows by 32 inputs of bfloat16 in one instruction.
//
// MXFP4 blocks become bfloat16 on the way, exactly for scale bytes from 2 to 252: smaller ones count as zeros,
// larger ones as 252. Subnormal numbers count as zeros, as the unit has it. Every token goes this way, alone or
// not, so that its result does not depend on the others; a chain adds 32 inputs at a time.
#pragma once

#include "lanes.h"
#include "products.h"

namespace netweight::NETWEIGHT_ISA {
namespace {

constexpr std::size_t kTileTokens = 16, kTokenTiles = 4;
// So many blocks are expanded before the first is used: a tile load of what was just stored would wait.
constexpr std::size_t kBlocksAhead = 8;
constexpr std::size_t kBlockBytes = 2 * kBlockInputs * kTileRows;

// Tiles 0 to 3 hold sums, 4 and 5 inputs of 16 and of the last few tokens, 6 weights.
struct alignas(64) TileConfig {
  std::uint8_t palette = 1, start_row = 0, reserved[14] = {};
  std::uint16_t row_bytes[16] = {64, 64, 64, 64, 64, 64, 64};
  std::uint8_t rows[16] = {16, 16, 16, 16, 16, 16, 16};
};

void configure_tiles(std::size_t token_tiles, std::size_t last_tokens) {
  TileConfig config;
  config.rows[token_tiles - 1] = config.rows[5] = static_cast<std::uint8_t>(last_tokens);
#if defined(NETWEIGHT_EMULATED)
  emulated::configure(reinterpret_cast<const emulated::TileConfig&>(config));
#else
  // gcc 12's intrinsic does not say that it reads memory, and loses the stores to `config`.
  asm volatile("ldtilecfg %0" : : "m"(config) : "memory");
#endif
}

void release_tiles() {
#if !defined(NETWEIGHT_EMULATED)
  asm volatile("tilerelease" : : : "memory");
#endif
}

// Inputs of tokens, 32 at a time.
struct TokenBlocks {
  const char* from;
  std::size_t token_stride, block_stride;  // bytes
};

// Sums of `weights` (a function from a block to its tile) times 16 * (N - 1) and a few tokens.
template <std::size_t N, typename Weights>
NETWEIGHT_INLINE void multiply_tiles(std::size_t blocks, const TokenBlocks& x, const Weights& weights, float* out) {
  _tile_zero(0);
  if constexpr (N > 1) _tile_zero(1);
  if constexpr (N > 2) _tile_zero(2);
  if constexpr (N > 3) _tile_zero(3);
  const std::size_t stride = x.token_stride, step = kTileTokens * stride;
  for (std::size_t block = 0; block < blocks; ++block) {
    const char* inputs = x.from + block * x.block_stride;
    const void* tile = weights(block);
    asm volatile("" : : : "memory");  // gcc 12's tile loads do not say that they read memory either
    _tile_loadd(6, tile, 64);
    if constexpr (N > 1) {
      _tile_loadd(4, inputs, stride);
      _tile_dpbf16ps(0, 4, 6);
    }
    if constexpr (N > 2) {
      _tile_loadd(4, inputs + step, stride);
      _tile_dpbf16ps(1, 4, 6);
    }
    if constexpr (N > 3) {
      _tile_loadd(4, inputs + 2 * step, stride);
      _tile_dpbf16ps(2, 4, 6);
    }
    _tile_loadd(5, inputs + (N - 1) * step, stride);
    if constexpr (N == 1) _tile_dpbf16ps(0, 5, 6);
    if constexpr (N == 2) _tile_dpbf16ps(1, 5, 6);
    if constexpr (N == 3) _tile_dpbf16ps(2, 5, 6);
    if constexpr (N == 4) _tile_dpbf16ps(3, 5, 6);
  }
  _tile_stored(0, out, 64);
  if constexpr (N > 1) _tile_stored(1, out + kTileTokens * kTileRows, 64);
  if constexpr (N > 2) _tile_stored(2, out + 2 * kTileTokens * kTileRows, 64);
  if constexpr (N > 3) _tile_stored(3, out + 3 * kTileTokens * kTileRows, 64);
}

template <typename Weights>
void multiply_tokens(std::size_t blocks, TokenBlocks x, const Weights& weights, std::size_t count, float* out) {
  while (count > 0) {
    const std::size_t most = kTokenTiles * kTileTokens, tokens = count < most ? count : most;
    const std::size_t tiles = (tokens + kTileTokens - 1) / kTileTokens;
    configure_tiles(tiles, tokens - (tiles - 1) * kTileTokens);
    switch (tiles) {
      case 1: multiply_tiles<1>(blocks, x, weights, out); break;
      case 2: multiply_tiles<2>(blocks, x, weights, out); break;
      case 3: multiply_tiles<3>(blocks, x, weights, out); break;
      default: multiply_tiles<4>(blocks, x, weights, out); break;
    }
    x.from += tokens * x.token_stride;
    out += tokens * kTileRows;
    count -= tokens;
  }
  release_tiles();
}

// The exponents of 16 scale bytes, in both words of each lane, as what is added to bfloat16 bits; lanes that
// count as zeros are left out of `kept`.
struct BlockScales {
  __m512i exponents;
  __mmask32 kept;
};
NETWEIGHT_INLINE BlockScales block_scales(const std::uint8_t* from) {
  const __m512i bytes = _mm512_cvtepu8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(from)));
  const __m512i both = _mm512_or_si512(bytes, _mm512_slli_epi32(bytes, 16));
  const __m512i clamped = _mm512_min_epi16(both, _mm512_set1_epi16(252));
  const __m512i exponents = _mm512_slli_epi16(_mm512_sub_epi16(clamped, _mm512_set1_epi16(127)), 7);
  return {exponents, _mm512_test_epi16_mask(both, _mm512_set1_epi16(0xFE))};
}

// bfloat16 of the codes in the low four bits of each word; the bit above them changes nothing.
NETWEIGHT_INLINE __m512i scaled_values(__m512i codes, const BlockScales& scales) {
  alignas(64) static constexpr std::uint16_t kValues[32] = {
      0x0000, 0x3F00, 0x3F80, 0x3FC0, 0x4000, 0x4040, 0x4080, 0x40C0, 0x8000, 0xBF00, 0xBF80,
      0xBFC0, 0xC000, 0xC040, 0xC080, 0xC0C0, 0x0000, 0x3F00, 0x3F80, 0x3FC0, 0x4000, 0x4040,
      0x4080, 0x40C0, 0x8000, 0xBF00, 0xBF80, 0xBFC0, 0xC000, 0xC040, 0xC080, 0xC0C0};
  const __m512i values = _mm512_permutexvar_epi16(codes, _mm512_load_si512(kValues));
  const __mmask32 nonzero = _mm512_test_epi16_mask(codes, _mm512_set1_epi16(7)) & scales.kept;
  return _mm512_maskz_add_epi16(nonzero, values, scales.exponents);
}

NETWEIGHT_INLINE void expand_to_bfloat16(const std::uint8_t* from, const BlockScales& scales, std::uint16_t* to) {
#pragma GCC unroll 4
  for (std::size_t group = 0; group < 4; ++group) {
    const __m512i bytes = load_ints(from + 64 * group).all;
    std::uint16_t* pairs = to + group * 4 * 2 * kTileRows;
    store_ints(pairs, {scaled_values(bytes, scales)});
    store_ints(pairs + 2 * kTileRows, {scaled_values(_mm512_srli_epi16(bytes, 8), scales)});
    store_ints(pairs + 4 * kTileRows, {scaled_values(_mm512_srli_epi16(bytes, 4), scales)});
    store_ints(pairs + 6 * kTileRows, {scaled_values(_mm512_srli_epi16(bytes, 12), scales)});
  }
}

}  // namespace
}  // namespace netweight::NETWEIGHT_ISA
