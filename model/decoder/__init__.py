"""The decoder over an encoded document: merged attention, its backends, and the output head."""
