"""Reads and checks of single values; warnings given once."""
