"""The version of the distribution: this line is its one place, which pyproject.toml reads too."""

__version__ = "0.1.0"
