"""The tabs beside the conversation: each with its components, and what happens when they are used."""
