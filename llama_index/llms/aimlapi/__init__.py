"""`AIMLAPI` in LlamaIndex's namespace package. The code is in `llama_index_aimlapi`."""

from llama_index_aimlapi import AIMLAPI

__all__ = ["AIMLAPI"]
