"""`with_structured_output`: what to request, and how to parse it."""
