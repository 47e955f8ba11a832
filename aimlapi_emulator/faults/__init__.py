"""Faults on demand: their fields, prompt directives and corrupted usage."""
