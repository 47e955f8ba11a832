"""What `make clients` runs: programs of other clients against the emulator."""
