// Which rows attend for which token, and where each answer's last one looks in the document: its scores are kept while
// the document goes by, and are attention once the softmax of all is known.

#pragma once

#include <vector>

#include "columns.h"
#include "decoder_layer.h"
#include "rows.h"

// Rows that attend are ordered by (key head, new token, query head of the key head): those of a key head lie together.
struct RowOrder {
    const int groups, count, heads;  // query heads of a key head, new tokens, query heads

    int token_of(int row) const { return row / groups % count; }
    int key_head_of(int row) const { return row / (groups * count); }
    int head_of(int row) const { return key_head_of(row) * groups + row % groups; }
    int row_of(int token, int head) const { return (head / groups * count + token) * groups + head % groups; }
};

template <typename T>
class Looks {
    struct Head {  // of an answer's last token
        const float* scored;
        float peak, part;
    };

    const Layer& layer;
    const Document& document;
    const Tokens& tokens;
    const RowOrder order;
    Floats scores = floats(tokens.attention ? (size_t)tokens.answers * layer.heads * document.tokens : 0);

    float* scores_of(int answer, int head) const {
        return &scores[((size_t)answer * layer.heads + head) * document.tokens];
    }

    float* scores_of(int row) const { return scores_of(order.token_of(row) / tokens.size, order.head_of(row)); }

    static Lanes e_to(Lanes x) {  // as exactly as T tells
#ifdef HAS_TILES
        if constexpr (std::is_same_v<T, bfloat16>) return power_of_two(x * LOG2_E);
#endif
        return exp(x);
    }

public:
    Looks(const Layer& layer, const Document& document, const Tokens& tokens, const RowOrder& order)
        : layer(layer), document(document), tokens(tokens), order(order) {}

    bool want(int row) const { return tokens.attention && order.token_of(row) % tokens.size == tokens.size - 1; }

    // The scores of `size` tokens from the first on.
    void keep(int row, int first, int size, const float* scored) const {
        std::copy_n(scored, size, scores_of(row) + first);
    }

    // The same, of a row that is a lane: TILE numbers from one token to the next.
    void keep_lane(int row, int first, int size, const float* scored) const {
        float* const to = scores_of(row) + first;
        int token = 0;
#ifdef HAS_TILES
        for (; token + LANES <= size; token += LANES, scored += LANES * TILE)
            store(to + token, (Lanes)_mm512_i32gather_ps(lanes_apart(TILE), scored, sizeof(float)));
#endif
        for (; token < size; token++, scored += TILE) to[token] = *scored;
    }

    // A thread's share of tokens. peak and total: of a row, of all threads' and the own tokens' scores.
    template <typename Peak, typename Total>
    void write(const Peak& peak_of, const Total& total_of) const {
        const Share share(document.tokens, LANES);
        for (int answer = 0; answer < tokens.answers; answer++) {
            std::vector<Head> heads;
            for (int head = 0; head < layer.heads; head++) {
                const int row = order.row_of((answer + 1) * tokens.size - 1, head);
                const float peak = peak_of(row);
                heads.push_back({scores_of(answer, head), peak, 1 / (total_of(row, peak) * layer.heads)});
            }
            float* const looks = tokens.attention + (size_t)answer * document.tokens;
            int token = share.first;
            for (; token + LANES <= share.last; token += LANES) {
                Lanes look = {};
                for (const Head& head : heads) look += e_to(load(head.scored + token) - head.peak) * head.part;
                store(looks + token, look);
            }
            for (; token < share.last; token++) {
                looks[token] = 0;
                for (const Head& head : heads) looks[token] += std::exp(head.scored[token] - head.peak) * head.part;
            }
        }
    }
};
