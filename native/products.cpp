// Compiled once for each instruction set: tiles times tokens (tiles.h says what each function computes).
//
// No templates of the standard library here: a copy of one that is compiled for AVX-512 could be the
// one that the linker keeps for all.
#include "products.h"

#include "lanes.h"
#include "tiles.h"
#if defined(NETWEIGHT_AMX)
#include "amx.h"
#endif

namespace netweight::NETWEIGHT_ISA {
namespace {

constexpr std::size_t kPairs = kBlockInputs / 2;
// As many tokens share one expansion of a block: their sums (6 KB) stay in the first-level cache beside it.
constexpr std::size_t kChunk = 96;

struct alignas(64) ExpandedBlock {
  std::int16_t pairs[kPairs][kTileRows][2];
  float scales[kTileRows];
};

// A function of its own, like `expand` below: what a caller keeps in registers across it would be missed here.
template <std::size_t N>
__attribute__((noinline)) void block_times_tokens(const ExpandedBlock& block, const std::int16_t* x, const float* x_scales, float* sums) {
  Ints dots[N];
#pragma GCC unroll 16
  for (std::size_t t = 0; t < N; ++t) dots[t] = zero_ints();
#pragma GCC unroll 4
  for (std::size_t pair = 0; pair < kPairs; ++pair) {
    const Ints weights = load_ints(block.pairs[pair]);
#pragma GCC unroll 16
    for (std::size_t t = 0; t < N; ++t) dots[t] = dot(dots[t], weights, broadcast_pair(x + t * kBlockInputs + 2 * pair));
  }
#pragma GCC unroll 16
  for (std::size_t t = 0; t < N; ++t) {
    const Floats scales = times(load(block.scales), broadcast(x_scales + t));
    store(sums + t * kTileRows, fma(to_floats(dots[t]), scales, load(sums + t * kTileRows)));
  }
}

template <std::size_t N>
struct AtMost {
  NETWEIGHT_INLINE static void times(std::size_t count, const ExpandedBlock& block, const std::int16_t* x,
                                     const float* x_scales, float* sums) {
    if (count == N) {
      block_times_tokens<N>(block, x, x_scales, sums);
    } else {
      AtMost<N - 1>::times(count, block, x, x_scales, sums);
    }
  }
};
template <>
struct AtMost<0> {
  NETWEIGHT_INLINE static void times(std::size_t, const ExpandedBlock&, const std::int16_t*, const float*, float*) {}
};

// The two forms of blocks of integers: how a block becomes pairs, and what it is times one token.
struct Mxfp4Form {
  static constexpr std::size_t kBytes = 256, kScaleBytes = kTileRows;
  static constexpr bool kUnroll = false;  // four blocks' constants and sums would not find registers
  NETWEIGHT_INLINE static bool takes_few(const Quantized& x) { return x.bytes != nullptr; }
  NETWEIGHT_INLINE static Floats scales(const std::uint8_t* from) { return mxfp4_scales(from); }

  __attribute__((noinline)) static void expand(const std::uint8_t* from, ExpandedBlock& to) {
#pragma GCC unroll 4
    for (std::size_t group = 0; group < 4; ++group) {
      const Ints codes = load_ints(from + 64 * group);
      const Ints first = look_up(doubled_values(), lower_nibbles(codes));
      const Ints second = look_up(doubled_values(), upper_nibbles(codes));
      store_ints(to.pairs[4 * group], lower_bytes(first));
      store_ints(to.pairs[4 * group + 1], upper_bytes(first));
      store_ints(to.pairs[4 * group + 2], lower_bytes(second));
      store_ints(to.pairs[4 * group + 3], upper_bytes(second));
    }
  }

