"""Replies and stream events into LlamaIndex's responses."""
