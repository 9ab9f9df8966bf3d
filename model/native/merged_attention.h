// Merged attention of some new tokens of each of N answers, over their own tokens and the document: `attention.py` and
// `document_forms.py` (absorbed) have the mathematics. The document's states are read once, for scores and for sums.

#pragma once

#include <memory>

#include "decoder_layer.h"
#include "rows.h"

constexpr int TILED_BLOCK = 128;    // of the document's tokens: what tiles need of them stays in a core's cache
constexpr float NOTHING = -1e20f;  // the highest of no scores
constexpr float MASKED = -1e30f;

inline std::unique_ptr<float[]> floats(size_t count) { return std::unique_ptr<float[]>(new float[count]); }

// Rows that attend are ordered by (key head, new token, query head of the key head): those of a key head lie together.
template <typename T>
class MergedAttention {
    const Layer& layer;
    const Document& document;
    const Tokens& tokens;
    const int count = tokens.answers * tokens.size, hidden = layer.hidden, dim = layer.head_dim, all_heads = layer.heads * dim;
    const int groups = layer.heads / layer.key_heads, rows = count * layer.heads, tall = rows + TILE, of_key_head = count * groups;
    const bool tiled = std::is_same_v<T, bfloat16> && has_tiles() && hidden % DEPTH == 0 && rows >= ROWS_FOR_TILES;
    const int block = tiled ? TILED_BLOCK : TILE;
    const int projected = all_heads + 2 * layer.key_heads * dim;  // queries, keys, values
    std::unique_ptr<float[]> heads = floats((size_t)count * projected), queries = floats((size_t)rows * dim),
                             gained = floats((size_t)rows * dim), absorbed = floats((size_t)tall * hidden),
                             own_peaks = floats(rows), own_totals = floats(rows), own_sums = floats((size_t)rows * dim),
                             scores = floats(tokens.attention ? (size_t)tokens.answers * layer.heads * document.tokens : 0),
                             peaks = floats((size_t)tokens.threads * rows), totals = floats((size_t)tokens.threads * rows),
                             sums = floats((size_t)tokens.threads * tall * hidden),
                             summed = floats((size_t)rows * hidden), values = floats((size_t)rows * dim),
                             mixed = floats((size_t)rows * dim);

    static const T* matrix(const void* weights) { return static_cast<const T*>(weights); }

    int token_of(int row) const { return row / groups % count; }

    int row_of(int token, int head) const { return (head / groups * count + token) * groups + head % groups; }

    float* scores_of(int answer, int head) const {  // of an answer's last token
        return &scores[((size_t)answer * layer.heads + head) * document.tokens];
    }

    T* cached(void* cache, int answer, int key_head, int position) const {
        const size_t row = ((size_t)answer * layer.key_heads + key_head) * tokens.capacity + position;
        return static_cast<T*>(cache) + row * dim;
    }

    void project(const float* normed) {
        const auto into = [&](const void* weights, int size, int place) {
            const Share share(size, TILE);
            product(matrix(weights), hidden, share.first, share.last, normed, count, &heads[place], projected);
        };
        into(layer.q_proj, all_heads, 0);
        into(layer.k_proj, layer.key_heads * dim, all_heads);
        into(layer.v_proj, layer.key_heads * dim, all_heads + layer.key_heads * dim);
    }

    void place_heads() {  // queries for both kinds of keys; the own keys and values into the cache
        const int each = layer.heads + 2 * layer.key_heads;
        const Share share(count * each, 1);
        auto normed = floats(dim);
        for (int item = share.first; item < share.last; item++) {
            const int token = item / each, head = item % each, key_head = (head - layer.heads) % layer.key_heads;
            const bool is_query = head < layer.heads, is_value = head >= layer.heads + layer.key_heads;
            float* from = &heads[(size_t)token * projected + (size_t)head * dim];
            if (!is_value) {
                rms_norm(from, is_query ? layer.q_norm : layer.k_norm, dim, layer.eps, normed.get());
                rotate(normed.get(), tokens.cos + (size_t)token * dim, tokens.sin + (size_t)token * dim, dim, from);
            }
            const size_t row = is_query ? (size_t)row_of(token, head) * dim : 0;
            T* to = is_query ? nullptr : cached(is_value ? tokens.values : tokens.keys, token / tokens.size, key_head,
                                                tokens.past + token % tokens.size);
            for (int i = 0; i < dim; i += LANES) {
                if (!is_query) {
                    store(to + i, load(from + i));
                    continue;
                }
                const Lanes scaled = load(from + i) * layer.scaling;
                store(&queries[row + i], scaled);
                store(&gained[row + i], scaled * load(layer.k_norm + i));
            }
        }
    }

