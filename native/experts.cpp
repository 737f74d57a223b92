#include <algorithm>
#include <memory>
#include <vector>

#include "matrices.h"
#include "pool.h"

namespace netweight {
namespace {

// As many tokens go through one pass: 512 give each of 32 experts 64, which reads weights often enough, and
// what lies between the matrices stays within 50 MB for gpt-oss.
constexpr std::size_t kTokensPerPass = 1024;
constexpr std::size_t kChunk = 96;
constexpr std::size_t kTilesPerBlock = 2 * kBlockInputs / kTileRows;  // gate and linear rows of 32 activations
constexpr std::size_t kMostSlots = 64;

// A slot is one token at one of its experts. Here they stand expert by expert.
struct Grouped {
  struct Group {
    std::size_t expert;
    std::size_t first;
    std::size_t count;
  };
  std::vector<Group> groups;           // experts that were chosen at all
  std::vector<std::uint32_t> tokens;   // [slots] of each slot in this order
  std::vector<std::uint32_t> place;    // [tokens * per_token] where a token's slot stands
};

Grouped group_by_expert(const std::int64_t* chosen, std::size_t tokens, std::size_t per_token, std::size_t experts) {
  const std::size_t slots = tokens * per_token;
  Grouped grouped{{}, std::vector<std::uint32_t>(slots), std::vector<std::uint32_t>(slots)};
  std::vector<std::size_t> next(experts + 1, 0);
  for (std::size_t slot = 0; slot < slots; ++slot) ++next[static_cast<std::size_t>(chosen[slot]) + 1];
  for (std::size_t expert = 0; expert < experts; ++expert) {
    if (next[expert + 1] > 0) grouped.groups.push_back({expert, next[expert], next[expert + 1]});
    next[expert + 1] += next[expert];
  }
  for (std::size_t slot = 0; slot < slots; ++slot) {
    const std::size_t place = next[static_cast<std::size_t>(chosen[slot])]++;
    grouped.tokens[place] = static_cast<std::uint32_t>(slot / per_token);
    grouped.place[slot] = static_cast<std::uint32_t>(place);
  }
  return grouped;
}

struct Activations {
  Activations(std::size_t blocks, std::size_t count)
      : values(std::make_unique_for_overwrite<std::int16_t[]>(blocks * count * kBlockInputs)),
        scales(std::make_unique_for_overwrite<float[]>(blocks * count)),
        rows{values.get(), scales.get(), count} {}

  Quantized block(std::size_t index) const {
    return {rows.values + index * rows.count * kBlockInputs, rows.scales + index * rows.count, rows.count};
  }

  std::unique_ptr<std::int16_t[]> values;
  std::unique_ptr<float[]> scales;
  Quantized rows;
};

class Pass {
 public:
  Pass(const Kernels& kernels, const Mixture& mixture, const std::int64_t* chosen, std::size_t tokens,
       std::size_t per_token)
      : tiles_(kernels.tiles),
        mixture_(mixture),
        tokens_(tokens),
        per_token_(per_token),
        grouped_(group_by_expert(chosen, tokens, per_token, mixture.experts)),
        x_(count_blocks(mixture.hidden), tokens * per_token),
        h_(count_blocks(mixture.intermediate), tokens * per_token),
        y_(std::make_unique_for_overwrite<std::uint16_t[]>(tokens * per_token * mixture.hidden)) {}

  void run(const std::uint16_t* x, const float* weights, std::uint16_t* out) {
    parallel_for(x_.rows.count, 4, [&](std::size_t first, std::size_t last) {
      for (std::size_t place = first; place < last; ++place) {
        tiles_.quantize(x + grouped_.tokens[place] * mixture_.hidden, mixture_.hidden, Order::mxfp4, x_.rows, place);
      }
    });
    const std::size_t h_blocks = count_blocks(mixture_.intermediate);
    parallel_for(grouped_.groups.size() * h_blocks, 1, [&](std::size_t first, std::size_t last) {
      for (std::size_t piece = first; piece < last; ++piece) {
        gate_up_block(grouped_.groups[piece / h_blocks], piece % h_blocks);
      }
    });
    const std::size_t y_tiles = count_tiles(mixture_.hidden);
    parallel_for(grouped_.groups.size() * y_tiles, 2, [&](std::size_t first, std::size_t last) {
      for (std::size_t piece = first; piece < last; ++piece) {
        down_tile(grouped_.groups[piece / y_tiles], piece % y_tiles);
      }
    });
    parallel_for(tokens_, 4, [&](std::size_t first, std::size_t last) {
      for (std::size_t t = first; t < last; ++t) {
        sum_slots(t, weights + t * per_token_, out + t * mixture_.hidden);
      }
    });
  }

