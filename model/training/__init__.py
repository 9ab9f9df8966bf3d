"""The recipe: Gemma 3 becomes a T5Gemma 2 that answers questions about a document from its encoding alone.

Reading order: `base` (the weights we start from), `initialise` (decoder-only -> encoder-decoder), `lora` (what is
trained), `records` and `data` (what it is trained on), `train`, `export`. See README.md beside this file.
"""
