"""Fifty documents of one fact each, with the names of their files, and one question about them."""

from __future__ import annotations

from typing import Any

from llama_index.core import Document

TOWNS = (
    "Aldra Benwick Corvale Dunmere Eskholm Farlow Gantry Hestmark Ivarsund Jorvale Kelmoor Lanwick "
    "Mirefield Norrby Oxmere Pellwood Quarnby Rosvik Selkirk Tarnholm Ulverby Vantmoor Wexholm "
    "Yarmick Zelmere"
).split()
FACTS = {
    **{f"{t.lower()}-mill.txt": f"The windmill of {t} grinds {i + 21} sacks of rye a day."
       for i, t in enumerate(TOWNS)},
    **{f"{t.lower()}-bell.txt": f"The bell of {t} was cast in {i + 1601}."
       for i, t in enumerate(TOWNS)},
}  # fmt: skip
QUESTION = "In which year was the bell of Mirefield cast?"
ANSWER, SOURCE = "1613", "mirefield-bell.txt"


def documents(kind: str = "") -> list[Document]:
    """The documents with `kind` in their names: "mill", "bell" or all."""
    return [
        Document(text=text, metadata={"file_name": name})
        for name, text in FACTS.items()
        if kind in name
    ]


async def text_of(response: Any) -> str:
    """The text of any kind of response, streamed or not."""
    if hasattr(response, "async_response_gen"):
        return "".join([piece async for piece in response.async_response_gen()])
    if hasattr(response, "response_gen"):
        return "".join(response.response_gen)
    return str(response)


def files(response: Any) -> list[str]:
    """The files behind an answer, the best first."""
    return [found.node.metadata.get("file_name", "") for found in response.source_nodes]
