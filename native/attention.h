// Attention of a few queries of one sequence to its keys and values in pages, for one key head.
//
// A page, per layer: keys [kv_heads][head_dim / 2][16 tokens][2], then values [kv_heads][8][head_dim][2]
// (8 pairs of tokens), bfloat16.
//
// The arithmetic of one query does not depend on what is computed beside it, nor (but for AMX, attention_amx.h) on
// the instruction set:
//   * a score is one chain of float32 fma over ascending dimensions, of the query times log2(e) / sqrt(head_dim);
//   * keys come in tiles of 64, aligned by position. A tile's maximum may raise the running maximum, which
//     starts as the sink; only then are the sums so far scaled down. Weights are 2^(score - maximum);
//   * an output number is one chain of fma over ascending keys; the sum of weights is kept in 16 lanes.
// A key that a query does not see has the weight 0, which changes no sum (but can turn a -0 into 0). So a
// token's result is the same in a prompt of any length and in a step of its own.
#pragma once

#include <cstddef>
#include <cstdint>

#include "rows.h"

namespace netweight {

constexpr std::size_t kPageTokens = 16;

// One layer's pages.
struct Pages {
  std::uint16_t* data;
  std::size_t count;
  std::size_t kv_heads;
  std::size_t head_dim;
};

// `static`: the linker must not choose one instruction set's copy for all.
static inline std::uint16_t* keys_of(const Pages& pages, std::size_t page, std::size_t kv_head) {
  return pages.data + (2 * page * pages.kv_heads + kv_head) * kPageTokens * pages.head_dim;
}
static inline std::uint16_t* values_of(const Pages& pages, std::size_t page, std::size_t kv_head) {
  return keys_of(pages, page, pages.kv_heads + kv_head);
}

// Consecutive tokens of a sequence, `group` heads of each.
struct Queries {
  const std::uint16_t* q;  // the first head of the first token
  std::size_t stride;      // from token to token
  std::size_t count;
  std::size_t group;
  std::size_t first_position;
  Stored sinks;             // [group]
  const std::uint16_t* cos;  // [count][head_dim / 2], or null where q is already turned
  const std::uint16_t* sin;
  std::uint16_t* out;
  std::size_t out_stride;
};

// What they look at.
struct Keys {
  Pages pages;
  std::size_t kv_head;
  const std::int32_t* table;  // of the sequence
  std::size_t length;         // tokens of the sequence in the cache
  std::size_t window;         // 0: no window
};

// Floats of scratch that suffice for so many rows of queries (count * group).
static inline std::size_t attention_scratch(std::size_t rows, std::size_t head_dim) {
  const std::size_t padded_rows = rows + 16, padded = head_dim + 16;
  return padded_rows * (head_dim + head_dim / 2 + 64 + 32 + 16 + padded + 1) + (kPageTokens / 2 + 1) * padded + 256;
}

struct AttentionKernels {
  void (*attend)(const Queries& queries, const Keys& keys, float* scratch);
};

}  // namespace netweight
