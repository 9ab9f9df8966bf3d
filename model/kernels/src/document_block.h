// The softmax over a block of the document's tokens, for one thread: a lane is one of the rows that attend, in groups
// of 16, and what goes by are the tokens. The running softmax is that of `attention.py`.

#pragma once

#include "columns.h"
#include "rows.h"

#ifdef HAS_TILES

class DocumentBlock {
protected:
    const int rows, hidden, groups = whole_tiles(rows) / TILE;
    float *const sums, *const peaks, *const totals;  // (whole tiles of rows, hidden), (whole tiles of rows)

    DocumentBlock(int rows, int hidden, float* sums, float* peaks, float* totals)
        : rows(rows), hidden(hidden), sums(sums), peaks(peaks), totals(totals) {}

    // A group's peaks become what they are with new scores up to `highest`; what was summed up till now shrinks.
    Lanes raise(int group, Lanes highest) const {
        const Lanes old = load(peaks + group * TILE), peak = larger(old, highest);
        const Lanes shrink = power_of_two((old - peak) * LOG2_E);
        for (int lane = 0; lane < TILE; lane++)
            if (peak[lane] > old[lane]) scale(sums + ((size_t)group * TILE + lane) * hidden, shrink[lane], hidden);
        store(peaks + group * TILE, peak);
        store(totals + group * TILE, load(totals + group * TILE) * shrink);
        return peak;
    }

    void add_total(int group, Lanes total) const { store(totals + group * TILE, load(totals + group * TILE) + total); }
};

#endif
