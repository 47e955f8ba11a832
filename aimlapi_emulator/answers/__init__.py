"""The built-in rules by which a prompt is answered without a model."""
