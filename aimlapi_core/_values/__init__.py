"""Values that callers pass."""
