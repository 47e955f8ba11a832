"""Command line: `python -m aimlapi_core doctor` checks the installation, the key and the service.

Exit codes: 0 if everything works, 1 if a check fails, 2 for invalid arguments.
"""

from __future__ import annotations

import argparse
import sys

from aimlapi_core._io.doctor import print_report
from aimlapi_core._version import __version__
from aimlapi_core.errors import ConfigurationError
from aimlapi_core.settings import Settings


def main(argv: list[str] | None = None) -> int:
    """Run a command; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m aimlapi_core")
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(dest="command", required=True)
    doctor = commands.add_parser(
        "doctor", help="check the installation, the key and the service; costs nothing"
    )
    doctor.add_argument("--base-url", help="instead of AIMLAPI_BASE_URL")
    given = parser.parse_args(argv)
    try:
        settings = Settings(base_url=given.base_url)
    except ConfigurationError as error:
        print(f"WRONG  {error}", file=sys.stderr)
        return 1
    return 0 if print_report(settings, print) else 1


if __name__ == "__main__":
    sys.exit(main())
