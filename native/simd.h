// More on sixteen lanes than tiles need: rounding, maxima, sums across lanes, 2^x.
//
// Sums across lanes always add in the same order, so that instruction sets agree to the last bit.
#pragma once

#include "lanes.h"

namespace netweight::NETWEIGHT_ISA {
namespace {

#if defined(NETWEIGHT_AVX512)

// A number for all lanes that stays in a register: gcc would read it from memory at each use, and loads are the limit.
NETWEIGHT_INLINE Broadcast broadcast_once(const float* from) {
  Broadcast number = broadcast(from);
#if !defined(NETWEIGHT_EMULATED)
  __asm__("" : "+v"(number));
#endif
  return number;
}

NETWEIGHT_INLINE Floats all_lanes(float x) { return {_mm512_set1_ps(x)}; }
NETWEIGHT_INLINE Floats minus(Floats x, Floats y) { return {_mm512_sub_ps(x.all, y.all)}; }
NETWEIGHT_INLINE Floats plus(Floats x, Floats y) { return {_mm512_add_ps(x.all, y.all)}; }
NETWEIGHT_INLINE Floats times(Floats x, Floats y) { return {_mm512_mul_ps(x.all, y.all)}; }
// The larger; y where either is not a number.
NETWEIGHT_INLINE Floats larger(Floats x, Floats y) { return {_mm512_max_ps(x.all, y.all)}; }

// x in lanes `first` to `last`, both included, and minus infinity elsewhere.
NETWEIGHT_INLINE Floats keep_lanes(Floats x, int first, int last) {
  const __m512i lane = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
  const __mmask16 kept = _mm512_cmpge_epi32_mask(lane, _mm512_set1_epi32(first)) &
                         _mm512_cmple_epi32_mask(lane, _mm512_set1_epi32(last));
  return {_mm512_mask_blend_ps(kept, _mm512_set1_ps(-__builtin_inff()), x.all)};
}

NETWEIGHT_INLINE __m256 lower_half(Floats x) { return _mm512_castps512_ps256(x.all); }
NETWEIGHT_INLINE __m256 upper_half(Floats x) {
  return _mm256_castpd_ps(_mm512_extractf64x4_pd(_mm512_castps_pd(x.all), 1));
}

NETWEIGHT_INLINE Floats widen_bfloat16(const std::uint16_t* from) {
  const __m256i words = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from));
  return {_mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(words), 16))};
}

// To the nearest bfloat16, ties to even, in the upper half of each lane; what is not a number stays so.
NETWEIGHT_INLINE Floats to_bfloat16(Floats x) {
  const __m512i bits = _mm512_castps_si512(x.all);
  const __m512i odd = _mm512_and_si512(_mm512_srli_epi32(bits, 16), _mm512_set1_epi32(1));
  const __m512i rounded = _mm512_add_epi32(bits, _mm512_add_epi32(odd, _mm512_set1_epi32(0x7FFF)));
  const __mmask16 is_nan = _mm512_cmp_ps_mask(x.all, x.all, _CMP_UNORD_Q);
  const __m512i kept = _mm512_mask_blend_epi32(is_nan, rounded, _mm512_or_si512(bits, _mm512_set1_epi32(1 << 22)));
  return {_mm512_castsi512_ps(_mm512_and_si512(kept, _mm512_set1_epi32(static_cast<int>(0xFFFF0000u))))};
}
NETWEIGHT_INLINE void store_bfloat16(std::uint16_t* to, Floats rounded) {
  const __m512i words = _mm512_srli_epi32(_mm512_castps_si512(rounded.all), 16);
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), _mm512_cvtepi32_epi16(words));
}

NETWEIGHT_INLINE Floats nearest_integer(Floats x) {
  return {_mm512_roundscale_ps(x.all, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC)};
}
// 2^x for integers from -127, which gives 0, to 127.
NETWEIGHT_INLINE Floats power_of_two(Floats x) {
  const __m512i exponent = _mm512_add_epi32(_mm512_cvtps_epi32(x.all), _mm512_set1_epi32(127));
  return {_mm512_castsi512_ps(_mm512_slli_epi32(exponent, 23))};
}

#else

NETWEIGHT_INLINE Broadcast broadcast_once(const float* from) { return broadcast(from); }

NETWEIGHT_INLINE Floats all_lanes(float x) { return {_mm256_set1_ps(x), _mm256_set1_ps(x)}; }
NETWEIGHT_INLINE Floats minus(Floats x, Floats y) { return {_mm256_sub_ps(x.lo, y.lo), _mm256_sub_ps(x.hi, y.hi)}; }
NETWEIGHT_INLINE Floats plus(Floats x, Floats y) { return {_mm256_add_ps(x.lo, y.lo), _mm256_add_ps(x.hi, y.hi)}; }
NETWEIGHT_INLINE Floats times(Floats x, Floats y) { return {_mm256_mul_ps(x.lo, y.lo), _mm256_mul_ps(x.hi, y.hi)}; }
// The larger; y where either is not a number.
NETWEIGHT_INLINE Floats larger(Floats x, Floats y) { return {_mm256_max_ps(x.lo, y.lo), _mm256_max_ps(x.hi, y.hi)}; }

NETWEIGHT_INLINE __m256 keep_eight(__m256 x, __m256i lane, int first, int last) {
  const __m256i dropped = _mm256_or_si256(_mm256_cmpgt_epi32(_mm256_set1_epi32(first), lane),
                                          _mm256_cmpgt_epi32(lane, _mm256_set1_epi32(last)));
  return _mm256_blendv_ps(x, _mm256_set1_ps(-__builtin_inff()), _mm256_castsi256_ps(dropped));
}
// x in lanes `first` to `last`, both included, and minus infinity elsewhere.
NETWEIGHT_INLINE Floats keep_lanes(Floats x, int first, int last) {
  const __m256i lane = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
  return {keep_eight(x.lo, lane, first, last), keep_eight(x.hi, lane, first - 8, last - 8)};
}

