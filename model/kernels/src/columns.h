// Sixteen tokens side by side, a token a lane: (size, 16). So norms, RoPE and softmax of a token need no sum across a
// vector, and what a tile product makes is what the next one takes: a matrix of weights is the first factor, and tokens
// are the second.
//
// A matrix (outs, in) lies as tiles behind each other, (outs / 16, in / 32, 16, 32), which are read as fast as memory
// gives them, or in rows.

#pragma once

#include "layer.h"
#include "tiles.h"

#ifdef HAS_TILES

constexpr int TILE_SIZE = TILE * DEPTH;  // bfloat16 numbers of a tile

// Two numbers of each token as bfloat16, side by side: 32 of them.
inline void store_pair(bfloat16* to, Lanes one, Lanes two) {
    const __m512i order = _mm512_set_epi16(31, 15, 30, 14, 29, 13, 28, 12, 27, 11, 26, 10, 25, 9, 24, 8, 23, 7, 22, 6,
                                           21, 5, 20, 4, 19, 3, 18, 2, 17, 1, 16, 0);
    const __m512i both = (__m512i)_mm512_cvtne2ps_pbh((__m512)two, (__m512)one);
    _mm512_storeu_si512(to, _mm512_permutexvar_epi16(order, both));
}

// 2^x, within 1e-4 of it, as bfloat16 does not tell.
constexpr float LOG2_E = 1.44269504f;

inline Lanes power_of_two(Lanes x) {
    constexpr int ABOVE_THE_FLOOR = 0x09;
    const Lanes rest = (Lanes)_mm512_reduce_ps((__m512)x, ABOVE_THE_FLOOR);
    Lanes value = rest * 0.0780245226f + 0.226067155f;
    value = value * rest + 0.69583354f;
    value = value * rest + 0.999925219f;
    return (Lanes)_mm512_scalef_ps((__m512)value, (__m512)x);  // times two to the floor of x
}

// GELU (tanh's approximation) of x times y, as exact as bfloat16 needs it.
inline Lanes gated(Lanes x, Lanes y) {
    const Lanes power = x * (x * x * -0.102943240f - 2.30220820f);  // -2 log2(e) sqrt(2 / pi) (x + 0.044715 x^3)
    return x * y * (Lanes)_mm512_rcp14_ps((__m512)(power_of_two(power) + 1.0f));
}

inline Lanes highest_of(const float* scores, int size) {  // (size, 16), whole fours of them
    Lanes most[4];
    for (int n = 0; n < 4; n++) most[n] = load(scores + n * TILE);
    for (int n = 4; n < size; n++) most[n % 4] = larger(most[n % 4], load(scores + (size_t)n * TILE));
    return larger(larger(most[0], most[1]), larger(most[2], most[3]));
}

inline __m512i lanes_apart(int stride) {
    const __m512i lane = _mm512_set_epi32(15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0);
    return _mm512_mullo_epi32(lane, _mm512_set1_epi32(stride));
}

// Pairs of numbers, of each token, as rows of tokens: `to` is the first token's, the next one's `stride` numbers on.
inline void scatter_pair(bfloat16* to, int stride, Lanes one, Lanes two) {
    alignas(64) bfloat16 pairs[2 * LANES];
    store_pair(pairs, one, two);
    _mm512_i32scatter_epi32(to, lanes_apart(stride), _mm512_load_si512(pairs), 2);
}

// The factor that RMSNorm gives each token of x (size, 16).
inline Lanes rms_factor(const float* x, int size, float eps) {
    Lanes squares[2] = {};
    for (int i = 0; i < size; i += 2) {
        const Lanes one = load(x + (size_t)i * LANES), two = load(x + (size_t)(i + 1) * LANES);
        squares[0] += one * one;
        squares[1] += two * two;
    }
    const Lanes mean = (squares[0] + squares[1]) * (1.0f / size) + eps;
    return 1.0f / (Lanes)_mm512_sqrt_ps((__m512)mean);
}

