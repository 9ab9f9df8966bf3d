// Products with a matrix in int8, each row of it with a scale: `strips.py` makes strips of it, each 16 rows as tiles,
// and their scales behind. Rows are multiplied as numbers of 16 bits (see `int8_tiles.h`).

#pragma once

#include "int8_tiles.h"
#include "layer.h"
#include "rows.h"

#ifdef HAS_TILES

inline size_t strip_bytes(int in) { return (size_t)TILE * in + TILE * sizeof(float); }

// As `product`: y[:, first:last] = x (rows, in) times rows first to last of the matrix; y has `stride` columns.
inline void int8_product(const void* matrix, int in, int first, int last, const float* x, int rows, float* y,
                         int stride) {
    const EightRows given(x, rows, in);
    alignas(64) float sums[2][2][TILE][TILE] = {};  // of two groups of eight rows, with each of two strips
    for (int out = first; out < last; out += 2 * TILE) {
        const bool last_one = out + TILE >= last;
        const auto* const one = static_cast<const int8_t*>(matrix) + strip_bytes(in) * (out / TILE);
        const auto* const two = one + (last_one ? 0 : strip_bytes(in));
        for (int row = 0; row < rows; row += TILE) {
            const bool both = row + EIGHT < rows;
            const int8_t* const from = given.group(row / EIGHT);
            const int8_t* const next = from + (both ? (size_t)TILE * in : 0);
            clear_sums();
            for (int i = 0; i < TILE * in; i += INT8_TILE)
                both ? add_products<true, true>(one + i, two + i, from + i, next + i)
                     : add_products<true, false>(one + i, two + i, from + i, next + i);
            both ? store_sums<true>(sums[0][0][0], sums[1][0][0]) : store_sums<false>(sums[0][0][0], sums[1][0][0]);
            for (int strip = 0; strip < 2 - last_one; strip++) {
                const auto* const scales = reinterpret_cast<const float*>((strip ? two : one) + (size_t)TILE * in);
                for (int o = 0; o < TILE; o++) {
                    const Lanes made = whole_of(sums[0][strip][o], sums[1][strip][o]);
                    const Lanes scaled = made * (given.scales_of(row / EIGHT) * scales[o]);
                    for (int r = 0; r < std::min(TILE, rows - row); r++)
                        y[(size_t)(row + r) * stride + out + strip * TILE + o] = scaled[r];
                }
            }
        }
    }
}

#endif

// The same with a matrix of a layer that may be in int8.
template <typename T>
void layer_product(const Layer& layer, const void* matrix, int in, int first, int last, const float* x, int rows,
                   float* y, int stride) {
#ifdef HAS_TILES
    if (layer.in_int8) return int8_product(matrix, in, first, last, x, rows, y, stride);
#endif
    product(static_cast<const T*>(matrix), in, first, last, x, rows, y, stride);
}
