"""Structured prediction: what to request, and how to parse it."""
