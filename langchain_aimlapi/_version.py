"""The version of the distribution, read once."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version

try:
    __version__ = version("aimlapi-integrations")
except PackageNotFoundError:  # a source tree on the path, not installed
    __version__ = "0.0.0"
