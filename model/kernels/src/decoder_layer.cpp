// One decoder layer for some new tokens of each of N answers: what `decoder.py` does with PyTorch's operations, some
// fifty a layer, in one pass of all threads. Those operations are too small to share out; here a token costs little
// more than reading the weights once, and the document's states once a layer. Sums are float32.

#include "decoder_layer.h"

#include <vector>

#include "merged_attention.h"

namespace {

template <typename T>
class Pass {
    const Layer& layer;
    const Tokens& tokens;
    const int count = tokens.answers * tokens.size, hidden = layer.hidden, inner = layer.inner;
    MergedAttention<T> attention;
    Floats made = floats((size_t)count * hidden), gate = floats((size_t)count * inner),
           up = floats((size_t)count * inner);

    void feed_forward(const float* normed) {
        const Share share(inner, TILE);
        const auto into = [&](const void* weights, float* to) {
            layer_product<T>(layer, weights, hidden, share.first, share.last, normed, count, to, inner);
        };
        into(layer.gate_proj, gate.get());
        into(layer.up_proj, up.get());
        for (int token = 0; token < count; token++)
            for (int i = share.first; i < share.last; i += LANES) {
                float* to = &gate[(size_t)token * inner + i];
                store(to, gelu(load(to)) * load(&up[(size_t)token * inner + i]));
            }
    }

    void norm(const float* x, const float* gain, float* y, bool add = false) const {
        normed(x, gain, count, hidden, layer.eps, y, add);
    }

public:
    Pass(const Layer& layer, const Document& document, const Tokens& tokens)
        : layer(layer), tokens(tokens), attention(layer, document, tokens) {}

    void remember() {  // by every thread
        const Tiles tiles;
        auto normed = floats((size_t)count * hidden);
        norm(tokens.hidden, layer.before_attention, normed.get());
        attention.remember(normed.get());
    }

    void run() {  // by every thread: what is small is made by each of them
        const Tiles tiles;
        auto states = floats((size_t)count * hidden), normed = floats((size_t)count * hidden);
        std::copy_n(tokens.hidden, (size_t)count * hidden, states.get());
        norm(states.get(), layer.before_attention, normed.get());
        attention.run(normed.get(), made.get());
#pragma omp barrier
        norm(made.get(), layer.after_attention, states.get(), true);
        norm(states.get(), layer.before_feed_forward, normed.get());
        feed_forward(normed.get());
#pragma omp barrier
        const Share share(hidden, TILE);
        layer_product<T>(layer, layer.down_proj, inner, share.first, share.last, gate.get(), count, made.get(), hidden);
#pragma omp barrier
        norm(made.get(), layer.after_feed_forward, states.get(), true);
#pragma omp single
        std::copy_n(states.get(), (size_t)count * hidden, tokens.hidden);
    }
};

template <typename T>
void run(const Layer& layer, const Document& document, const Tokens& tokens) {
    Pass<T> pass(layer, document, tokens);
#pragma omp parallel num_threads(tokens.threads)
    pass.run();
}

// The last layer: all tokens leave their keys and values, but only each answer's last one goes on.
template <typename T>
void run_last(const Layer& layer, const Document& document, const Tokens& tokens) {
    Pass<T> pass(layer, document, tokens);
#pragma omp parallel num_threads(tokens.threads)
    pass.remember();
    const auto last_rows = [&](const float* rows, int size) {
        std::vector<float> last;
        for (int answer = 0; answer < tokens.answers; answer++) {
            const float* const row = rows + ((size_t)(answer + 1) * tokens.size - 1) * size;
            last.insert(last.end(), row, row + size);
        }
        return last;
    };
    std::vector<float> hidden = last_rows(tokens.hidden, layer.hidden);
    const std::vector<float> cos = last_rows(tokens.cos, layer.head_dim), sin = last_rows(tokens.sin, layer.head_dim);
    Tokens last = tokens;
    last.size = 1;
    last.past += tokens.size - 1;
    last.hidden = hidden.data();
    last.cos = cos.data();
    last.sin = sin.data();
    run<T>(layer, document, last);
    for (int answer = 0; answer < tokens.answers; answer++)
        std::copy_n(&hidden[(size_t)answer * layer.hidden], layer.hidden,
                    tokens.hidden + ((size_t)(answer + 1) * tokens.size - 1) * layer.hidden);
}

template <typename T>
int32_t run(const Layer* const* layers, const Document* documents, const Step& step, int32_t count,
            int32_t (*stopped)()) {
    for (int32_t i = 0; i < count; i++) {
        if (stopped && stopped()) return 0;
        Document document = documents[i];
        document.shown = step.shown;
        float* const attention = step.attention;
        const size_t looks = (size_t)i * step.answers * document.tokens;
        const Tokens tokens{step.answers, step.size,   step.past,   step.capacity, step.threads,   step.starts,
                            step.hidden,  step.cos[i], step.sin[i], step.keys[i],  step.values[i],
                            attention ? attention + looks : nullptr};
        i + 1 == count && step.size > 1 ? run_last<T>(*layers[i], document, tokens)
                                        : run<T>(*layers[i], document, tokens);
    }
    return 1;
}
}  // namespace

// A step through so many layers, the last of which is the model's last; 0 where it was stopped before one of them.
extern "C" int32_t decoder_layers_bfloat16(const Layer* const* layers, const Document* documents, const Step* step,
                                           int32_t count, int32_t (*stopped)()) {
    return run<bfloat16>(layers, documents, *step, count, stopped);
}

extern "C" int32_t decoder_layers_float32(const Layer* const* layers, const Document* documents, const Step* step,
                                          int32_t count, int32_t (*stopped)()) {
    return run<float>(layers, documents, *step, count, stopped);
}

extern "C" int32_t multiplies_tiles() { return has_tiles(); }