  // For N tokens side by side, weights plus 12 times the upper and the lower bytes of values; the correction takes
  // the 12 back.
  template <std::size_t N>
  NETWEIGHT_INLINE static void times(const std::uint8_t* from, const Quantized& x, std::size_t at, Ints (&total)[N]) {
#pragma GCC unroll 2
    for (std::size_t t = 0; t < N; ++t) total[t] = all_lanes(x.corrections + at + t);
#pragma GCC unroll 2
    for (std::size_t half = 0; half < 2; ++half) {
      const std::int8_t* bytes = x.bytes + at * 2 * kBlockInputs + 16 * half;
      Ints uppers[N], lowers[N];
#pragma GCC unroll 2
      for (std::size_t group = 0; group < 2; ++group) {
        const Ints codes = load_ints(from + 128 * half + 64 * group);
        const Ints first = look_up(doubled_values_plus_12(), lower_nibbles(codes));
#pragma GCC unroll 2
        for (std::size_t t = 0; t < N; ++t) {
          const std::int8_t* upper = bytes + t * 2 * kBlockInputs + 8 * group;
          const BroadcastPair u = broadcast_four(upper), l = broadcast_four(upper + kBlockInputs);
          uppers[t] = group == 0 ? first_bytes(first, u) : add_bytes(uppers[t], first, u);
          lowers[t] = group == 0 ? first_bytes(first, l) : add_bytes(lowers[t], first, l);
        }
        const Ints second = look_up(doubled_values_plus_12(), upper_nibbles(codes));
#pragma GCC unroll 2
        for (std::size_t t = 0; t < N; ++t) {
          const std::int8_t* upper = bytes + t * 2 * kBlockInputs + 8 * group + 4;
          uppers[t] = add_bytes(uppers[t], second, broadcast_four(upper));
          lowers[t] = add_bytes(lowers[t], second, broadcast_four(upper + kBlockInputs));
        }
      }
#pragma GCC unroll 2
      for (std::size_t t = 0; t < N; ++t) total[t] = add_sums(total[t], uppers[t], lowers[t]);
    }
  }
};

struct Int8Form {
  static constexpr std::size_t kBytes = kBlockInputs * kTileRows, kScaleBytes = 2 * kTileRows;
  static constexpr bool kUnroll = true;
  NETWEIGHT_INLINE static bool takes_few(const Quantized&) { return true; }
  NETWEIGHT_INLINE static Floats scales(const std::uint8_t* from) {
    return load_float16(reinterpret_cast<const std::uint16_t*>(from));
  }

  __attribute__((noinline)) static void expand(const std::uint8_t* from, ExpandedBlock& to) {
    const auto* bytes = reinterpret_cast<const std::int8_t*>(from);
#pragma GCC unroll 16
    for (std::size_t pair = 0; pair < kPairs; ++pair) {
      store_ints(to.pairs[pair], load_byte_pairs(bytes + pair * 2 * kTileRows));
    }
  }

  template <std::size_t N>
  NETWEIGHT_INLINE static void times(const std::uint8_t* from, const Quantized& x, std::size_t at, Ints (&total)[N]) {
    const auto* bytes = reinterpret_cast<const std::int8_t*>(from);
    const std::int16_t* values = x.values + at * kBlockInputs;
    Ints odd[N];
#pragma GCC unroll 2
    for (std::size_t t = 0; t < N; ++t) total[t] = odd[t] = zero_ints();
#pragma GCC unroll 8
    for (std::size_t pair = 0; pair < kPairs; pair += 2) {
      const Ints even_weights = load_byte_pairs(bytes + pair * 2 * kTileRows);
#pragma GCC unroll 2
      for (std::size_t t = 0; t < N; ++t) {
        total[t] = dot(total[t], even_weights, broadcast_pair(values + t * kBlockInputs + 2 * pair));
      }
      const Ints odd_weights = load_byte_pairs(bytes + (pair + 1) * 2 * kTileRows);
#pragma GCC unroll 2
      for (std::size_t t = 0; t < N; ++t) {
        odd[t] = dot(odd[t], odd_weights, broadcast_pair(values + t * kBlockInputs + 2 * pair + 2));
      }
    }
#pragma GCC unroll 2
    for (std::size_t t = 0; t < N; ++t) total[t] = plus(total[t], odd[t]);
  }
};

// Where the blocks of a tile and their scales are, and what to fetch meanwhile: the same tile's blocks ahead,
// then those of the tile that comes after it, whose scales are fetched during this one's. With `step` tiles read
// in turn that is the step-th from here.
template <typename Form>
struct Blocks {
  static constexpr std::size_t kAhead = (kFetchAhead + Form::kBytes - 1) / Form::kBytes;

  Blocks(const std::uint8_t* tile, std::size_t blocks, std::size_t step = 1)
      : values(tile),
        scales(tile + blocks * Form::kBytes),
        count(blocks),
        tile_bytes((blocks * (Form::kBytes + Form::kScaleBytes) + 63) / 64 * 64),
        step_bytes(step * tile_bytes) {}

  // The i-th tile from here.
  NETWEIGHT_INLINE Blocks tile(std::size_t i) const { return {values + i * tile_bytes, count, step_bytes / tile_bytes}; }

