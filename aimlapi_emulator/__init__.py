"""A local server that behaves as AI/ML API's documented service for GPT-5.2 and for embeddings.

    from aimlapi_emulator import Emulator

    with Emulator() as emu:
        client = AnyClient(base_url=emu.base_url, api_key="anything")

It answers by rules, first those that a test scripts (module `scripted`), then its own
(`answers`), judges requests by the published schemas (`chat_schema`, `responses_schema`,
`embedding_schema`), embeds texts so that those which share words are near (`vectors`), answers
from retrieved passages and names their source (`retrieval`), counts usage and cost so that they
add up (`usage`), takes the time that it is told (`latency`), and makes faults on demand (`faults`,
also by directives in a prompt, `faults_directive`). It knows no client and no framework, and no
model: use it to try a program without a key, never to judge a model's answers.
"""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

try:
    __version__ = version("aimlapi-integrations")
except PackageNotFoundError:
    __version__ = "0"

from .asked import Asked, SeenRequest
from .faults import Fault, FaultError
from .latency import Latency
from .rule_checks import RuleError
from .scripted import Rule
from .usage import Usage

if TYPE_CHECKING:
    from .emulator import Emulator
else:

    def __getattr__(name: str) -> Any:
        # The server needs h11. Where that is missing, the command line must still come so far as
        # to say what to install, and Python imports this module before it.
        if name != "Emulator":
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from .emulator import Emulator

        return Emulator


__all__ = [
    "Asked",
    "Emulator",
    "Fault",
    "FaultError",
    "Latency",
    "Rule",
    "RuleError",
    "SeenRequest",
    "Usage",
    "__version__",
]
