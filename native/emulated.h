// Instructions that the processor at hand need not have, for tests (make check-native): AVX-512 from SIMDe
// (Debian: libsimde-dev), what SIMDe 0.7 lacks of it, and AMX. Nothing of this is in what is installed.
#pragma once

#define SIMDE_ENABLE_NATIVE_ALIASES
#include <simde/x86/avx512.h>
#include <simde/x86/f16c.h>
#include <simde/x86/fma.h>

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace netweight::emulated {

struct Halves {
  __m256i lo, hi;
};

template <typename Wide>
inline Halves halves(Wide wide) {
  Halves both;
  static_assert(sizeof both == sizeof wide);
  std::memcpy(&both, &wide, sizeof both);
  return both;
}

template <typename Wide, typename Half>
inline Wide join(Half lo, Half hi) {
  Wide wide;
  std::memcpy(&wide, &lo, sizeof lo);
  std::memcpy(reinterpret_cast<char*>(&wide) + sizeof lo, &hi, sizeof hi);
  return wide;
}

inline __m256i words_of(__m512i x) {
  std::uint32_t lanes[16];
  std::uint16_t words[16];
  std::memcpy(lanes, &x, sizeof lanes);
  for (int i = 0; i < 16; ++i) words[i] = static_cast<std::uint16_t>(lanes[i]);
  __m256i packed;
  std::memcpy(&packed, words, sizeof packed);
  return packed;
}
inline __m512 floats_of(__m512i x) {
  const Halves x2 = halves(x);
  return join<__m512>(_mm256_cvtepi32_ps(x2.lo), _mm256_cvtepi32_ps(x2.hi));
}
inline __m512i nearest_of(__m512 x) {
  const Halves x2 = halves(x);
  return join<__m512i>(_mm256_cvtps_epi32(_mm256_castsi256_ps(x2.lo)), _mm256_cvtps_epi32(_mm256_castsi256_ps(x2.hi)));
}
inline __m512i widen_words(__m256i x) {
  return join<__m512i>(_mm256_cvtepu16_epi32(_mm256_castsi256_si128(x)),
                       _mm256_cvtepu16_epi32(_mm256_extracti128_si256(x, 1)));
}
inline __m512i widen_bytes(__m128i x) {
  return join<__m512i>(_mm256_cvtepu8_epi32(x), _mm256_cvtepu8_epi32(_mm_srli_si128(x, 8)));
}
inline __m512 widen_float16(__m256i x) {
  return join<__m512>(_mm256_cvtph_ps(_mm256_castsi256_si128(x)), _mm256_cvtph_ps(_mm256_extracti128_si256(x, 1)));
}
inline __m512i shift_right(__m512i x, int bits) {
  const Halves x2 = halves(x);
  return join<__m512i>(_mm256_srai_epi32(x2.lo, bits), _mm256_srai_epi32(x2.hi, bits));
}

// Tiles of AMX, one set for each thread.
struct Tile {
  std::size_t rows, row_bytes;
  alignas(64) unsigned char data[16][64];
};
inline thread_local Tile tiles[8];

struct TileConfig {
  std::uint8_t palette, start_row, reserved[14];
  std::uint16_t row_bytes[16];
  std::uint8_t rows[16];
};
inline void configure(const TileConfig& config) {
  for (int i = 0; i < 8; ++i) {
    tiles[i].rows = config.rows[i];
    tiles[i].row_bytes = config.row_bytes[i];
  }
}
inline void clear(int tile) { std::memset(tiles[tile].data, 0, sizeof tiles[tile].data); }
inline void load_tile(int tile, const void* from, std::size_t stride) {
  clear(tile);
  for (std::size_t r = 0; r < tiles[tile].rows; ++r) {
    std::memcpy(tiles[tile].data[r], static_cast<const char*>(from) + r * stride, tiles[tile].row_bytes);
  }
}
inline void store_tile(int tile, void* to, std::size_t stride) {
  for (std::size_t r = 0; r < tiles[tile].rows; ++r) {
    std::memcpy(static_cast<char*>(to) + r * stride, tiles[tile].data[r], tiles[tile].row_bytes);
  }
}

inline float bfloat16_at(const unsigned char* from) {
  std::uint32_t bits = 0;
  std::memcpy(reinterpret_cast<char*>(&bits) + 2, from, 2);
  if ((bits & 0x7F800000u) == 0) bits = 0;  // subnormal values count as zeros
  float value;
  std::memcpy(&value, &bits, 4);
  return value;
}
// Intel's manual, TDPBF16PS: first and second members of pairs add up apart, then both to what was there.
inline void multiply(int sums, int a, int b) {
  Tile &c = tiles[sums], &x = tiles[a], &w = tiles[b];
  float weights[16][2][16];  // [pairs][2][rows]
  for (std::size_t k = 0; k < w.rows; ++k) {
    for (std::size_t i = 0; i < 32; ++i) weights[k][i % 2][i / 2] = bfloat16_at(w.data[k] + 2 * i);
  }
  for (std::size_t m = 0; m < c.rows; ++m) {
    float total[2][16] = {};
    for (std::size_t k = 0; k < w.rows; ++k) {
      for (std::size_t i = 0; i < 2; ++i) {
        const float input = bfloat16_at(x.data[m] + 4 * k + 2 * i);
        for (std::size_t n = 0; n < 16; ++n) total[i][n] = __builtin_fmaf(input, weights[k][i][n], total[i][n]);
      }
    }
    float sum[16];
    std::memcpy(sum, c.data[m], sizeof sum);
    for (std::size_t n = 0; n < 16; ++n) sum[n] += total[0][n] + total[1][n];
    std::memcpy(c.data[m], sum, sizeof sum);
  }
}

}  // namespace netweight::emulated

#define _mm512_cvtepi32_epi16 netweight::emulated::words_of
#define _mm512_cvtepi32_ps netweight::emulated::floats_of
#define _mm512_cvtps_epi32 netweight::emulated::nearest_of
#define _mm512_cvtepu16_epi32 netweight::emulated::widen_words
#define _mm512_cvtepu8_epi32 netweight::emulated::widen_bytes
#define _mm512_cvtph_ps netweight::emulated::widen_float16
#define _mm512_srai_epi32 netweight::emulated::shift_right
#undef _tile_zero
#undef _tile_loadd
#undef _tile_stored
#undef _tile_dpbf16ps
#define _tile_zero netweight::emulated::clear
#define _tile_loadd netweight::emulated::load_tile
#define _tile_stored netweight::emulated::store_tile
#define _tile_dpbf16ps netweight::emulated::multiply
