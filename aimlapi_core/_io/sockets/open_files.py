"""The limit of open files of a process, which many calls in flight reach: each has a socket."""

from __future__ import annotations

import errno
from contextlib import suppress

_ENOUGH = 65_536  # where the hard limit is none: macOS refuses an unlimited soft one


def is_out_of_files(exc: BaseException) -> bool:
    """Whether the exception, or one that it came from, says that no more files may be opened."""
    found: BaseException | None = exc
    while found is not None:
        if isinstance(found, OSError) and found.errno in (errno.EMFILE, errno.ENFILE):
            return True
        found = found.__cause__ or found.__context__
    return False


def raise_file_limit() -> int | None:
    """Raise the soft limit of open files to the hard one; the soft limit before, None on Windows.

    Where it cannot be raised, nothing changes.
    """
    try:
        import resource
    except ImportError:
        return None
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _ENOUGH if hard == resource.RLIM_INFINITY else hard
    if wanted > soft:
        with suppress(ValueError, OSError):  # the system's own limit
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    return soft
