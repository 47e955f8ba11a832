"""From error responses to exceptions."""
