// A layer of either stack, as `layer.py` describes it to the kernels.

#pragma once

#include <cstdint>

namespace readonce {

struct Layer {  // matrices {out, in} of T; gains of norms, 1 + weight, float32
    int32_t hidden, inner, heads, key_heads, head_dim;
    int32_t tiled;          // whether the matrices are stored as tiles, for the encoder (token_major.h)
    int32_t in_int8;        // whether o_proj and the feed-forward are int8 panels, for the decoder (weight_panels.h)
    int32_t before, after;  // how many tokens before and after itself a token attends to
    float eps, scaling;     // of the norms; of the queries
    const void *q_proj, *k_proj, *v_proj, *o_proj, *gate_proj, *up_proj, *down_proj;
    const float *pre_attention_norm, *q_norm, *k_norm, *post_attention_norm;
    const float *pre_feed_forward_norm, *post_feed_forward_norm;
};

}  // namespace readonce
