// The running softmax over the document, of one thread, by tiles. Query rows are lanes, in groups of 16; what goes by
// are blocks of the document's tokens. `attention.py` has the mathematics: a new maximum scales down what was summed
// up.

#pragma once

#include "row_major.h"
#include "token_major.h"

#ifdef READONCE_AMX

namespace readonce {

class DocumentSoftmax {
protected:
    const int query_rows, hidden, groups = round_up_tile(query_rows) / TILE;
    float *const sums, *const maxima, *const totals;  // {groups * 16, hidden}, {groups * 16} twice

    DocumentSoftmax(int query_rows, int hidden, float* sums, float* maxima, float* totals)
        : query_rows(query_rows), hidden(hidden), sums(sums), maxima(maxima), totals(totals) {}

    // Raises a group's maxima to those of new scores, and scales down its sums and totals; returns the maxima.
    F32x16 raise_max(int group, F32x16 of_scores) const {
        const F32x16 old = load(maxima + group * TILE), now = max(old, of_scores);
        const F32x16 shrink = exp2((old - now) * LOG2_E);
        for (int lane = 0; lane < TILE; lane++)
            if (now[lane] > old[lane]) scale(sums + ((size_t)group * TILE + lane) * hidden, shrink[lane], hidden);
        store(maxima + group * TILE, now);
        store(totals + group * TILE, load(totals + group * TILE) * shrink);
        return now;
    }

    void add_total(int group, F32x16 total) const { store(totals + group * TILE, load(totals + group * TILE) + total); }
};

}  // namespace readonce

#endif
