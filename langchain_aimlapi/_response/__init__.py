"""Replies and stream events into LangChain's messages and chunks."""
