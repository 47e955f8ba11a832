"""`AIMLAPIEmbedding` where LlamaIndex's own are. The code is in `llama_index_aimlapi`."""

from llama_index_aimlapi import AIMLAPIEmbedding

__all__ = ["AIMLAPIEmbedding"]
