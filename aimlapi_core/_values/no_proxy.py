"""Which hosts NO_PROXY excludes: names, addresses, networks. Pure.

As httpx reads it (0.28), which fails at IPv6 in brackets and at networks; those as curl and Go do.
"""

from __future__ import annotations

import ipaddress
import re

_ENTRY = re.compile(r"(?:(?P<scheme>[a-z]+)://)?(?P<host>\[[^\]]*\]|[^:/\[\]]*)(?::(?P<port>\d+))?")

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def is_excluded(scheme: str, host: str, port: int, no_proxy: str) -> bool:
    """Whether no proxy is used for an origin. Raises ValueError with an entry that means nothing.

    An entry is `*`, a host (with its subdomains; with a dot in front, those alone), an address or
    a network (`10.0.0.0/8`, `fe80::/10`), all but the last with a scheme and a port if so wanted.
    """
    entries = no_proxy.replace(",", " ").lower().split()
    return any([_matches(entry, scheme, host.lower().rstrip("."), port) for entry in entries])


def _matches(entry: str, scheme: str, host: str, port: int) -> bool:
    if entry == "*":
        return True
    address = _address(host)
    if "/" in entry and "://" not in entry:
        network = _network(entry)
        return address is not None and address in network
    if _address(entry) is not None:
        return address == _address(entry)
    found = _ENTRY.fullmatch(entry)
    if found is None or (found["host"].startswith("[") and _address(found["host"]) is None):
        raise ValueError(entry)
    if found["scheme"] not in (None, "all", scheme):
        return False
    if found["port"] is not None and int(found["port"]) != port:
        return False
    named = _address(found["host"])
    if named is not None:
        return address == named
    return _is_of_domain(host, found["host"].rstrip("."))


def _is_of_domain(host: str, domain: str) -> bool:
    if domain.startswith((".", "*.")):
        return host.endswith(domain.lstrip("*"))
    domain = domain.lstrip("*")
    return bool(domain) and (host == domain or host.endswith(f".{domain}"))


def _address(text: str) -> Address | None:
    if text.startswith("[") and text.endswith("]"):
        text = text[1:-1]
    try:
        return ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None


def _network(entry: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network:
    base, _, length = entry.partition("/")
    try:
        return ipaddress.ip_network(f"{base.strip('[]')}/{length.strip(']')}", strict=False)
    except ValueError:
        raise ValueError(entry) from None
