"""Sockets of HTTP connections: bytes that nobody has read, idle time, TLS."""
