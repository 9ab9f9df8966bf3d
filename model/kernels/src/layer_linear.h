// Products with a matrix of a layer.

#pragma once

#include "layer.h"
#include "weight_panels.h"

namespace readonce {

// y {rows, stride}[:, first:last] = x {rows, in} times rows first to last of a matrix that may be in int8.
template <typename T>
void layer_linear(const Layer& layer, const void* matrix, int in, int first, int last, const float* x, int rows,
                  float* y, int stride) {
    if (!layer.in_int8) return linear(static_cast<const T*>(matrix), in, first, last, x, rows, y, stride);
#ifdef READONCE_AMX
    if (has_amx()) return tile_panel_linear<Int8Panels>(matrix, in, first, last, x, rows, y, stride);
#endif
    simd_panel_linear(matrix, in, first, last, x, rows, y, stride);
}

}  // namespace readonce