 private:
  // 32 activations of an expert's tokens: four tiles of gate and linear rows, SwiGLU, and quantised for `down`.
  void gate_up_block(const Grouped::Group& group, std::size_t block) const {
    const std::size_t blocks = count_blocks(mixture_.hidden), bytes = tile_bytes(Form::mxfp4, mixture_.hidden);
    const std::uint8_t* tile = mixture_.gate_up[group.expert] + block * kTilesPerBlock * bytes;
    const std::uint16_t* bias =
        mixture_.gate_up_bias + group.expert * 2 * mixture_.intermediate + block * 2 * kBlockInputs;
    alignas(64) float sums[kChunk * kTileRows];
    alignas(64) std::uint16_t gate_up[kChunk * 2 * kBlockInputs], h[kChunk * kBlockInputs];
    for (std::size_t first = 0; first < group.count; first += kChunk) {
      const std::size_t count = std::min(kChunk, group.count - first), place = group.first + first;
      for (std::size_t i = 0; i < kTilesPerBlock; ++i) {
        tiles_.mxfp4(tile + i * bytes, blocks, x_.rows, place, count, sums);
        tiles_.add_bias(bias + i * kTileRows, count, kTileRows, sums);
        tiles_.round(sums, count, kTileRows, gate_up + i * kTileRows, 2 * kBlockInputs);
      }
      tiles_.swiglu(gate_up, count, mixture_.alpha, mixture_.limit, h);
      for (std::size_t t = 0; t < count; ++t) {
        tiles_.quantize(h + t * kBlockInputs, kBlockInputs, Order::mxfp4, h_.block(block), place + t);
      }
    }
  }

  void down_tile(const Grouped::Group& group, std::size_t tile_index) const {
    const std::size_t blocks = count_blocks(mixture_.intermediate);
    const std::uint8_t* tile =
        mixture_.down[group.expert] + tile_index * tile_bytes(Form::mxfp4, mixture_.intermediate);
    const std::uint16_t* bias = mixture_.down_bias + group.expert * mixture_.hidden + tile_index * kTileRows;
    alignas(64) float sums[kChunk * kTileRows];
    for (std::size_t first = 0; first < group.count; first += kChunk) {
      const std::size_t count = std::min(kChunk, group.count - first), place = group.first + first;
      tiles_.mxfp4(tile, blocks, h_.rows, place, count, sums);
      tiles_.add_bias(bias, count, kTileRows, sums);
      tiles_.round(sums, count, kTileRows, y_.get() + place * mixture_.hidden + tile_index * kTileRows,
                   mixture_.hidden);
    }
  }

  void sum_slots(std::size_t token, const float* weights, std::uint16_t* out) const {
    const std::uint16_t* rows[kMostSlots];
    for (std::size_t k = 0; k < per_token_; ++k) {
      rows[k] = y_.get() + grouped_.place[token * per_token_ + k] * mixture_.hidden;
    }
    tiles_.mix(rows, weights, per_token_, mixture_.hidden, out);
  }

  const TileKernels& tiles_;
  const Mixture& mixture_;
  std::size_t tokens_;
  std::size_t per_token_;
  Grouped grouped_;
  Activations x_;  // of the slots: an expert's tokens stand side by side
  Activations h_;  // of the slots, after SwiGLU
  std::unique_ptr<std::uint16_t[]> y_;  // [slots][hidden]: the experts' outputs
};

}  // namespace

void mix_experts(const Kernels& kernels, const Mixture& mixture, const std::uint16_t* x, const float* weights,
                 const std::int64_t* chosen, std::size_t tokens, std::size_t per_token, std::uint16_t* out) {
  for (std::size_t first = 0; first < tokens; first += kTokensPerPass) {
    const std::size_t count = std::min(kTokensPerPass, tokens - first);
    Pass(kernels, mixture, chosen + first * per_token, count, per_token)
        .run(x + first * mixture.hidden, weights + first * per_token, out + first * mixture.hidden);
  }
}

}  // namespace netweight
