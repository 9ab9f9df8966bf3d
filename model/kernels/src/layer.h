// A layer of either stack, as `layer.py` gives it.

#pragma once

#include <cstdint>

extern "C" {

struct Layer {  // matrices (out, in) in T; gains float32
    int32_t hidden, inner, heads, key_heads, head_dim;
    int32_t tiled;    // whether the matrices lie as tiles, for the encoder (see `columns.h`)
    int32_t in_int8;  // whether o_proj and the feed-forward are in int8, for the decoder (see `strips.h`)
    int32_t behind, ahead;  // how many tokens before and after itself a token sees
    float eps, scaling;
    const void *q_proj, *k_proj, *v_proj, *o_proj, *gate_proj, *up_proj, *down_proj;
    const float *before_attention, *q_norm, *k_norm, *after_attention, *before_feed_forward, *after_feed_forward;
};
}
