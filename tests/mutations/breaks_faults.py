"""One-line breaks of the faults and of what must notice them, one a promise."""

from __future__ import annotations

from tests.mutations.breaks import Break

EMULATOR, FOLD = "aimlapi_emulator", "aimlapi_core/_responses_fold.py"
BYTES = "tests/emulator/test_faults_bytes.py"
MISTAKES = "tests/emulator/test_faults_mistakes.py"
RESPONSES = "tests/core/test_responses.py"

BREAKS = (
    Break(
        "a response's event that comes twice is read once",
        FOLD,
        "        if self._is_repeated(frame, data):",
        "        if False:",
        RESPONSES,
    ),
    Break(
        "numbers that events share drop nothing",
        FOLD,
        "            self._seen = None\n            return False",
        "            return True",
        RESPONSES,
    ),
    Break(
        "deltas that are not the answer raise",
        FOLD,
        '        if differs and status == "completed":',
        "        if False:",
        RESPONSES,
    ),
    Break(
        "a filter may take back what was streamed",
        FOLD,
        'if differs and status == "completed":',
        "if differs:",
        RESPONSES,
    ),
    Break(
        "a tool call is held against its deltas too",
        FOLD,
        "    return [*texts, *((p.name",
        "    return texts or [*texts, *((p.name",
        RESPONSES,
    ),
    Break(
        "white space may differ in the last event",
        FOLD,
        '("".join(p.text.split()),)',
        "(p.text,)",
        RESPONSES,
    ),
    Break(
        "a byte order mark begins a body",
        f"{EMULATOR}/server.py",
        "    if not out.fault.bom:",
        "    if True:",
        BYTES,
    ),
    Break(
        "a mark is no event",
        f"{EMULATOR}/server.py",
        "body[: events + fault.bom]",
        "body[:events]",
        BYTES,
    ),
    Break(
        "writes end inside characters",
        f"{EMULATOR}/server.py",
        "[match.end() for match in",
        "[match.start() for match in",
        BYTES,
    ),
    Break(
        "an event grows to megabytes",
        f"{EMULATOR}/sse.py",
        '"x" * fault.pad_event_bytes',
        '"x"',
        BYTES,
    ),
    Break(
        "a text comes in one delta, on Responses",
        f"{EMULATOR}/responses_stream.py",
        "_one_delta(events) if told.fault.one_delta else events",
        "events",
        BYTES,
    ),
    Break(
        "a text comes in one delta, on chat",
        f"{EMULATOR}/chat.py",
        "    return [text] if answer.fault.one_delta else list(pieces(text))",
        "    return list(pieces(text))",
        BYTES,
    ),
    Break(
        "an event is sent twice",
        f"{EMULATOR}/sse.py",
        "[*made[: at + 1], *made[at:]]",
        "made",
        BYTES,
    ),
    Break(
        "an event changes places",
        f"{EMULATOR}/sse.py",
        "made[at + 1], made[at], *made",
        "made[at], made[at + 1], *made",
        BYTES,
    ),
    Break(
        "interim responses come first",
        f"{EMULATOR}/server.py",
        "        for status in fault.interim:",
        "        for status in ():",
        BYTES,
    ),
    Break(
        "a connection closes behind its answer",
        f"{EMULATOR}/server.py",
        "        if fault.close_after or (was_cut",
        "        if (was_cut",
        BYTES,
    ),
    Break(
        "204 has no body",
        f"{EMULATOR}/server.py",
        "    if out.status in _WITHOUT_BODY:\n        return",
        "    if False:\n        return",
        BYTES,
    ),
    Break(
        "usage can be wrong",
        f"{EMULATOR}/faults_usage.py",
        "    return dict(usage) if make is None else make(usage)",
        "    return dict(usage)",
        BYTES,
    ),
    Break(
        "an answer shorter than a cut is not cut",
        f"{EMULATOR}/server.py",
        " and events <= len(body) - fault.bom:",
        ":",
        MISTAKES,
    ),
    Break(
        "a misspelt field is told with the right one",
        f"{EMULATOR}/faults.py",
        "            if name not in cls.__slots__:",
        "            if False:",
        MISTAKES,
    ),
    Break(
        "each value is of its field's type",
        f"{EMULATOR}/faults.py",
        "type(value) not in _KINDS[name]:",
        "False:",
        MISTAKES,
    ),
    Break(
        "numbers keep within their bounds",
        f"{EMULATOR}/faults.py",
        "        if not least <= value <= most:",
        "        if False:",
        MISTAKES,
    ),
    Break(
        "a directive that does not end is refused",
        f"{EMULATOR}/faults_directive.py",
        "    if len(found) < len(_BEGIN.findall(text)):",
        "    if False:",
        MISTAKES,
    ),
    Break(
        "what is no key=value in a directive is refused",
        f"{EMULATOR}/faults_directive.py",
        "    if rest or not inside.strip():",
        "    if False:",
        MISTAKES,
    ),
    Break(
        "a directive without a field is refused",
        f"{EMULATOR}/faults_directive.py",
        "        if not changed(fault):",
        "        if False:",
        MISTAKES,
    ),
    Break(
        "a fault that found nothing to act on is told",
        f"{EMULATOR}/faults_unfired.py",
        "    idle |= _behind_the_end(out, fault)",
        "    pass",
        MISTAKES,
    ),
    Break(
        "a fault of streams does nothing to a whole answer, and is told",
        f"{EMULATOR}/faults_unfired.py",
        "        idle |= _OF_STREAMS",
        "        pass",
        MISTAKES,
    ),
)
