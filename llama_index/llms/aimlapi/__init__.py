"""`AIMLAPI` where LlamaIndex's own integrations are. The code is in `llama_index_aimlapi`."""

from llama_index_aimlapi import AIMLAPI

__all__ = ["AIMLAPI"]
