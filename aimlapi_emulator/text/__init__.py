"""Words, token counts and embedding vectors of a text."""
