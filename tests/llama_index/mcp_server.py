"""An MCP server on stdin and stdout. Its argument is a file, to which it adds its process id."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from mcp.server.fastmcp import FastMCP
from mcp.types import AudioContent, CallToolResult, ContentBlock, ImageContent, TextContent
from pydantic import BaseModel

# One transparent pixel, in base64.
PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR4nGNgAAAABQABpfZFQAAAAABJRU5ErkJggg=="

server = FastMCP("towns", log_level="WARNING")


class Place(BaseModel):
    """A place on the map."""

    city: str
    country: str | None = None


class Trip(BaseModel):
    """A trip from one place to others."""

    start: Place
    stops: list[Place]


@server.tool()
def multiply(a: int, b: int) -> int:
    """Multiply two numbers."""
    return a * b


@server.tool()
def clock() -> str:
    """Tell what the clock shows."""
    return "noon"


@server.tool()
def chart(topic: str) -> CallToolResult:
    """Draw a chart of a topic."""
    parts: list[ContentBlock] = [
        TextContent(type="text", text=f"The chart of {topic}."),
        ImageContent(type="image", data=PNG, mimeType="image/png"),
        AudioContent(type="audio", data="AAAA", mimeType="audio/wav"),
    ]
    return CallToolResult(content=parts)


@server.tool()
def book(trip: Trip) -> str:
    """Book a trip."""
    return f"Booked from {trip.start.city} with {len(trip.stops)} stops."


@server.tool()
def divide(a: int, b: int) -> float:
    """Divide two numbers."""
    return a / b


if __name__ == "__main__":
    with Path(sys.argv[1]).open("a") as file:
        file.write(f"{os.getpid()}\n")
    server.run()
