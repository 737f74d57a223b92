// Attention, norms and the router as Python functions of addresses and sizes: src/netweight/model/kernels/rows.py
// checks shapes and dtypes. (A tensor through DLPack would cost 5 to 10 us, some 200 times for each token.)
#include "bind_rows.h"

#include <stdexcept>

#include "draw.h"
#include "kernels.h"
#include "paged.h"
#include "pool.h"

namespace nb = nanobind;
using nb::literals::operator""_a;

namespace netweight {
namespace {

using Address = std::uintptr_t;

template <typename T>
T* at(Address address) {
  return reinterpret_cast<T*>(address);
}

Stored stored(Address address, bool is_bfloat16) {
  if (is_bfloat16) return {at<const std::uint16_t>(address), nullptr};
  return {nullptr, at<const float>(address)};
}

// Where the tokens of a step are, and one layer's pages: the arguments that the functions below share.
struct Place {
  Pages pages;
  Step step;
};

Place place_of(Address pages, std::size_t num_pages, std::size_t kv_heads, std::size_t head_dim, Address table,
               std::size_t num_sequences, std::size_t max_pages, Address positions, Address starts,
               std::size_t num_tokens) {
  return {{at<std::uint16_t>(pages), num_pages, kv_heads, head_dim},
          {num_tokens, num_sequences, max_pages, at<const std::int32_t>(positions), at<const std::int32_t>(starts),
           at<const std::int32_t>(table)}};
}

void rms_norm_rows(Address x, std::size_t num_tokens, std::size_t hidden, Address scale, bool scale_is_bfloat16,
                   float eps, Address out) {
  const nb::gil_scoped_release release;
  const auto norm = kernels()->rows.rms_norm;
  const Stored scales = stored(scale, scale_is_bfloat16);
  parallel_for(num_tokens, 8, [&](std::size_t first, std::size_t last) {
    for (std::size_t token = first; token < last; ++token) {
      norm(at<const std::uint16_t>(x) + token * hidden, scales, hidden, eps, at<std::uint16_t>(out) + token * hidden);
    }
  });
}

void rotate_heads(Address x, std::size_t stride, std::size_t num_tokens, std::size_t heads, std::size_t head_dim,
                  Address cos, Address sin, Address out) {
  const nb::gil_scoped_release release;
  rotate({at<const std::uint16_t>(x), stride}, num_tokens, heads, head_dim,
         {at<const std::uint16_t>(cos), at<const std::uint16_t>(sin)}, at<std::uint16_t>(out));
}

void route_tokens(Address logits, bool is_bfloat16, std::size_t num_tokens, std::size_t experts, std::size_t count,
                  Address weights, Address chosen) {
  const nb::gil_scoped_release release;
  const auto route = kernels()->rows.route;
  parallel_for(num_tokens, 64, [&](std::size_t first, std::size_t last) {
    for (std::size_t token = first; token < last; ++token) {
      const std::size_t bytes = experts * (is_bfloat16 ? 2 : 4);
      route(stored(logits + token * bytes, is_bfloat16), experts, count, at<float>(weights) + token * count,
            at<std::int64_t>(chosen) + token * count);
    }
  });
}

void exp2_numbers(Address x, std::size_t size, Address out) {
  kernels()->rows.exp2(at<const float>(x), size, at<float>(out));
}

void store_heads(Address k, std::size_t k_stride, Address v, std::size_t v_stride, Address pages,
                 std::size_t num_pages, std::size_t kv_heads, std::size_t head_dim, Address table,
                 std::size_t num_sequences, std::size_t max_pages, Address positions, Address starts,
                 std::size_t num_tokens) {
  const nb::gil_scoped_release release;
  const Place place = place_of(pages, num_pages, kv_heads, head_dim, table, num_sequences, max_pages, positions,
                               starts, num_tokens);
  check_step(place.step, place.pages, 1);
  store({at<const std::uint16_t>(k), k_stride}, {at<const std::uint16_t>(v), v_stride}, {nullptr, nullptr},
        place.pages, place.step);
}

void attend_heads(Address q, std::size_t q_stride, std::size_t heads, Address sinks, bool sinks_are_bfloat16,
                  std::size_t window, Address out, Address pages, std::size_t num_pages, std::size_t kv_heads,
                  std::size_t head_dim, Address table, std::size_t num_sequences, std::size_t max_pages,
                  Address positions, Address starts, std::size_t num_tokens) {
  const nb::gil_scoped_release release;
  const Place place = place_of(pages, num_pages, kv_heads, head_dim, table, num_sequences, max_pages, positions,
                               starts, num_tokens);
  check_step(place.step, place.pages, window);
  paged_attention({at<const std::uint16_t>(q), q_stride}, heads, {nullptr, nullptr}, place.pages,
                  stored(sinks, sinks_are_bfloat16), place.step, window, at<std::uint16_t>(out));
}

void attend_rows(Address qkv, Address cos, Address sin, std::size_t heads, Address sinks, bool sinks_are_bfloat16,
                 std::size_t window, Address out, Address pages, std::size_t num_pages, std::size_t kv_heads,
                 std::size_t head_dim, Address table, std::size_t num_sequences, std::size_t max_pages,
                 Address positions, Address starts, std::size_t num_tokens) {
  const nb::gil_scoped_release release;
  const Place place = place_of(pages, num_pages, kv_heads, head_dim, table, num_sequences, max_pages, positions,
                               starts, num_tokens);
  check_step(place.step, place.pages, window);
  const std::size_t stride = (heads + 2 * kv_heads) * head_dim;
  const auto* q = at<const std::uint16_t>(qkv);
  const std::uint16_t* k = q + heads * head_dim;
  const std::uint16_t* v = k + kv_heads * head_dim;
  const Rotation rotation = {at<const std::uint16_t>(cos), at<const std::uint16_t>(sin)};
  store({k, stride}, {v, stride}, rotation, place.pages, place.step);
  paged_attention({q, stride}, heads, rotation, place.pages, stored(sinks, sinks_are_bfloat16), place.step, window,
                  at<std::uint16_t>(out));
}

std::size_t argmax_of(Address logits, std::size_t size) {
  const nb::gil_scoped_release release;
  return argmax(at<const float>(logits), size);
}

std::size_t draw_from(Address logits, std::size_t size, float temperature, float min_p, std::size_t top_k,
                      double top_p, double point) {
  const nb::gil_scoped_release release;
  return draw(at<const float>(logits), size, {temperature, min_p, top_k, top_p}, point);
}

nb::list log_probabilities_of(Address logits, std::size_t size, std::size_t token, std::size_t count) {
  std::vector<LogProbability> found;
  {
    const nb::gil_scoped_release release;
    found = log_probabilities(at<const float>(logits), size, token, count);
  }
  nb::list pairs;
  for (const LogProbability& each : found) pairs.append(nb::make_tuple(each.token, each.value));
  return pairs;
}

float mask_logits(Address logits, std::size_t size, Address bits, std::size_t num_words, Address out) {
  const nb::gil_scoped_release release;
  return mask(at<const float>(logits), size, at<const std::uint32_t>(bits), num_words, at<float>(out));
}

}  // namespace

void bind_rows(nb::module_& module) {
  module.def("rms_norm", rms_norm_rows);
  module.def("rotate", rotate_heads);
  module.def("route", route_tokens);
  module.def("exp2", exp2_numbers);
  module.def("store", store_heads);
  module.def("paged_attention", attend_heads);
  module.def("attend", attend_rows);
  module.def("prefer_huge_pages",
             [](Address data, std::size_t bytes) { prefer_huge_pages(at<void>(data), bytes); });
  module.def("argmax", argmax_of);
  module.def("draw", draw_from);
  module.def("log_probabilities", log_probabilities_of);
  module.def("mask", mask_logits);
}

}  // namespace netweight
