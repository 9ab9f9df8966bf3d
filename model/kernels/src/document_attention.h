// What the rows of new tokens take of the document: a running softmax of each thread over its part of the tokens, whose
// states are read once, for scores and for sums.

#pragma once

#include "decoder_layer.h"
#include "document_int8_tiles.h"
#include "document_tiles.h"
#include "looks.h"

template <typename T>
class DocumentAttention {
    const Layer& layer;
    const Document& document;
    const Tokens& tokens;
    const RowOrder order;
    const int hidden = layer.hidden, rows = order.count * order.heads, tall = whole_tiles(rows);
    const bool tiled = std::is_same_v<T, bfloat16> && suits_tiles(rows, hidden);
    const size_t of_all_threads = (size_t)tokens.threads * tall;
    Floats peaks = floats(of_all_threads), totals = floats(of_all_threads),
           sums = floats((size_t)tokens.threads * tall * hidden);
    Looks<T> looks{layer, document, tokens, order};

    // A block's products of one row -> scores -> weights, relative to this thread's peak so far.
    void weigh(int row, int first, int size, const float* scales, float* scored) {
        const size_t here = (size_t)omp_get_thread_num() * tall + row;
        const int answer = order.token_of(row) / tokens.size;
        for (int i = 0; i < size; i++) scored[i] *= scales[i];
        std::fill(scored + size, scored + TILE, MASKED);
        if (document.shown) {
            const uint8_t* shown = document.shown + (size_t)answer * document.tokens + first;
            for (int i = 0; i < size; i++) scored[i] = shown[i] ? scored[i] : MASKED;
        }
        if (looks.want(row)) looks.keep(row, first, size, scored);
        const float peak = std::max(peaks[here], highest(load(scored)));
        if (peak > peaks[here]) {
            const float shrink = std::exp(peaks[here] - peak);
            scale(sums_of(omp_get_thread_num()) + (size_t)row * hidden, shrink, hidden);
            totals[here] *= shrink;
            peaks[here] = peak;
        }
        const Lanes weights = exp(load(scored) - peak);
        store(scored, weights);
        totals[here] += sum(weights);
    }

    // The key head of a group of rows, if they have one and the same, else -1.
    int key_head_of_group(int group) const {
        const int head = order.key_head_of(group * TILE);
        return head == order.key_head_of(std::min((group + 1) * TILE, rows) - 1) ? head : -1;
    }

    // The same of a group of rows, (tokens, 16), but for the weights: of `size` tokens, up to `whole` of them. scales:
    // those of the first key head, or none where they are in.
    void complete(int group, int first, int size, int whole, const float* scales, int length, float* scored) {
        const int begin = group * TILE, end = std::min(begin + TILE, rows);
        if (const int key_head = key_head_of_group(group); scales && key_head >= 0)
            for (int token = 0; token < size; token++) {
                float* const to = scored + (size_t)token * TILE;
                store(to, load(to) * scales[(size_t)key_head * length + token]);
            }
        else if (scales)
            of_lanes(begin, end, scored, size, [&](int row, int token, float& score) {
                score *= scales[(size_t)order.key_head_of(row) * length + token];
            });
        if (document.shown)
            of_lanes(begin, end, scored, size, [&](int row, int token, float& score) {
                const size_t answer = order.token_of(row) / tokens.size;
                if (!document.shown[answer * document.tokens + first + token]) score = MASKED;
            });
        for (int row = begin; row < end; row++)
            if (looks.want(row)) looks.keep_lane(row, first, size, scored + row - begin);
        std::fill(scored + (size_t)size * TILE, scored + (size_t)whole * TILE, MASKED);
    }

    // Calls `some(row, token, score)` for the lanes of some rows.
    template <typename Some>
    static void of_lanes(int begin, int end, float* scored, int size, const Some& some) {
        for (int row = begin; row < end; row++)
            for (int token = 0; token < size; token++) some(row, token, scored[(size_t)token * TILE + row - begin]);
    }

    // Calls `some(part, before, first, last)` for the memories that a share of all tokens lies in: how many tokens
    // stand before a memory, and which of its own are meant.
    template <typename Some>
    void in_parts(const Share& share, const Some& some) const {
        for (int part = 0, before = 0; part < document.parts; before += document.lengths[part++]) {
            const int first = std::max(share.first - before, 0);
            const int last = std::min(share.last - before, document.lengths[part]);
            if (first < last) some(part, before, first, last);
        }
    }

