"""Who holds what: a person's documents and conversation, bounded in bytes, freed when nobody is left to use them."""
