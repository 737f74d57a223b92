// Compiled once for each instruction set: rows of single tokens (rows.h says what each function computes).
#include "rows_isa.h"
#include "simd.h"

namespace netweight::NETWEIGHT_ISA {
namespace {

struct Bfloat16Row {
  const std::uint16_t* from;
  Floats at(std::size_t i) const { return widen_bfloat16(from + i); }
  Floats part(std::size_t i, std::size_t count) const { return widen_part(from + i, count); }
};

struct Float32Row {
  const float* from;
  Floats at(std::size_t i) const { return load(from + i); }
  Floats part(std::size_t i, std::size_t count) const {
    float padded[16] = {};
    __builtin_memcpy(padded, from + i, 4 * count);
    return load(padded);
  }
};

float mean_square(Bfloat16Row x, std::size_t size) {
  Floats sums[4] = {zero_floats(), zero_floats(), zero_floats(), zero_floats()};
  std::size_t i = 0;
  for (; i + 64 <= size; i += 64) {
#pragma GCC unroll 4
    for (std::size_t part = 0; part < 4; ++part) {
      const Floats wide = x.at(i + 16 * part);
      sums[part] = fma(wide, wide, sums[part]);
    }
  }
  for (; i < size; i += 16) {
    const Floats wide = size - i < 16 ? x.part(i, size - i) : x.at(i);
    sums[0] = fma(wide, wide, sums[0]);
  }
  return sum_of(plus(plus(sums[0], sums[1]), plus(sums[2], sums[3]))) / static_cast<float>(size);
}

template <typename Scale>
void normalize(Bfloat16Row x, Scale scale, std::size_t size, float eps, std::uint16_t* out) {
  const Floats factor = all_lanes(1.0f / __builtin_sqrtf(mean_square(x, size) + eps));
  std::size_t i = 0;
  for (; i + 16 <= size; i += 16) store_bfloat16(out + i, to_bfloat16(times(times(x.at(i), factor), scale.at(i))));
  if (i < size) {
    const std::size_t rest = size - i;
    store_part(out + i, to_bfloat16(times(times(x.part(i, rest), factor), scale.part(i, rest))), rest);
  }
}

struct Pair {
  Floats first, second;
};

NETWEIGHT_INLINE Pair turned(Floats first, Floats second, Floats cos, Floats sin) {
  const Floats a = minus(to_bfloat16(times(first, cos)), to_bfloat16(times(second, sin)));
  const Floats b = plus(to_bfloat16(times(second, cos)), to_bfloat16(times(first, sin)));
  return {to_bfloat16(a), to_bfloat16(b)};
}

bool is_larger(float x, float y) { return x > y || (x != x && y == y); }

float at(Stored from, std::size_t index) {
  if (from.bfloat16 == nullptr) return from.float32[index];
  const std::uint32_t bits = static_cast<std::uint32_t>(from.bfloat16[index]) << 16;
  float value;
  __builtin_memcpy(&value, &bits, 4);
  return value;
}

void softmax(float* x, std::size_t count) {
  const float largest = x[0];
  float sum = 0;
  for (std::size_t i = 0; i < count; ++i) {
    x[i] = __builtin_expf(x[i] - largest);
    sum += x[i];
  }
  for (std::size_t i = 0; i < count; ++i) x[i] /= sum;
}

}  // namespace

void rms_norm(const std::uint16_t* x, Stored scale, std::size_t size, float eps, std::uint16_t* out) {
  if (scale.bfloat16 != nullptr) {
    normalize(Bfloat16Row{x}, Bfloat16Row{scale.bfloat16}, size, eps, out);
  } else {
    normalize(Bfloat16Row{x}, Float32Row{scale.float32}, size, eps, out);
  }
}

void rotate(const std::uint16_t* x, const std::uint16_t* cos, const std::uint16_t* sin, std::size_t head_dim,
            std::uint16_t* out) {
  const std::size_t half = head_dim / 2;
  std::size_t i = 0;
  for (; i + 16 <= half; i += 16) {
    const Pair pair = turned(widen_bfloat16(x + i), widen_bfloat16(x + half + i), widen_bfloat16(cos + i),
                             widen_bfloat16(sin + i));
    store_bfloat16(out + i, pair.first);
    store_bfloat16(out + half + i, pair.second);
  }
  if (i < half) {
    const std::size_t rest = half - i;
    const Pair pair = turned(widen_part(x + i, rest), widen_part(x + half + i, rest), widen_part(cos + i, rest),
                             widen_part(sin + i, rest));
    store_part(out + i, pair.first, rest);
    store_part(out + half + i, pair.second, rest);
  }
}

void route(Stored logits, std::size_t size, std::size_t count, float* weights, std::int64_t* chosen) {
  std::size_t found = 0;
  for (std::size_t index = 0; index < size; ++index) {
    const float value = at(logits, index);
    if (found == count && !is_larger(value, weights[count - 1])) continue;
    std::size_t place = found < count ? found++ : count - 1;
    for (; place > 0 && is_larger(value, weights[place - 1]); --place) {
      weights[place] = weights[place - 1];
      chosen[place] = chosen[place - 1];
    }
    weights[place] = value;
    chosen[place] = static_cast<std::int64_t>(index);
  }
  softmax(weights, count);
}

void exp2_row(const float* x, std::size_t size, float* out) {
  for (std::size_t i = 0; i < size; i += 16) {
    const std::size_t count = size - i < 16 ? size - i : 16;
    float part[16];
    store(part, exp2(Float32Row{x}.part(i, count)));
    __builtin_memcpy(out + i, part, 4 * count);
  }
}

}  // namespace netweight::NETWEIGHT_ISA