  NETWEIGHT_INLINE void fetch_ahead(std::size_t block) const {
    const std::size_t beyond = block + kAhead < count ? 0 : step_bytes - count * Form::kBytes;
    fetch<Form::kBytes>(values + (block + kAhead) * Form::kBytes + beyond);
    fetch<1>(scales + step_bytes + block * Form::kScaleBytes);
  }

  const std::uint8_t* values;
  const std::uint8_t* scales;
  std::size_t count, tile_bytes, step_bytes;
};

// One or two tokens: the matrix streams by, and nothing of it is kept. Two tiles are read a block at a time in turn, as
// memory comes faster in several streams. Four are faster with one core alone, and slower with two (Zen 3, shares
// of read bandwidth with two: MXFP4 0.85 against 0.75, int8 0.85 against 0.73; docs/log.md).

constexpr std::size_t kStreams = 2;

template <typename Form, std::size_t Tokens>
NETWEIGHT_INLINE void add_block(const Blocks<Form>& weights, std::size_t block, const Quantized& x, std::size_t at,
                                Floats (&sums)[Tokens]) {
  weights.fetch_ahead(block);
  Ints dots[Tokens];
  Form::times(weights.values + block * Form::kBytes, x, at, dots);
  const Floats scales = Form::scales(weights.scales + block * Form::kScaleBytes);
#pragma GCC unroll 2
  for (std::size_t t = 0; t < Tokens; ++t) {
    sums[t] = fma(to_floats(dots[t]), times(scales, broadcast(x.scales + at + t)), sums[t]);
  }
}

template <typename Form, std::size_t Tiles, std::size_t Tokens>
void tiles_times_few(const std::uint8_t* tile, std::size_t blocks, const Quantized& x, std::size_t first, float* out) {
  const Blocks<Form> weights(tile, blocks, Tiles);
  Floats sums[Tiles][Tokens];
  for (std::size_t i = 0; i < Tiles; ++i) {
    for (std::size_t t = 0; t < Tokens; ++t) sums[i][t] = zero_floats();
  }
  for (std::size_t block = 0; block < blocks; ++block) {
    const std::size_t at = block * x.count + first;
    if constexpr (Form::kUnroll) {
#pragma GCC unroll 2
      for (std::size_t i = 0; i < Tiles; ++i) add_block(weights.tile(i), block, x, at, sums[i]);
    } else {
#pragma GCC unroll 1
      for (std::size_t i = 0; i < Tiles; ++i) add_block(weights.tile(i), block, x, at, sums[i]);
    }
  }
  for (std::size_t i = 0; i < Tiles; ++i) {
    for (std::size_t t = 0; t < Tokens; ++t) store(out + (i * Tokens + t) * kTileRows, sums[i][t]);
  }
}

template <typename Form, std::size_t Tokens>
void few_tokens(const std::uint8_t* tile, std::size_t tiles, std::size_t blocks, const Quantized& x,
                std::size_t first, float* out) {
  const Blocks<Form> weights(tile, blocks);
  std::size_t i = 0;
  for (; i + kStreams <= tiles; i += kStreams) {
    tiles_times_few<Form, kStreams, Tokens>(weights.tile(i).values, blocks, x, first, out + i * Tokens * kTileRows);
  }
  for (; i < tiles; ++i) {
    tiles_times_few<Form, 1, Tokens>(weights.tile(i).values, blocks, x, first, out + i * Tokens * kTileRows);
  }
}

// Several tokens: each block becomes pairs of 16-bit integers once, and meets all of them.
template <typename Form>
void tile_times_chunk(const Blocks<Form>& weights, const Quantized& x, std::size_t first, std::size_t count,
                      float* out) {
  for (std::size_t t = 0; t < count; ++t) store(out + t * kTileRows, zero_floats());
  ExpandedBlock expanded;
  for (std::size_t block = 0; block < weights.count; ++block) {
    weights.fetch_ahead(block);
    Form::expand(weights.values + block * Form::kBytes, expanded);
    store(expanded.scales, Form::scales(weights.scales + block * Form::kScaleBytes));
    const std::int16_t* values = x.values + (block * x.count + first) * kBlockInputs;
    const float* x_scales = x.scales + block * x.count + first;
    std::size_t t = 0;
    for (; t + kTokensAtOnce <= count; t += kTokensAtOnce) {
      block_times_tokens<kTokensAtOnce>(expanded, values + t * kBlockInputs, x_scales + t, out + t * kTileRows);
    }
    AtMost<kTokensAtOnce - 1>::times(count - t, expanded, values + t * kBlockInputs, x_scales + t,
                                     out + t * kTileRows);
  }
}

template <typename Form>
void tiles_times_tokens(const std::uint8_t* tile, std::size_t tiles, std::size_t blocks, const Quantized& x,
                        std::size_t first, std::size_t count, float* out) {
  const Blocks<Form> weights(tile, blocks);
  const std::size_t out_stride = count * kTileRows;
  if (count <= 2 && Form::takes_few(x)) {
    const auto few = count == 1 ? few_tokens<Form, 1> : few_tokens<Form, 2>;
    few(tile, tiles, blocks, x, first, out);
    return;
  }
  for (std::size_t i = 0; i < tiles; ++i) {
    for (std::size_t t = 0; t < count; t += kChunk) {
      const std::size_t chunk = count - t < kChunk ? count - t : kChunk;
      tile_times_chunk<Form>(weights.tile(i), x, first + t, chunk, out + i * out_stride + t * kTileRows);
    }
  }
}

// `Tiles` tiles by `Tokens` tokens: enough chains of sums to keep the multipliers busy.
template <std::size_t Tiles, std::size_t Tokens>
void bfloat16_times(const std::uint8_t* tile, std::size_t blocks, const float* x, float* out, std::size_t out_stride) {
  const std::size_t inputs = blocks * kBlockInputs, tile_bytes = inputs * kTileRows * 2;
  Floats sums[Tiles][Tokens];
#pragma GCC unroll 16
  for (std::size_t i = 0; i < Tiles; ++i) {
#pragma GCC unroll 16
    for (std::size_t t = 0; t < Tokens; ++t) sums[i][t] = zero_floats();
  }
  for (std::size_t k = 0; k < inputs; k += 2) {
#pragma GCC unroll 16
    for (std::size_t i = 0; i < Tiles; ++i) {
      const std::uint8_t* from = tile + i * tile_bytes + k * kTileRows * 2;
      const Ints pairs = load_ints(from);
      fetch<64>(from + (Tiles == 1 ? 4 * kFetchAhead : kFetchAhead));  // as far for one stream as for four
      const Floats first = first_bfloat16(pairs);
#pragma GCC unroll 16
      for (std::size_t t = 0; t < Tokens; ++t) sums[i][t] = fma(first, broadcast(x + t * inputs + k), sums[i][t]);
      const Floats second = second_bfloat16(pairs);
#pragma GCC unroll 16
      for (std::size_t t = 0; t < Tokens; ++t) sums[i][t] = fma(second, broadcast(x + t * inputs + k + 1), sums[i][t]);
    }
  }
#pragma GCC unroll 16
  for (std::size_t i = 0; i < Tiles; ++i) {
#pragma GCC unroll 16
    for (std::size_t t = 0; t < Tokens; ++t) store(out + i * out_stride + t * kTileRows, sums[i][t]);
  }
}

template <std::size_t Tiles, std::size_t Tokens>
void bfloat16_tiles(const std::uint8_t* tile, std::size_t tiles, std::size_t blocks, const float* x, float* out,
                    std::size_t out_stride) {
  const std::size_t tile_bytes = blocks * kBlockInputs * kTileRows * 2;
  std::size_t i = 0;
  for (; i + Tiles <= tiles; i += Tiles) {
    bfloat16_times<Tiles, Tokens>(tile + i * tile_bytes, blocks, x, out + i * out_stride, out_stride);
  }
  if constexpr (Tiles > 1) {
    for (; i < tiles; ++i) bfloat16_times<1, Tokens>(tile + i * tile_bytes, blocks, x, out + i * out_stride, out_stride);
  }
}

// The same for `count` of at most N tokens.
template <std::size_t N>
void bfloat16_tokens(const std::uint8_t* tile, std::size_t tiles, std::size_t blocks, const float* x,
                     std::size_t count, float* out, std::size_t out_stride) {
  if (count == N) {
    // One token takes several tiles, or there would be too few chains.
    constexpr std::size_t kTiles = N == 1 ? 4 : N == 2 ? 2 : 1;
    bfloat16_tiles<kTiles, N>(tile, tiles, blocks, x, out, out_stride);
  } else if constexpr (N > 1) {
    bfloat16_tokens<N - 1>(tile, tiles, blocks, x, count, out, out_stride);
  }
}

}  // namespace

void int8_product(const std::uint8_t* tile, std::size_t tiles, std::size_t blocks, const Quantized& x,
                  std::size_t first, std::size_t count, float* out) {
  tiles_times_tokens<Int8Form>(tile, tiles, blocks, x, first, count, out);
}

#if defined(NETWEIGHT_AMX)

void mxfp4_product(const std::uint8_t* tile, std::size_t tiles, std::size_t blocks, const Quantized& x,
                   std::size_t first, std::size_t count, float* out) {
  alignas(64) std::uint16_t expanded[kBlocksAhead][kBlockInputs * kTileRows];
  const auto* inputs = reinterpret_cast<const char*>(x.values + first * kBlockInputs);
  for (std::size_t i = 0; i < tiles; ++i) {
    const Blocks<Mxfp4Form> from = Blocks<Mxfp4Form>(tile, blocks).tile(i);
    const auto weights = [&](std::size_t block) {
      if (block % kBlocksAhead == 0) {
        for (std::size_t next = block; next < block + kBlocksAhead && next < blocks; ++next) {
          from.fetch_ahead(next);
          expand_to_bfloat16(from.values + next * Mxfp4Form::kBytes,
                             block_scales(from.scales + next * Mxfp4Form::kScaleBytes), expanded[next - block]);
        }
      }
      return static_cast<const void*>(expanded[block % kBlocksAhead]);
    };
    multiply_tokens(blocks, {inputs, 2 * kBlockInputs, 2 * kBlockInputs * x.count}, weights, count,
                    out + i * count * kTileRows);
  }
}

void bfloat16_product(const std::uint8_t* tile, std::size_t tiles, std::size_t blocks, const float* x,
                      std::size_t count, float* out) {
  for (std::size_t i = 0; i < tiles; ++i) {
    const std::uint8_t* from = tile + i * blocks * kBlockBytes;
    const auto weights = [&](std::size_t block) {
      fetch<kBlockBytes>(from + block * kBlockBytes + kFetchAhead);
      return static_cast<const void*>(from + block * kBlockBytes);
    };
    const std::size_t row_bytes = blocks * kBlockInputs * sizeof(float);  // `widen` fills the first half
    multiply_tokens(blocks, {reinterpret_cast<const char*>(x), row_bytes, 2 * kBlockInputs}, weights, count,
                    out + i * count * kTileRows);
  }
}

#else

void mxfp4_product(const std::uint8_t* tile, std::size_t tiles, std::size_t blocks, const Quantized& x,
                   std::size_t first, std::size_t count, float* out) {
  tiles_times_tokens<Mxfp4Form>(tile, tiles, blocks, x, first, count, out);
}

void bfloat16_product(const std::uint8_t* tile, std::size_t tiles, std::size_t blocks, const float* x,
                      std::size_t count, float* out) {
  const std::size_t inputs = blocks * kBlockInputs, out_stride = count * kTileRows;
  while (count > 0) {
    std::size_t tokens = count < kFloatTokensAtOnce ? count : kFloatTokensAtOnce;
    if (count > tokens && count < 2 * tokens) tokens = (count + 1) / 2;  // 5 as 3 and 2, not 4 and 1
    bfloat16_tokens<kFloatTokensAtOnce>(tile, tiles, blocks, x, tokens, out, out_stride);
    x += tokens * inputs;
    out += tokens * kTileRows;
    count -= tokens;
  }
}

#endif

std::uint64_t sum_words(const std::uint8_t* data, std::size_t bytes) {
  // Four streams, a quarter of the bytes each.
  const std::size_t quarter = bytes / 4 / 64 * 64;
  Ints sums[4] = {zero_ints(), zero_ints(), zero_ints(), zero_ints()};
  for (std::size_t at = 0; at < quarter; at += 64) {
#pragma GCC unroll 4
    for (std::size_t stream = 0; stream < 4; ++stream) {
      const std::uint8_t* from = data + stream * quarter + at;
      fetch<64>(from + kFetchAhead);
      sums[stream] = plus(sums[stream], load_ints(from));
    }
  }
  std::uint32_t words[kTileRows];
  store_ints(words, plus(plus(sums[0], sums[1]), plus(sums[2], sums[3])));
  std::uint64_t total = 0;
  for (const std::uint32_t word : words) total += word;
  return total;
}

}  // namespace netweight::NETWEIGHT_ISA
