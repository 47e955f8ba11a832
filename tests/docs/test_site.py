"""What `make docs` refuses: pages that fetch from another host or name private modules."""

from __future__ import annotations

import pytest

from scripts.site import fetched_elsewhere, private_modules
from tests.docs.blocks import ROOT


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.html", '<link rel="stylesheet" href="https://fonts.example/css">'),
        ("a.html", '<script src="//cdn.example/x.js"></script>'),
        ("a.html", '<img src="HTTP://img.example/x.png">'),
        ("a.html", '<img srcset="x.png 1x, https://img.example/x.png 2x">'),
        ("a.html", '<link rel="preload" imagesrcset="x.png 1x, //img.example/x.png 2x">'),
        ("a.html", "<script>fetch( 'https://data.example/x')</script>"),
        ("a.html", "<script>const x = await import(`//cdn.example/x.js`)</script>"),
        ("a.html", '<script type="module">import x from "http://cdn.example/x"</script>'),
        ("a.html", '<p style="background: url(https://img.example/x.png)">'),
        ("a.html", "<style>@import 'https://fonts.example/css';</style>"),
        ("a.html", '<pre class="mermaid">'),
        ("a.html", '<a class="md-source" href="https://host.example/repository">'),
        ("a.css", "@font-face { src: url('https://fonts.example/x.woff2') }"),
        ("a.svg", '<image href="https://img.example/x.png"/>'),
        ("a.js", 'load("https://cdn.example/x.js")'),
    ],
)
def test_what_is_fetched_elsewhere_is_found(name: str, text: str) -> None:
    assert fetched_elsewhere(name, text)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (
            "a.html",
            '<a href="https://aimlapi.com">',
        ),
        ("a.html", '<img srcset="x.png 1x, y.png 2x">'),
        ("a.html", '<script>fetch("search.json"); import("./x.js"); open("https://x")</script>'),
        ("a.html", '<code>fetch("https://data.example/x")</code>'),
        ("a.html", '<script src="../assets/x.js"></script><img src="x.svg">'),
        ("a.css", "a { background: url(data:image/png;base64,AA==) }"),
        ("a.js", 'load("https://unpkg.com/mermaid@11/dist/mermaid.min.js")'),
        ("a.svg", '<svg xmlns="http://www.w3.org/2000/svg">'),
        ("a.txt", "https://aimlapi.com"),
    ],
)
def test_what_is_not_fetched_passes(name: str, text: str) -> None:
    assert fetched_elsewhere(name, text) == []


def test_a_private_module_in_an_api_page_is_found() -> None:
    page = '<a title="llama_index_aimlapi._llm_base.DEFAULT">aimlapi_core.errors.__init__</a>'
    assert private_modules(page) == ["llama_index_aimlapi._llm_base"]


def test_the_pictures_of_the_handbook_fetch_nothing() -> None:
    for path in (ROOT / "docs").glob("*.svg"):
        assert fetched_elsewhere(path.name, path.read_text(encoding="utf-8")) == []


def test_every_page_is_in_the_navigation() -> None:
    """`make docs` says so too; a page that nobody finds is no page."""
    named = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    pages = [path.relative_to(ROOT / "docs") for path in (ROOT / "docs").rglob("*.md")]
    assert [page for page in pages if f": {page.as_posix()}\n" not in named] == []
