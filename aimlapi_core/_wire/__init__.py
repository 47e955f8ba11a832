"""Wire formats: requests encoded, replies and streams decoded. No I/O."""
