#include "mxfp4.h"

#include <array>
#include <bit>
#include <cmath>

namespace netweight {
namespace {

constexpr std::array<float, 16> kE2M1 = {0.0f,  0.5f,  1.0f,  1.5f,  2.0f,  3.0f,  4.0f,  6.0f,
                                         -0.0f, -0.5f, -1.0f, -1.5f, -2.0f, -3.0f, -4.0f, -6.0f};

// Every E2M1 value and every power of two is exact in bfloat16, so only a result under bfloat16's
// smallest normal number needs rounding: to nearest, ties to even.
std::uint16_t to_bfloat16(float value) {
  const std::uint32_t bits = std::bit_cast<std::uint32_t>(value);
  return static_cast<std::uint16_t>((bits + 0x7FFFu + ((bits >> 16) & 1u)) >> 16);
}

template <typename T>
T convert(float value);
template <>
float convert<float>(float value) {
  return value;
}
template <>
std::uint16_t convert<std::uint16_t>(float value) {
  return to_bfloat16(value);
}

// The sixteen values of each of the 256 scales: 8 or 16 KiB, which stays in the first-level cache and
// turns decoding into one table row per block.
template <typename T>
std::array<std::array<T, 16>, 256> make_table() {
  std::array<std::array<T, 16>, 256> table{};
  for (int scale = 0; scale < 256; ++scale) {
    for (std::size_t code = 0; code < 16; ++code) {
      table[scale][code] = convert<T>(std::ldexp(kE2M1[code], scale - 127));
    }
  }
  return table;
}

template <typename T>
void dequantize(const std::uint8_t* blocks, const std::uint8_t* scales, std::size_t num_blocks, T* out) {
  static const auto table = make_table<T>();
  for (std::size_t block = 0; block < num_blocks; ++block) {
    const T* values = table[scales[block]].data();
    for (std::size_t byte = 0; byte < kBlockBytes; ++byte) {
      const std::uint8_t pair = blocks[byte];
      out[2 * byte] = values[pair & 0x0F];
      out[2 * byte + 1] = values[pair >> 4];
    }
    blocks += kBlockBytes;
    out += kBlockValues;
  }
}

}  // namespace

void dequantize_to_float32(const std::uint8_t* blocks, const std::uint8_t* scales, std::size_t num_blocks,
                           float* out) {
  dequantize(blocks, scales, num_blocks, out);
}

void dequantize_to_bfloat16(const std::uint8_t* blocks, const std::uint8_t* scales, std::size_t num_blocks,
                            std::uint16_t* out) {
  dequantize(blocks, scales, num_blocks, out);
}

}  // namespace netweight
