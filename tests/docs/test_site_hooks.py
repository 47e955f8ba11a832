"""Tabs and the page of the notebook, as the site has them."""

from __future__ import annotations

import json

import pytest

from scripts.site_hooks import NOTEBOOK, breakable, notebook_page, tabbed
from tests.docs.blocks import PAGES, ROOT

TWO = """Before.

<!-- tabs -->
**LangChain**

```python
if True:
    print()
```

**LlamaIndex**

Text.

<!-- tabs end -->

After.
"""


def test_titles_in_bold_become_tabs() -> None:
    assert tabbed(TWO) == (
        'Before.\n\n=== "LangChain"\n\n    ```python\n    if True:\n        print()\n    ```\n\n'
        '=== "LlamaIndex"\n\n    Text.\n\n\nAfter.\n'
    )


def test_tabs_without_a_title_are_refused() -> None:
    with pytest.raises(ValueError, match="title in bold"):
        tabbed("<!-- tabs -->\nText.\n<!-- tabs end -->")


@pytest.mark.parametrize("page", PAGES)
def test_tabs_of_a_page_are_closed_and_named_by_framework(page: str) -> None:
    text = PAGES[page]
    assert text.count("<!-- tabs -->\n**LangChain**\n") == text.count("<!-- tabs -->")
    assert text.count("<!-- tabs -->") == text.count("<!-- tabs end -->")
    assert "<!-- tabs" not in tabbed(text)


def test_the_name_of_a_test_may_break_and_other_code_may_not() -> None:
    assert breakable("<code>tests/test_a.py::test_b</code> <code>max_tokens</code>") == (
        "<code>tests/<wbr>test_<wbr>a.py::<wbr>test_<wbr>b</code> <code>max_tokens</code>"
    )


def test_the_notebook_is_a_page() -> None:
    source = (ROOT / "docs" / NOTEBOOK).read_text(encoding="utf-8")
    page = notebook_page(source)
    assert page.startswith("# ChatAIMLAPI\n")
    assert f"]({NOTEBOOK})" in page
    cells = [cell for cell in json.loads(source)["cells"] if cell["cell_type"] == "code"]
    assert page.count("```python\n") >= len(cells) > 5
