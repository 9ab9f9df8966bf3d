"""The product side of Readonce: documents, the page, the command line and the benchmarks."""