    void attend_by_rows(const Share& share, const float* absorbed) {
        std::unique_ptr<T[]> padded(new T[(size_t)TILE * hidden]());
        auto weights = floats((size_t)rows * TILE);
        in_parts(share, [&](int part, int before, int first, int last) {
            const int length = document.lengths[part];
            for (int token = first; token < last; token += TILE) {
                const int size = std::min(TILE, last - token);
                const T* states = static_cast<const T*>(document.states[part]) + (size_t)token * hidden;
                if (token + TILE > length)  // no state is read behind the last
                    states = std::copy_n(states, (size_t)size * hidden, padded.get()) - (size_t)size * hidden;
                product(states, hidden, 0, TILE, absorbed, rows, weights.get(), TILE);
                for (int row = 0; row < rows; row++) {
                    const float* scales = document.scales[part] + (size_t)order.key_head_of(row) * length;
                    weigh(row, before + token, size, scales + token, &weights[(size_t)row * TILE]);
                }
                add_weighted(weights.get(), TILE, rows, states, size, hidden, 0, hidden, sums_of(omp_get_thread_num()));
            }
        });
    }

#ifdef HAS_TILES
    template <typename OfThread>
    void attend_by_tiles(const Share& share, const float* absorbed) {
        using State = typename OfThread::State;
        constexpr int DEPTH = OfThread::DEPTH;
        const size_t here = (size_t)omp_get_thread_num() * tall;
        auto* const padded = scratch<State, 17>((size_t)DEPTH * hidden);
        float padded_scales[DEPTH] = {};
        in_parts(share, [&](int part, int before, int first, int last) {
            const int length = document.lengths[part];
            const float* const channels = document.channel_scales ? document.channel_scales[part] : nullptr;
            const float* const scales = document.token_scales ? document.token_scales[part] : padded_scales;
            const auto* const states = static_cast<const State*>(document.states[part]);
            const OfThread tiles(absorbed, rows, hidden, channels, sums_of(omp_get_thread_num()), &peaks[here],
                                 &totals[here]);
            const auto attend = [&](const State* states, const float* scales, int token, int size) {
                const int whole = (size + DEPTH - 1) / DEPTH * DEPTH;
                const float* const of_keys = document.scales[part] + token;
                const auto key_scales = [&](int group) {
                    const int head = size == whole ? key_head_of_group(group) : -1;
                    return head < 0 ? nullptr : of_keys + (size_t)head * length;
                };
                tiles.attend(states, scales, whole, key_scales, [&](int group, float* scored, bool scaled) {
                    complete(group, before + token, size, whole, scaled ? nullptr : of_keys, length, scored);
                });
            };
            const int whole = first + (last - first) / DEPTH * DEPTH, rest = last - whole;
            for (int token = first, size; token < whole; token += size) {
                size = std::min(tiles.block, whole - token);
                attend(states + (size_t)token * hidden, scales + (document.token_scales ? token : 0), token, size);
            }
            if (!rest) return;
            const auto* const last_ones = states + (size_t)whole * hidden;
            std::fill(std::copy_n(last_ones, (size_t)rest * hidden, padded), padded + (size_t)DEPTH * hidden, 0);
            if (document.token_scales) std::copy_n(scales + whole, rest, padded_scales);
            attend(padded, padded_scales, whole, rest);
        });
    }
#endif

public:
    DocumentAttention(const Layer& layer, const Document& document, const Tokens& tokens, const RowOrder& order)
        : layer(layer), document(document), tokens(tokens), order(order) {}

    float* sums_of(int thread) const { return &sums[(size_t)thread * tall * hidden]; }  // (rows, hidden)

    float peak(int thread, int row) const { return peaks[(size_t)thread * tall + row]; }

    float total(int thread, int row) const { return totals[(size_t)thread * tall + row]; }

    // absorbed (rows, hidden): what the rows ask of states
    void attend(const float* absorbed) {
        const Share share(document.tokens, TILE);
        const size_t here = (size_t)omp_get_thread_num() * tall;
        std::fill_n(&peaks[here], tall, NOTHING);
        std::fill_n(&totals[here], tall, 0.0f);
        std::fill_n(sums_of(omp_get_thread_num()), (size_t)tall * hidden, 0.0f);
#ifdef HAS_TILES
        if (document.token_scales) return attend_by_tiles<DocumentInt8Tiles>(share, absorbed);
        if constexpr (std::is_same_v<T, bfloat16>)
            if (tiled) return attend_by_tiles<DocumentTiles>(share, absorbed);
#endif
        attend_by_rows(share, absorbed);
    }

    // What each answer's last token looks at, among some of the document's tokens.
    template <typename Peak, typename Total>
    void look(const Peak& peak_of, const Total& total_of) const {
        looks.write(peak_of, total_of);
    }
};
