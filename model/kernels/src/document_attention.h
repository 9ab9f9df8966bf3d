// Attention of query rows to the document's states: each thread goes through its range of the tokens with a running
// softmax, and reads each state once, for scores and for sums. `MergedAttention` merges the threads' results.

#pragma once

#include "attention_capture.h"
#include "decoder_layer.h"
#include "document_int8_tiles.h"
#include "document_tiles.h"

namespace readonce {

template <typename T>
class DocumentAttention {
    const Layer& layer;
    const DocumentMemory& document;
    const LayerStep& step;
    const QueryRowOrder order;
    const int hidden = layer.hidden, query_rows = order.tokens * order.heads, padded_rows = round_up_tile(query_rows);
    const bool tiled = std::is_same_v<T, bfloat16> && uses_tiles(query_rows, hidden);
    const size_t of_all_threads = (size_t)step.threads * padded_rows;
    FloatArray maxima = allocate_floats(of_all_threads), totals = allocate_floats(of_all_threads),
               sums = allocate_floats((size_t)step.threads * padded_rows * hidden);
    AttentionCapture<T> capture{layer, document, step, order};

    // A block's products of one row -> scores -> weights, relative to this thread's maximum so far.
    void weigh(int row, int first, int size, const float* key_inv_rms, float* scores) {
        const size_t here = (size_t)omp_get_thread_num() * padded_rows + row;
        const int sequence = order.token_of(row) / step.new_tokens;
        for (int i = 0; i < size; i++) scores[i] *= key_inv_rms[i];
        std::fill(scores + size, scores + TILE, MASKED_SCORE);
        if (document.visible_mask) {
            const uint8_t* visible = document.visible_mask + (size_t)sequence * document.tokens + first;
            for (int i = 0; i < size; i++) scores[i] = visible[i] ? scores[i] : MASKED_SCORE;
        }
        if (capture.captures(row)) capture.keep(row, first, size, scores);
        const float now = std::max(maxima[here], reduce_max(load(scores)));
        if (now > maxima[here]) {
            const float shrink = std::exp(maxima[here] - now);
            scale(sums_of(omp_get_thread_num()) + (size_t)row * hidden, shrink, hidden);
            totals[here] *= shrink;
            maxima[here] = now;
        }
        const F32x16 weights = exp(load(scores) - now);
        store(scores, weights);
        totals[here] += reduce_add(weights);
    }

    // The key head that all query rows of a group share, or -1.
    int key_head_of_group(int group) const {
        const int head = order.key_head_of(group * TILE);
        return head == order.key_head_of(std::min((group + 1) * TILE, query_rows) - 1) ? head : -1;
    }

    // A group's products {padded, 16} -> scores: `size` tokens from the first on, padded with masked ones. key_inv_rms:
    // that of the first key head, whose next one is `length` numbers on; null where it is multiplied in already.
    void complete(int group, int first, int size, int padded, const float* key_inv_rms, int length, float* scores) {
        const int begin = group * TILE, end = std::min(begin + TILE, query_rows);
        if (const int key_head = key_head_of_group(group); key_inv_rms && key_head >= 0)
            for (int token = 0; token < size; token++) {
                float* const to = scores + (size_t)token * TILE;
                store(to, load(to) * key_inv_rms[(size_t)key_head * length + token]);
            }
        else if (key_inv_rms)
            for_lanes(begin, end, scores, size, [&](int row, int token, float& score) {
                score *= key_inv_rms[(size_t)order.key_head_of(row) * length + token];
            });
        if (document.visible_mask)
            for_lanes(begin, end, scores, size, [&](int row, int token, float& score) {
                const size_t sequence = order.token_of(row) / step.new_tokens;
                if (!document.visible_mask[sequence * document.tokens + first + token]) score = MASKED_SCORE;
            });
        for (int row = begin; row < end; row++)
            if (capture.captures(row)) capture.keep_lane(row, first, size, scores + row - begin);
        std::fill(scores + (size_t)size * TILE, scores + (size_t)padded * TILE, MASKED_SCORE);
    }

    // Calls `work(row, token, score)` for the lanes of query rows [begin, end).
    template <typename Work>
    static void for_lanes(int begin, int end, float* scores, int size, const Work& work) {
        for (int row = begin; row < end; row++)
            for (int token = 0; token < size; token++) work(row, token, scores[(size_t)token * TILE + row - begin]);
    }

    // Calls `work(part, before, first, last)` for the memories that a range of all tokens lies in: how many tokens come
    // before a memory, and which of its own are meant.
    template <typename Work>
    void for_parts(const ThreadRange& range, const Work& work) const {
        for (int part = 0, before = 0; part < document.parts; before += document.lengths[part++]) {
            const int first = std::max(range.first - before, 0);
            const int last = std::min(range.last - before, document.lengths[part]);
            if (first < last) work(part, before, first, last);
        }
    }

