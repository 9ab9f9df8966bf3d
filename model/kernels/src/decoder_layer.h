// What `decoder_layer.cpp` is given; `decoder_layers.py` has the same structures.
//
// N sequences, the answers that are decoded together, have S new tokens each.

#pragma once

#include "layer.h"

namespace readonce {

struct DocumentMemory {  // `parts` memories that are attended to as one, `tokens` in all, as one layer needs them
    int32_t parts, tokens;
    const int32_t* lengths;              // tokens of each part
    const void* const* states;           // of each part {length, hidden}, of T or, where there are scales, int8
    const float* const* token_scales;    // of each part {length}; null: states of T
    const float* const* channel_scales;  // of each part {hidden}, likewise
    const float* const* key_inv_rms;     // of each part {key_heads, length}, of this layer
    const uint8_t* visible_mask;         // {N, tokens}: what each sequence may attend to; null: everything
};

struct DecoderStep {
    int32_t sequences, new_tokens, past, capacity, threads;  // past: tokens in the cache, of `capacity`
    const int64_t* starts;        // {N}: where each sequence's own tokens begin; before them is padding
    const uint8_t* visible_mask;  // {N, tokens of the document}; null: everything
    float* hidden;                // {N * S, hidden}: each sequence's last row is replaced by the layers' output
    float* attention;             // {layers, N, tokens}: of the last new tokens, mean of heads; null: unwanted
    const float *const *cos, *const *sin;  // of each layer {N * S, head_dim}
    void *const *keys, *const *values;     // of each layer the cache {N, key_heads, capacity, head_dim} of T
};

struct LayerStep {  // a decoder step, as one layer sees it
    int32_t sequences, new_tokens, past, capacity, threads;
    const int64_t* starts;
    float* hidden;
    const float *cos, *sin;
    void *keys, *values;
    float* attention;
};

}  // namespace readonce
