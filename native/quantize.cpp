// Compiled once for each instruction set: what happens to activations between products (tiles.h says
// what each function computes). Plain loops over sixteen lanes that the compiler turns into vectors; each
// lane's arithmetic is the same on every instruction set.
#include "isa.h"
#include "products.h"
#include "tiles.h"

namespace netweight::NETWEIGHT_ISA {
namespace {

constexpr std::size_t kLanes = 16;
constexpr float kLargest = 32512.0f;                   // 127 * 256, so that both bytes of q fit eight bits
constexpr std::uint32_t kSmallest = (127 - 100) << 23;  // 2^-100: below, x / s would not be 16 bits
constexpr std::uint32_t kInfinity = 0x7F800000u;

NETWEIGHT_INLINE float as_float(std::uint32_t bits) {
  float value;
  __builtin_memcpy(&value, &bits, 4);
  return value;
}
NETWEIGHT_INLINE std::uint32_t as_bits(float value) {
  std::uint32_t bits;
  __builtin_memcpy(&bits, &value, 4);
  return bits;
}
NETWEIGHT_INLINE float from_bfloat16(std::uint16_t value) {
  return as_float(static_cast<std::uint32_t>(value) << 16);
}
// To nearest, ties to even; a NaN stays one.
NETWEIGHT_INLINE std::uint16_t to_bfloat16(float value) {
  const std::uint32_t bits = as_bits(value);
  const std::uint32_t rounded = (bits + 0x7FFFu + ((bits >> 16) & 1u)) >> 16;
  const std::uint32_t is_nan = (bits & 0x7FFFFFFFu) > kInfinity ? 0x40u : 0u;
  return static_cast<std::uint16_t>(is_nan != 0 ? (bits >> 16) | is_nan : rounded);
}

// To nearest, ties to even, for |value| < 2^22.
NETWEIGHT_INLINE std::int32_t to_int(float value) {
  constexpr float kMagic = 12582912.0f;  // 1.5 * 2^23: adding it leaves no bits after the point
  return static_cast<std::int32_t>(as_bits(value + kMagic)) - static_cast<std::int32_t>(as_bits(kMagic));
}

// e^x within 2 units in the last place; infinite over 88.8, zero under -104.
// x = n ln 2 + r, |r| <= ln 2 / 2; e^r by Cephes' polynomial (expf.c); 2^n in two factors, as n may be 150.
NETWEIGHT_INLINE float exponential(float x) {
  x = x > 104.0f ? 104.0f : x;
  x = x < -104.0f ? -104.0f : x;
  const std::int32_t n = to_int(x * 1.44269504088896341f);
  const float whole = static_cast<float>(n);
  float r = __builtin_fmaf(whole, -0.693359375f, x);
  r = __builtin_fmaf(whole, 2.12194440e-4f, r);
  float p = 1.9875691500e-4f;
  p = __builtin_fmaf(p, r, 1.3981999507e-3f);
  p = __builtin_fmaf(p, r, 8.3334519073e-3f);
  p = __builtin_fmaf(p, r, 4.1665795894e-2f);
  p = __builtin_fmaf(p, r, 1.6666665459e-1f);
  p = __builtin_fmaf(p, r, 5.0000001201e-1f);
  p = __builtin_fmaf(p, r * r, r + 1.0f);
  const std::int32_t half = n >> 1;
  return p * as_float(static_cast<std::uint32_t>(half + 127) << 23) *
         as_float(static_cast<std::uint32_t>(n - half + 127) << 23);
}

// In MXFP4's order inputs 1 and 2 of each four change places.
void put_in_order(Order order, const void* from, void* to) {
  if (order == Order::natural) {
    __builtin_memcpy(to, from, 2 * kBlockInputs);
    return;
  }
  std::uint64_t fours[kBlockInputs / 4];
  __builtin_memcpy(fours, from, sizeof fours);
  for (std::uint64_t& four : fours) {
    four = (four & 0xFFFF00000000FFFFu) | ((four >> 16) & 0xFFFF0000u) | ((four & 0xFFFF0000u) << 16);
  }
  __builtin_memcpy(to, fours, sizeof fours);
}

// Writes q of one block, and returns its scale.
float quantize_block(const std::uint16_t* x, std::int16_t* q) {
  std::uint32_t largest = 0;
  for (std::size_t i = 0; i < kBlockInputs; ++i) {
    const std::uint32_t magnitude = static_cast<std::uint32_t>(x[i] & 0x7FFFu) << 16;
    largest = magnitude > largest ? magnitude : largest;
  }
  if (largest < kSmallest || largest >= kInfinity) {
    for (std::size_t i = 0; i < kBlockInputs; ++i) q[i] = 0;
    return largest < kSmallest ? 0.0f : as_float(0x7FC00000u);
  }
  const float step = as_float(largest) / kLargest;
  for (std::size_t i = 0; i < kBlockInputs; ++i) {
    q[i] = static_cast<std::int16_t>(to_int(from_bfloat16(x[i]) / step));
  }
  return step;
}

void split_bytes(const std::int16_t* q, std::int8_t* bytes, std::int32_t* correction) {
  std::int32_t sum = 0;
  for (std::size_t i = 0; i < kBlockInputs; ++i) {
    const std::int32_t upper = (q[i] + 128) >> 8;
    bytes[i] = static_cast<std::int8_t>(upper);
    bytes[kBlockInputs + i] = static_cast<std::int8_t>(q[i] - 256 * upper);
    sum += q[i];
  }
  *correction = -12 * sum;
}

}  // namespace

void quantize_row(const std::uint16_t* x, std::size_t columns, Order order, const Quantized& out, std::size_t row) {
  for (std::size_t column = 0; column < columns; column += kBlockInputs) {
    const std::size_t at = column / kBlockInputs * out.count + row;
    std::int16_t* values = out.values + at * kBlockInputs;
    const std::uint16_t* inputs = x + column;
    std::uint16_t padded[kBlockInputs] = {};
    if (columns - column < kBlockInputs) {
      __builtin_memcpy(padded, inputs, (columns - column) * sizeof *x);
      inputs = padded;
    }
#if defined(NETWEIGHT_AMX)
    if (order == Order::mxfp4) {  // as it is, for tiles of bfloat16
      put_in_order(order, inputs, values);
      continue;
    }
#endif
    std::int16_t q[kBlockInputs];
    const float scale = quantize_block(inputs, q);
    put_in_order(order, q, values);
    out.scales[at] = order == Order::mxfp4 ? 0.5f * scale : scale;
    if (out.bytes != nullptr) split_bytes(q, out.bytes + at * 2 * kBlockInputs, out.corrections + at);
  }
}

#if defined(NETWEIGHT_AMX)
void widen_row(const std::uint16_t* x, std::size_t columns, std::size_t padded, float* out) {
  __builtin_memcpy(out, x, columns * sizeof *x);
  __builtin_memset(reinterpret_cast<std::uint16_t*>(out) + columns, 0, (padded - columns) * sizeof *x);
}
#else
void widen_row(const std::uint16_t* x, std::size_t columns, std::size_t padded, float* out) {
  for (std::size_t i = 0; i < columns; ++i) out[i] = from_bfloat16(x[i]);
  for (std::size_t i = columns; i < padded; ++i) out[i] = 0.0f;
}
#endif

void add_bias(const std::uint16_t* bias, std::size_t count, std::size_t width, float* sums) {
  float wide[kTileRows] = {};
  for (std::size_t r = 0; r < width; ++r) wide[r] = from_bfloat16(bias[r]);
  for (std::size_t t = 0; t < count; ++t) {
    for (std::size_t r = 0; r < kTileRows; ++r) sums[t * kTileRows + r] += wide[r];
  }
}

void round_rows(const float* sums, std::size_t count, std::size_t width, std::uint16_t* out, std::size_t stride) {
  for (std::size_t t = 0; t < count; ++t) {
    const float* row = sums + t * kTileRows;
    std::uint16_t* to = out + t * stride;
    if (width == kTileRows) {
      for (std::size_t r = 0; r < kTileRows; ++r) to[r] = to_bfloat16(row[r]);
    } else {
      for (std::size_t r = 0; r < width; ++r) to[r] = to_bfloat16(row[r]);
    }
  }
}

void swiglu_rows(const std::uint16_t* x, std::size_t count, float alpha, float limit, std::uint16_t* out) {
  for (std::size_t start = 0; start < count * kBlockInputs; start += kLanes) {
    float gates[kLanes], linears[kLanes];
    for (std::size_t i = 0; i < kLanes; ++i) {
      const float gate = from_bfloat16(x[2 * (start + i)]);
      const float linear = from_bfloat16(x[2 * (start + i) + 1]);
      gates[i] = gate > limit ? limit : gate;
      const float lower = linear < -limit ? -limit : linear;
      linears[i] = lower > limit ? limit : lower;
    }
    for (std::size_t i = 0; i < kLanes; ++i) {
      const float sigmoid = 1.0f / (1.0f + exponential(-alpha * gates[i]));
      out[start + i] = to_bfloat16(gates[i] * sigmoid * (linears[i] + 1.0f));
    }
  }
}

void mix_rows(const std::uint16_t* const* rows, const float* weights, std::size_t num_rows, std::size_t size,
              std::uint16_t* out) {
  for (std::size_t start = 0; start < size; start += kLanes) {
    float sums[kLanes] = {};
    for (std::size_t k = 0; k < num_rows; ++k) {
      for (std::size_t i = 0; i < kLanes; ++i) {
        sums[i] = __builtin_fmaf(weights[k], from_bfloat16(rows[k][start + i]), sums[i]);
      }
    }
    for (std::size_t i = 0; i < kLanes; ++i) out[start + i] = to_bfloat16(sums[i]);
  }
}

}  // namespace netweight::NETWEIGHT_ISA
