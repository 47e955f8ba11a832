"""Sockets of HTTP connections: unread bytes, idle time, TLS."""
