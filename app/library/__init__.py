"""The library on the disk: documents that were read once, their encodings, and the conversations about them."""
