// Sixteen lanes, one for each row of a tile, under one set of names for all instruction sets.
#pragma once

#if defined(NETWEIGHT_EMULATED)
#include "emulated.h"
#else
#include <immintrin.h>
#endif

#include <cstddef>
#include <cstdint>

#include "isa.h"

namespace netweight::NETWEIGHT_ISA {

namespace {

// How far ahead of its use a stream is fetched: 2 KB beat 512 bytes and 1 KB by a few percent and 4 KB by
// nothing (one core reading from memory; benchmarks/kernels.py).
constexpr std::size_t kFetchAhead = 2048;

NETWEIGHT_INLINE void fetch(const void* address) {
  _mm_prefetch(static_cast<const char*>(address) + kFetchAhead, _MM_HINT_T0);
}

#if defined(NETWEIGHT_AVX512)

struct Floats {
  __m512 all;
};
struct Ints {
  __m512i all;
};
using Broadcast = __m512;       // one float for all rows
using BroadcastPair = __m512i;  // two 16-bit integers for all rows

NETWEIGHT_INLINE Floats zero_floats() { return {_mm512_setzero_ps()}; }
NETWEIGHT_INLINE Ints zero_ints() { return {_mm512_setzero_si512()}; }

NETWEIGHT_INLINE Floats load(const float* from) { return {_mm512_loadu_ps(from)}; }
NETWEIGHT_INLINE void store(float* to, Floats x) { _mm512_storeu_ps(to, x.all); }
NETWEIGHT_INLINE Ints load_ints(const void* from) { return {_mm512_loadu_si512(from)}; }
NETWEIGHT_INLINE void store_ints(void* to, Ints x) { _mm512_storeu_si512(to, x.all); }

NETWEIGHT_INLINE Broadcast broadcast(const float* from) { return _mm512_set1_ps(*from); }
NETWEIGHT_INLINE BroadcastPair broadcast_pair(const std::int16_t* from) {
  int pair;
  __builtin_memcpy(&pair, from, 4);
  return _mm512_set1_epi32(pair);
}

NETWEIGHT_INLINE Floats times(Floats x, Broadcast y) { return {_mm512_mul_ps(x.all, y)}; }
NETWEIGHT_INLINE Floats fma(Floats x, Floats y, Floats z) { return {_mm512_fmadd_ps(x.all, y.all, z.all)}; }
NETWEIGHT_INLINE Floats fma(Floats x, Broadcast y, Floats z) { return {_mm512_fmadd_ps(x.all, y, z.all)}; }
NETWEIGHT_INLINE Floats to_floats(Ints x) { return {_mm512_cvtepi32_ps(x.all)}; }
NETWEIGHT_INLINE Ints plus(Ints x, Ints y) { return {_mm512_add_epi32(x.all, y.all)}; }
NETWEIGHT_INLINE Ints shift_right(Ints x, unsigned bits) { return {_mm512_srai_epi32(x.all, bits)}; }

// sum + the products of two pairs of 16-bit integers in each lane.
NETWEIGHT_INLINE Ints dot(Ints sum, Ints pairs, BroadcastPair x) {
  return {_mm512_dpwssd_epi32(sum.all, pairs.all, x)};
}

// Each 16-bit half of a lane holds a byte pair: the lower and the upper one as integers times 256 and times 1.
NETWEIGHT_INLINE Ints lower_bytes_times_256(Ints x) { return {_mm512_slli_epi16(x.all, 8)}; }
NETWEIGHT_INLINE Ints upper_bytes(Ints x) { return {_mm512_srai_epi16(x.all, 8)}; }
NETWEIGHT_INLINE Ints lower_bytes(Ints x) { return upper_bytes(lower_bytes_times_256(x)); }

// The doubled MXFP4 values of the lower and the upper nibbles of 64 bytes, as bytes.
NETWEIGHT_INLINE Ints lower_nibble_values(Ints x) {
  const __m512i table =
      _mm512_broadcast_i32x4(_mm_setr_epi8(0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12));
  return {_mm512_shuffle_epi8(table, _mm512_and_si512(x.all, _mm512_set1_epi8(15)))};
}
NETWEIGHT_INLINE Ints upper_nibble_values(Ints x) { return lower_nibble_values({_mm512_srli_epi16(x.all, 4)}); }

// 2^(byte - 128) for each of 16 scale bytes: that of the block, halved as its values are doubled. Exact for
// 0 and 1 too, whose results are subnormal.
NETWEIGHT_INLINE Floats mxfp4_scales(const std::uint8_t* from) {
  const __m512i exponents = _mm512_cvtepu8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(from)));
  const __m512i normal = _mm512_sub_epi32(_mm512_slli_epi32(exponents, 23), _mm512_set1_epi32(1 << 23));
  const __m512i tiny =
      _mm512_and_si512(_mm512_sllv_epi32(_mm512_set1_epi32(1 << 21), exponents), _mm512_set1_epi32(3 << 21));
  return {_mm512_castsi512_ps(_mm512_max_epi32(normal, tiny))};
}

