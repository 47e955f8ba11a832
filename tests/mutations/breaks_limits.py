"""One-line breaks of the limits on an account's requests, one a promise."""

from __future__ import annotations

from tests.mutations.breaks import Break

CORE = "aimlapi_core"
GATE, LIMITS = "tests/core/test_limits.py", "tests/anywhere/test_limits.py"
# How both clients leave a call, behind the line that gives its connection back.
LEFT = (
    "        finally:\n            if error is not None:\n"
    "                self._exchange.leave(error)\n"
)

BREAKS = (
    Break(
        "a queue that moves times nobody out",
        f"{CORE}/_io/limits.py",
        "                if called.acquire(timeout=within):\n                    break",
        "                called.acquire(timeout=within)\n                break",
        GATE,
    ),
    Break(
        "a batch that waits is not sent once another has failed",
        f"{CORE}/_io/sending.py",
        "            self.turn.withdraw()\n",
        "            pass\n",
        LIMITS,
    ),
    Break(
        "the wait for a turn is no part of the policy's time",
        f"{CORE}/_io/sending.py",
        "        self._began = 0.0\n",
        "        self._began, self._requests = time.monotonic(), 1\n",
        LIMITS,
    ),
    Break(
        "max_concurrency is kept",
        f"{CORE}/_io/limits.py",
        "(limit > under_way or",
        "(limit >= under_way or",
        LIMITS,
    ),
    Break(
        "max_concurrency holds for one account and no other",
        f"{CORE}/_io/limits.py",
        "hashlib.sha256(key.encode())",
        'hashlib.sha256(b"")',
        GATE,
    ),
    Break(
        "max_concurrency holds for an account however its key was given",
        f"{CORE}/_io/limits.py",
        'if name.lower() == "authorization"',
        'if name == "Authorization"',
        GATE,
    ),
    Break(
        "who came first is sent first",
        f"{CORE}/_io/limits.py",
        "            first = next(iter(queue), None)",
        "            first = next(reversed(queue), None)",
        GATE,
    ),
    Break(
        "a waiter that gave up keeps no turn",
        f"{CORE}/_io/limits.py",
        "            self._under_way.discard(entry)\n            self._take_from_queue(entry)",
        "            self._under_way.discard(entry)",
        GATE,
    ),
    Break(
        "a forgotten turn is given back",
        f"{CORE}/_io/limits.py",
        "    def __del__(self) -> None:\n        self.give_back()",
        "    def __del__(self) -> None:\n        pass",
        GATE,
    ),
    Break(
        "a turn given back inside the gate is not lost",
        f"{CORE}/_io/limits.py",
        "            while self._news and not self._is_busy:",
        "            if self._news and not self._is_busy:",
        GATE,
    ),
    Break(
        "the waiter of a closed loop is passed over",
        f"{CORE}/_io/limits.py",
        "                if entry.loop is not None:\n",
        "                if False:\n",
        GATE,
    ),
    Break(
        "what a closed loop left under way holds nobody up",
        f"{CORE}/_io/limits.py",
        "if e.loop is not None and e.loop.is_closed()]",
        "if False]",
        GATE,
    ),
    Break(
        "a turn that does not come in time is an error",
        f"{CORE}/_io/limits.py",
        "        if entry.is_granted:\n            return\n",
        "        return\n",
        LIMITS,
    ),
    Break(
        "a forked child has nothing under way",
        f"{CORE}/_io/limits.py",
        "        gate.reset()\n",
        "        pass\n",
        LIMITS,
    ),
    Break(
        "no gate outlives its turns",
        f"{CORE}/_io/limits.py",
        "_gates: WeakValueDictionary[tuple[str, bytes], Gate] = WeakValueDictionary()",
        "_gates: dict[tuple[str, bytes], Gate] = {}",
        GATE,
    ),
    Break(
        "a sync call gives its turn back",
        f"{CORE}/_io/client.py",
        f"end_sync(self._pool)\n{LEFT}            if self._exchange.turn is not None:",
        f"end_sync(self._pool)\n{LEFT}            if False:",
        LIMITS,
    ),
    Break(
        "an async call gives its turn back",
        f"{CORE}/_io/client.py",
        f"end_async(self._pool)\n{LEFT}            if self._exchange.turn is not None:",
        f"end_async(self._pool)\n{LEFT}            if False:",
        LIMITS,
    ),
    Break(
        "a call that waits to repeat holds no turn",
        f"{CORE}/_io/sending.py",
        "            self.turn.give_back()",
        "            pass",
        LIMITS,
    ),
    Break(
        "a turn is waited for as long as for a connection",
        f"{CORE}/_io/exchange.py",
        "return _timeout(self.settings, http).pool",
        "return _timeout(self.settings, http).connect",
        LIMITS,
    ),
    Break(
        "an embed call begins no more requests than may be sent",
        f"{CORE}/_io/client.py",
        ", self.settings.max_concurrency or len(plans))",
        ")",
        LIMITS,
    ),
    Break(
        "a limit is a number above 0",
        f"{CORE}/settings.py",
        "not isinstance(limit, int) or limit < 1:",
        "not isinstance(limit, int):",
        GATE,
    ),
    Break(
        "ChatAIMLAPI keeps to max_concurrency",
        "langchain_aimlapi/_connection.py",
        "max_retries max_concurrency default_headers",
        "max_retries default_headers",
        LIMITS,
    ),
    Break(
        "AIMLAPI keeps to max_concurrency",
        "llama_index_aimlapi/_connected.py",
        "            max_concurrency=self.max_concurrency,\n",
        "",
        LIMITS,
    ),
)
