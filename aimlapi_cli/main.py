"""The command line of `aimlapi`.

Exit codes: 0 if it worked, 1 if it did not, 2 for wrong arguments, 130 after Ctrl-C.
"""

from __future__ import annotations

import argparse
import os
import sys
import warnings
from collections.abc import Callable, Iterable, Sequence
from importlib import import_module
from types import ModuleType

from aimlapi_cli.terminal import Terminal
from aimlapi_core import AIMLAPIError, MissingKeyError, __version__, nearest

_COMMANDS = {
    "ask": "ask a model; the answer goes to stdout",
    "models": "list the models, with endpoint, context window and price",
    "doctor": "check the installation, the key and the service; costs nothing",
    "deprecations": "list the models that are being withdrawn; needs no key",
    "costs": "sum up what the calls of your account cost",
    "emulator": "start a local server that behaves as the service; needs no key",
}
_EXAMPLES = """examples:
  aimlapi ask "Name three lakes."
  git diff | aimlapi ask "Write a commit message." --model openai/gpt-5-2-pro
  aimlapi ask "What is on it?" --file photo.png
  aimlapi models gpt-5
  aimlapi costs --period 7d
  aimlapi emulator -- python my_agent.py

The key is read from AIMLAPI_API_KEY, the address from AIMLAPI_BASE_URL.
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; returns the exit code."""
    given = list(sys.argv[1:] if argv is None else argv)
    if given[:1] == ["help"]:
        given = [*given[1:2], "--help"]
    name = next((word for word in given if not word.startswith("-")), None)
    parser = argparse.ArgumentParser(
        prog="aimlapi",
        description="GPT-5.2 and the other models of AI/ML API on the command line.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"aimlapi {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    if name and given[0] == name and name not in _COMMANDS:
        parser.error(f"there is no command {name!r}{_did_you_mean(name, _COMMANDS)}")
    if name in _WITH_OWN_PARSER and given[0] == name:
        return _WITH_OWN_PARSER[name](given[1:])
    module: ModuleType | None = None
    of_command = parser
    for command, line in _COMMANDS.items():
        own = commands.add_parser(
            command,
            help=line,
            description=f"{line[0].upper()}{line[1:]}.",
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        if command == name and command not in _WITH_OWN_PARSER:
            module = import_module(f"aimlapi_cli.{command}")  # the others are not needed
            module.add_arguments(own)
            of_command = own
    if not given:
        parser.print_help(sys.stderr)
        parser.exit(2)
    options, rest = parser.parse_known_args(given)
    if rest:
        of_command.error(_unexpected(rest[0], of_command))
    assert module is not None  # argparse refuses every other name
    return run(module, options)


def _unexpected(word: str, parser: argparse.ArgumentParser) -> str:
    if not word.startswith("-"):
        return f"unexpected argument {word!r}: put a text of several words in quotes"
    known = [option for option in parser._option_string_actions if option.startswith("--")]
    return f"there is no option {word}{_did_you_mean(word.partition('=')[0], known)}"


def _did_you_mean(word: str, known: Iterable[str]) -> str:
    near = nearest(word, known, cutoff=0.6)
    return f": did you mean {near}?" if near else f"; there are {', '.join(known)}"


def run(command: ModuleType, options: argparse.Namespace) -> int:
    """Run a command's module; its failures are one line on stderr."""
    terminal = Terminal.of_process()
    try:
        with warnings.catch_warnings():
            warnings.showwarning = lambda message, *_, **__: terminal.note(f"Note: {message}")
            code: int = command.run(options, terminal)
        sys.stdout.flush()
    except AIMLAPIError as error:
        terminal.error(str(error))
        if isinstance(error, MissingKeyError):
            words = " ".join(["aimlapi", *sys.argv[1:2], "…"])
            terminal.note(f"To try it without a key: aimlapi emulator -- {words}")
        return 1
    except KeyboardInterrupt:
        terminal.note("")
        return 130
    except BrokenPipeError:
        # The reader (`head`) has gone: nothing more can be written, at the exit neither.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    return code


def _of_core(command: str) -> Callable[[Sequence[str]], int]:
    def run_it(argv: Sequence[str]) -> int:
        from aimlapi_core.__main__ import main as core_main

        return core_main([command, *argv], prog="aimlapi")

    return run_it


def _emulator(argv: Sequence[str]) -> int:
    try:
        from aimlapi_emulator.__main__ import main as emulator_main
    except ImportError as error:
        print(
            f"aimlapi: the emulator cannot be imported ({error}). Install it: "
            "pip install 'aimlapi-integrations[emulator]'",
            file=sys.stderr,
        )
        return 1
    return emulator_main(list(argv))


_WITH_OWN_PARSER = {
    "doctor": _of_core("doctor"),
    "deprecations": _of_core("deprecations"),
    "emulator": _emulator,
}
