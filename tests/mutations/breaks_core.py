"""One-line breaks of the core, one a promise."""

from __future__ import annotations

from tests.mutations.breaks import Break

CORE = "aimlapi_core"
LAWS, CLIENT, CHAT = (
    "tests/core/test_laws.py",
    "tests/core/test_client.py",
    "tests/core/test_chat.py",
)
RESPONSES, CHECK = "tests/core/test_responses.py", "tests/core/test_check.py"
RETRY, ERRORS = "tests/core/test_retry.py", "tests/core/test_errors.py"

BREAKS = (
    Break(
        "a stream without a finish reason is a cut",
        f"{CORE}/_chat_fold.py",
        "if len(finished) < max(asked, len(self._choices)):",
        "if False:",
        LAWS,
    ),
    Break(
        "a response without its last event is a cut",
        f"{CORE}/_responses_fold.py",
        "        raise StreamCutError(",
        "        return []\n        raise StreamCutError(",
        LAWS,
    ),
    Break(
        "text behind the finish reason raises",
        f"{CORE}/_chat_fold.py",
        "        if new and choice.finish_reason is not None:",
        "        if False:",
        LAWS,
    ),
    Break(
        "what follows [DONE] is ignored",
        f"{CORE}/_endpoint.py",
        "            self.done = self._fold.done\n",
        "",
        CLIENT,
    ),
    Break(
        "a failure inside a stream raises",
        f"{CORE}/_chat_fold.py",
        "        if failure:\n            raise",
        "        if False:\n            raise",
        CHAT,
    ),
    Break(
        "several answers are all waited for",
        f"{CORE}/_chat_fold.py",
        "return [self._finish(asked=self._expected)]",
        "return [self._finish(asked=1)]",
        CLIENT,
    ),
    Break(
        "tool calls keep to their index",
        f"{CORE}/_chat_choice.py",
        "            self._by_wire_index[wire_index] = call",
        "            pass",
        LAWS,
    ),
    Break(
        "max_retries is exact",
        f"{CORE}/retry.py",
        "if attempt >= policy.max_retries or",
        "if attempt > policy.max_retries or",
        RETRY,
    ),
    Break(
        "what may be billed is not repeated",
        f"{CORE}/retry.py",
        "    return isinstance(error, ConnectFailedError)",
        "    return True",
        RETRY,
    ),
    Break(
        "a request that may have been written was sent",
        f"{CORE}/_io/exchange.py",
        "    httpx.ConnectError,\n",
        "    httpx.ConnectError,\n    httpx.WriteError,\n",
        CLIENT,
    ),
    Break(
        "Retry-After is obeyed",
        f"{CORE}/retry.py",
        "delay_s = draw * ceiling if asked is None else asked",
        "delay_s = draw * ceiling",
        RETRY,
    ),
    Break(
        "an empty account is no bad key",
        f"{CORE}/errors.py",
        "        return InsufficientFundsError\n",
        "        return PermissionDeniedError\n",
        ERRORS,
    ),
    Break(
        "a spent quota is not waited for",
        f"{CORE}/errors.py",
        "return QuotaExceededError if _QUOTA.search(text) else RateLimitError",
        "return RateLimitError",
        ERRORS,
    ),
    Break(
        "the key is masked",
        f"{CORE}/_io/exchange.py",
        "        if len(self._key) >= _LEAST_MASKED:",
        "        if False:",
        CLIENT,
    ),
    Break(
        "redirects are not followed",
        f"{CORE}/_io/client.py",
        "response = http.send(request, stream=True, follow_redirects=False)",
        "response = http.send(request, stream=True)",
        CLIENT,
    ),
    Break(
        "streams in turn share a connection",
        f"{CORE}/_io/exchange.py",
        "        return self._stream is not None and self._bytes_left > 0 and in_time",
        "        return False",
        CLIENT,
    ),
    Break(
        "silence behind comments ends a stream",
        f"{CORE}/_io/exchange.py",
        "        elif self._limit_s is not None and",
        "        elif False and",
        CLIENT,
    ),
    Break(
        "a close leaves the calls of others alone",
        f"{CORE}/_io/pools.py",
        "        unused = [pool for pool in pools if not pool.in_use]",
        "        unused = pools",
        CLIENT,
    ),
    Break(
        "a forgotten stream may be collected at any moment",
        f"{CORE}/_io/pools.py",
        "_lock = threading.RLock()\n_sync",
        "_lock = threading.Lock()\n_sync",
        CLIENT,
    ),
    Break(
        "each event loop has its own connections",
        f"{CORE}/_io/pools.py",
        "    loop = asyncio.get_running_loop()\n    pool =",
        "    loop = next(iter(_async), asyncio.get_running_loop())\n    pool =",
        CLIENT,
    ),
    Break(
        "results without their call are named",
        f"{CORE}/_check.py",
        "            if open_calls.pop(call_id, None) is None and not known_elsewhere:",
        "            if False:",
        CHECK,
    ),
    Break(
        "what a model does not take is left out",
        f"{CORE}/_check.py",
        "    request = replace(request, **emptied)",
        "    pass",
        CHECK,
    ),
    Break(
        "reasoning goes back only where it is taken",
        f"{CORE}/_responses.py",
        "replays = (info is None or info.replays_reasoning) and request.store is not True",
        "replays = True",
        RESPONSES,
    ),
    Break(
        "function tools say strict in so many words",
        f"{CORE}/_responses.py",
        '"strict": bool(tool.strict),',
        '"strict": tool.strict,',
        RESPONSES,
    ),
    Break(
        "a failed batch alone is sent again, in order",
        f"{CORE}/_embeddings.py",
        "    indexed = sorted(",
        "    indexed = list(",
        "tests/core/test_embeddings.py",
    ),
)
