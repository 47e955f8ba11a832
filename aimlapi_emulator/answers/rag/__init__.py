"""Retrieval-augmented prompts: answers found in their context passages."""
