"""On a Hugging Face Space with ZeroGPU: what runs on the GPU that is lent for seconds, and what does not."""
