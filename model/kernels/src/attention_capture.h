// Captures how much each sequence's last new token attends to each token of the document: its scores are kept while the
// document is gone through, and become attention once the softmax's maximum and total over all keys are known.

#pragma once

#include <vector>

#include "decoder_layer.h"
#include "row_major.h"
#include "token_major.h"

namespace readonce {

// Query rows, one for each new token and query head, are ordered {key head, new token, query head of the key head}:
// those that share a key head are neighbours.
struct QueryRowOrder {
    const int group_size, tokens, heads;  // query heads of a key head, new tokens of all sequences, query heads

    int token_of(int row) const { return row / group_size % tokens; }
    int key_head_of(int row) const { return row / (group_size * tokens); }
    int head_of(int row) const { return key_head_of(row) * group_size + row % group_size; }
    int row_of(int token, int head) const {
        return (head / group_size * tokens + token) * group_size + head % group_size;
    }
};

template <typename T>
class AttentionCapture {
    struct Head {  // of a sequence's last new token
        const float* scores;
        float max, factor;
    };

    const Layer& layer;
    const DocumentMemory& document;
    const LayerStep& step;
    const QueryRowOrder order;
    FloatArray scores =  // {N, heads, tokens}
        allocate_floats(step.attention ? (size_t)step.sequences * layer.heads * document.tokens : 0);

    float* scores_of(int sequence, int head) const {
        return &scores[((size_t)sequence * layer.heads + head) * document.tokens];
    }

    float* scores_of(int row) const { return scores_of(order.token_of(row) / step.new_tokens, order.head_of(row)); }

    static F32x16 exp_for_t(F32x16 x) {  // as exact as T can tell
#ifdef READONCE_AMX
        if constexpr (std::is_same_v<T, bfloat16>) return exp2(x * LOG2_E);
#endif
        return exp(x);
    }

public:
    AttentionCapture(const Layer& layer, const DocumentMemory& document, const LayerStep& step,
                     const QueryRowOrder& order)
        : layer(layer), document(document), step(step), order(order) {}

    bool captures(int row) const {
        return step.attention && order.token_of(row) % step.new_tokens == step.new_tokens - 1;
    }

    // Keeps the scores of `size` tokens from the first on.
    void keep(int row, int first, int size, const float* from) const {
        std::copy_n(from, size, scores_of(row) + first);
    }

    // The same of a row that is a lane: TILE numbers from a token to the next.
    void keep_lane(int row, int first, int size, const float* from) const {
        float* const to = scores_of(row) + first;
        int token = 0;
#ifdef READONCE_AMX
        for (; token + LANES <= size; token += LANES, from += LANES * TILE)
            store(to + token, (F32x16)_mm512_i32gather_ps(lane_offsets(TILE), from, sizeof(float)));
#endif
        for (; token < size; token++, from += TILE) to[token] = *from;
    }

    // Writes this thread's range of the document's tokens. `max_of(row)` and `total_of(row, max)` are of the softmax
    // over all keys.
    template <typename MaxOf, typename TotalOf>
    void write(const MaxOf& max_of, const TotalOf& total_of) const {
        const ThreadRange range(document.tokens, LANES);
        for (int sequence = 0; sequence < step.sequences; sequence++) {
            std::vector<Head> heads;
            for (int head = 0; head < layer.heads; head++) {
                const int row = order.row_of((sequence + 1) * step.new_tokens - 1, head);
                const float max = max_of(row);
                heads.push_back({scores_of(sequence, head), max, 1 / (total_of(row, max) * layer.heads)});
            }
            float* const attention = step.attention + (size_t)sequence * document.tokens;
            int token = range.first;
            for (; token + LANES <= range.last; token += LANES) {
                F32x16 mean = {};
                for (const Head& head : heads) mean += exp_for_t(load(head.scores + token) - head.max) * head.factor;
                store(attention + token, mean);
            }
            for (; token < range.last; token++) {
                attention[token] = 0;
                for (const Head& head : heads)
                    attention[token] += std::exp(head.scores[token] - head.max) * head.factor;
            }
        }
    }
};

}  // namespace readonce
