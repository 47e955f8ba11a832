"""What make targets run."""
