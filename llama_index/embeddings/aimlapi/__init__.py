"""`AIMLAPIEmbedding` in LlamaIndex's namespace package. See `llama_index_aimlapi`."""

from llama_index_aimlapi import AIMLAPIEmbedding

__all__ = ["AIMLAPIEmbedding"]
