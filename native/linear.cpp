#include <algorithm>
#include <atomic>
#include <bit>
#include <cstring>
#include <memory>

#include "activations.h"
#include "matrices.h"
#include "pool.h"

namespace netweight {
namespace {

// Tokens and tiles of one piece of work. Sums of a piece (12 KB) stay in the first-level cache, its tiles of
// a matrix of 2880 columns in the second-level one.
constexpr std::size_t kTokens = 48;
constexpr std::size_t kTiles = 4;

void put(const TileKernels& tiles, const float* sums, std::size_t count, std::size_t width, std::uint16_t* out,
         std::size_t stride) {
  tiles.round(sums, count, width, out, stride);
}
void put(const TileKernels&, const float* sums, std::size_t count, std::size_t width, float* out, std::size_t stride) {
  for (std::size_t t = 0; t < count; ++t) std::memcpy(out + t * stride, sums + t * kTileRows, width * sizeof(float));
}

// Calls product(first_tile, tiles, first_token, tokens, sums) for all pieces; sums [tiles][tokens][16].
template <typename T, typename Product>
void for_each_piece(const TileKernels& tiles, const Matrix& matrix, std::size_t tokens, T* out,
                    const Product& product) {
  const std::size_t num_tiles = count_tiles(matrix.rows), chunks = (tokens + kTokens - 1) / kTokens;
  const std::size_t step = num_tiles < 32 ? 1 : kTiles;
  const std::size_t groups = (num_tiles + step - 1) / step;
  parallel_for(groups * chunks, 1, [&](std::size_t first, std::size_t last) {
    alignas(64) float sums[kTiles * kTokens * kTileRows];
    for (std::size_t piece = first; piece < last; ++piece) {
      const std::size_t tile = piece / chunks * step, token = piece % chunks * kTokens;
      const std::size_t some_tiles = std::min(step, num_tiles - tile), some_tokens = std::min(kTokens, tokens - token);
      product(tile, some_tiles, token, some_tokens, sums);
      for (std::size_t i = 0; i < some_tiles; ++i) {
        float* tile_sums = sums + i * some_tokens * kTileRows;
        const std::size_t row = (tile + i) * kTileRows, width = std::min(kTileRows, matrix.rows - row);
        if (matrix.bias != nullptr) tiles.add_bias(matrix.bias + row, some_tokens, width, tile_sums);
        put(tiles, tile_sums, some_tokens, width, out + token * matrix.rows + row, matrix.rows);
      }
    }
  });
}

template <typename T>
void bfloat16_linear(const TileKernels& tiles, const Matrix& matrix, const std::uint16_t* x, std::size_t tokens,
                     T* out) {
  const std::size_t blocks = count_blocks(matrix.columns), inputs = blocks * kBlockInputs;
  const std::size_t bytes = tile_bytes(matrix.form, matrix.columns);
  const auto wide = std::make_unique_for_overwrite<float[]>(tokens * inputs);
  parallel_for(tokens, 8, [&](std::size_t first, std::size_t last) {
    for (std::size_t t = first; t < last; ++t) {
      tiles.widen(x + t * matrix.columns, matrix.columns, inputs, wide.get() + t * inputs);
    }
  });
  for_each_piece(tiles, matrix, tokens, out,
                 [&](std::size_t tile, std::size_t num_tiles, std::size_t token, std::size_t count, float* sums) {
                   tiles.bfloat16(matrix.data + tile * bytes, num_tiles, blocks, wide.get() + token * inputs, count,
                                  sums);
                 });
}

template <typename T>
void integer_linear(const TileKernels& tiles, const Matrix& matrix, const std::uint16_t* x, std::size_t tokens,
                    T* out) {
  const auto multiply = matrix.form == Form::int8 ? tiles.int8 : tiles.mxfp4;
  const Order order = matrix.form == Form::int8 ? Order::natural : Order::mxfp4;
  const std::size_t blocks = count_blocks(matrix.columns), bytes = tile_bytes(matrix.form, matrix.columns);
  const Activations activations(blocks, tokens, order == Order::mxfp4 && tokens <= 2);
  const Quantized& quantized = activations.all;
  parallel_for(tokens, 4, [&](std::size_t first, std::size_t last) {
    for (std::size_t t = first; t < last; ++t) {
      tiles.quantize(x + t * matrix.columns, matrix.columns, order, quantized, t);
    }
  });
  for_each_piece(tiles, matrix, tokens, out,
                 [&](std::size_t tile, std::size_t num_tiles, std::size_t token, std::size_t count, float* sums) {
                   multiply(matrix.data + tile * bytes, num_tiles, blocks, quantized, token, count, sums);
                 });
}

template <typename T>
void any_linear(const Kernels& kernels, const Matrix& matrix, const std::uint16_t* x, std::size_t tokens, T* out) {
  if (matrix.form == Form::bfloat16) {
    bfloat16_linear(kernels.tiles, matrix, x, tokens, out);
  } else {
    integer_linear(kernels.tiles, matrix, x, tokens, out);
  }
}

std::uint16_t to_bfloat16(float value) {  // finite
  const auto bits = std::bit_cast<std::uint32_t>(value);
  return static_cast<std::uint16_t>((bits + 0x7FFFu + ((bits >> 16) & 1u)) >> 16);
}

float from_float16(std::uint16_t value) {  // for values >= 0
  if (value < 0x400) return static_cast<float>(value) * 0x1p-24f;
  return std::bit_cast<float>((static_cast<std::uint32_t>(value) << 13) + (112u << 23));
}

void embed_bfloat16(const std::uint8_t* tile, std::size_t r, std::size_t columns, std::uint16_t* out) {
  const auto* weights = reinterpret_cast<const std::uint16_t*>(tile) + 2 * r;
  for (std::size_t i = 0; i < columns; ++i) out[i] = weights[i / 2 * 2 * kTileRows + i % 2];
}

void embed_int8(const std::uint8_t* tile, std::size_t r, std::size_t columns, std::uint16_t* out) {
  const auto* weights = reinterpret_cast<const std::int8_t*>(tile) + 2 * r;
  const auto* scales =
      reinterpret_cast<const std::uint16_t*>(tile + count_blocks(columns) * kBlockInputs * kTileRows) + r;
  for (std::size_t i = 0; i < columns; ++i) {
    const float scale = from_float16(scales[i / kBlockInputs * kTileRows]);
    out[i] = to_bfloat16(scale * static_cast<float>(weights[i / 2 * 2 * kTileRows + i % 2]));
  }
}

}  // namespace

void linear(const Kernels& kernels, const Matrix& matrix, const std::uint16_t* x, std::size_t tokens,
            std::uint16_t* out) {
  any_linear(kernels, matrix, x, tokens, out);
}
void linear(const Kernels& kernels, const Matrix& matrix, const std::uint16_t* x, std::size_t tokens, float* out) {
  any_linear(kernels, matrix, x, tokens, out);
}

void embed(const Matrix& matrix, const std::int64_t* ids, std::size_t tokens, std::uint16_t* out) {
  const auto embed_row = matrix.form == Form::int8 ? embed_int8 : embed_bfloat16;
  const std::size_t bytes = tile_bytes(matrix.form, matrix.columns);
  parallel_for(tokens, 1, [&](std::size_t first, std::size_t last) {
    for (std::size_t t = first; t < last; ++t) {
      const auto row = static_cast<std::size_t>(ids[t]);
      embed_row(matrix.data + row / kTileRows * bytes, row % kTileRows, matrix.columns, out + t * matrix.columns);
    }
  });
}

std::uint64_t read_all(const Kernels& kernels, const std::uint8_t* data, std::size_t bytes) {
  constexpr std::size_t kPiece = 1 << 20;
  std::atomic<std::uint64_t> total{0};
  parallel_for((bytes + kPiece - 1) / kPiece, 1, [&](std::size_t first, std::size_t last) {
    std::uint64_t sum = 0;
    for (std::size_t piece = first; piece < last; ++piece) {
      sum += kernels.tiles.sum(data + piece * kPiece, std::min(kPiece, bytes - piece * kPiece));
    }
    total.fetch_add(sum, std::memory_order_relaxed);
  });
  return total.load();
}

}  // namespace netweight
