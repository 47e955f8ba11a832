"""What the adapters share and the core itself does not use."""
