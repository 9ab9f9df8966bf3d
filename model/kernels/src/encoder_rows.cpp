// What lies between the matrices of an encoder layer, for a piece of a document and one core. Each of these goes
// through its numbers once, where PyTorch's operations go through them up to six times. Sums are float32.

#include <memory>

#include "rows.h"

namespace {

template <typename T>
void widen(const T* from, int size, float* to) {
    for (int i = 0; i < size; i += LANES) store(to + i, load(from + i));
}

template <typename T>
void normed_heads(const T* x, const float* gain, const T* cos, const T* sin, int tokens, int heads, int dim, float eps,
                  T* y, int64_t stride) {
    const std::unique_ptr<float[]> made(new float[4 * (size_t)dim]);
    float *normed = made.get(), *turned = normed + dim, *cosines = turned + dim, *sines = cosines + dim;
    for (int token = 0; token < tokens; token++) {
        widen(cos + (size_t)token * dim, dim, cosines);
        widen(sin + (size_t)token * dim, dim, sines);
        for (int head = 0; head < heads; head++, x += dim) {
            rms_norm(x, gain, dim, eps, [&](int at, Lanes value) { store(normed + at, value); });
            rotate(normed, cosines, sines, dim, turned);
            T* to = y + head * stride + (size_t)token * dim;
            for (int i = 0; i < dim; i += LANES) store(to + i, load(turned + i));
        }
    }
}

template <typename T>
void gated(T* gate, const T* up, int64_t size) {
    for (int64_t i = 0; i < size; i += LANES) store(gate + i, gelu(load(gate + i)) * load(up + i));
}
}  // namespace

// Twice each, as T is in C: `_bfloat16` and `_float32`.
#define FOR_TYPE(T, suffix)                                                                                           \
    /* y (rows, size) = RMSNorm(x) times the gain; or is increased by it */                                           \
    extern "C" void normed_##suffix(const T* x, const float* gain, int32_t rows, int32_t size, float eps, T* y,       \
                                    int32_t add) {                                                                    \
        normed(x, gain, rows, size, eps, y, add);                                                                     \
    }                                                                                                                 \
    /* x (tokens, heads, dim), normed and turned by cos and sin (tokens, dim) -> y (heads, tokens, dim), heads */      \
    /* `stride` numbers apart */                                                                                      \
    extern "C" void normed_heads_##suffix(const T* x, const float* gain, const T* cos, const T* sin, int32_t tokens,  \
                                          int32_t heads, int32_t dim, float eps, T* y, int64_t stride) {              \
        normed_heads(x, gain, cos, sin, tokens, heads, dim, eps, y, stride);                                          \
    }                                                                                                                 \
    /* gate = GELU(gate) * up */                                                                                      \
    extern "C" void gated_##suffix(T* gate, const T* up, int64_t size) { gated(gate, up, size); }

FOR_TYPE(bfloat16, bfloat16)
FOR_TYPE(float, float32)
