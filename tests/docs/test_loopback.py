"""What the pages show reaches this machine alone while it is tested."""

from __future__ import annotations

import pytest

from tests.docs.loopback import refuse_other_hosts
from tests.docs.test_blocks import check

# An address of no machine (RFC 5737): nothing is sent far even where nobody refuses.
TRIES = """
import socket
{indent}
    try:
        socket.create_connection(("192.0.2.1", 9), timeout=0.2)
    except Exception as error:
        print(type(error).__name__, error)
        assert "this machine only" in str(error)
"""


@pytest.mark.parametrize("host", ["127.0.0.1", "127.1.2.3", "::1", "localhost", b"localhost", None])
@pytest.mark.parametrize("event", ["socket.connect", "socket.sendto", "socket.getaddrinfo"])
def test_this_machine_may_be_reached(event: str, host: object) -> None:
    refuse_other_hosts(event, arguments(event, host))


@pytest.mark.parametrize("host", ["10.0.0.1", "192.168.1.1", "169.254.1.1", "8.8.8.8", "fe80::1"])
@pytest.mark.parametrize("event", ["socket.connect", "socket.sendto", "socket.getaddrinfo"])
def test_no_other_address_may(event: str, host: str) -> None:
    with pytest.raises(PermissionError):
        refuse_other_hosts(event, arguments(event, host))


def test_no_name_of_another_may_be_looked_up() -> None:
    with pytest.raises(PermissionError):
        refuse_other_hosts("socket.getaddrinfo", ("api.aimlapi.com", 443))
    with pytest.raises(PermissionError):
        refuse_other_hosts("socket.gethostbyname", ("api.aimlapi.com",))


def arguments(event: str, host: object) -> tuple[object, ...]:
    """What Python tells an audit hook of that event."""
    return (host, 80) if event == "socket.getaddrinfo" else (None, (host, 80))


@pytest.mark.heavy
def test_a_program_and_a_file_of_tests_are_refused() -> None:
    program, tests = check(
        [("README.md:0", TRIES.format(indent="if True:"))],
        [("README.md:1", TRIES.format(indent="def test_it():"), ["-q"])],
    )
    assert "asks for '192.0.2.1'" in program["printed"]
    assert "1 passed" in tests["printed"]
