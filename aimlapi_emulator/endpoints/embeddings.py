"""The response to an embeddings request."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from io import BytesIO
from typing import Any

from aimlapi_emulator.billing.usage import Usage, cost_headers, credits_for
from aimlapi_emulator.catalog.embedding_models import EmbeddingModelRow
from aimlapi_emulator.endpoints import error_bodies
from aimlapi_emulator.faults.bad_usage import corrupt_usage
from aimlapi_emulator.faults.directives import strip_directives
from aimlapi_emulator.faults.fault import Fault
from aimlapi_emulator.messages import Response
from aimlapi_emulator.state import RequestContext
from aimlapi_emulator.text.bounds import BoundError
from aimlapi_emulator.text.vectors import as_base64, as_json
from aimlapi_emulator.validation.embeddings import texts, tokens

_MAX_NUMBERS = 2_700_000  # of 22 bytes each


def _check_numbers(count: int, size: int, encoding: str) -> None:
    """Raise BoundError for more numbers than fit into the emulator's memory as JSON."""
    if encoding != "base64" and count * size > _MAX_NUMBERS:
        raise BoundError(
            f"The emulator sends at most {_MAX_NUMBERS:,} numbers of vectors as JSON, and these "
            f"are {count * size:,}: send fewer texts, or ask for encoding_format base64"
        )


def _data(given: Sequence[str], size: int, encoding: str, fault: Fault) -> Iterator[bytes]:
    """The rows of `data` as JSON text, after faults of their order and number."""
    indexes = [] if fault.empty else list(range(len(given)))
    if fault.drop_row:
        del indexes[len(indexes) // 2 : len(indexes) // 2 + 1]
    if fault.shuffle_data:
        indexes = indexes[1::2] + indexes[::2]
    for place, index in enumerate(indexes):
        text = given[index]
        # A JSON encoder is slow with many floats.
        vector = f'"{as_base64(text, size)}"' if encoding == "base64" else as_json(text, size)
        row = f'{{"object":"embedding","index":{index},"embedding":{vector}}}'
        yield f"{',' * (place > 0)}{row}".encode()


def _metadata(row: EmbeddingModelRow, usage: Usage, fault: Fault, answer_id: str) -> dict[str, Any]:
    """The members after `data`."""
    metadata: dict[str, Any] = {"model": row.response_model_name}
    if fault.usage != "missing":
        prompt = None if row.family == "voyage" else usage.prompt
        counts = {"prompt_tokens": prompt, "total_tokens": usage.prompt}
        metadata["usage"] = corrupt_usage(counts, fault.usage)
    if row.family == "qwen":
        metadata["id"] = answer_id
    if fault.cost_metadata:
        metadata["meta"] = usage.meta()
    return metadata


def embeddings_reply(context: RequestContext, row: EmbeddingModelRow) -> Response:
    """The answer to a valid embeddings request. Raises BoundError for too large a one."""
    body, fault = context.body, context.fault
    given = [strip_directives(text) or text for text in texts(body)]
    size = int(body.get("dimensions") or row.size)
    prompt = sum(map(tokens, given))
    usage = Usage(prompt, 0, 0, 0, credits_for(prompt, row.usd_per_million))
    encoding = body.get("encoding_format", "float")
    _check_numbers(len(given), size, encoding)
    content = BytesIO()  # gives its bytes out without a copy
    content.write(b'{"object":"list","data":[')
    content.writelines(_data(given, size, encoding, fault))
    metadata = error_bodies.dump(_metadata(row, usage, fault, context.state.ids.uuid()))
    content.write(b"]," + metadata[1:])
    headers = {**context.headers, "content-type": error_bodies.JSON_TYPE}
    headers |= cost_headers(usage, fault.cost_metadata)
    return Response(fault.success_status, headers, content.getvalue(), usage=usage)
