"""Validates a request before it is sent."""
