"""What the command line does beside serving: a subprocess and its environment."""
