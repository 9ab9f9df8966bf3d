// Rows times a large matrix in int8, such as the output head: `strips.py`.

#include "int8_product.h"

// y (rows, outs) = x (rows, in) times the matrix (outs, in).
extern "C" void int8_rows(const void* matrix, int32_t in, int32_t outs, const float* x, int32_t rows, float* y,
                          int32_t threads) {
#ifdef HAS_TILES
#pragma omp parallel num_threads(threads)
    {
        const Tiles tiles;
        const Share share(outs, 2 * TILE);
        int8_product(matrix, in, share.first, share.last, x, rows, y, outs);
    }
#endif
}
