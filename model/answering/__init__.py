"""From a question to an answer with its evidence: retrieve, prompt, decode, choose, ground."""
