#include <algorithm>
#include <memory>
#include <vector>

#include "activations.h"
#include "matrices.h"
#include "pool.h"

namespace netweight {
namespace {

// As many tokens go through one pass: 512 give each of 32 experts 64, which reads weights often enough, and
// what lies between the matrices stays within 50 MB for gpt-oss.
constexpr std::size_t kTokensPerPass = 1024;
constexpr std::size_t kChunk = 96;
constexpr std::size_t kTilesPerPiece = 2 * kBlockInputs / kTileRows;  // gate and linear rows of 32 activations
constexpr std::size_t kMostSlots = 64;  // of a token
constexpr std::size_t kFewSlots = 64;   // of all: many experts have a single token
// Pieces taken at once: at the start of each, the first lines come from memory unasked for.
constexpr std::size_t kGrain = 2;

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

class Pass {
 public:
  Pass(const Kernels& kernels, const Mixture& mixture, const std::int64_t* chosen, std::size_t tokens,
       std::size_t per_token)
      : tiles_(kernels.tiles),
        mixture_(mixture),
        tokens_(tokens),
        per_token_(per_token),
        grouped_(group_by_expert(chosen, tokens, per_token, mixture.experts)),
        x_(count_blocks(mixture.hidden), tokens * per_token, tokens * per_token <= kFewSlots),
        h_(count_blocks(mixture.intermediate), tokens * per_token, tokens * per_token <= kFewSlots),
        y_(std::make_unique_for_overwrite<std::uint16_t[]>(tokens * per_token * mixture.hidden)) {}

  void run(const std::uint16_t* x, const float* weights, std::uint16_t* out) {
    parallel_for(x_.all.count, 4, [&](std::size_t first, std::size_t last) {
      for (std::size_t place = first; place < last; ++place) {
        tiles_.quantize(x + grouped_.tokens[place] * mixture_.hidden, mixture_.hidden, Order::mxfp4, x_.all, place);
      }
    });
    const std::size_t h_blocks = count_blocks(mixture_.intermediate);
    parallel_for(grouped_.groups.size() * h_blocks, kGrain, [&](std::size_t first, std::size_t last) {
      for (std::size_t piece = first; piece < last; ++piece) {
        gate_up_block(grouped_.groups[piece / h_blocks], piece % h_blocks);
      }
    });
    const std::size_t y_pieces = (count_tiles(mixture_.hidden) + kTilesPerPiece - 1) / kTilesPerPiece;
    parallel_for(grouped_.groups.size() * y_pieces, kGrain, [&](std::size_t first, std::size_t last) {
      for (std::size_t piece = first; piece < last; ++piece) {
        down_tiles(grouped_.groups[piece / y_pieces], piece % y_pieces * kTilesPerPiece);
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
    const std::uint8_t* tile = mixture_.gate_up[group.expert] + block * kTilesPerPiece * bytes;
    const std::uint16_t* bias =
        mixture_.gate_up_bias + group.expert * 2 * mixture_.intermediate + block * 2 * kBlockInputs;
    alignas(64) float sums[kTilesPerPiece * kChunk * kTileRows];
    alignas(64) std::uint16_t gate_up[kChunk * 2 * kBlockInputs], h[kChunk * kBlockInputs];
    for (std::size_t first = 0; first < group.count; first += kChunk) {
      const std::size_t count = std::min(kChunk, group.count - first), place = group.first + first;
      tiles_.mxfp4(tile, kTilesPerPiece, blocks, x_.all, place, count, sums);
      for (std::size_t i = 0; i < kTilesPerPiece; ++i) {
        float* tile_sums = sums + i * count * kTileRows;
        tiles_.add_bias(bias + i * kTileRows, count, kTileRows, tile_sums);
        tiles_.round(tile_sums, count, kTileRows, gate_up + i * kTileRows, 2 * kBlockInputs);
      }
      tiles_.swiglu(gate_up, count, mixture_.alpha, mixture_.limit, h);
      for (std::size_t t = 0; t < count; ++t) {
        tiles_.quantize(h + t * kBlockInputs, kBlockInputs, Order::mxfp4, h_.block(block), place + t);
      }
    }
  }

  void down_tiles(const Grouped::Group& group, std::size_t first_tile) const {
    const std::size_t blocks = count_blocks(mixture_.intermediate), row = first_tile * kTileRows;
    const std::size_t num_tiles = std::min(kTilesPerPiece, count_tiles(mixture_.hidden) - first_tile);
    const std::uint8_t* tile =
        mixture_.down[group.expert] + first_tile * tile_bytes(Form::mxfp4, mixture_.intermediate);
    const std::uint16_t* bias = mixture_.down_bias + group.expert * mixture_.hidden + row;
    alignas(64) float sums[kTilesPerPiece * kChunk * kTileRows];
    for (std::size_t first = 0; first < group.count; first += kChunk) {
      const std::size_t count = std::min(kChunk, group.count - first), place = group.first + first;
      tiles_.mxfp4(tile, num_tiles, blocks, h_.all, place, count, sums);
      for (std::size_t i = 0; i < num_tiles; ++i) {
        float* tile_sums = sums + i * count * kTileRows;
        tiles_.add_bias(bias + i * kTileRows, count, kTileRows, tile_sums);
        tiles_.round(tile_sums, count, kTileRows, y_.get() + place * mixture_.hidden + row + i * kTileRows,
                     mixture_.hidden);
      }
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