// 16 pairs of bytes as pairs of 16-bit integers.
NETWEIGHT_INLINE Ints load_byte_pairs(const std::int8_t* from) {
  return {_mm512_cvtepi8_epi16(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(from)))};
}
NETWEIGHT_INLINE Floats load_float16(const std::uint16_t* from) {
  return {_mm512_cvtph_ps(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(from)))};
}

// The first and the second bfloat16 of each lane.
NETWEIGHT_INLINE Floats first_bfloat16(Ints x) { return {_mm512_castsi512_ps(_mm512_slli_epi32(x.all, 16))}; }
NETWEIGHT_INLINE Floats second_bfloat16(Ints x) {
  return {_mm512_castsi512_ps(_mm512_and_si512(x.all, _mm512_set1_epi32(static_cast<int>(0xFFFF0000u))))};
}

// Tokens at a time: enough sums to hide the latency of each.
constexpr std::size_t kTokensAtOnce = 12;
constexpr std::size_t kFloatTokensAtOnce = 12;

#else

struct Floats {
  __m256 lo, hi;
};
struct Ints {
  __m256i lo, hi;
};
using Broadcast = __m256;       // one float for all rows
using BroadcastPair = __m256i;  // two 16-bit integers for all rows

NETWEIGHT_INLINE Floats zero_floats() { return {_mm256_setzero_ps(), _mm256_setzero_ps()}; }
NETWEIGHT_INLINE Ints zero_ints() { return {_mm256_setzero_si256(), _mm256_setzero_si256()}; }

NETWEIGHT_INLINE Floats load(const float* from) { return {_mm256_loadu_ps(from), _mm256_loadu_ps(from + 8)}; }
NETWEIGHT_INLINE void store(float* to, Floats x) {
  _mm256_storeu_ps(to, x.lo);
  _mm256_storeu_ps(to + 8, x.hi);
}
NETWEIGHT_INLINE Ints load_ints(const void* from) {
  const auto* words = static_cast<const __m256i*>(from);
  return {_mm256_loadu_si256(words), _mm256_loadu_si256(words + 1)};
}
NETWEIGHT_INLINE void store_ints(void* to, Ints x) {
  auto* words = static_cast<__m256i*>(to);
  _mm256_storeu_si256(words, x.lo);
  _mm256_storeu_si256(words + 1, x.hi);
}

NETWEIGHT_INLINE Broadcast broadcast(const float* from) { return _mm256_broadcast_ss(from); }
NETWEIGHT_INLINE BroadcastPair broadcast_pair(const std::int16_t* from) {
  int pair;
  __builtin_memcpy(&pair, from, 4);
  return _mm256_set1_epi32(pair);
}

NETWEIGHT_INLINE Floats times(Floats x, Broadcast y) { return {_mm256_mul_ps(x.lo, y), _mm256_mul_ps(x.hi, y)}; }
NETWEIGHT_INLINE Floats fma(Floats x, Floats y, Floats z) {
  return {_mm256_fmadd_ps(x.lo, y.lo, z.lo), _mm256_fmadd_ps(x.hi, y.hi, z.hi)};
}
NETWEIGHT_INLINE Floats fma(Floats x, Broadcast y, Floats z) {
  return {_mm256_fmadd_ps(x.lo, y, z.lo), _mm256_fmadd_ps(x.hi, y, z.hi)};
}
NETWEIGHT_INLINE Floats to_floats(Ints x) { return {_mm256_cvtepi32_ps(x.lo), _mm256_cvtepi32_ps(x.hi)}; }
NETWEIGHT_INLINE Ints plus(Ints x, Ints y) { return {_mm256_add_epi32(x.lo, y.lo), _mm256_add_epi32(x.hi, y.hi)}; }
NETWEIGHT_INLINE Ints shift_right(Ints x, int bits) {
  return {_mm256_srai_epi32(x.lo, bits), _mm256_srai_epi32(x.hi, bits)};
}

// sum + the products of two pairs of 16-bit integers. In assembly, as gcc 12 puts off all additions of a loop
// when it may, and then keeps what is to be added in memory: 17 instead of 24 products a cycle (Zen 3).
NETWEIGHT_INLINE __m256i add_dot(__m256i sum, __m256i pairs, __m256i x) {
  __m256i products;
  asm("vpmaddwd %[x], %[pairs], %[products]\n\tvpaddd %[products], %[sum], %[sum]"
      : [sum] "+x"(sum), [products] "=&x"(products)
      : [pairs] "x"(pairs), [x] "x"(x));
  return sum;
}
NETWEIGHT_INLINE Ints dot(Ints sum, Ints pairs, BroadcastPair x) {
  return {add_dot(sum.lo, pairs.lo, x), add_dot(sum.hi, pairs.hi, x)};
}

