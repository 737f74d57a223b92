// A step's attention over one layer's pages: what each instruction set does per block of queries (attention.h),
// for all tokens, sequences and heads, on all threads.
#pragma once

#include <cstddef>
#include <cstdint>

#include "attention.h"

namespace netweight {

// Which tokens the step has, and where their pages are (Layout in model/paged.py).
struct Step {
  std::size_t num_tokens;
  std::size_t num_sequences;
  std::size_t max_pages;
  const std::int32_t* positions;  // [tokens]
  const std::int32_t* starts;     // [sequences + 1]
  const std::int32_t* table;      // [sequences][max_pages]
};

// Rows of a tensor [tokens, heads, head_dim] whose tokens stand `stride` numbers apart.
struct Heads {
  const std::uint16_t* data;
  std::size_t stride;
};

// Cosines and sines [tokens][head_dim / 2]; null where nothing is to be turned.
struct Rotation {
  const std::uint16_t* cos;
  const std::uint16_t* sin;
};

// Asks the system for pages of 2 MB under so many bytes, where it has them: of 4 KB pages, those of a long context
// are more than the processor remembers. A hint, before the memory is first written.
void prefer_huge_pages(void* data, std::size_t bytes);

// Throws std::invalid_argument where the step has no page that it needs (`window` as for `paged_attention`).
void check_step(const Step& step, const Pages& pages, std::size_t window);

// Puts the step's keys (turned on the way) and values into their pages.
void store(const Heads& k, const Heads& v, const Rotation& rotation, const Pages& pages, const Step& step);

// out [tokens][heads * head_dim]; q is turned on the way. window 0: none.
void paged_attention(const Heads& q, std::size_t heads, const Rotation& rotation, const Pages& pages,
                     const Stored& sinks, const Step& step, std::size_t window, std::uint16_t* out);

// out [tokens][heads * head_dim]: x turned.
void rotate(const Heads& x, std::size_t num_tokens, std::size_t heads, std::size_t head_dim,
            const Rotation& rotation, std::uint16_t* out);

}  // namespace netweight