// RMSNorm of x (size, 16) times the gain, in pairs: (size / 2, 16, 2).
inline void normed_pairs(const float* x, const float* gain, int size, float eps, bfloat16* to) {
    const Lanes factor = rms_factor(x, size, eps);
    for (int i = 0; i < size; i += 2, x += 2 * LANES, to += 2 * LANES)
        store_pair(to, load(x) * factor * gain[i], load(x + LANES) * factor * gain[i + 1]);
}

// to (size, 16) += RMSNorm of x times the gain.
inline void add_normed(const float* x, const float* gain, int size, float eps, float* to) {
    const Lanes factor = rms_factor(x, size, eps);
    for (int i = 0; i < size; i++, x += LANES, to += LANES) store(to, load(to) + load(x) * factor * gain[i]);
}

// Tiles 0 to 3 are sums: of two tiles of rows with each of two groups of tokens, (rows, group) in the order (one, one),
// (one, two), (two, one), (two, two). In memory a group's two lie behind each other.
inline void clear_sums() {
    _tile_zero(0);
    _tile_zero(1);
    _tile_zero(2);
    _tile_zero(3);
}

inline void load_sums(const float* one, const float* two) {
    in_order();
    _tile_loadd(0, one, 64);
    _tile_loadd(1, two, 64);
    _tile_loadd(2, one + TILE * TILE, 64);
    _tile_loadd(3, two + TILE * TILE, 64);
}

template <bool BOTH = true>  // else group one alone
inline void store_sums(float* one, float* two) {
    _tile_stored(0, one, 64);
    _tile_stored(2, one + TILE * TILE, 64);
    if (!BOTH) return;
    _tile_stored(1, two, 64);
    _tile_stored(3, two + TILE * TILE, 64);
}

// Rows of the first factor are `stride` bytes apart. Tiles of the factor that goes by are loaded past the core's first
// cache, where the other one stays.
enum class GoesBy { ROWS, TOKENS };

template <GoesBy by, bool BOTH = true>
inline void add_products(const bfloat16* rows_one, const bfloat16* rows_two, const bfloat16* one, const bfloat16* two,
                         int stride = 64) {
    in_order();
    if constexpr (by == GoesBy::TOKENS) {
        _tile_loadd(4, rows_one, stride);
        _tile_stream_loadd(6, one, 64);
        _tile_loadd(5, rows_two, stride);
        if (BOTH) _tile_stream_loadd(7, two, 64);
    } else {
        _tile_stream_loadd(4, rows_one, stride);
        _tile_loadd(6, one, 64);
        _tile_stream_loadd(5, rows_two, stride);
        if (BOTH) _tile_loadd(7, two, 64);
    }
    _tile_dpbf16ps(0, 4, 6);
    _tile_dpbf16ps(2, 5, 6);
    if (!BOTH) return;
    _tile_dpbf16ps(1, 4, 7);
    _tile_dpbf16ps(3, 5, 7);
}

struct Matrix {
    const bfloat16* numbers;
    int in;
    bool tiled;

    const bfloat16* tile(int row, int column) const {
        return numbers + (size_t)row * in + (size_t)column * (tiled ? TILE : 1);
    }
    int step() const { return tiled ? TILE_SIZE : DEPTH; }  // numbers from one tile to the next
    int stride() const { return tiled ? 64 : 2 * in; }      // bytes from one row of a tile to the next
};

inline Matrix matrix_of(const Layer& layer, const void* weights, int in) {
    return {static_cast<const bfloat16*>(weights), in, layer.tiled != 0};
}

// What a product is made of: some columns of 16 rows of a matrix, and of 16 rows of the same or one like it.
struct Rows {
    const Matrix &one, &two;
    int of_one, of_two, begin, columns;
};

