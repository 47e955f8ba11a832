"""A local server that behaves as AI/ML API's documented service for GPT-5.2 and for embeddings.

    from aimlapi_emulator import Emulator

    with Emulator() as emu:
        client = AnyClient(base_url=emu.base_url, api_key="anything")

It answers by rules, first those that a test scripts (`scripting`), then its own (`answers`),
validates requests against the published schemas (`validation`), embeds texts so that texts with
common words are near (`text.vectors`), answers from retrieved passages with their source
(`answers.rag`), counts usage and cost consistently (`billing`), simulates latency (`latency`) and
injects faults (`faults`, also by directives in a prompt). It knows no client, no framework and no
model: use it to test a program without a key, never to evaluate a model's answers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aimlapi_emulator._version import __version__
from aimlapi_emulator.billing.usage import Usage
from aimlapi_emulator.catalog.deprecations import Deprecation
from aimlapi_emulator.faults.fault import Fault
from aimlapi_emulator.faults.fault_field import FaultError
from aimlapi_emulator.latency import Latency
from aimlapi_emulator.scripting.request_view import RequestView, SeenRequest
from aimlapi_emulator.scripting.rule import Rule
from aimlapi_emulator.scripting.types import RuleError

if TYPE_CHECKING:
    from aimlapi_emulator.emulator import Emulator
else:

    def __getattr__(name: str) -> Any:
        # The server needs h11. Without it the command line must still be able to say what to
        # install, and Python imports this module first.
        if name != "Emulator":
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from aimlapi_emulator.emulator import Emulator

        return Emulator


__all__ = [
    "Deprecation",
    "Emulator",
    "Fault",
    "FaultError",
    "Latency",
    "RequestView",
    "Rule",
    "RuleError",
    "SeenRequest",
    "Usage",
    "__version__",
]


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
