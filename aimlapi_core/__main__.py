"""Command line: `python -m aimlapi_core doctor` checks the installation, the key and the service.

`python -m aimlapi_core deprecations` lists the models that are being withdrawn, without a key.
Exit codes: 0 if everything works, 1 if a check fails or a model is withdrawn, 2 for invalid
arguments, 130 after Ctrl-C.
"""

from __future__ import annotations

import argparse
import sys

from aimlapi_core._io.doctor import print_deprecations, print_report
from aimlapi_core._version import __version__
from aimlapi_core.errors import ConfigurationError
from aimlapi_core.settings import Settings


def main(argv: list[str] | None = None, prog: str = "python -m aimlapi_core") -> int:
    """Run a command; returns the exit code."""
    parser = argparse.ArgumentParser(prog=prog)
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(dest="command", required=True)
    doctor = commands.add_parser(
        "doctor",
        help="check the installation, the key and the service; costs nothing",
        description="Check the installation, the key and the service; costs nothing.",
    )
    doctor.add_argument(
        "--model",
        action="append",
        default=[],
        metavar="ID",
        help="a model that you use, instead of GPT-5.2; may be given several times",
    )
    deprecations = commands.add_parser(
        "deprecations",
        help="list the models that are being withdrawn, and what replaces them",
        description="List the models that are being withdrawn, and what replaces them.",
    )
    deprecations.add_argument("model", nargs="*", metavar="ID", help="these models alone")
    for command in (doctor, deprecations):
        command.add_argument("--base-url", help="instead of AIMLAPI_BASE_URL")
    given, rest = parser.parse_known_args(argv)
    if rest:  # the command's usage, not that of all
        of_command = doctor if given.command == "doctor" else deprecations
        of_command.error(f"unrecognized arguments: {' '.join(rest)}")
    report = print_report if given.command == "doctor" else print_deprecations
    try:
        return 0 if report(Settings(base_url=given.base_url), print, given.model) else 1
    except ConfigurationError as error:
        print(f"WRONG  {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
