"""Images into the encoder, as T5Gemma 2 does it: `page_inputs.py` chooses pages, `features.py` encodes their images."""
