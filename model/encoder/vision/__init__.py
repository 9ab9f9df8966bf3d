"""Images into the encoder, as T5Gemma 2 does it: `features.py` looks at pages, `page_inputs.py` chooses them."""
