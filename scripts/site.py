"""Check the built handbook. Part of `make docs`.

A page must load nothing from another host, and the API pages must name no private module.

A browser fetches what `src`, `srcset`, `href` of a `link`, `data`, `poster`, `url()` and `@import`
name, and what an inline script gives to `fetch` and `import`. Material's own script can fetch
more, from the hosts in `_DORMANT`, each for something that no page of ours has or no browser of
today needs; a page that wakes it is refused too.
"""

from __future__ import annotations

import re
import sys
from html.parser import HTMLParser
from pathlib import Path

SITE = Path(__file__).parents[1] / "site"
_REMOTE = re.compile(r"\s*(https?:)?//", re.I)
_IN_CSS = re.compile(r"""(?:url\(|@import)\s*["']?\s*((?:https?:)?//[^"')\s]+)""", re.I)
_SCRIPT = re.compile(r"<script\b[^>]*>(.*?)</script", re.I | re.S)
_IN_SCRIPT = re.compile(
    r"""\b(?:fetch\s*\(|import\b[^"'`;]*)\s*["'`]((?:https?:)?//[^"'`\s]+)""", re.I
)
_PRIVATE = re.compile(r"\b\w*aimlapi\w*(?:\.\w+)*\._[a-z]\w*")
_FETCHES = {"src", "poster", "data", "background"}
_LISTS = {"srcset", "imagesrcset"}  # of candidates, split at commas
# Mermaid for diagrams, GitHub's figures for a repository link, and what older browsers lack.
_DORMANT = {"unpkg.com/mermaid", "unpkg.com/resize-observer-polyfill", "api.github.com"}
_WAKING = {"mermaid", "md-source"}


def _fetched(tag: str, name: str, value: str) -> list[str]:
    """The addresses that this attribute makes a browser fetch."""
    if name in _LISTS:
        return value.split(",")
    if name in _FETCHES or (name == "href" and tag in ("link", "use", "image")):
        return [value]
    return []


class _Page(HTMLParser):
    """Collects into `found` what a browser would fetch from another host; feed it once."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if any(map(_REMOTE.match, _fetched(tag, name, value or ""))):
                self.found.append(f'<{tag} {name}="{value}">')
            if name == "style":
                self.found += _IN_CSS.findall(value or "")
            if name == "class" and _WAKING & set((value or "").split()):
                self.found.append(f'<{tag} class="{value}">, for which a script would be fetched')


def fetched_elsewhere(name: str, text: str) -> list[str]:
    """What a browser that opens this file of the site would fetch from another host."""
    if name.endswith((".html", ".svg")):
        page = _Page()
        page.feed(text)
        scripts = "\n".join(_SCRIPT.findall(text))
        return page.found + _IN_CSS.findall(text) + _IN_SCRIPT.findall(scripts)
    if name.endswith(".css"):
        return _IN_CSS.findall(text)
    if name.endswith(".js"):
        named = re.findall(r"""["'`]https?://([\w.-]+/[\w-]*[^"'`\s]*)""", text)
        return [url for url in named if not url.startswith(tuple(_DORMANT))]
    return []


def private_modules(text: str) -> list[str]:
    """The private modules of our packages that a page of the API names."""
    return sorted(set(_PRIVATE.findall(text)))


def main() -> int:
    """Check site/; gives the exit code."""
    files = [path for path in sorted(SITE.rglob("*")) if path.is_file()]
    if not any(path.suffix == ".html" for path in files):
        print(f"{SITE} holds no page: build it by `make docs`.", file=sys.stderr)
        return 1
    wrong = [
        f"{path.relative_to(SITE)}: {found}"
        for path in files
        if path.suffix in (".html", ".svg", ".css", ".js")
        for found in fetched_elsewhere(path.name, path.read_text(encoding="utf-8"))
    ]
    private = [
        f"{path.relative_to(SITE)}: {found}"
        for path in sorted((SITE / "api").rglob("*.html"))
        for found in private_modules(path.read_text(encoding="utf-8"))
    ]
    if wrong:
        print("Fetched from another host:", *wrong, sep="\n", file=sys.stderr)
    if private:
        print("Private modules in the API pages:", *private, sep="\n", file=sys.stderr)
    return 1 if wrong or private else 0


if __name__ == "__main__":
    sys.exit(main())
