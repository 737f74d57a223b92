// Memory for quantised activations.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "tiles.h"

namespace netweight {

class Activations {
 public:
  // `with_bytes`: what a product of MXFP4 with one token wants; of little use beside many.
  Activations(std::size_t blocks, std::size_t count, bool with_bytes)
      : values_(std::make_unique_for_overwrite<std::int16_t[]>(blocks * count * kBlockInputs)),
        scales_(std::make_unique_for_overwrite<float[]>(blocks * count)) {
    if (with_bytes) {
      bytes_ = std::make_unique_for_overwrite<std::int8_t[]>(blocks * count * 2 * kBlockInputs);
      corrections_ = std::make_unique_for_overwrite<std::int32_t[]>(blocks * count);
    }
    all = {values_.get(), scales_.get(), count, bytes_.get(), corrections_.get()};
  }

  // One block of all rows.
  Quantized block(std::size_t index) const {
    const std::size_t at = index * all.count;
    return {all.values + at * kBlockInputs, all.scales + at, all.count,
            all.bytes == nullptr ? nullptr : all.bytes + at * 2 * kBlockInputs,
            all.corrections == nullptr ? nullptr : all.corrections + at};
  }

  Quantized all;

 private:
  std::unique_ptr<std::int16_t[]> values_;
  std::unique_ptr<float[]> scales_;
  std::unique_ptr<std::int8_t[]> bytes_;
  std::unique_ptr<std::int32_t[]> corrections_;
};

}  // namespace netweight