NETWEIGHT_INLINE __m256 lower_half(Floats x) { return x.lo; }
NETWEIGHT_INLINE __m256 upper_half(Floats x) { return x.hi; }

NETWEIGHT_INLINE __m256 widen_eight(const std::uint16_t* from) {
  const __m128i words = _mm_loadu_si128(reinterpret_cast<const __m128i*>(from));
  return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(words), 16));
}
NETWEIGHT_INLINE Floats widen_bfloat16(const std::uint16_t* from) { return {widen_eight(from), widen_eight(from + 8)}; }

NETWEIGHT_INLINE __m256 round_eight(__m256 x) {
  const __m256i bits = _mm256_castps_si256(x);
  const __m256i odd = _mm256_and_si256(_mm256_srli_epi32(bits, 16), _mm256_set1_epi32(1));
  const __m256i rounded = _mm256_add_epi32(bits, _mm256_add_epi32(odd, _mm256_set1_epi32(0x7FFF)));
  const __m256i quiet = _mm256_or_si256(bits, _mm256_set1_epi32(1 << 22));
  const __m256i is_nan = _mm256_castps_si256(_mm256_cmp_ps(x, x, _CMP_UNORD_Q));
  const __m256i kept = _mm256_blendv_epi8(rounded, quiet, is_nan);
  return _mm256_castsi256_ps(_mm256_and_si256(kept, _mm256_set1_epi32(static_cast<int>(0xFFFF0000u))));
}
// To the nearest bfloat16, ties to even, in the upper half of each lane; what is not a number stays so.
NETWEIGHT_INLINE Floats to_bfloat16(Floats x) { return {round_eight(x.lo), round_eight(x.hi)}; }
NETWEIGHT_INLINE void store_bfloat16(std::uint16_t* to, Floats rounded) {
  const __m256i lo = _mm256_srli_epi32(_mm256_castps_si256(rounded.lo), 16);
  const __m256i hi = _mm256_srli_epi32(_mm256_castps_si256(rounded.hi), 16);
  const __m256i words = _mm256_permute4x64_epi64(_mm256_packus_epi32(lo, hi), 0xD8);  // it packs per half
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), words);
}

NETWEIGHT_INLINE __m256 nearest_eight(__m256 x) {
  return _mm256_round_ps(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
}
NETWEIGHT_INLINE Floats nearest_integer(Floats x) { return {nearest_eight(x.lo), nearest_eight(x.hi)}; }
NETWEIGHT_INLINE __m256 power_of_eight(__m256 x) {
  const __m256i exponent = _mm256_add_epi32(_mm256_cvtps_epi32(x), _mm256_set1_epi32(127));
  return _mm256_castsi256_ps(_mm256_slli_epi32(exponent, 23));
}
// 2^x for integers from -127, which gives 0, to 127.
NETWEIGHT_INLINE Floats power_of_two(Floats x) { return {power_of_eight(x.lo), power_of_eight(x.hi)}; }

#endif

NETWEIGHT_INLINE float sum_of_eight(__m256 x) {
  const __m128 four = _mm_add_ps(_mm256_castps256_ps128(x), _mm256_extractf128_ps(x, 1));
  const __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
  return _mm_cvtss_f32(_mm_add_ss(two, _mm_movehdup_ps(two)));
}
NETWEIGHT_INLINE float sum_of(Floats x) { return sum_of_eight(_mm256_add_ps(lower_half(x), upper_half(x))); }

NETWEIGHT_INLINE float largest_of(Floats x) {
  const __m256 eight = _mm256_max_ps(lower_half(x), upper_half(x));
  const __m128 four = _mm_max_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
  const __m128 two = _mm_max_ps(four, _mm_movehl_ps(four, four));
  return _mm_cvtss_f32(_mm_max_ss(two, _mm_movehdup_ps(two)));
}

NETWEIGHT_INLINE float first_lane(Floats x) { return _mm_cvtss_f32(_mm256_castps256_ps128(lower_half(x))); }

// 2^x for x <= 127.5: within 1 unit in the last place from 2^-126 on, and 0 under 2^-127. A polynomial for 2^f,
// |f| <= 1/2, of least greatest relative error (2e-9) among those with 1 at 0.
NETWEIGHT_INLINE Floats exp2(Floats x) {
  const Floats at_least = larger(all_lanes(-127.0f), x);  // in this order it keeps what is not a number
  const Floats whole = nearest_integer(at_least);
  const Floats f = minus(at_least, whole);
  Floats p = all_lanes(1.5353362e-4f);
  p = fma(p, f, all_lanes(1.3398875e-3f));
  p = fma(p, f, all_lanes(9.61843692e-3f));
  p = fma(p, f, all_lanes(5.55033237e-2f));
  p = fma(p, f, all_lanes(2.40226477e-1f));
  p = fma(p, f, all_lanes(6.93147182e-1f));
  p = fma(p, f, all_lanes(1.0f));
  return times(p, power_of_two(whole));
}

// Fewer than 16 bfloat16, and zeros after them.
NETWEIGHT_INLINE Floats widen_part(const std::uint16_t* from, std::size_t count) {
  std::uint16_t words[16] = {};
  __builtin_memcpy(words, from, 2 * count);
  return widen_bfloat16(words);
}
NETWEIGHT_INLINE void store_part(std::uint16_t* to, Floats rounded, std::size_t count) {
  std::uint16_t words[16];
  store_bfloat16(words, rounded);
  __builtin_memcpy(to, words, 2 * count);
}

}  // namespace
}  // namespace netweight::NETWEIGHT_ISA
