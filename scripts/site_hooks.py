"""What mkdocs does to the pages while it builds the site. GitHub shows them as they are.

What stands between `<!-- tabs -->` and `<!-- tabs end -->`, under lines such as `**LangChain**`,
becomes tabs. The notebook becomes a page, and links to it lead there. The long names of tests may
break between words.
"""

from __future__ import annotations

import json
import re
import textwrap
from pathlib import Path
from typing import Any

NOTEBOOK = "chat_model.ipynb"
PAGE = "notebook.md"
_TABS = re.compile(r"^<!-- tabs -->\n(.*?)^<!-- tabs end -->$", re.S | re.M)
_TEST = re.compile(r"<code>([\w/]+\.py::\w+)</code>")
_TITLE = re.compile(r"^\*\*([^*\n]+)\*\*$", re.M)


def tabbed(text: str) -> str:
    """The page with tabs in the syntax of pymdownx.tabbed."""
    return _TABS.sub(lambda found: _tabs(found[1]), text)


def _tabs(text: str) -> str:
    before, *parts = _TITLE.split(text)
    if before.strip() or not parts:
        raise ValueError(f"Tabs begin with a title in bold, alone on its line: {text[:60]!r}")
    return "\n".join(
        f'=== "{title}"\n\n{textwrap.indent(content.strip(), "    ")}\n'
        for title, content in zip(parts[::2], parts[1::2], strict=True)
    )


def breakable(html: str) -> str:
    """The page with a place to break behind each part of a test's name."""
    return _TEST.sub(
        lambda found: "<code>" + re.sub("(/|::|_)", r"\1<wbr>", found[1]) + "</code>", html
    )


def notebook_page(source: str) -> str:
    """The notebook in Markdown; it is kept without outputs."""
    cells = json.loads(source)["cells"]
    parts = [_cell(cell["cell_type"], "".join(cell["source"])) for cell in cells]
    link = f"[Download the notebook]({NOTEBOOK}), or read it here."
    return "\n\n".join([parts[0], link, *parts[1:]]) + "\n"


def _cell(kind: str, source: str) -> str:
    return f"```python\n{source}\n```" if kind == "code" else source


def on_files(files: Any, *, config: Any) -> Any:
    """mkdocs's event: add the page of the notebook."""
    from mkdocs.structure.files import File

    source = (Path(config.docs_dir) / NOTEBOOK).read_text(encoding="utf-8")
    files.append(File.generated(config, PAGE, content=notebook_page(source)))
    return files


def on_page_markdown(markdown: str, *, page: Any, config: Any, files: Any) -> str:
    """mkdocs's event: the tabs, and the links to the notebook."""
    if page.file.src_uri == PAGE:
        return markdown
    return tabbed(markdown).replace(f"({NOTEBOOK})", f"({PAGE})")


def on_page_content(html: str, **_: Any) -> str:
    """mkdocs's event: where the name of a test may break."""
    return breakable(html)
