"""An image and a PDF for a LangChain model, from bytes."""

import base64
import struct
import zlib

import _service  # noqa: F401  # an emulator answers when AIMLAPI_API_KEY is not set
from langchain_core.messages import HumanMessage

from langchain_aimlapi import ChatAIMLAPI


def png(size: int, colour: bytes) -> bytes:
    """A square in one colour (red, green, blue); yours comes from a file."""

    def part(name: bytes, data: bytes) -> bytes:
        checksum = struct.pack(">I", zlib.crc32(name + data))
        return struct.pack(">I", len(data)) + name + data + checksum

    head = struct.pack(">IIBBBBB", size, size, 8, 2, 0, 0, 0)
    rows = (b"\0" + colour * size) * size
    ends = part(b"IHDR", head), part(b"IDAT", zlib.compress(rows)), part(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(ends)


def pdf(text: str) -> bytes:
    """One page with one line of text."""
    drawn = f"BT /F1 24 Tf 72 720 Td ({text}) Tj ET"
    objects = [
        "<< /Type /Catalog /Pages 2 0 R >>",
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources "
        "<< /Font << /F1 << /Type /Font /Subtype /Type1 /BaseFont /Helvetica >> >> >> >>",
        f"<< /Length {len(drawn)} >>\nstream\n{drawn}\nendstream",
    ]
    out, places = "%PDF-1.4\n", []
    for number, content in enumerate(objects, 1):
        places.append(len(out))
        out += f"{number} 0 obj\n{content}\nendobj\n"
    table = "".join(f"{place:010} 00000 n \n" for place in places)
    start = f"trailer\n<< /Size 5 /Root 1 0 R >>\nstartxref\n{len(out)}\n%%EOF\n"
    return f"{out}xref\n0 5\n0000000000 65535 f \n{table}{start}".encode()


def encoded(data: bytes) -> str:
    return base64.b64encode(data).decode()


message = HumanMessage(
    content=[
        {"type": "text", "text": "Which colour has the square, and what does the page say?"},
        {"type": "image", "base64": encoded(png(64, b"\xd0\x20\x20")), "mime_type": "image/png"},
        {
            "type": "file",
            "base64": encoded(pdf("The lighthouse was built in 1868.")),
            "mime_type": "application/pdf",
            "filename": "lighthouse.pdf",
        },
    ]
)
print(ChatAIMLAPI(model="openai/gpt-5-2").invoke([message]).text)
