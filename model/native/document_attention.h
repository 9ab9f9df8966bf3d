// What the rows of new tokens take of the document: a running softmax of each thread over its part of the tokens, whose
// states are read once, for scores and for sums.

#pragma once

#include <cstdlib>
#include <memory>

#include "decoder_layer.h"
#include "rows.h"

constexpr int TILED_BLOCK = 128;   // of the document's tokens: what tiles need of them stays in a core's cache
constexpr float NOTHING = -1e20f;  // the highest of no scores
constexpr float MASKED = -1e30f;

struct Free {
    void operator()(float* numbers) const { std::free(numbers); }
};
using Floats = std::unique_ptr<float[], Free>;

inline Floats floats(size_t count) {  // of undefined value, where a cache line begins: tiles are loaded faster from there
    const size_t lines = (count + 15) / 16;
    return Floats(static_cast<float*>(std::aligned_alloc(64, 64 * std::max<size_t>(lines, 1))));
}

// Rows that attend are ordered by (key head, new token, query head of the key head): those of a key head lie together.
struct RowOrder {
    const int groups, count, heads;  // query heads of a key head, new tokens, query heads

    int token_of(int row) const { return row / groups % count; }
    int key_head_of(int row) const { return row / (groups * count); }
    int head_of(int row) const { return key_head_of(row) * groups + row % groups; }
    int row_of(int token, int head) const { return (head / groups * count + token) * groups + head % groups; }
};

template <typename T>
class DocumentAttention {
    const Layer& layer;
    const Document& document;
    const Tokens& tokens;
    const RowOrder order;
    const int hidden = layer.hidden, rows = order.count * order.heads, tall = rows + TILE;
    const bool tiled = std::is_same_v<T, bfloat16> && suits_tiles(rows, hidden);
    const int block = tiled ? TILED_BLOCK : TILE;
    const size_t of_all_threads = (size_t)tokens.threads * rows;
    const size_t looked_at = tokens.attention ? (size_t)tokens.answers * layer.heads * document.tokens : 0;
    Floats peaks = floats(of_all_threads), totals = floats(of_all_threads),
                             sums = floats((size_t)tokens.threads * tall * hidden), scores = floats(looked_at);

    float* scores_of(int answer, int head) const {  // of an answer's last token
        return &scores[((size_t)answer * layer.heads + head) * document.tokens];
    }

    // A block's products of one row -> scores -> weights, relative to this thread's peak so far.
    void weigh(int row, int first, int size, const float* scales, float* scored) {
        const size_t here = (size_t)omp_get_thread_num() * rows + row;
        const int answer = order.token_of(row) / tokens.size, whole = whole_tiles(size);
        for (int i = 0; i < size; i++) scored[i] *= scales[i];
        std::fill(scored + size, scored + whole, MASKED);
        if (document.shown) {
            const uint8_t* shown = document.shown + (size_t)answer * document.tokens + first;
            for (int i = 0; i < size; i++) scored[i] = shown[i] ? scored[i] : MASKED;
        }
        if (tokens.attention && order.token_of(row) % tokens.size == tokens.size - 1)
            std::copy(scored, scored + size, scores_of(answer, order.head_of(row)) + first);
        Lanes most = load(scored), total = {};
        for (int i = LANES; i < whole; i += LANES) most = most > load(scored + i) ? most : load(scored + i);
        const float peak = std::max(peaks[here], highest(most));
        if (peak > peaks[here]) {
            const float shrink = std::exp(peaks[here] - peak);
            scale(sums_of(omp_get_thread_num()) + (size_t)row * hidden, shrink, hidden);
            totals[here] *= shrink;
            peaks[here] = peak;
        }
        for (int i = 0; i < whole; i += LANES) {
            const Lanes weights = exp(load(scored + i) - peak);
            store(scored + i, weights);
            total += weights;
        }
        totals[here] += sum(total);
    }

public:
    DocumentAttention(const Layer& layer, const Document& document, const Tokens& tokens, const RowOrder& order)
        : layer(layer), document(document), tokens(tokens), order(order) {}

    float* sums_of(int thread) const { return &sums[(size_t)thread * tall * hidden]; }  // (rows, hidden)

    float peak(int thread, int row) const { return peaks[(size_t)thread * rows + row]; }

    float total(int thread, int row) const { return totals[(size_t)thread * rows + row]; }

    // absorbed (rows, hidden): what the rows ask of states
    void attend(const float* absorbed) {
        const Share share(document.tokens, TILE);
        const size_t here = (size_t)omp_get_thread_num() * rows;
        float* const sums_here = sums_of(omp_get_thread_num());
        std::fill_n(&peaks[here], rows, NOTHING);
        std::fill_n(&totals[here], rows, 0.0f);
        std::fill_n(sums_here, (size_t)rows * hidden, 0.0f);
        auto weights = floats((size_t)rows * block);
        const uint32_t* const asked = tiled ? paired_rows(absorbed, rows, hidden) : nullptr;
        const auto ask = [&](const T* states, int size, float* scored) {
            if constexpr (std::is_same_v<T, bfloat16>)
                if (tiled) return tile_product(states, hidden, 0, size, asked, rows, scored, block);
            product(states, hidden, 0, size, absorbed, rows, scored, block);
        };
        std::unique_ptr<T[]> padded(new T[(size_t)TILE * hidden]());
        for (int part = 0, begin = 0; part < document.parts; begin += document.lengths[part++]) {
            const int length = document.lengths[part], end = std::min(share.last - begin, length);
            for (int token = std::max(share.first - begin, 0); token < end; token += block) {
                const int size = std::min(block, end - token);
                const int whole = std::min(whole_tiles(size), length - token) / TILE * TILE;
                const T* states = static_cast<const T*>(document.states[part]) + (size_t)token * hidden;
                ask(states, whole, weights.get());
                if (whole < size) {  // the last of a memory fill no tile: no state is read behind them
                    std::copy_n(states + (size_t)whole * hidden, (size_t)(size - whole) * hidden, padded.get());
                    ask(padded.get(), TILE, &weights[whole]);
                }
                for (int row = 0; row < rows; row++) {
                    const float* scales = document.scales[part] + (size_t)order.key_head_of(row) * length;
                    weigh(row, begin + token, size, scales + token, &weights[(size_t)row * block]);
                }
                add_weighted(weights.get(), block, rows, states, size, hidden, 0, hidden, sums_here);
            }
        }
    }

    // The attention of each answer's last token over some of the document's tokens. peak and total: of a row, of all.
    template <typename Peak, typename Total>
    void look(const Peak& peak_of, const Total& total_of) const {
        const Share share(document.tokens, LANES);
        for (int answer = 0; answer < tokens.answers; answer++) {
            float* looks = tokens.attention + (size_t)answer * document.tokens;
            std::fill(looks + share.first, looks + share.last, 0.0f);
            for (int head = 0; head < layer.heads; head++) {
                const int row = order.row_of((answer + 1) * tokens.size - 1, head);
                const float peak = peak_of(row), part = 1 / (total_of(row, peak) * layer.heads);
                const float* scored = scores_of(answer, head);
                int token = share.first;
                for (; token + LANES <= share.last; token += LANES)
                    store(looks + token, load(looks + token) + exp(load(scored + token) - peak) * part);
                for (; token < share.last; token++) looks[token] += std::exp(scored[token] - peak) * part;
            }
        }
    }
};
