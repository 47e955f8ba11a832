"""What asynchronous calls run in: an asyncio event loop."""

from __future__ import annotations

import asyncio

from aimlapi_core.errors import ConfigurationError


def require_event_loop() -> None:
    """Raise ConfigurationError where no asyncio event loop runs, as under trio."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        raise ConfigurationError(
            "Asynchronous calls need an asyncio event loop, and none is running here, as under "
            "trio. Nothing was sent. Run the program with asyncio.run() or anyio.run(), whose "
            "default is asyncio, or make the synchronous call in a thread: "
            "trio.to_thread.run_sync()."
        ) from None
