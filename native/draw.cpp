#include "draw.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>

#include "kernels.h"
#include "sampling.h"

namespace netweight {
namespace {

struct Weights {
  std::vector<float> all;
  std::vector<float> sums;     // of each block
  std::vector<float> largest;  // of each block
  double total;
};

struct Candidate {
  float weight;
  std::size_t token;
};

// One set for each thread: the vocabulary is large, and fresh memory costs as much as the arithmetic.
Weights& weigh(const float* logits, std::size_t size, float temperature) {
  static thread_local Weights weights;
  const std::size_t blocks = (size + kWeightBlock - 1) / kWeightBlock;
  weights.all.resize(size);
  weights.sums.resize(blocks);
  weights.largest.resize(blocks);
  const SamplingKernels& passes = kernels()->sampling;
  passes.weigh(logits, size, passes.largest(logits, size), temperature, weights.all.data(), weights.sums.data(),
               weights.largest.data());
  weights.total = 0;
  for (const float sum : weights.sums) weights.total += sum;
  return weights;
}

// The tokens with weights of at least `edge`, by id.
std::vector<Candidate> at_least(float edge, const Weights& weights) {
  std::vector<Candidate> found;
  for (std::size_t block = 0; block < weights.largest.size(); ++block) {
    if (weights.largest[block] < edge) continue;
    const std::size_t stop = std::min((block + 1) * kWeightBlock, weights.all.size());
    for (std::size_t token = block * kWeightBlock; token < stop; ++token) {
      if (weights.all[token] >= edge) found.push_back({weights.all[token], token});
    }
  }
  return found;
}

double sum_of(const std::vector<Candidate>& candidates) {
  double sum = 0;
  for (const Candidate& candidate : candidates) sum += candidate.weight;
  return sum;
}

void drop_below(float edge, std::vector<Candidate>& candidates) {
  std::erase_if(candidates, [edge](const Candidate& candidate) { return candidate.weight < edge; });
}

std::vector<float> values_of(const std::vector<Candidate>& candidates) {
  std::vector<float> values;
  values.reserve(candidates.size());
  for (const Candidate& candidate : candidates) values.push_back(candidate.weight);
  return values;
}

float edge_of_count(const std::vector<Candidate>& candidates, std::size_t count) {
  std::vector<float> values = values_of(candidates);
  const auto edge = values.begin() + static_cast<std::ptrdiff_t>(count) - 1;
  std::nth_element(values.begin(), edge, values.end(), std::greater<>());
  return *edge;
}

// The least of the largest weights that together reach `mass`: as quickselect does, by sums instead of counts.
float edge_of_mass(const std::vector<Candidate>& candidates, double mass) {
  std::vector<float> values = values_of(candidates);
  auto first = values.begin(), last = values.end();
  while (last - first > 1) {
    const float pivot = *(first + (last - first) / 2);
    const auto larger_stop = std::partition(first, last, [pivot](float x) { return x > pivot; });
    const auto equal_stop = std::partition(larger_stop, last, [pivot](float x) { return x == pivot; });
    double larger = 0;
    for (auto value = first; value != larger_stop; ++value) larger += *value;
    if (larger >= mass && larger_stop != first) {
      last = larger_stop;
      continue;
    }
    const double with_equal = larger + static_cast<double>(equal_stop - larger_stop) * pivot;
    if (with_equal >= mass || equal_stop == last) return pivot;
    mass -= with_equal;
    first = equal_stop;
  }
  return *first;
}

// The likeliest tokens, as many as are enough: mostly they are few.
template <typename Enough>
std::vector<Candidate> likeliest(const Weights& weights, const Enough& enough) {
  for (float edge = 1e-3f; edge > 1e-30f; edge *= 1e-3f) {
    std::vector<Candidate> candidates = at_least(edge, weights);
    if (enough(candidates)) return candidates;
  }
  return at_least(0, weights);
}

std::vector<Candidate> kept(const Weights& weights, const Settings& settings) {
  std::vector<Candidate> candidates;
  double total = weights.total;
  if (settings.min_p > 0) {
    candidates = at_least(settings.min_p, weights);
    total = sum_of(candidates);
  } else {
    candidates = likeliest(weights, [&](const std::vector<Candidate>& found) {
      return settings.top_k > 0 ? found.size() >= settings.top_k : sum_of(found) >= settings.top_p * total;
    });
  }
  if (settings.top_k > 0) {
    if (settings.top_k < candidates.size()) drop_below(edge_of_count(candidates, settings.top_k), candidates);
    total = sum_of(candidates);
  }
  if (settings.top_p < 1) drop_below(edge_of_mass(candidates, settings.top_p * total), candidates);
  return candidates;
}

std::size_t draw_of(const std::vector<Candidate>& candidates, double point) {
  double rest = point * sum_of(candidates);
  for (const Candidate& candidate : candidates) {
    if (rest < candidate.weight) return candidate.token;
    rest -= candidate.weight;
  }
  return candidates.back().token;
}

std::size_t draw_of_all(const Weights& weights, double point) {
  double rest = point * weights.total;
  std::size_t chosen = 0;
  for (std::size_t block = 0; block < weights.sums.size(); ++block) {
    if (weights.sums[block] > 0) chosen = block;
    if (rest < weights.sums[block]) break;
    rest -= weights.sums[block];
  }
  // Sums are rounded: where one promised more than its tokens hold, the last of them is meant.
  const std::size_t stop = std::min((chosen + 1) * kWeightBlock, weights.all.size());
  std::size_t last = chosen * kWeightBlock;
  for (std::size_t token = last; token < stop; ++token) {
    if (weights.all[token] > 0) last = token;
    if (rest < weights.all[token]) break;
    rest -= weights.all[token];
  }
  return last;
}

}  // namespace

std::size_t argmax(const float* logits, std::size_t size) {
  constexpr std::size_t kBlock = 1024;
  float largest = -std::numeric_limits<float>::infinity();
  std::size_t found = 0;
  for (std::size_t first = 0; first < size; first += kBlock) {
    const std::size_t count = std::min(kBlock, size - first);
    const float of_block = kernels()->sampling.largest(logits + first, count);
    if (!(of_block > largest)) continue;
    largest = of_block;
    found = static_cast<std::size_t>(std::find(logits + first, logits + first + count, largest) - logits);
  }
  return found;
}

std::size_t draw(const float* logits, std::size_t size, const Settings& settings, double point) {
  const Weights& weights = weigh(logits, size, settings.temperature);
  if (!(weights.total > 0)) return argmax(logits, size);  // infinite logits, or none that is a number
  const bool all = settings.min_p <= 0 && settings.top_p >= 1 && (settings.top_k == 0 || settings.top_k >= size);
  return all ? draw_of_all(weights, point) : draw_of(kept(weights, settings), point);
}

std::vector<LogProbability> log_probabilities(const float* logits, std::size_t size, std::size_t token,
                                              std::size_t count) {
  const Weights& weights = weigh(logits, size, 1.0f);
  const double shift = kernels()->sampling.largest(logits, size) + std::log(weights.total);
  std::vector<Candidate> top =
      likeliest(weights, [count](const std::vector<Candidate>& found) { return found.size() >= count; });
  count = std::min(count, top.size());
  std::partial_sort(top.begin(), top.begin() + static_cast<std::ptrdiff_t>(count), top.end(),
                    [logits](const Candidate& a, const Candidate& b) {
                      const float x = logits[a.token], y = logits[b.token];
                      return x > y || (x == y && a.token < b.token);
                    });
  std::vector<LogProbability> found = {{token, logits[token] - shift}};
  for (std::size_t i = 0; i < count; ++i) found.push_back({top[i].token, logits[top[i].token] - shift});
  return found;
}

float mask(const float* logits, std::size_t size, const std::uint32_t* bits, std::size_t num_words, float* out) {
  constexpr float kNever = -std::numeric_limits<float>::infinity();
  for (std::size_t first = 0; first < size; first += 32) {
    const std::uint32_t word = first / 32 < num_words ? bits[first / 32] : 0;
    const std::size_t count = std::min<std::size_t>(32, size - first);
    if (word == 0) {
      std::fill_n(out + first, count, kNever);
    } else if (word == 0xFFFFFFFFu) {
      std::copy_n(logits + first, count, out + first);
    } else {
      for (std::size_t i = 0; i < count; ++i) out[first + i] = (word >> i & 1) != 0 ? logits[first + i] : kNever;
    }
  }
  return kernels()->sampling.largest(out, size);
}

}  // namespace netweight
