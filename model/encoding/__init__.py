"""An encoded document as a value: tokens and their places, chunks, the memory, and the file that keeps it."""
