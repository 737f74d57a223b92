// Compiled once for each instruction set: attention to keys in pages (attention.h has layout and arithmetic).
#include "attention.h"

#include "attention_tile.h"
#include "rows_isa.h"
#include "simd.h"
#if defined(NETWEIGHT_AMX)
#include "attention_amx.h"
#endif

namespace netweight::NETWEIGHT_ISA {
namespace {

// Sums in registers: kRowsAtOnce rows of queries by kWide times 16 keys or dimensions.
#if defined(NETWEIGHT_AVX512)
// 16 of 32 registers, so that a broadcast number is used twice: loads would else be the limit.
constexpr std::size_t kRowsAtOnce = 8;
constexpr std::size_t kWide = 2;
#else
// 8 of 16: with 12 (6 rows) the 8 rows of a group would go as 6 and 2, and registers did not suffice (Zen 3).
constexpr std::size_t kRowsAtOnce = 4;
constexpr std::size_t kWide = 1;
#endif

// Part of what comes from memory while something else is computed: from here, so many numbers at each step.
struct Ahead {
  const std::uint16_t* from;
  std::size_t step;
};

// The part of a page's keys or values that falls to one of `parts` loops of so many steps.
NETWEIGHT_INLINE Ahead part_ahead(const std::uint16_t* page, std::size_t head_dim, std::size_t part, std::size_t parts,
                                  std::size_t steps) {
  const std::size_t step = kPageTokens * head_dim / (parts * steps);
  return {page + part * steps * step, step};
}

// Adds pairs[w] times two neighbouring numbers of each row of x.
template <std::size_t Rows, std::size_t Wide>
NETWEIGHT_INLINE void add_pairs(const Ints (&pairs)[Wide], const float* x, std::size_t stride,
                                Floats (&sums)[Wide][Rows]) {
  Floats first[Wide], second[Wide];
#pragma GCC unroll 16
  for (std::size_t w = 0; w < Wide; ++w) {
    first[w] = first_bfloat16(pairs[w]);
    second[w] = second_bfloat16(pairs[w]);
  }
#pragma GCC unroll 16
  for (std::size_t row = 0; row < Rows; ++row) {
    const Broadcast number = broadcast_once(x + row * stride);
#pragma GCC unroll 16
    for (std::size_t w = 0; w < Wide; ++w) sums[w][row] = fma(first[w], number, sums[w][row]);
  }
#pragma GCC unroll 16
  for (std::size_t row = 0; row < Rows; ++row) {
    const Broadcast number = broadcast_once(x + row * stride + 1);
#pragma GCC unroll 16
    for (std::size_t w = 0; w < Wide; ++w) sums[w][row] = fma(second[w], number, sums[w][row]);
  }
}

// `Rows` queries times the keys of `Wide` pages of the tile, from `page` on.
template <std::size_t Rows, std::size_t Wide>
NETWEIGHT_INLINE void score(const Tile& tile, std::size_t page, const Ahead* ahead, const float* q,
                            std::size_t head_dim, float* scores) {
  Floats sums[Wide][Rows];
#pragma GCC unroll 16
  for (std::size_t w = 0; w < Wide; ++w) {
#pragma GCC unroll 16
    for (std::size_t row = 0; row < Rows; ++row) sums[w][row] = zero_floats();
  }
  for (std::size_t i = 0; i < head_dim; i += 2) {
    Ints pairs[Wide];
#pragma GCC unroll 16
    for (std::size_t w = 0; w < Wide; ++w) {
      pairs[w] = load_ints(tile.keys[page + w] + i * kPageTokens);
      fetch_line(ahead[w].from + i / 2 * ahead[w].step);
    }
    add_pairs<Rows, Wide>(pairs, q + i, head_dim, sums);
  }
#pragma GCC unroll 16
  for (std::size_t w = 0; w < Wide; ++w) {
    float* to = scores + tile.slot[page + w] * kPageTokens;
#pragma GCC unroll 16
    for (std::size_t row = 0; row < Rows; ++row) store(to + row * kTileKeys, sums[w][row]);
  }
}

// Adds the tile's values times `Rows` rows of weights to `Wide` times 16 dimensions of `mixed`.
template <std::size_t Rows, std::size_t Wide>
NETWEIGHT_INLINE void mix(const Tile& tile, const Ahead* ahead, std::size_t dim, std::size_t head_dim,
                          const float* weights, float* mixed) {
  const std::size_t stride = padded(head_dim);
  Floats sums[Wide][Rows];
#pragma GCC unroll 16
  for (std::size_t w = 0; w < Wide; ++w) {
#pragma GCC unroll 16
    for (std::size_t row = 0; row < Rows; ++row) sums[w][row] = load(mixed + row * stride + dim + 16 * w);
  }
  for (std::size_t page = 0; page < tile.count; ++page) {
    const std::uint16_t* values = tile.values[page] + 2 * dim;
    const float* page_weights = weights + tile.slot[page] * kPageTokens;
    for (std::size_t token = 0; token < kPageTokens; token += 2) {
      fetch_line(ahead[page].from + token / 2 * ahead[page].step);
      Ints pairs[Wide];
#pragma GCC unroll 16
      for (std::size_t w = 0; w < Wide; ++w) pairs[w] = load_ints(values + token * head_dim + 32 * w);
      add_pairs<Rows, Wide>(pairs, page_weights + token, kTileKeys, sums);
    }
  }
#pragma GCC unroll 16
  for (std::size_t w = 0; w < Wide; ++w) {
#pragma GCC unroll 16
    for (std::size_t row = 0; row < Rows; ++row) store(mixed + row * stride + dim + 16 * w, sums[w][row]);
  }
}

// Calls body.run<rows>(first) for all rows, at most kRowsAtOnce at a time.
template <std::size_t N, typename Body>
NETWEIGHT_INLINE void last_rows(std::size_t first, std::size_t count, const Body& body) {
  if constexpr (N > 0) {
    if (count == N) return body.template run<N>(first);
    last_rows<N - 1>(first, count, body);
  }
}
template <typename Body>
NETWEIGHT_INLINE void for_rows(std::size_t rows, const Body& body) {
  std::size_t row = 0;
  for (; row + kRowsAtOnce <= rows; row += kRowsAtOnce) body.template run<kRowsAtOnce>(row);
  last_rows<kRowsAtOnce - 1>(row, rows - row, body);
}

float widened(std::uint16_t x) {
  const std::uint32_t bits = static_cast<std::uint32_t>(x) << 16;
  float value;
  __builtin_memcpy(&value, &bits, 4);
  return value;
}

// One dimension: head_dim need not be a multiple of 16.
void mix_one(const Tile& tile, std::size_t row, std::size_t dim, std::size_t head_dim, const Scratch& scratch) {
  float& mixed = scratch.mixed[row * padded(head_dim) + dim];
  for (std::size_t page = 0; page < tile.count; ++page) {
    const float* weights = scratch.scores + row * kTileKeys + tile.slot[page] * kPageTokens;
    for (std::size_t token = 0; token < kPageTokens; ++token) {
      const std::uint16_t value = tile.values[page][(token / 2 * head_dim + dim) * 2 + token % 2];
      mixed = __builtin_fmaf(weights[token], widened(value), mixed);
    }
  }
}

constexpr std::size_t parts_of(std::size_t rows) { return (rows + kRowsAtOnce - 1) / kRowsAtOnce; }

// While pages' keys are used, their values come from memory.
template <std::size_t Wide>
struct Score {
  const Tile& tile;
  std::size_t page, rows, head_dim;
  const Scratch& scratch;