    void absorb() {  // W_k^T (g * q), some columns of it
        const Share share(hidden, DEPTH);
        for (int row = 0; row < rows; row++)
            std::fill(&absorbed[(size_t)row * hidden + share.first], &absorbed[(size_t)row * hidden + share.last], 0.0f);
        for (int head = 0; head < layer.key_heads; head++) {
            const size_t first = (size_t)head * of_key_head;
            add_weighted(&gained[first * dim], dim, of_key_head, matrix(layer.k_proj) + (size_t)head * dim * hidden, dim,
                         hidden, share.first, share.last, &absorbed[first * hidden]);
        }
    }

    void attend_to_own() {
        const Share share(rows, 1);
        auto weights = floats(tokens.past + tokens.size);
        for (int row = share.first; row < share.last; row++) {
            const int key_head = row / of_key_head, answer = token_of(row) / tokens.size;
            const int end = tokens.past + token_of(row) % tokens.size + 1, near = layer.window ? end - layer.window : 0;
            const int first = std::max<int64_t>({0, near, tokens.starts[answer]}), size = std::max(end - first, 0);
            float* to = &own_sums[(size_t)row * dim];
            std::fill(to, to + dim, 0.0f);
            own_peaks[row] = NOTHING;  // padding before an answer sees nothing of its kind
            own_totals[row] = 0;
            if (!size) continue;
            product(cached(tokens.keys, answer, key_head, first), dim, 0, size, &queries[(size_t)row * dim], 1,
                    weights.get(), 0);
            own_peaks[row] = *std::max_element(&weights[0], &weights[size]);
            for (int key = 0; key < size; key++)
                own_totals[row] += weights[key] = std::exp(weights[key] - own_peaks[row]);
            add_weighted(weights.get(), 0, 1, cached(tokens.values, answer, key_head, first), size, dim, 0, dim, to);
        }
    }

    // A running softmax over this thread's tokens: states are read once, for scores and for sums.
    void attend_to_document() {
        const Share share(document.tokens, TILE);
        const size_t here = (size_t)omp_get_thread_num() * rows;
        float* const sums_here = sums_of(omp_get_thread_num());
        std::fill_n(&peaks[here], rows, NOTHING);
        std::fill_n(&totals[here], rows, 0.0f);
        std::fill_n(sums_here, (size_t)rows * hidden, 0.0f);
        auto weights = floats((size_t)rows * block);
        auto* const asked = scratch<uint32_t, 4>((size_t)whole_tiles(rows) / 2 * hidden);
        if (tiled) paired_rows(absorbed.get(), rows, hidden, asked);
        const auto ask = [&](const T* states, int size, float* scored) {
            if constexpr (std::is_same_v<T, bfloat16>)
                if (tiled) return tile_product(states, hidden, 0, size, asked, rows, scored, block);
            product(states, hidden, 0, size, absorbed.get(), rows, scored, block);
        };
        std::unique_ptr<T[]> padded(new T[(size_t)TILE * hidden]());
        for (int part = 0, begin = 0; part < document.parts; begin += document.lengths[part++]) {
            const int length = document.lengths[part], end = std::min(share.last - begin, length);
            for (int token = std::max(share.first - begin, 0); token < end; token += block) {
                const int size = std::min(block, end - token), whole = std::min(whole_tiles(size), length - token) / TILE * TILE;
                const T* states = matrix(document.states[part]) + (size_t)token * hidden;
                ask(states, whole, weights.get());
                if (whole < size) {  // the last of a memory fill no tile: no state is read behind them
                    std::copy_n(states + (size_t)whole * hidden, (size_t)(size - whole) * hidden, padded.get());
                    ask(padded.get(), TILE, &weights[whole]);
                }
                for (int row = 0; row < rows; row++) {
                    const float* scales = document.scales[part] + (size_t)(row / of_key_head) * length + token;
                    weigh(row, begin + token, size, scales, &weights[(size_t)row * block]);
                }
                add_weighted(weights.get(), block, rows, states, size, hidden, 0, hidden, sums_here);
            }
        }
    }

