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

// How far ahead of its use each of four streams is fetched. 1 KB beat 2 KB by 5 to 10 percent, and 512 bytes were
// as good (Zen 3, one core reading from memory).
constexpr std::size_t kFetchAhead = 1024;

// Bytes from `address` on that will be used soon.
template <std::size_t Bytes>
NETWEIGHT_INLINE void fetch(const void* address) {
#pragma GCC unroll 16
  for (std::size_t at = 0; at < Bytes; at += 64) {
    _mm_prefetch(static_cast<const char*>(address) + at, _MM_HINT_T0);
  }
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
NETWEIGHT_INLINE Ints all_lanes(const std::int32_t* from) { return {_mm512_set1_epi32(*from)}; }
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

NETWEIGHT_INLINE BroadcastPair broadcast_four(const std::int8_t* from) {
  int four;
  __builtin_memcpy(&four, from, 4);
  return _mm512_set1_epi32(four);
}
// Sums of products of unsigned bytes up to 24 with signed ones, four to a lane: for up to four such.
NETWEIGHT_INLINE Ints first_bytes(Ints weights, BroadcastPair x) {
  return {_mm512_dpbusd_epi32(_mm512_setzero_si512(), weights.all, x)};
}
NETWEIGHT_INLINE Ints add_bytes(Ints sum, Ints weights, BroadcastPair x) {
  return {_mm512_dpbusd_epi32(sum.all, weights.all, x)};
}
// total + 256 * upper + lower.
NETWEIGHT_INLINE Ints add_sums(Ints total, Ints upper, Ints lower) {
  return {_mm512_add_epi32(_mm512_add_epi32(total.all, lower.all), _mm512_slli_epi32(upper.all, 8))};
}

// Each 16-bit half of a lane holds a byte pair: the lower and the upper one as integers times 256 and times 1.
NETWEIGHT_INLINE Ints lower_bytes_times_256(Ints x) { return {_mm512_slli_epi16(x.all, 8)}; }
NETWEIGHT_INLINE Ints upper_bytes(Ints x) { return {_mm512_srai_epi16(x.all, 8)}; }
NETWEIGHT_INLINE Ints lower_bytes(Ints x) { return upper_bytes(lower_bytes_times_256(x)); }

NETWEIGHT_INLINE Ints lower_nibbles(Ints x) { return {_mm512_and_si512(x.all, _mm512_set1_epi8(15))}; }
NETWEIGHT_INLINE Ints upper_nibbles(Ints x) { return lower_nibbles({_mm512_srli_epi16(x.all, 4)}); }
NETWEIGHT_INLINE Ints look_up(__m128i table, Ints indices) {
  return {_mm512_shuffle_epi8(_mm512_broadcast_i32x4(table), indices.all)};
}

// 2^(byte - 127) for each of 16 scale bytes; 0 has a subnormal number, and 255 infinity, as float32 has it.
NETWEIGHT_INLINE Floats mxfp4_scales(const std::uint8_t* from) {
  const __m512i exponents = _mm512_cvtepu8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(from)));
  return {_mm512_castsi512_ps(_mm512_max_epi32(_mm512_slli_epi32(exponents, 23), _mm512_set1_epi32(1 << 22)))};
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
NETWEIGHT_INLINE Ints all_lanes(const std::int32_t* from) { return {_mm256_set1_epi32(*from), _mm256_set1_epi32(*from)}; }
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

NETWEIGHT_INLINE BroadcastPair broadcast_four(const std::int8_t* from) {
  int four;
  __builtin_memcpy(&four, from, 4);
  return _mm256_set1_epi32(four);
}
// Sums of products of unsigned bytes up to 24 with signed ones, four to a lane, kept as two of 16 bits: for up
// to four such, as 4 * 2 * 24 * 128 < 2^15.
NETWEIGHT_INLINE Ints first_bytes(Ints weights, BroadcastPair x) {
  return {_mm256_maddubs_epi16(weights.lo, x), _mm256_maddubs_epi16(weights.hi, x)};
}
NETWEIGHT_INLINE __m256i add_byte_dot(__m256i sum, __m256i weights, __m256i x) {  // in assembly as add_dot
  __m256i products;
  asm("vpmaddubsw %[x], %[weights], %[products]\n\tvpaddw %[products], %[sum], %[sum]"
      : [sum] "+x"(sum), [products] "=&x"(products)
      : [weights] "x"(weights), [x] "x"(x));
  return sum;
}
NETWEIGHT_INLINE Ints add_bytes(Ints sum, Ints weights, BroadcastPair x) {
  return {add_byte_dot(sum.lo, weights.lo, x), add_byte_dot(sum.hi, weights.hi, x)};
}
// total + 256 * upper + lower.
NETWEIGHT_INLINE Ints add_sums(Ints total, Ints upper, Ints lower) {
  return dot(dot(total, upper, _mm256_set1_epi16(256)), lower, _mm256_set1_epi16(1));
}

// Each 16-bit half of a lane holds a byte pair: the lower and the upper one as integers times 256 and times 1.
NETWEIGHT_INLINE Ints lower_bytes_times_256(Ints x) {
  return {_mm256_slli_epi16(x.lo, 8), _mm256_slli_epi16(x.hi, 8)};
}
NETWEIGHT_INLINE Ints upper_bytes(Ints x) { return {_mm256_srai_epi16(x.lo, 8), _mm256_srai_epi16(x.hi, 8)}; }
NETWEIGHT_INLINE Ints lower_bytes(Ints x) { return upper_bytes(lower_bytes_times_256(x)); }

NETWEIGHT_INLINE Ints lower_nibbles(Ints x) {
  const __m256i mask = _mm256_set1_epi8(15);
  return {_mm256_and_si256(x.lo, mask), _mm256_and_si256(x.hi, mask)};
}
NETWEIGHT_INLINE Ints upper_nibbles(Ints x) {
  return lower_nibbles({_mm256_srli_epi16(x.lo, 4), _mm256_srli_epi16(x.hi, 4)});
}
NETWEIGHT_INLINE Ints look_up(__m128i table, Ints indices) {
  const __m256i both = _mm256_broadcastsi128_si256(table);
  return {_mm256_shuffle_epi8(both, indices.lo), _mm256_shuffle_epi8(both, indices.hi)};
}

// 2^(byte - 127) for each of 16 scale bytes; 0 has a subnormal number, and 255 infinity, as float32 has it.
NETWEIGHT_INLINE __m256 powers_of_two(const std::uint8_t* from) {
  const __m256i exponents = _mm256_cvtepu8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(from)));
  return _mm256_castsi256_ps(_mm256_max_epi32(_mm256_slli_epi32(exponents, 23), _mm256_set1_epi32(1 << 22)));
}
NETWEIGHT_INLINE Floats mxfp4_scales(const std::uint8_t* from) { return {powers_of_two(from), powers_of_two(from + 8)}; }

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

// MXFP4 values of codes 0 to 15, doubled; and the same plus 12, unsigned.
NETWEIGHT_INLINE __m128i doubled_values() {
  return _mm_setr_epi8(0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12);
}
NETWEIGHT_INLINE __m128i doubled_values_plus_12() {
  return _mm_setr_epi8(12, 13, 14, 15, 16, 18, 20, 24, 12, 11, 10, 9, 8, 6, 4, 0);
}

}  // namespace
}  // namespace netweight::NETWEIGHT_ISA
