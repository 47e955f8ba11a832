"""Validates the texts and nodes that an embedding call is given."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from llama_index.core.schema import BaseNode, MetadataMode

from aimlapi_core import InvalidRequestError


def checked_texts(texts: Iterable[str]) -> list[str]:
    """The texts as a list; generators, views and arrays are taken too.

    Raises InvalidRequestError with the index in the whole list: the core sees one batch.
    """
    if isinstance(texts, str):
        raise InvalidRequestError("The texts are a list, not one text: put it into a list.")
    if not isinstance(texts, Iterable):
        raise InvalidRequestError(f"The texts are a list, not a {type(texts).__name__}.")
    checked = list(texts)
    for position, text in enumerate(checked):
        if not isinstance(text, str):
            kind = type(text).__name__
            raise InvalidRequestError(f"Text {position} is {kind}, not a string.")
        if not text:
            raise InvalidRequestError(
                f"Text {position} is empty: the service embeds no empty text. Leave it out."
            )
    return checked


def check_text(text: str) -> None:
    """Raises InvalidRequestError for an empty text."""
    if isinstance(text, str) and not text:
        raise InvalidRequestError("The text is empty: the service embeds no empty text.")


def check_nodes(nodes: Sequence[BaseNode]) -> None:
    """Raises InvalidRequestError with id and file of an empty node: an index would not help."""
    for node in nodes:
        if not node.get_content(metadata_mode=MetadataMode.EMBED):
            name = node.metadata.get("file_name")
            raise InvalidRequestError(
                f"Node {node.node_id!r}{f' of file {name!r}' if name else ''} has no text: the "
                "service embeds no empty text. Leave it out."
            )
