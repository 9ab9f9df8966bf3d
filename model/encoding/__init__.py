"""An encoded document and its file: what a token stands for, what the decoder attends to, and how both are saved."""
