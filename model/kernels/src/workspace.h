// Memory that the kernels write intermediate values to.

#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <vector>

#include "simd.h"

namespace readonce {

constexpr size_t CACHE_LINE = 64;  // bytes. Tiles load half as fast where their rows lie across two lines.

// Room for values of one kind that grows to the largest size asked for and is used again for each later call.
template <typename T>
class Buffer {
    std::vector<T> storage;

public:
    // At least `count` values, which begin at a cache line and are undefined. They are valid until the next call.
    T* reserve(size_t count) {
        const size_t size = count + CACHE_LINE / sizeof(T);
        if (storage.size() < size) storage.resize(size);
        return reinterpret_cast<T*>((reinterpret_cast<uintptr_t>(storage.data()) + CACHE_LINE - 1) / CACHE_LINE *
                                    CACHE_LINE);
    }
};

// The buffers of one thread. Each has one user, which its comment names; shapes are those of the largest call.
struct Workspace {
    // bfloat16 products (tiles.h)
    Buffer<uint32_t> packed_rows;        // (groups, in / 2, 16, 2): rows as second factor
    Buffer<bfloat16> packed_terms;       // (2, terms / 2, 16, 2): 32 columns of a matrix whose rows are summed
    Buffer<bfloat16> summed_by_weights;  // (rows, terms): the weights of such a sum

    // int8 products (int8_tiles.h)
    Buffer<int8_t> split_rows;       // (groups of 8, in / 4, 16, 4): both halves of each row
    Buffer<float> split_row_scales;  // (rows)

    // Encoder layer (encoder_layer.cpp)
    Buffer<bfloat16> normed;    // (tokens / 16, hidden / 2, 16, 2)
    Buffer<float> projected;    // (tokens / 16, columns, 16)
    Buffer<bfloat16> queries;   // (tokens / 16, heads, head_dim / 2, 16, 2)
    Buffer<bfloat16> attended;  // likewise
    Buffer<bfloat16> gated;     // (tokens / 16, some of the inner columns / 2, 16, 2)

    // Encoder attention (encoder_attention.h)
    Buffer<float> value_sums;      // (groups, head_dim, 16)
    Buffer<float> score_maxima;    // (groups, 16)
    Buffer<float> weight_totals;   // (groups, 16)
    Buffer<float> key_scores;      // (keys / 32, 2, 32, 16)
    Buffer<bfloat16> key_weights;  // (2, keys / 32, 2, 16, 16, 2)

    // Attention to the document (document_tiles.h, document_int8_tiles.h, document_attention.h)
    Buffer<float> document_scores;          // (groups, tokens, 16)
    Buffer<bfloat16> document_weights;      // (groups, tokens / 32) tiles
    Buffer<bfloat16> packed_states;         // (hidden / 16, tokens / 32) tiles
    Buffer<uint8_t> document_int8_weights;  // (groups, tokens / 64) tiles
    Buffer<float> document_weight_scales;   // (groups, 16)
    Buffer<int8_t> packed_int8_states;      // (2, 4, tokens / 64) tiles: two column panels
    Buffer<bfloat16> last_states;           // (32, hidden): fewer tokens than a tile takes, padded
    Buffer<int8_t> last_int8_states;        // (64, hidden), likewise

    // Inverse RMS of keys (key_inv_rms.cpp)
    Buffer<bfloat16> packed_document;  // (groups, hidden / 2, 16, 2)
    Buffer<float> keys;                // (groups, key_heads * head_dim, 16)

    static Workspace& of_this_thread() {
        thread_local Workspace workspace;
        return workspace;
    }
};

// An array of one call, which several threads may share. It begins at a cache line, too.
struct Free {
    void operator()(float* values) const { std::free(values); }
};
using FloatArray = std::unique_ptr<float[], Free>;

inline FloatArray allocate_floats(size_t count) {  // of undefined value
    const size_t lines = (count * sizeof(float) + CACHE_LINE - 1) / CACHE_LINE;
    return FloatArray(static_cast<float*>(std::aligned_alloc(CACHE_LINE, CACHE_LINE * std::max<size_t>(lines, 1))));
}

}  // namespace readonce
