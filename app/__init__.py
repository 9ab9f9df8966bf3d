"""The product side of Readonce: documents, the page, the command line and the benchmarks."""

import os

# Before PyTorch is loaded: its threads wait for each other a moment, then give their core away. By default they go
# round in circles thirty times as long: beside two busy processes on two cores a token took 2.3 s instead of 0.28.
# On an idle machine a token takes a tenth longer so.
if "OMP_WAIT_POLICY" not in os.environ:
    os.environ.setdefault("GOMP_SPINCOUNT", "10000")
