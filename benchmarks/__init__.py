"""What a call costs, against the peers and against the least that it can cost: `make bench`."""
