"""The response to an embeddings request."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from aimlapi_emulator.billing.usage import Usage, cost_headers, credits_for
from aimlapi_emulator.catalog.embedding_models import EmbeddingModelRow
from aimlapi_emulator.endpoints import error_bodies
from aimlapi_emulator.faults.bad_usage import corrupt_usage
from aimlapi_emulator.faults.directives import strip_directives
from aimlapi_emulator.faults.fault import Fault
from aimlapi_emulator.messages import Response
from aimlapi_emulator.state import RequestContext
from aimlapi_emulator.text.vectors import as_base64, as_json
from aimlapi_emulator.validation.embeddings import texts, tokens


def _rows(given: Sequence[str], size: int, encoding: str) -> list[str]:
    """Each text's row as JSON text; a JSON encoder is slow with many floats."""
    if encoding == "base64":
        vectors = (f'"{as_base64(text, size)}"' for text in given)
    else:
        vectors = (as_json(text, size) for text in given)
    return [
        f'{{"object":"embedding","index":{index},"embedding":{vector}}}'
        for index, vector in enumerate(vectors)
    ]


def _apply_faults(rows: list[str], fault: Fault) -> list[str]:
    """The rows after faults of their order and number."""
    if fault.empty:
        return []
    if fault.drop_row:
        rows = [row for at, row in enumerate(rows) if at != len(rows) // 2]
    if fault.shuffle_data:
        rows = rows[1::2] + rows[::2]
    return rows


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
    """The answer to a valid embeddings request."""
    body, fault = context.body, context.fault
    given = [strip_directives(text) or text for text in texts(body)]
    size = int(body.get("dimensions") or row.size)
    prompt = sum(map(tokens, given))
    usage = Usage(prompt, 0, 0, 0, credits_for(prompt, row.usd_per_million))
    rows = _apply_faults(_rows(given, size, body.get("encoding_format", "float")), fault)
    metadata = error_bodies.dump(_metadata(row, usage, fault, context.state.ids.uuid()))
    content = b'{"object":"list","data":[%b],%b' % (",".join(rows).encode(), metadata[1:])
    headers = {**context.headers, "content-type": error_bodies.JSON_TYPE}
    headers |= cost_headers(usage, fault.cost_metadata)
    return Response(fault.success_status, headers, content, usage=usage)