  template <std::size_t Rows>
  NETWEIGHT_INLINE void run(std::size_t row) const {
    Ahead ahead[Wide];
    for (std::size_t w = 0; w < Wide; ++w) {
      ahead[w] = part_ahead(tile.values[page + w], head_dim, row / kRowsAtOnce, parts_of(rows), head_dim / 2);
    }
    score<Rows, Wide>(tile, page, ahead, scratch.q + row * head_dim, head_dim, scratch.scores + row * kTileKeys);
  }
};

// While a tile's values are used, the next tile's keys come from memory.
template <std::size_t Wide>
struct Mix {
  const Tile& tile;
  const Tile& next;
  std::size_t dim, rows, head_dim;
  const Scratch& scratch;

  template <std::size_t Rows>
  NETWEIGHT_INLINE void run(std::size_t row) const {
    const std::size_t parts = parts_of(rows), part = dim / (16 * Wide) * parts + row / kRowsAtOnce;
    const std::size_t all_parts = head_dim / (16 * Wide) * parts;
    Ahead ahead[kTilePages];
    for (std::size_t page = 0; page < tile.count; ++page) {
      ahead[page] = part_ahead(next.keys[page], head_dim, part, all_parts, kPageTokens / 2);
    }
    mix<Rows, Wide>(tile, ahead, dim, head_dim, scratch.scores + row * kTileKeys,
                    scratch.mixed + row * padded(head_dim));
  }
};

// What `attend_by` asks of a way to multiply; this one serves every head_dim.
struct InLanes {
  static void start(std::size_t) {}
  static void stop() {}