    void attend_row_major(const ThreadRange& range, const float* absorbed) {
        std::unique_ptr<T[]> padded(new T[(size_t)TILE * hidden]());
        auto weights = allocate_floats((size_t)query_rows * TILE);
        for_parts(range, [&](int part, int before, int first, int last) {
            const int length = document.lengths[part];
            for (int token = first; token < last; token += TILE) {
                const int size = std::min(TILE, last - token);
                const T* states = static_cast<const T*>(document.states[part]) + (size_t)token * hidden;
                if (token + TILE > length)  // nothing is read behind the last state
                    states = std::copy_n(states, (size_t)size * hidden, padded.get()) - (size_t)size * hidden;
                linear(states, hidden, 0, TILE, absorbed, query_rows, weights.get(), TILE);
                for (int row = 0; row < query_rows; row++) {
                    const float* of_head = document.key_inv_rms[part] + (size_t)order.key_head_of(row) * length;
                    weigh(row, before + token, size, of_head + token, &weights[(size_t)row * TILE]);
                }
                add_weighted_sum(weights.get(), TILE, query_rows, states, size, hidden, 0, hidden,
                                 sums_of(omp_get_thread_num()));
            }
        });
    }

#ifdef READONCE_AMX
    template <typename Tiles>
    void attend_by_tiles(const ThreadRange& range, const float* absorbed) {
        using State = typename Tiles::State;
        constexpr int STEP_TOKENS = Tiles::STEP_TOKENS;
        const size_t here = (size_t)omp_get_thread_num() * padded_rows;
        auto* const padded_states = Tiles::padded_states().reserve((size_t)STEP_TOKENS * hidden);
        float padded_scales[STEP_TOKENS] = {};
        for_parts(range, [&](int part, int before, int first, int last) {
            const int length = document.lengths[part];
            const float* const channels = document.channel_scales ? document.channel_scales[part] : nullptr;
            const float* const scales = document.token_scales ? document.token_scales[part] : padded_scales;
            const auto* const states = static_cast<const State*>(document.states[part]);
            const Tiles tiles(absorbed, query_rows, hidden, channels, sums_of(omp_get_thread_num()), &maxima[here],
                              &totals[here]);
            const auto attend = [&](const State* states, const float* scales, int token, int size) {
                const int padded = (size + STEP_TOKENS - 1) / STEP_TOKENS * STEP_TOKENS;
                const float* const of_keys = document.key_inv_rms[part] + token;
                const auto key_inv_rms = [&](int group) {
                    const int head = size == padded ? key_head_of_group(group) : -1;
                    return head < 0 ? nullptr : of_keys + (size_t)head * length;
                };
                tiles.attend(states, scales, padded, key_inv_rms, [&](int group, float* scores, bool scaled) {
                    complete(group, before + token, size, padded, scaled ? nullptr : of_keys, length, scores);
                });
            };
            const int whole = first + (last - first) / STEP_TOKENS * STEP_TOKENS, rest = last - whole;
            for (int token = first, size; token < whole; token += size) {
                size = std::min(tiles.block, whole - token);
                attend(states + (size_t)token * hidden, scales + (document.token_scales ? token : 0), token, size);
            }
            if (!rest) return;
            const auto* const last_states = states + (size_t)whole * hidden;
            std::fill(std::copy_n(last_states, (size_t)rest * hidden, padded_states),
                      padded_states + (size_t)STEP_TOKENS * hidden, 0);
            if (document.token_scales) std::copy_n(scales + whole, rest, padded_scales);
            attend(padded_states, padded_scales, whole, rest);
        });
    }
#endif

public:
    DocumentAttention(const Layer& layer, const DocumentMemory& document, const LayerStep& step,
                      const QueryRowOrder& order)
        : layer(layer), document(document), step(step), order(order) {}

    // A thread's results: weighted sums of states {query_rows, hidden}, relative to a row's maximum, and their weights'
    // total.
    float* sums_of(int thread) const { return &sums[(size_t)thread * padded_rows * hidden]; }

    float max_of(int thread, int row) const { return maxima[(size_t)thread * padded_rows + row]; }

    float total_of(int thread, int row) const { return totals[(size_t)thread * padded_rows + row]; }

    // absorbed {query_rows, hidden}: the queries of states, with `k_proj` absorbed.
    void attend(const float* absorbed) {
        const ThreadRange range(document.tokens, TILE);
        const size_t here = (size_t)omp_get_thread_num() * padded_rows;
        std::fill_n(&maxima[here], padded_rows, EMPTY_MAX);
        std::fill_n(&totals[here], padded_rows, 0.0f);
        std::fill_n(sums_of(omp_get_thread_num()), (size_t)padded_rows * hidden, 0.0f);
#ifdef READONCE_AMX
        if (document.token_scales) return attend_by_tiles<DocumentInt8Tiles>(range, absorbed);
        if constexpr (std::is_same_v<T, bfloat16>)
            if (tiled) return attend_by_tiles<DocumentTiles>(range, absorbed);
#endif
        attend_row_major(range, absorbed);
    }

    // Writes the attention of each sequence's last new token to this thread's range of the document's tokens.
    template <typename MaxOf, typename TotalOf>
    void write_attention(const MaxOf& max_of, const TotalOf& total_of) const {
        capture.write(max_of, total_of);
    }
};

}  // namespace readonce