// Each 16-bit half of a lane holds a byte pair: the lower and the upper one as integers times 256 and times 1.
NETWEIGHT_INLINE Ints lower_bytes_times_256(Ints x) {
  return {_mm256_slli_epi16(x.lo, 8), _mm256_slli_epi16(x.hi, 8)};
}
NETWEIGHT_INLINE Ints upper_bytes(Ints x) { return {_mm256_srai_epi16(x.lo, 8), _mm256_srai_epi16(x.hi, 8)}; }
NETWEIGHT_INLINE Ints lower_bytes(Ints x) { return upper_bytes(lower_bytes_times_256(x)); }

// The doubled MXFP4 values of the lower and the upper nibbles of 64 bytes, as bytes.
NETWEIGHT_INLINE __m256i mxfp4_table() {
  return _mm256_broadcastsi128_si256(_mm_setr_epi8(0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12));
}
NETWEIGHT_INLINE Ints lower_nibble_values(Ints x) {
  const __m256i table = mxfp4_table(), mask = _mm256_set1_epi8(15);
  return {_mm256_shuffle_epi8(table, _mm256_and_si256(x.lo, mask)),
          _mm256_shuffle_epi8(table, _mm256_and_si256(x.hi, mask))};
}
NETWEIGHT_INLINE Ints upper_nibble_values(Ints x) {
  return lower_nibble_values({_mm256_srli_epi16(x.lo, 4), _mm256_srli_epi16(x.hi, 4)});
}

NETWEIGHT_INLINE __m256 half_power_of_two(__m256i exponents) {
  const __m256i normal = _mm256_sub_epi32(_mm256_slli_epi32(exponents, 23), _mm256_set1_epi32(1 << 23));
  const __m256i tiny = _mm256_and_si256(_mm256_sllv_epi32(_mm256_set1_epi32(1 << 21), exponents),
                                        _mm256_set1_epi32(3 << 21));
  return _mm256_castsi256_ps(_mm256_max_epi32(normal, tiny));
}
// 2^(byte - 128) for each of 16 scale bytes: that of the block, halved as its values are doubled. Exact for
// 0 and 1 too, whose results are subnormal.
NETWEIGHT_INLINE Floats mxfp4_scales(const std::uint8_t* from) {
  const auto* halves = reinterpret_cast<const __m128i*>(from);
  return {half_power_of_two(_mm256_cvtepu8_epi32(_mm_loadl_epi64(halves))),
          half_power_of_two(_mm256_cvtepu8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(from + 8))))};
}

// 16 pairs of bytes as pairs of 16-bit integers.
NETWEIGHT_INLINE Ints load_byte_pairs(const std::int8_t* from) {
  const auto* halves = reinterpret_cast<const __m128i*>(from);
  return {_mm256_cvtepi8_epi16(_mm_loadu_si128(halves)), _mm256_cvtepi8_epi16(_mm_loadu_si128(halves + 1))};
}
NETWEIGHT_INLINE Floats load_float16(const std::uint16_t* from) {
  const auto* halves = reinterpret_cast<const __m128i*>(from);
  return {_mm256_cvtph_ps(_mm_loadu_si128(halves)), _mm256_cvtph_ps(_mm_loadu_si128(halves + 1))};
}

// The first and the second bfloat16 of each lane.
NETWEIGHT_INLINE Floats first_bfloat16(Ints x) {
  return {_mm256_castsi256_ps(_mm256_slli_epi32(x.lo, 16)), _mm256_castsi256_ps(_mm256_slli_epi32(x.hi, 16))};
}
NETWEIGHT_INLINE Floats second_bfloat16(Ints x) {
  const __m256i mask = _mm256_set1_epi32(static_cast<int>(0xFFFF0000u));
  return {_mm256_castsi256_ps(_mm256_and_si256(x.lo, mask)), _mm256_castsi256_ps(_mm256_and_si256(x.hi, mask))};
}

// Tokens at a time that fill the registers: 12 of 16 hold integer sums. Of floats 8 do; with 12, 10.5 instead of
// 14 products a cycle (Zen 3), as a pair of bfloat16 takes four more.
constexpr std::size_t kTokensAtOnce = 6;
constexpr std::size_t kFloatTokensAtOnce = 4;

#endif

}  // namespace
}  // namespace netweight::NETWEIGHT_ISA
