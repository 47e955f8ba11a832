"""Request validation by the published schemas, in the service's words."""
