"""What HTTP connections are made of: sockets, TLS, proxies, the event loop, clients of others."""
