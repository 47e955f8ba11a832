"""Converts results of MCP tools to text, image and document blocks.

LlamaIndex's own MCP tools give the model the result object as one text, its `repr`: an image is
then base64 text, and an error counts as a result (seen in llama-index-tools-mcp 0.4.8). This can
go when they return blocks. MCP itself is not imported: results are read by their attributes.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

from llama_index.core.base.llms.types import ContentBlock, DocumentBlock, ImageBlock, TextBlock
from llama_index.core.tools import FunctionTool


def mcp_tools(tools: Iterable[FunctionTool]) -> list[FunctionTool]:
    """The tools of an `McpToolSpec`, with results converted to content blocks.

        tools = mcp_tools(await McpToolSpec(client).to_tool_list_async())

    An error of the server is raised as RuntimeError with the server's text: agents report it to
    the model, like the error of any tool. Results of other tools are unchanged.
    """
    return [
        FunctionTool.from_defaults(
            async_fn=_with_block_results(tool.async_fn),
            tool_metadata=tool.metadata,
            partial_params=tool.partial_params,
        )
        for tool in tools
    ]


def to_blocks(result: Any) -> list[ContentBlock]:
    """The blocks of the result of a tool or a resource. Raises RuntimeError for an error."""
    rows = getattr(result, "content", None) or getattr(result, "contents", None) or ()
    blocks = [_block(row) for row in rows]
    if getattr(result, "isError", False):
        words = "\n".join(block.text for block in blocks if isinstance(block, TextBlock))
        raise RuntimeError(words or "The tool failed and did not say why.")
    if blocks:
        return blocks
    return [TextBlock(text=json.dumps(getattr(result, "structuredContent", None)))]


def _with_block_results(
    call: Callable[..., Awaitable[Any]],
) -> Callable[..., Awaitable[Any]]:
    async def called(**arguments: Any) -> Any:
        result = await call(**arguments)
        rows = getattr(result, "content", getattr(result, "contents", None))
        # Another tool's result, or one that is blocks already, is unchanged.
        return to_blocks(result) if isinstance(rows, list) else result

    return called


def _block(row: Any) -> ContentBlock:
    """One part of a result; media that no model takes become a text that names them."""
    row = getattr(row, "resource", row)
    kind = getattr(row, "mimeType", None) or ""
    text: str | None = getattr(row, "text", None)
    data: str = getattr(row, "data", None) or getattr(row, "blob", None) or ""
    if text is not None:
        return TextBlock(text=text)
    if kind.startswith("image/"):
        return ImageBlock(image=data.encode(), image_mimetype=kind)
    if kind == "application/pdf":
        return DocumentBlock(data=data.encode(), document_mimetype=kind)
    name = getattr(row, "uri", None) or getattr(row, "type", "part")
    return TextBlock(text=f"[{name} {kind}]" if kind else f"[{name}]")
