#include "pack.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

#include "pool.h"

namespace netweight {
namespace {

constexpr std::size_t kLine = 64;
constexpr std::size_t kMxfp4BlockBytes = 16;

std::size_t to_line(std::size_t bytes) { return (bytes + kLine - 1) / kLine * kLine; }

float widen(std::uint16_t value) { return std::bit_cast<float>(static_cast<std::uint32_t>(value) << 16); }
float widen(float value) { return value; }

// To nearest, ties to even; for finite values >= 0. Larger ones than float16 has become its largest.
std::uint16_t to_float16(float value) {
  if (value >= 65504.0f) return 0x7BFF;
  if (value < 0x1p-14f) return static_cast<std::uint16_t>(std::nearbyint(value * 0x1p24f));  // subnormal
  const std::uint32_t bits = std::bit_cast<std::uint32_t>(value) - (112u << 23);
  return static_cast<std::uint16_t>((bits + 0xFFFu + ((bits >> 13) & 1u)) >> 13);
}

float from_float16(std::uint16_t value) {  // for values >= 0
  if (value < 0x400) return static_cast<float>(value) * 0x1p-24f;
  return std::bit_cast<float>((static_cast<std::uint32_t>(value) << 13) + (112u << 23));
}

// The nibbles of 8 inputs, 0 to 7 from the low end, in the order 0 4 1 5 2 6 3 7.
std::uint32_t shuffle_nibbles(std::uint32_t x) {
  std::uint32_t swap = (x ^ (x >> 8)) & 0x0000FF00u;
  x ^= swap ^ (swap << 8);
  swap = (x ^ (x >> 4)) & 0x00F000F0u;
  return x ^ swap ^ (swap << 4);
}

template <typename PackTile>
void for_each_tile(std::size_t rows, std::size_t bytes, std::uint8_t* out, const PackTile& pack_tile) {
  parallel_for(count_tiles(rows), 4, [&](std::size_t first, std::size_t last) {
    for (std::size_t tile = first; tile < last; ++tile) {
      const std::size_t row = tile * kTileRows;
      pack_tile(row, std::min(kTileRows, rows - row), out + tile * bytes);
    }
  });
}

void pack_bfloat16_tile(const std::uint16_t* weights, std::size_t rows, std::size_t columns, std::uint16_t* out) {
  const std::size_t pairs = columns / 2;
  for (std::size_t pair = 0; pair < pairs; ++pair) {
    std::uint16_t* to = out + pair * 2 * kTileRows;
    for (std::size_t r = 0; r < rows; ++r) std::memcpy(to + 2 * r, weights + r * columns + 2 * pair, 4);
  }
  if (columns % 2 != 0) {
    for (std::size_t r = 0; r < rows; ++r) out[pairs * 2 * kTileRows + 2 * r] = weights[r * columns + columns - 1];
  }
}

template <typename T>
void pack_int8_block(const T* weights, std::size_t columns, std::int8_t* out, std::uint16_t* scale) {
  float largest = 0.0f;
  for (std::size_t i = 0; i < columns; ++i) largest = std::max(largest, std::fabs(widen(weights[i])));
  *scale = to_float16(largest / 127.0f);
  const float step = from_float16(*scale);
  if (step == 0.0f) return;
  for (std::size_t i = 0; i < columns; ++i) {
    const float value = std::clamp(std::nearbyint(widen(weights[i]) / step), -127.0f, 127.0f);
    out[i / 2 * 2 * kTileRows + i % 2] = static_cast<std::int8_t>(value);
  }
}

template <typename T>
void pack_int8_rows(const T* weights, std::size_t rows, std::size_t columns, std::uint8_t* out) {
  const std::size_t blocks = count_blocks(columns), bytes = tile_bytes(Form::int8, columns);
  for_each_tile(rows, bytes, out, [&](std::size_t row, std::size_t count, std::uint8_t* tile) {
    std::memset(tile, 0, bytes);
    auto* values = reinterpret_cast<std::int8_t*>(tile);
    auto* scales = reinterpret_cast<std::uint16_t*>(tile + blocks * kBlockInputs * kTileRows);
    for (std::size_t block = 0; block < blocks; ++block) {
      const std::size_t column = block * kBlockInputs, width = std::min(kBlockInputs, columns - column);
      for (std::size_t r = 0; r < count; ++r) {
        pack_int8_block(weights + (row + r) * columns + column, width, values + column * kTileRows + 2 * r,
                        scales + block * kTileRows + r);
      }
    }
  });
}

}  // namespace

std::size_t tile_bytes(Form form, std::size_t columns) {
  const std::size_t blocks = count_blocks(columns), weights = blocks * kBlockInputs * kTileRows;
  switch (form) {
    case Form::bfloat16: return 2 * weights;
    case Form::int8: return to_line(weights + 2 * blocks * kTileRows);
    case Form::mxfp4: return to_line(weights / 2 + blocks * kTileRows);
  }
  return 0;
}

std::size_t packed_bytes(Form form, std::size_t rows, std::size_t columns) {
  return count_tiles(rows) * tile_bytes(form, columns);
}

void pack_bfloat16(const std::uint16_t* weights, std::size_t rows, std::size_t columns, std::uint8_t* out) {
  const std::size_t bytes = tile_bytes(Form::bfloat16, columns);
  for_each_tile(rows, bytes, out, [&](std::size_t row, std::size_t count, std::uint8_t* tile) {
    if (count < kTileRows || columns % kBlockInputs != 0) std::memset(tile, 0, bytes);
    pack_bfloat16_tile(weights + row * columns, count, columns, reinterpret_cast<std::uint16_t*>(tile));
  });
}

void pack_int8(const std::uint16_t* weights, std::size_t rows, std::size_t columns, std::uint8_t* out) {
  pack_int8_rows(weights, rows, columns, out);
}
void pack_int8(const float* weights, std::size_t rows, std::size_t columns, std::uint8_t* out) {
  pack_int8_rows(weights, rows, columns, out);
}

void pack_mxfp4(const std::uint8_t* blocks, const std::uint8_t* scales, std::size_t rows, std::size_t columns,
                std::uint8_t* out) {
  const std::size_t num_blocks = count_blocks(columns), bytes = tile_bytes(Form::mxfp4, columns);
  for_each_tile(rows, bytes, out, [&](std::size_t row, std::size_t count, std::uint8_t* tile) {
    const std::size_t scales_at = num_blocks * kTileRows * kMxfp4BlockBytes;
    if (count < kTileRows) std::memset(tile, 0, bytes);
    std::memset(tile + scales_at + num_blocks * kTileRows, 0, bytes - scales_at - num_blocks * kTileRows);
    for (std::size_t block = 0; block < num_blocks; ++block) {
      std::uint8_t* to = tile + block * kTileRows * kMxfp4BlockBytes;
      for (std::size_t r = 0; r < count; ++r) {
        const std::size_t at = (row + r) * num_blocks + block;
        std::uint32_t words[4];
        std::memcpy(words, blocks + at * kMxfp4BlockBytes, sizeof words);
        for (std::size_t group = 0; group < 4; ++group) {
          const std::uint32_t word = shuffle_nibbles(words[group]);
          std::memcpy(to + (group * kTileRows + r) * 4, &word, 4);
        }
        tile[scales_at + block * kTileRows + r] = scales[at];
      }
    }
  });
}

}  // namespace netweight