    // A block's products of one row -> scores -> weights, relative to this thread's peak so far.
    void weigh(int row, int first, int size, const float* scales, float* scored) {
        const size_t here = (size_t)omp_get_thread_num() * rows + row;
        const int answer = token_of(row) / tokens.size, whole = whole_tiles(size);
        for (int i = 0; i < size; i++) scored[i] *= scales[i];
        std::fill(scored + size, scored + whole, MASKED);
        if (document.shown) {
            const uint8_t* shown = document.shown + (size_t)answer * document.tokens + first;
            for (int i = 0; i < size; i++) scored[i] = shown[i] ? scored[i] : MASKED;
        }
        if (tokens.attention && token_of(row) % tokens.size == tokens.size - 1)
            std::copy(scored, scored + size, scores_of(answer, row / of_key_head * groups + row % groups) + first);
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

    float* sums_of(int thread) const { return &sums[(size_t)thread * tall * hidden]; }

    float peak_of(int row) const {  // of all threads' and the own tokens' scores
        float peak = own_peaks[row];
        for (int thread = 0; thread < omp_get_num_threads(); thread++)
            peak = std::max(peak, peaks[(size_t)thread * rows + row]);
        return peak;
    }

    float total_of(int row, float peak) const {
        float total = own_totals[row] * std::exp(own_peaks[row] - peak);
        for (size_t here = row; here < (size_t)omp_get_num_threads() * rows; here += rows)
            total += totals[here] * std::exp(peaks[here] - peak);
        return total;
    }

    void merge() {  // the threads' sums of states, some columns of them
        const Share share(hidden, DEPTH);
        for (int row = 0; row < rows; row++) {
            const float peak = peak_of(row);
            float* to = &summed[(size_t)row * hidden];
            std::fill(to + share.first, to + share.last, 0.0f);
            for (int thread = 0; thread < omp_get_num_threads(); thread++) {
                const float weight = std::exp(peaks[(size_t)thread * rows + row] - peak);
                const float* from = sums_of(thread) + (size_t)row * hidden;
                add_weighted(&weight, 0, 1, from, 1, hidden, share.first, share.last, to);
            }
        }
    }

    void look() {  // the attention of each answer's last token over some of the document's tokens
        const Share share(document.tokens, LANES);
        for (int answer = 0; answer < tokens.answers; answer++) {
            float* looks = tokens.attention + (size_t)answer * document.tokens;
            std::fill(looks + share.first, looks + share.last, 0.0f);
            for (int head = 0; head < layer.heads; head++) {
                const int row = row_of((answer + 1) * tokens.size - 1, head);
                const float peak = peak_of(row), part = 1 / (total_of(row, peak) * layer.heads);
                const float* scored = scores_of(answer, head);
                int token = share.first;
                for (; token + LANES <= share.last; token += LANES)
                    store(looks + token, load(looks + token) + exp(load(scored + token) - peak) * part);
                for (; token < share.last; token++) looks[token] += std::exp(scored[token] - peak) * part;
            }
        }
    }

    void mix() {  // sums of states become sums of values, and the own tokens' are added
        const Share share(dim, TILE);
        for (int head = 0; head < layer.key_heads; head++) {
            const size_t first = (size_t)head * of_key_head;
            product(matrix(layer.v_proj) + (size_t)head * dim * hidden, hidden, share.first, share.last,
                    &summed[first * hidden], of_key_head, &values[first * dim], dim);
        }
        for (int token = 0; token < count; token++)
            for (int head = 0; head < layer.heads; head++) {
                const int row = row_of(token, head);
                const float peak = peak_of(row), total = total_of(row, peak), own = std::exp(own_peaks[row] - peak);
                float* to = &mixed[(size_t)token * all_heads + (size_t)head * dim];
                for (int i = share.first; i < share.last; i++)
                    to[i] = (values[(size_t)row * dim + i] + own_sums[(size_t)row * dim + i] * own) / total;
            }
    }

public:
    MergedAttention(const Layer& layer, const Document& document, const Tokens& tokens)
        : layer(layer), document(document), tokens(tokens) {}

    // normed (N * size, hidden), each thread's own -> out (N * size, hidden), of all threads: whole behind the next barrier.
    void run(const float* normed, float* out) {
        project(normed);
#pragma omp barrier
        place_heads();
#pragma omp barrier
        absorb();
        attend_to_own();
#pragma omp barrier
        attend_to_document();
#pragma omp barrier
        merge();
        if (tokens.attention) look();
#pragma omp barrier
        mix();
#pragma omp barrier
        const Share share(hidden, TILE);
        product(matrix(layer.o_proj), all_heads, share.first, share.last, mixed.get(), count, out, hidden);
    }
};
