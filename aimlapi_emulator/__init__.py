"""A local server that behaves as AI/ML API's documented service for GPT-5.2 and for embeddings.

    from aimlapi_emulator import Emulator

    with Emulator() as emu:
        client = AnyClient(base_url=emu.base_url, api_key="anything")

It answers by rules (module `answers`), judges requests by the published schemas (`chat_schema`,
`responses_schema`, `embedding_schema`), embeds texts so that those which share words are near
(`vectors`), answers from retrieved passages and names their source (`retrieval`), counts usage
and cost so that they add up (`usage`), and makes faults on demand (`faults`, also by directives
in a prompt, `faults_directive`). It knows no client and no framework, and no
model: use it to try a program without a key, never to judge a model's answers.
"""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version

try:
    __version__ = version("aimlapi-integrations")
except PackageNotFoundError:
    __version__ = "0"

from .emulator import Emulator, SeenRequest
from .faults import Fault, FaultError

__all__ = ["Emulator", "Fault", "FaultError", "SeenRequest", "__version__"]
