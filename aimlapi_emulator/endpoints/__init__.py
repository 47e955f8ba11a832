"""One module for each endpoint: what it answers, in the service's formats."""
