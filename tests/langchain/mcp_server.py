"""An MCP server on stdio, with tools of each kind that matters; run as a program."""

from __future__ import annotations

import base64
import os
from enum import Enum

from mcp.server.fastmcp import FastMCP, Image
from mcp.types import (
    BlobResourceContents,
    EmbeddedResource,
    ImageContent,
    ResourceLink,
    TextResourceContents,
)
from pydantic import AnyUrl, BaseModel

PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=="
)
server = FastMCP("tests", log_level="ERROR")


class Means(Enum):
    BUS = "bus"
    TRAM = "tram"


class Stop(BaseModel):
    name: str
    means: Means = Means.TRAM


class Trip(BaseModel):
    start: Stop
    end: Stop


@server.tool()
def temperature(city: str) -> str:
    """Temperature of a city."""
    return f"18 degrees in {city}"


@server.tool()
def identify() -> str:
    """Process of the server."""
    return f"process {os.getpid()}"


class Part(BaseModel):
    name: str
    parts: list[Part] = []


@server.tool()
def assemble(whole: Part) -> str:
    """Assemble a thing of parts."""
    return f"assembled {whole.name}"


@server.tool()
def travel(trip: Trip) -> str:
    """Travel between two stops."""
    return f"from {trip.start.name} to {trip.end.name} by {trip.end.means.value}"


@server.tool(structured_output=False)
def photograph(subject: str) -> list[str | Image | EmbeddedResource]:
    """Photograph a subject."""
    note = TextResourceContents(uri=AnyUrl("note://one"), text="a note", mimeType="text/plain")
    return [
        f"a photo of {subject}",
        Image(data=PIXEL, format="png"),
        EmbeddedResource(type="resource", resource=note),
    ]


@server.tool(structured_output=False)
def sketch(subject: str) -> list[str | ImageContent | ResourceLink | EmbeddedResource]:
    """Sketch a subject, in forms that no model sees."""
    blob = BlobResourceContents(
        uri=AnyUrl("note://zip"), blob="UEsDBA==", mimeType="application/zip"
    )
    link = ResourceLink(
        type="resource_link", name="a", uri=AnyUrl("file:///a.png"), mimeType="image/png"
    )
    return [
        f"a sketch of {subject}",
        ImageContent(type="image", data="PHN2Zz48L3N2Zz4=", mimeType="image/svg+xml"),
        link,
        EmbeddedResource(type="resource", resource=blob),
    ]


@server.tool()
def explode() -> str:
    """Explode at once."""
    raise ValueError("the fuse is wet")


if __name__ == "__main__":
    server.run("stdio")
