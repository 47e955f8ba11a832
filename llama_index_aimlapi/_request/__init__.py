"""LlamaIndex's messages, tools and arguments into a `ChatRequest`."""
