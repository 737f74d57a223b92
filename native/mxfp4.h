// MXFP4: 4-bit floats (E2M1) in blocks of 32 that share one power-of-two scale (E8M0).
//
// OCP Microscaling Formats v1.0, sections 5.3 and 5.4.1. A block is 16 bytes; byte b holds element 2b
// in its low nibble and element 2b+1 in its high nibble, the layout of the published gpt-oss
// checkpoints.
#pragma once

#include <cstddef>
#include <cstdint>

namespace netweight {

constexpr std::size_t kBlockBytes = 16;
constexpr std::size_t kBlockValues = 32;

// Writes 32 * num_blocks values. Exact in both types, except that float32 values under 2^-126 and
// bfloat16 values under 2^-133 lose bits as ldexp would; published scales stay far from there.
void dequantize_to_float32(const std::uint8_t* blocks, const std::uint8_t* scales, std::size_t num_blocks,
                           float* out);
void dequantize_to_bfloat16(const std::uint8_t* blocks, const std::uint8_t* scales, std::size_t num_blocks,
                            std::uint16_t* out);

}  // namespace netweight
