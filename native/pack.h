// Weights as the products want them: tiles of 16 rows, inputs in blocks of 32.
//
// Rows are padded with zeros to a multiple of 16, inputs of the dense forms to a multiple of 32. One layout
// serves all instruction sets. Within a tile, input by input, 16 rows stand side by side, so that a
// product finds each row in a lane of its own:
//
// bfloat16: [inputs / 2][16 rows][2] bfloat16.
// int8:     [inputs / 2][16 rows][2] int8, then [blocks][16 rows] float16 scales, padded to 64 bytes.
//           A weight is value * scale, |value| <= 127; a block's scale is its largest weight / 127.
// mxfp4:    [blocks][4 groups][16 rows][4] bytes: byte i of group j has input 8j + i of the block in its low
//           nibble and input 8j + 4 + i in its high one; then [blocks][16 rows] scale bytes, padded to
//           64 bytes.
#pragma once

#include <cstddef>
#include <cstdint>

#include "tiles.h"

namespace netweight {

enum class Form { bfloat16, int8, mxfp4 };

inline std::size_t count_blocks(std::size_t columns) { return (columns + kBlockInputs - 1) / kBlockInputs; }
inline std::size_t count_tiles(std::size_t rows) { return (rows + kTileRows - 1) / kTileRows; }

std::size_t tile_bytes(Form form, std::size_t columns);
std::size_t packed_bytes(Form form, std::size_t rows, std::size_t columns);

// From row-major weights; all threads take part.
void pack_bfloat16(const std::uint16_t* weights, std::size_t rows, std::size_t columns, std::uint8_t* out);
void pack_int8(const std::uint16_t* weights, std::size_t rows, std::size_t columns, std::uint8_t* out);
void pack_int8(const float* weights, std::size_t rows, std::size_t columns, std::uint8_t* out);

// From blocks [rows][columns / 32][16] and scales [rows][columns / 32], as checkpoints have them.
void pack_mxfp4(const std::uint8_t* blocks, const std::uint8_t* scales, std::size_t rows, std::size_t columns,
                std::uint8_t* out);

}  // namespace netweight
