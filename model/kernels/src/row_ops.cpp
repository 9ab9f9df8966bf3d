// What lies between the matrices of an encoder layer, for some of a document's tokens and one core. Each function goes
// through its numbers once, where PyTorch's operations go through them up to six times. Sums are float32.

#include <memory>

#include "row_major.h"

namespace readonce {
namespace {

template <typename T>
void to_float(const T* from, int size, float* to) {
    for (int i = 0; i < size; i += LANES) store(to + i, load(from + i));
}

template <typename T>
void norm_and_rotate(const T* x, const float* gain, const T* cos, const T* sin, int tokens, int heads, int dim,
                     float eps, T* y, int64_t stride) {
    const std::unique_ptr<float[]> scratch(new float[4 * (size_t)dim]);
    float *normed = scratch.get(), *rotated = normed + dim, *cosines = rotated + dim, *sines = cosines + dim;
    for (int token = 0; token < tokens; token++) {
        to_float(cos + (size_t)token * dim, dim, cosines);
        to_float(sin + (size_t)token * dim, dim, sines);
        for (int head = 0; head < heads; head++, x += dim) {
            rms_norm(x, gain, dim, eps, [&](int at, F32x16 value) { store(normed + at, value); });
            apply_rope(normed, cosines, sines, dim, rotated);
            T* to = y + head * stride + (size_t)token * dim;
            for (int i = 0; i < dim; i += LANES) store(to + i, load(rotated + i));
        }
    }
}

template <typename T>
void gelu_gated(T* gate, const T* up, int64_t size) {
    for (int64_t i = 0; i < size; i += LANES) store(gate + i, gelu(load(gate + i)) * load(up + i));
}

}  // namespace

// y {rows, size} = RMSNorm(x); or, with `add`, y += it.
extern "C" void rms_norm_bfloat16(const bfloat16* x, const float* gain, int32_t rows, int32_t size, float eps,
                                  bfloat16* y, int32_t add) {
    rms_norm_rows(x, gain, rows, size, eps, y, add);
}

extern "C" void rms_norm_float32(const float* x, const float* gain, int32_t rows, int32_t size, float eps, float* y,
                                 int32_t add) {
    rms_norm_rows(x, gain, rows, size, eps, y, add);
}

// RMSNorm and RoPE of x {tokens, heads, dim} by cos and sin {tokens, dim} -> y {heads, tokens, dim}, whose heads are
// `stride` numbers apart.
extern "C" void norm_and_rotate_bfloat16(const bfloat16* x, const float* gain, const bfloat16* cos, const bfloat16* sin,
                                         int32_t tokens, int32_t heads, int32_t dim, float eps, bfloat16* y,
                                         int64_t stride) {
    norm_and_rotate(x, gain, cos, sin, tokens, heads, dim, eps, y, stride);
}

extern "C" void norm_and_rotate_float32(const float* x, const float* gain, const float* cos, const float* sin,
                                        int32_t tokens, int32_t heads, int32_t dim, float eps, float* y,
                                        int64_t stride) {
    norm_and_rotate(x, gain, cos, sin, tokens, heads, dim, eps, y, stride);
}

// gate = GELU(gate) * up
extern "C" void gelu_gated_bfloat16(bfloat16* gate, const bfloat16* up, int64_t size) { gelu_gated(gate, up, size); }

extern "C" void gelu_gated_float32(float* gate, const float* up, int64_t size) { gelu_gated(gate, up, size); }

}  // namespace readonce
