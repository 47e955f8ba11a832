"""The only folder that does I/O: the two clients and the connections they share."""
