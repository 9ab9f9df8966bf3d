"""The product side of Readonce: documents, the page, the command line and the benchmarks."""

import os

# Before PyTorch is loaded: its threads, waiting for each other, shall not keep a core from the one that they wait for.
# Beside two other busy processes on two cores a token took 2.3 s without this line, and 0.12 s with it.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")
