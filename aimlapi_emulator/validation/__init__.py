"""Request validation by the published schemas, with the service's error messages."""
