"""The bidirectional encoder: token ids to hidden states, piece by piece."""
