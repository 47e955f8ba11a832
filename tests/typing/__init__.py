"""Programs that mypy reads as a user's: `make types` checks them with README's samples."""
