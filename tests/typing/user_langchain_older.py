"""A program for the older distribution langchain-aimlapi."""

from __future__ import annotations

from langchain_aimlapi import AimlapiEmbeddings, ChatAimlapi

llm: ChatAimlapi = ChatAimlapi(aimlapi_api_key="x", aimlapi_api_base="https://host.example")
embeddings = AimlapiEmbeddings(embedding_ctx_length=5, model_kwargs={}, skip_empty=True)
text: str = llm.invoke("hi").text