// Products of twice 16 rows with each of so many groups of 16 tokens, two groups at a time; a group's numbers are
// paired, (columns / 2, 16, 2), and the next group's are `apart` numbers on. `begin(group)` gives the sums their first
// values, `take(group)` takes the last ones. `meanwhile()`, after each step, is other work: the core does both at once.
template <typename Begin, typename Take, typename Meanwhile>
void row_products(const Rows& rows, const bfloat16* paired, size_t apart, int groups, const Begin& begin,
                  const Take& take, const Meanwhile& meanwhile) {
    const int step = rows.one.step(), stride = rows.one.stride();
    for (int group = 0; group < groups; group += 2, paired += 2 * apart) {
        const bfloat16 *one = paired, *two = paired + apart;
        const bfloat16* from_one = rows.one.tile(rows.of_one, rows.begin);
        const bfloat16* from_two = rows.two.tile(rows.of_two, rows.begin);
        begin(group);
        for (int i = 0; i < rows.columns; i += DEPTH) {
            add_products<GoesBy::TOKENS>(from_one, from_two, one, two, stride);
            from_one += step;
            from_two += step;
            one += TILE_SIZE;
            two += TILE_SIZE;
            meanwhile();
        }
        take(group);
    }
}

constexpr int COLUMNS = 640;  // of 32 rows that stay in the core's first cache while tokens go by

// y (groups, outs, 16) = some columns of the matrix (outs, in) times paired tokens (groups, columns / 2, 16, 2), or is
// increased by it.
inline void columns_product(const Matrix& matrix, int begin, int columns, int outs, const bfloat16* paired, int groups,
                            float* y, bool add = false) {
    const int parts = (columns + COLUMNS - 1) / COLUMNS, part = whole_depths((columns + parts - 1) / parts);
    for (int out = 0; out < outs; out += 2 * TILE)
        for (int done = 0; done < columns; done += part) {
            const auto place = [&](int group) { return y + ((size_t)group * outs + out) * TILE; };
            row_products(
                {matrix, matrix, out, out + TILE, begin + done, std::min(part, columns - done)},
                paired + (size_t)done * TILE, (size_t)columns * TILE, groups,
                [&](int group) { add || done ? load_sums(place(group), place(group + 1)) : clear_sums(); },
                [&](int group) { store_sums(place(group), place(group + 1)); }, [] {});
        }
}

// The inner numbers of a gated feed-forward, (groups, size / 2, 16, 2), of paired tokens, by some rows of both.
// What two groups' sums become is made while the next ones' are summed.
class InnerProduct {
    static constexpr int PAIRS = TILE;  // of rows, of both groups
    alignas(64) float sums[2][2][2][TILE][TILE];  // twice, of each group its gates and its ups
    bfloat16* to[2];
    int turn = 0, made = PAIRS;

    void make(int end) {
        for (; made < end; made++) {
            const auto& of_group = sums[!turn][made / (PAIRS / 2)];
            const int row = made % (PAIRS / 2) * 2;
            store_pair(to[made / (PAIRS / 2)] + row * TILE, gated(load(of_group[0][row]), load(of_group[1][row])),
                       gated(load(of_group[0][row + 1]), load(of_group[1][row + 1])));
        }
    }

public:
    void operator()(const Matrix& gates, const Matrix& ups, int begin, int size, const bfloat16* paired, int groups,
                    bfloat16* inner) {
        const int steps = gates.in / DEPTH, each = (PAIRS + steps - 1) / steps;
        for (int out = 0; out < size; out += TILE)
            row_products(
                {gates, ups, begin + out, begin + out, 0, gates.in}, paired, (size_t)gates.in * TILE, groups,
                [](int) { clear_sums(); },
                [&](int group) {
                    make(PAIRS);
                    store_sums(sums[turn][0][0][0], sums[turn][1][0][0]);
                    turn = !turn;
                    made = 0;
                    for (int g = 0; g < 2; g++) to[g] = inner + ((size_t)(group + g) * size + out) * TILE;
                },
                [&] { make(std::min(PAIRS, made + each)); });
        make(PAIRS);
    }
};

#endif
