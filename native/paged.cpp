#include "paged.h"

#include <algorithm>
#include <stdexcept>
#include <string>
#include <vector>

#include "kernels.h"
#include "pool.h"

#if defined(__linux__)
#include <sys/mman.h>
#endif

namespace netweight {
namespace {

// Tokens that one thread takes at a time where a token is little work.
constexpr std::size_t kGrain = 16;

// Rows of queries (tokens times heads of a group) that share what is read of a page.
constexpr std::size_t kBlockRows = 64;

struct Block {
  std::size_t sequence;
  std::size_t first;  // token of the step
  std::size_t count;
  std::size_t work;
};

std::size_t first_seen(std::size_t position, std::size_t window) {
  return window == 0 || position + 1 < window ? 0 : position + 1 - window;
}

std::size_t position_of(const Step& step, std::size_t token) { return static_cast<std::size_t>(step.positions[token]); }

// Blocks of queries, those with most work first, so that threads end together.
std::vector<Block> blocks_of(const Step& step, std::size_t group, std::size_t window) {
  const std::size_t most = std::max<std::size_t>(1, kBlockRows / group);
  std::vector<Block> blocks;
  for (std::size_t sequence = 0; sequence < step.num_sequences; ++sequence) {
    const auto stop = static_cast<std::size_t>(step.starts[sequence + 1]);
    for (auto first = static_cast<std::size_t>(step.starts[sequence]); first < stop; first += most) {
      const std::size_t count = std::min(most, stop - first);
      const std::size_t position = position_of(step, first);
      blocks.push_back({sequence, first, count, count * (position + count - first_seen(position, window))});
    }
  }
  std::stable_sort(blocks.begin(), blocks.end(), [](const Block& a, const Block& b) { return a.work > b.work; });
  return blocks;
}

void put_key(const std::uint16_t* key, std::uint16_t* page, std::size_t slot, std::size_t head_dim) {
  for (std::size_t dim = 0; dim < head_dim; dim += 2) {
    page[dim * kPageTokens + 2 * slot] = key[dim];
    page[dim * kPageTokens + 2 * slot + 1] = key[dim + 1];
  }
}

void put_value(const std::uint16_t* value, std::uint16_t* page, std::size_t slot, std::size_t head_dim) {
  std::uint16_t* to = page + slot / 2 * head_dim * 2 + slot % 2;
  for (std::size_t dim = 0; dim < head_dim; ++dim) to[2 * dim] = value[dim];
}

// The sequence of each token.
std::vector<std::size_t> sequences_of(const Step& step) {
  std::vector<std::size_t> sequences(step.num_tokens);
  for (std::size_t s = 0; s < step.num_sequences; ++s) {
    std::fill(sequences.begin() + step.starts[s], sequences.begin() + step.starts[s + 1], s);
  }
  return sequences;
}

void check_sequence(const Step& step, std::size_t sequence, const Pages& pages, std::size_t window) {
  const std::int32_t start = step.starts[sequence], stop = step.starts[sequence + 1];
  if (start > stop) throw std::invalid_argument("layout: starts must ascend");
  if (start == stop) return;
  const std::int32_t first = step.positions[start], last = step.positions[stop - 1];
  if (first < 0 || last - first != stop - 1 - start) {
    throw std::invalid_argument("layout: a sequence's positions must ascend by one");
  }
  const std::size_t first_page = first_seen(static_cast<std::size_t>(first), window) / kPageTokens;
  const std::size_t last_page = static_cast<std::size_t>(last) / kPageTokens;
  if (last_page >= step.max_pages) throw std::invalid_argument("layout: the page table is too short");
  const std::int32_t* row = step.table + sequence * step.max_pages;
  for (std::size_t number = first_page; number <= last_page; ++number) {
    if (row[number] < 0 || static_cast<std::size_t>(row[number]) >= pages.count) {
      throw std::invalid_argument("layout: sequence " + std::to_string(sequence) + " needs page " +
                                  std::to_string(number) + ", and its table says " + std::to_string(row[number]));
    }
  }
}

float* scratch_of(std::size_t floats) {
  constexpr std::size_t kLine = 64;
  static thread_local std::vector<float> scratch;
  if (scratch.size() < floats + kLine / sizeof(float)) scratch.resize(floats + kLine / sizeof(float));
  const auto address = reinterpret_cast<std::uintptr_t>(scratch.data());
  return reinterpret_cast<float*>((address + kLine - 1) / kLine * kLine);
}

}  // namespace

void prefer_huge_pages(void* data, std::size_t bytes) {
#if defined(__linux__)
  constexpr std::uintptr_t kSmallPage = 4096;
  const auto address = reinterpret_cast<std::uintptr_t>(data);
  const std::uintptr_t first = (address + kSmallPage - 1) / kSmallPage * kSmallPage;
  const std::uintptr_t last = (address + bytes) / kSmallPage * kSmallPage;
  if (first < last) madvise(reinterpret_cast<void*>(first), last - first, MADV_HUGEPAGE);
#else
  static_cast<void>(data);
  static_cast<void>(bytes);
#endif
}

void check_step(const Step& step, const Pages& pages, std::size_t window) {
  if (step.starts[0] != 0 || static_cast<std::size_t>(step.starts[step.num_sequences]) != step.num_tokens) {
    throw std::invalid_argument("layout: starts must run from 0 to the number of tokens");
  }
  for (std::size_t sequence = 0; sequence < step.num_sequences; ++sequence) {
    check_sequence(step, sequence, pages, window);
  }
}

void store(const Heads& k, const Heads& v, const Rotation& rotation, const Pages& pages, const Step& step) {
  const std::size_t head_dim = pages.head_dim;
  const std::vector<std::size_t> sequences = sequences_of(step);
  const auto turn = kernels()->rows.rotate;
  parallel_for(step.num_tokens, kGrain, [&](std::size_t first, std::size_t last) {
    auto* turned = reinterpret_cast<std::uint16_t*>(scratch_of(head_dim));
    for (std::size_t token = first; token < last; ++token) {
      const std::size_t position = position_of(step, token), slot = position % kPageTokens;
      const auto page = static_cast<std::size_t>(step.table[sequences[token] * step.max_pages + position / kPageTokens]);
      for (std::size_t head = 0; head < pages.kv_heads; ++head) {
        const std::uint16_t* key = k.data + token * k.stride + head * head_dim;
        if (rotation.cos != nullptr) {
          const std::size_t at = token * head_dim / 2;
          turn(key, rotation.cos + at, rotation.sin + at, head_dim, turned);
          key = turned;
        }
        put_key(key, keys_of(pages, page, head), slot, head_dim);
        put_value(v.data + token * v.stride + head * head_dim, values_of(pages, page, head), slot, head_dim);
      }
    }
  });
}

void paged_attention(const Heads& q, std::size_t heads, const Rotation& rotation, const Pages& pages,
                     const Stored& sinks, const Step& step, std::size_t window, std::uint16_t* out) {
  const std::size_t head_dim = pages.head_dim, group = heads / pages.kv_heads;
  const std::vector<Block> blocks = blocks_of(step, group, window);
  const auto attend = kernels()->attention.attend;
  parallel_for(blocks.size() * pages.kv_heads, 1, [&](std::size_t first, std::size_t last) {
    for (std::size_t item = first; item < last; ++item) {
      const Block& block = blocks[item / pages.kv_heads];
      const std::size_t kv_head = item % pages.kv_heads, at = block.first * head_dim / 2;
      const auto end = static_cast<std::size_t>(step.starts[block.sequence + 1]) - 1;
      const Stored group_sinks = {sinks.bfloat16 ? sinks.bfloat16 + kv_head * group : nullptr,
                                  sinks.float32 ? sinks.float32 + kv_head * group : nullptr};
      const Queries queries = {q.data + block.first * q.stride + kv_head * group * head_dim,
                               q.stride,
                               block.count,
                               group,
                               position_of(step, block.first),
                               group_sinks,
                               rotation.cos ? rotation.cos + at : nullptr,
                               rotation.sin ? rotation.sin + at : nullptr,
                               out + (block.first * heads + kv_head * group) * head_dim,
                               heads * head_dim};
      const Keys keys = {pages, kv_head, step.table + block.sequence * step.max_pages, position_of(step, end) + 1,
                         window};
      attend(queries, keys, scratch_of(attention_scratch(block.count * group, head_dim)));
    }
  });
}

void rotate(const Heads& x, std::size_t num_tokens, std::size_t heads, std::size_t head_dim,
            const Rotation& rotation, std::uint16_t* out) {
  const auto turn = kernels()->rows.rotate;
  parallel_for(num_tokens, kGrain, [&](std::size_t first, std::size_t last) {
    for (std::size_t token = first; token < last; ++token) {
      const std::uint16_t *cos = rotation.cos + token * head_dim / 2, *sin = rotation.sin + token * head_dim / 2;
      for (std::size_t head = 0; head < heads; ++head) {
        turn(x.data + token * x.stride + head * head_dim, cos, sin, head_dim, out + (token * heads + head) * head_dim);
      }
    }
  });
}

}  // namespace netweight
