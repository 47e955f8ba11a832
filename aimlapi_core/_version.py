"""The version, from the installed distribution: pyproject.toml is its one place."""

from importlib.metadata import PackageNotFoundError, version

try:
    __version__ = version("aimlapi-integrations")
except PackageNotFoundError:  # imported from a folder that was never installed
    __version__ = "0"
