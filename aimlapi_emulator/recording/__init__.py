"""Records what a program exchanges with the service as vcrpy cassettes, and answers from them."""
