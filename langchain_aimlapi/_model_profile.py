"""LangChain model profiles, from the core's model table."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, cast

from langchain_core.language_models.model_profile import ModelProfile

from aimlapi_core import model_info


def model_profile(model_id: str) -> ModelProfile | None:
    """A new profile of a listed model id; None for others."""
    found = cached_model_profile(model_id)
    if found is None:
        return None
    copied = {k: list(v) if isinstance(v, list) else v for k, v in found.items()}
    return cast("ModelProfile", copied)


@lru_cache(maxsize=64)
def cached_model_profile(model_id: str) -> ModelProfile | None:
    """`model_profile`, but a shared object, to compare with.

    Keys that the installed langchain-core does not know are left out, since it warns of them.
    """
    info = model_info(model_id)
    if info is None:
        return None
    fields: dict[str, Any] = {
        "name": info.id,
        "max_input_tokens": info.input_limit,
        "max_output_tokens": info.max_output_tokens,
        "text_inputs": True,
        "image_inputs": bool(info.images),
        "image_url_inputs": bool(info.images),
        "pdf_inputs": info.pdfs,
        "audio_inputs": False,
        "video_inputs": False,
        "image_tool_message": bool(info.images),
        "pdf_tool_message": info.pdfs,
        "text_outputs": True,
        "image_outputs": False,
        "audio_outputs": False,
        "video_outputs": False,
        "reasoning_output": bool(info.reasoning_efforts),
        "reasoning_effort_levels": list(info.reasoning_efforts) or None,
        "tool_calling": info.tools,
        "tool_choice": info.tools,
        "tool_call_streaming": info.tools,
        "structured_output": info.structured_output,
        "attachment": info.pdfs or bool(info.images),
        "temperature": info.temperature,
    }
    known = ModelProfile.__annotations__
    kept = {k: v for k, v in fields.items() if v is not None and k in known}
    return cast("ModelProfile", kept)
