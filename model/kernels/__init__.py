"""Native code: what C++ does faster than PyTorch's operations, compiled on the machine that it runs on."""
