// What `decoder_layer` is given: `decoder_layers.py` has the same structures.

#pragma once

#include "layer.h"

extern "C" {

struct Document {  // `parts` memories, `tokens` in all
    int32_t parts, tokens;
    const int32_t* lengths;
    const void* const* states;   // of each part, (length, hidden) in T, or in int8 where there are scales of tokens
    const float* const* token_scales;    // of each part, (length); null: states in T
    const float* const* channel_scales;  // of each part, (hidden), as well
    const float* const* scales;  // of each part, for this layer, (key_heads, length)
    const uint8_t* shown;        // (N, tokens); null: everything
};

struct Step {
    int32_t answers, size, past, capacity, threads;  // N answers with `size` new tokens each
    const int64_t* starts;          // (N), where each answer's own tokens begin
    const uint8_t* shown;           // (N, tokens of the document); null: everything
    float* hidden;                  // (N * size, hidden): each answer's last row becomes what the layers make of it
    float* attention;               // (layers, N, tokens), of the last tokens, mean over heads; null: nobody looks
    const float *const *cos, *const *sin;  // of each layer, (N * size, head_dim)
    void *const *keys, *const *values;     // each layer's cache, (N, key_heads, capacity, head_dim) in T
};

struct Tokens {  // a step, as one layer sees it
    int32_t answers, size, past, capacity, threads;
    const int64_t* starts;
    float* hidden;
    const float *cos, *sin;
    void *keys, *values;
    float* attention;
};
}
