"""What a crash report shows of an exception: the local variables of its frames."""

from __future__ import annotations

from pathlib import Path

TESTS = str(Path(__file__).parent)


def locals_with(error: BaseException, text: str) -> list[str]:
    """The variables with `text` in them, of all frames but the tests': `module.function name`."""
    found, seen = [], set()
    chain: list[BaseException | None] = [error]
    while chain:
        one = chain.pop()
        if one is None or id(one) in seen:
            continue
        seen.add(id(one))
        chain += [one.__cause__, one.__context__]
        if isinstance(one, BaseExceptionGroup):
            chain += one.exceptions
        trace = one.__traceback__
        while trace is not None:
            frame, trace = trace.tb_frame, trace.tb_next
            if not frame.f_code.co_filename.startswith(TESTS):
                where = f"{frame.f_globals.get('__name__')}.{frame.f_code.co_qualname}"
                found += [f"{where} {n}" for n, v in frame.f_locals.items() if text in repr(v)]
    return found
