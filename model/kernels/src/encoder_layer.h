// What the functions of `encoder_layer.cpp` are given; `encoder_layers.py` has the same structure.

#pragma once

#include "layer.h"

namespace readonce {

struct EncoderChunk {       // T tokens that attend to each other, padded to a multiple of TILE_K
    int32_t tokens;         // without the padding
    float* hidden;          // {T / 16, hidden, 16}: replaced
    const void *cos, *sin;  // {T / 16, head_dim / 2, 16} bfloat16
    void* keys;             // bfloat16, of each key head {T / 16, head_dim / 32, 16 tokens, 32}
    void* values;           // bfloat16, of each key head {T / 32, head_dim, 32 tokens}
};

}  // namespace readonce
