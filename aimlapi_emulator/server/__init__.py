"""HTTP/1.1 connections, and which endpoint a request is routed to."""
