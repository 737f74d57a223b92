// The choice of a token from logits float32 [vocabulary].
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace netweight {

struct Settings {
  float temperature;
  float min_p;
  std::size_t top_k;  // 0: all
  double top_p;
};

// The likeliest token, the lowest of equals.
std::size_t argmax(const float* logits, std::size_t size);

// The token at `point` in [0, 1) of the running sum over the distribution that `settings` describe: min_p, then
// top_k, then top_p, each measured on what the one before it left; tokens that tie at an edge all stay.
std::size_t draw(const float* logits, std::size_t size, const Settings& settings, double point);

struct LogProbability {
  std::size_t token;
  double value;
};

// Natural log-probabilities of `token` (first) and of the `count` likeliest, the lower id first among equals.
std::vector<LogProbability> log_probabilities(const float* logits, std::size_t size, std::size_t token,
                                              std::size_t count);

// out = logits where bit i % 32 of bits[i / 32] is set, and minus infinity elsewhere, beyond the bits too. Returns
// the largest number left.
float mask(const float* logits, std::size_t size, const std::uint32_t* bits, std::size_t num_words, float* out);

}  // namespace netweight
