"""The subprocess of the command line, and its environment."""
