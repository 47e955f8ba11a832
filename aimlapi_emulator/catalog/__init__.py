"""The models that are served, one row each."""
