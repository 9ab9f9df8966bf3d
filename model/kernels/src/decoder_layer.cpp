// Decoder layers for some new tokens of each of N sequences. What `decoder/forward.py` does with PyTorch's operations,
// some fifty a layer, each too small to be shared out, is one pass of all threads here: a token costs little more than
// reading the weights once, and the document's states once a layer. Sums are float32.

#include "decoder_layer.h"

#include <vector>

#include "merged_attention.h"

namespace readonce {
namespace {

template <typename T>
class DecoderLayerPass {
    const Layer& layer;
    const LayerStep& step;
    const int tokens = step.sequences * step.new_tokens, hidden = layer.hidden, inner = layer.inner;
    MergedAttention<T> attention;
    // Of all threads
    FloatArray projected = allocate_floats((size_t)tokens * hidden), gate = allocate_floats((size_t)tokens * inner),
               up = allocate_floats((size_t)tokens * inner);

    // GELU(gate_proj x) * (up_proj x): this thread's columns of it, to `gate`.
    void gated_feed_forward(const float* normed) {
        const ThreadRange range(inner, TILE);
        const auto into = [&](const void* weights, float* to) {
            layer_linear<T>(layer, weights, hidden, range.first, range.last, normed, tokens, to, inner);
        };
        into(layer.gate_proj, gate.get());
        into(layer.up_proj, up.get());
        for (int token = 0; token < tokens; token++)
            for (int i = range.first; i < range.last; i += LANES) {
                float* to = &gate[(size_t)token * inner + i];
                store(to, gelu(load(to)) * load(&up[(size_t)token * inner + i]));
            }
    }

    void norm(const float* x, const float* gain, float* y, bool add = false) const {
        rms_norm_rows(x, gain, tokens, hidden, layer.eps, y, add);
    }

public:
    DecoderLayerPass(const Layer& layer, const DocumentMemory& document, const LayerStep& step)
        : layer(layer), step(step), attention(layer, document, step) {}

    // Puts the tokens' keys and values into the cache. Called by every thread.
    void extend_cache() {
        const TileConfigScope tiles;
        auto normed = allocate_floats((size_t)tokens * hidden);
        norm(step.hidden, layer.pre_attention_norm, normed.get());
        attention.extend_cache(normed.get());
    }

    // Replaces the tokens' states. Called by every thread; what is small is computed by each of them.
    void forward() {
        const TileConfigScope tiles;
        auto states = allocate_floats((size_t)tokens * hidden), normed = allocate_floats((size_t)tokens * hidden);
        std::copy_n(step.hidden, (size_t)tokens * hidden, states.get());
        norm(states.get(), layer.pre_attention_norm, normed.get());
        attention.forward(normed.get(), projected.get());
#pragma omp barrier
        norm(projected.get(), layer.post_attention_norm, states.get(), true);
        norm(states.get(), layer.pre_feed_forward_norm, normed.get());
        gated_feed_forward(normed.get());
#pragma omp barrier
        const ThreadRange range(hidden, TILE);
        layer_linear<T>(layer, layer.down_proj, inner, range.first, range.last, gate.get(), tokens, projected.get(),
                        hidden);
#pragma omp barrier
        norm(projected.get(), layer.post_feed_forward_norm, states.get(), true);
#pragma omp single
        std::copy_n(states.get(), (size_t)tokens * hidden, step.hidden);
    }
};

template <typename T>
void forward_layer(const Layer& layer, const DocumentMemory& document, const LayerStep& step) {
    DecoderLayerPass<T> pass(layer, document, step);
#pragma omp parallel num_threads(step.threads)
    pass.forward();
}

// The model's last layer: all new tokens leave their keys and values, but only each sequence's last one goes on.
template <typename T>
void forward_last_layer(const Layer& layer, const DocumentMemory& document, const LayerStep& step) {
    DecoderLayerPass<T> pass(layer, document, step);
#pragma omp parallel num_threads(step.threads)
    pass.extend_cache();
    const auto last_rows = [&](const float* rows, int size) {
        std::vector<float> last;
        for (int sequence = 0; sequence < step.sequences; sequence++) {
            const float* const row = rows + ((size_t)(sequence + 1) * step.new_tokens - 1) * size;
            last.insert(last.end(), row, row + size);
        }
        return last;
    };
    std::vector<float> hidden = last_rows(step.hidden, layer.hidden);
    const std::vector<float> cos = last_rows(step.cos, layer.head_dim), sin = last_rows(step.sin, layer.head_dim);
    LayerStep last = step;
    last.new_tokens = 1;
    last.past += step.new_tokens - 1;
    last.hidden = hidden.data();
    last.cos = cos.data();
    last.sin = sin.data();
    forward_layer<T>(layer, document, last);
    for (int sequence = 0; sequence < step.sequences; sequence++)
        std::copy_n(&hidden[(size_t)sequence * layer.hidden], layer.hidden,
                    step.hidden + ((size_t)(sequence + 1) * step.new_tokens - 1) * layer.hidden);
}

template <typename T>
int32_t forward_layers(const Layer* const* layers, const DocumentMemory* documents, const DecoderStep& step,
                       int32_t count, int32_t (*cancelled)()) {
    for (int32_t i = 0; i < count; i++) {
        if (cancelled && cancelled()) return 0;
        DocumentMemory document = documents[i];
        document.visible_mask = step.visible_mask;
        float* const attention = step.attention;
        const size_t of_layers = (size_t)i * step.sequences * document.tokens;
        const LayerStep of_layer{step.sequences, step.new_tokens, step.past,
                                 step.capacity,  step.threads,    step.starts,
                                 step.hidden,    step.cos[i],     step.sin[i],
                                 step.keys[i],   step.values[i],  attention ? attention + of_layers : nullptr};
        i + 1 == count&& step.new_tokens > 1 ? forward_last_layer<T>(*layers[i], document, of_layer)
                                             : forward_layer<T>(*layers[i], document, of_layer);
    }
    return 1;
}

}  // namespace

// A step through `count` layers, the last of which is the model's last. 0 where it was cancelled before one of them.
// documents: a document's memory as each layer sees it; its visible_mask is that of the step.
extern "C" int32_t decoder_layers_bfloat16(const Layer* const* layers, const DocumentMemory* documents,
                                           const DecoderStep* step, int32_t count, int32_t (*cancelled)()) {
    return forward_layers<bfloat16>(layers, documents, *step, count, cancelled);
}

extern "C" int32_t decoder_layers_float32(const Layer* const* layers, const DocumentMemory* documents,
                                          const DecoderStep* step, int32_t count, int32_t (*cancelled)()) {
    return forward_layers<float>(layers, documents, *step, count, cancelled);
}

extern "C" int32_t has_matrix_tiles() { return has_amx(); }

}  // namespace readonce
