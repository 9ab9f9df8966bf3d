// Products with a matrix of a layer.

#pragma once

#include "layer.h"
#include "strips.h"

// y[:, first:last] = x (rows, in) times rows first to last of a matrix that may be in int8; y has `stride` columns.
template <typename T>
void layer_product(const Layer& layer, const void* matrix, int in, int first, int last, const float* x, int rows,
                   float* y, int stride) {
    if (!layer.in_int8)
        return product(static_cast<const T*>(matrix), in, first, last, x, rows, y, stride);
#ifdef HAS_TILES
    if (has_tiles()) return strip_product<Int8Strips>(matrix, in, first, last, x, rows, y, stride);
#endif
    int8_product(matrix, in, first, last, x, rows, y, stride);
}