  static void put(const std::uint16_t* q, std::size_t row, std::size_t head_dim, const Scratch& scratch) {
    const float scale = score_scale(head_dim);
    for (std::size_t dim = 0; dim < head_dim; ++dim) scratch.q[row * head_dim + dim] = widened(q[dim]) * scale;
  }

  static void score(const Tile& tile, std::size_t rows, std::size_t head_dim, const Scratch& scratch) {
    std::size_t page = 0;
    for (; page + kWide <= tile.count; page += kWide) for_rows(rows, Score<kWide>{tile, page, rows, head_dim, scratch});
    for (; page < tile.count; ++page) for_rows(rows, Score<1>{tile, page, rows, head_dim, scratch});
  }

  static Floats scaled(Floats score, float) { return score; }  // `put` has done it

  static void keep(Floats weights, std::size_t row, std::size_t slot, const Scratch& scratch) {
    store(scratch.scores + row * kTileKeys + slot * kPageTokens, weights);
  }

  static void fetch_part(const Tile&, std::size_t, std::size_t, std::size_t) {}

  static void mix(const Tile& tile, const Tile& next, std::size_t rows, std::size_t head_dim, const Scratch& scratch) {
    constexpr std::size_t kDims = 16 * kWide;
    std::size_t dim = 0;
    for (; dim + kDims <= head_dim; dim += kDims) for_rows(rows, Mix<kWide>{tile, next, dim, rows, head_dim, scratch});
    for (; dim + 16 <= head_dim; dim += 16) for_rows(rows, Mix<1>{tile, next, dim, rows, head_dim, scratch});
    for (; dim < head_dim; ++dim) {
      for (std::size_t row = 0; row < rows; ++row) mix_one(tile, row, dim, head_dim, scratch);
    }
  }
};

void scale_down(float* x, std::size_t size, Floats factor) {
  for (std::size_t i = 0; i < size; i += 16) store(x + i, times(load(x + i), factor));
}

// A row's scores of the tile become weights; keys outside [first, last] get none.
template <typename Way>
void weigh(const Tile& tile, std::size_t row, std::size_t first, std::size_t last, std::size_t head_dim,
           float scale, const Scratch& scratch) {
  const float* scores = scratch.scores + row * kTileKeys;
  Floats page_scores[kTilePages];
  Floats top = all_lanes(-__builtin_inff());
  for (std::size_t page = 0; page < tile.count; ++page) {
    const std::size_t slot = tile.slot[page], start = tile.first_position + slot * kPageTokens;
    Floats x = Way::scaled(load(scores + slot * kPageTokens), scale);
    if (start < first || start + kPageTokens - 1 > last) {
      x = keep_lanes(x, static_cast<int>(first) - static_cast<int>(start),
                     static_cast<int>(last) - static_cast<int>(start));
    }
    page_scores[page] = x;
    top = larger(top, x);
  }
  const float largest = largest_of(top);
  if (largest > scratch.largest[row]) {
    const Floats factor = all_lanes(first_lane(exp2(all_lanes(scratch.largest[row] - largest))));
    scale_down(scratch.mixed + row * padded(head_dim), padded(head_dim), factor);
    scale_down(scratch.sums + row * 16, 16, factor);
    scratch.largest[row] = largest;
  }
  const Floats shift = all_lanes(scratch.largest[row]);
  Floats sum = load(scratch.sums + row * 16);
  for (std::size_t page = 0; page < tile.count; ++page) {
    const Floats weights = exp2(minus(page_scores[page], shift));
    Way::keep(weights, row, tile.slot[page], scratch);
    sum = plus(sum, weights);
  }
  store(scratch.sums + row * 16, sum);
}

// The last page of a sequence may hold anything after its last token: a copy of its values, with zeros there.
const std::uint16_t* cleaned(const std::uint16_t* values, std::size_t tokens, std::size_t head_dim,
                             std::uint16_t* copy) {
  for (std::size_t token = 0; token < kPageTokens; ++token) {
    for (std::size_t dim = 0; dim < head_dim; ++dim) {
      const std::size_t index = ((token / 2) * head_dim + dim) * 2 + token % 2;
      copy[index] = token < tokens ? values[index] : 0;
    }
  }
  return copy;
}

Tile tile_at(std::size_t index, std::size_t first_page, std::size_t last_page, const Keys& keys,
             const Scratch& scratch) {
  Tile tile;
  tile.first_position = index * kTileKeys;
  tile.count = 0;
  for (std::size_t slot = 0; slot < kTilePages; ++slot) {
    const std::size_t number = index * kTilePages + slot;
    if (number < first_page || number > last_page) continue;
    const auto page = static_cast<std::size_t>(keys.table[number]);
    const std::size_t tokens = keys.length - number * kPageTokens;
    const std::uint16_t* values = values_of(keys.pages, page, keys.kv_head);
    tile.slot[tile.count] = slot;
    tile.keys[tile.count] = keys_of(keys.pages, page, keys.kv_head);
    tile.values[tile.count] =
        tokens < kPageTokens ? cleaned(values, tokens, keys.pages.head_dim, scratch.values) : values;
    ++tile.count;
  }
  return tile;
}

template <typename Way>
void put_queries(const Queries& queries, std::size_t head_dim, const Scratch& scratch) {
  for (std::size_t row = 0; row < queries.count * queries.group; ++row) {
    const std::size_t token = row / queries.group, head = row % queries.group;
    const std::uint16_t* q = queries.q + token * queries.stride + head * head_dim;
    if (queries.cos != nullptr) {
      const std::size_t at = token * head_dim / 2;
      rotate(q, queries.cos + at, queries.sin + at, head_dim, scratch.turned);
      q = scratch.turned;
    }
    Way::put(q, row, head_dim, scratch);
  }
}

float sink_of(const Queries& queries, std::size_t row) {
  const std::size_t head = row % queries.group;
  const float sink = queries.sinks.bfloat16 ? widened(queries.sinks.bfloat16[head]) : queries.sinks.float32[head];
  return sink * kLog2E;
}

void finish(const Queries& queries, std::size_t head_dim, const Scratch& scratch) {
  for (std::size_t row = 0; row < queries.count * queries.group; ++row) {
    const float sink = first_lane(exp2(all_lanes(sink_of(queries, row) - scratch.largest[row])));
    const Floats factor = all_lanes(1.0f / (sum_of(load(scratch.sums + row * 16)) + sink));
    const float* mixed = scratch.mixed + row * padded(head_dim);
    std::uint16_t* out = queries.out + row / queries.group * queries.out_stride + row % queries.group * head_dim;
    std::size_t dim = 0;
    for (; dim + 16 <= head_dim; dim += 16) store_bfloat16(out + dim, to_bfloat16(times(load(mixed + dim), factor)));
    if (dim < head_dim) store_part(out + dim, to_bfloat16(times(load(mixed + dim), factor)), head_dim - dim);
  }
}

template <typename Way>
void attend_by(const Queries& queries, const Keys& keys, float* memory) {
  const std::size_t rows = queries.count * queries.group, head_dim = keys.pages.head_dim;
  const Scratch scratch = divide(memory, rows, head_dim);
  const float scale = score_scale(head_dim);
  Way::start(rows);
  put_queries<Way>(queries, head_dim, scratch);
  for (std::size_t i = 0; i < rows * 16; ++i) scratch.sums[i] = 0;
  for (std::size_t i = 0; i < rows * padded(head_dim); ++i) scratch.mixed[i] = 0;
  for (std::size_t row = 0; row < rows; ++row) {  // the sinks are the first maxima
    const float sink = sink_of(queries, row);
    scratch.largest[row] = sink > -3e38f ? sink : -3e38f;  // without a sink (minus infinity) any key is larger
  }
  const auto first_seen = [&](std::size_t position) {
    return keys.window == 0 || position + 1 < keys.window ? 0 : position + 1 - keys.window;
  };
  const std::size_t last_position = queries.first_position + queries.count - 1;
  const std::size_t first_page = first_seen(queries.first_position) / kPageTokens;
  const std::size_t last_page = last_position / kPageTokens;
  Tile tile = tile_at(first_page / kTilePages, first_page, last_page, keys, scratch);
  for (std::size_t index = first_page / kTilePages; index <= last_page / kTilePages; ++index) {
    Tile next = tile_at(index + 1, first_page, last_page, keys, scratch);
    for (std::size_t page = next.count; page < tile.count; ++page) next.keys[page] = tile.keys[page];
    Way::score(tile, rows, head_dim, scratch);
    for (std::size_t row = 0; row < rows; ++row) {
      const std::size_t position = queries.first_position + row / queries.group;
      weigh<Way>(tile, row, first_seen(position), position, head_dim, scale, scratch);
      Way::fetch_part(next, row, rows, head_dim);
    }
    Way::mix(tile, next, rows, head_dim, scratch);
    tile = next;
  }
  Way::stop();
  finish(queries, head_dim, scratch);
}

}  // namespace

void attend(const Queries& queries, const Keys& keys, float* scratch) {
#if defined(NETWEIGHT_AMX)
  if (InTiles::serves(keys.pages.head_dim)) return attend_by<InTiles>(queries, keys, scratch);
#endif
  attend_by<InLanes>(queries, keys, scratch);
}

}  // namespace netweight::NETWEIGHT_ISA
