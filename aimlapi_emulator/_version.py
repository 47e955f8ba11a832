"""The version of the distribution that the emulator was installed by."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version

try:
    __version__ = version("aimlapi-integrations")
except PackageNotFoundError:
    __version__ = "0"
