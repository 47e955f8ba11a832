"""Arguments of LlamaIndex's OpenAI classes, and suggestions for misspelled names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from aimlapi_core._adapters.arguments import closest_argument

# Settings of OpenAILike that have no meaning here, each with the reason.
OPENAI_LIKE_ONLY: Mapping[str, str] = {
    "api_version": "It is Azure's: leave it out.",
    "is_chat_model": "Every model here is called by chat messages: leave it out.",
    "is_function_calling_model": "Every model here takes tools: leave it out.",
    "reuse_client": "Connections are shared by all objects, in any event loop: leave it out, or "
    "pass http_client and http_async_client.",
    "should_use_structured_outputs": "Schemas are enforced where the model can: leave it out, or "
    'pass pydantic_program_mode="function" for forced tool calls.',
    "strict": "A schema is strict wherever it can be: leave it out. For tools "
    "chat_with_tools(strict=True) decides.",
    "tokenizer": "Nothing is counted here: leave it out. Settings.tokenizer is LlamaIndex's.",
}
_CLIENT = "Pass http_client=httpx.Client(params=…), and http_async_client for async calls."
_BODY = "Pass it as extra_body={{{!r}: …}}, which is sent as it is; the service judges."
# What to write instead of other arguments of OpenAI's classes and API.
_REMEDIES: Mapping[str, str] = {
    **OPENAI_LIKE_ONLY,
    **dict.fromkeys(("default_query", "extra_query"), _CLIENT),
    **dict.fromkeys(("functions", "function_call"), "chat_with_tools gives the model functions."),
    **dict.fromkeys(("messages", "input", "prompt"), "It is the first argument of a call."),
    "background": "Such responses are not supported: stream the answer instead.",
    "text": "response_format, or as_structured_llm, says what the answer is.",
    "built_in_tools": "Give them to a call: chat(messages, tools=[{'type': …}]).",
    "track_previous_responses": "Give previous_response_id to the call.",
    "reasoning_options": "Pass reasoning_effort and reasoning_summary.",
    "reasoning": "Pass reasoning_effort and reasoning_summary.",
    "stream": "stream_chat and stream_complete stream.",
    "call_metadata": _BODY.format("metadata"),
    "audio_config": _BODY.format("audio"),
    **{
        name: _BODY.format(name)
        for name in (
            "frequency_penalty presence_penalty logit_bias verbosity service_tier user top_k "
            "safety_identifier prompt_cache_key prompt_cache_options prompt_cache_retention "
            "modalities prediction web_search_options context_management conversation moderation "
            "audio max_tool_calls metadata"
        ).split()
    },
}


def remedy(name: str) -> str | None:
    """What to write instead of another package's argument; None for any other name."""
    return _REMEDIES.get(name)


def did_you_mean(name: str, candidates: Iterable[str]) -> str:
    """` Did you mean 'temperature'?`, or "" when nothing is near."""
    near = closest_argument(name, candidates)
    return f" Did you mean {near!r}?" if near else ""


def say_what_to_do(name: str, candidates: Iterable[str]) -> str:
    """What to write instead of an argument that does not exist."""
    hint = f"{did_you_mean(name, candidates)} Members of the request that have no name here go into"
    return remedy(name) or f"{hint} extra_body.".strip()
