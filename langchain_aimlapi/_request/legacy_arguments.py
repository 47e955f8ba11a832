"""Migration hints for unsupported arguments and names of other packages.

These are the older `langchain-aimlapi` and langchain-openai. Names that are supported are in
`_request.build.ALIASES`.
"""

from __future__ import annotations

from collections.abc import Mapping

_LEAVE_OUT = "leave it out: {}."
_AZURE = "it is Azure's and means nothing to AI/ML API"
_IN_BODY = "pass it as extra_body={{{!r}: …}}, which is sent as it is; the service judges."

_OPENAI_ONLY = "it is an account's at OpenAI and means nothing to AI/ML API"
_TEXTS = "texts are sent as strings, never as token ids"
_CLIENT = "pass http_client or http_async_client, of httpx."

_MIGRATION_HINTS: Mapping[str, str] = {
    **dict.fromkeys(
        "api_version openai_api_version openai_api_type deployment".split(),
        _LEAVE_OUT.format(_AZURE),
    ),
    **dict.fromkeys(("organization", "openai_organization"), _LEAVE_OUT.format(_OPENAI_ONLY)),
    **dict.fromkeys(
        ("openai_proxy", "http_socket_options"), "pass http_client=httpx.Client(proxy=…)."
    ),
    **dict.fromkeys(("client", "async_client", "root_client", "root_async_client"), _CLIENT),
    **dict.fromkeys(("default_query", "extra_query"), "pass http_client=httpx.Client(params=…)."),
    "headers": "pass default_headers.",
    **dict.fromkeys(("functions", "function_call"), "bind_tools gives the model functions."),
    **dict.fromkeys(("messages", "input", "prompt"), "it is the first argument of a call."),
    "background": "such responses are not supported: stream the answer instead.",
    "text": "response_format, or with_structured_output, says what the answer is.",
    **dict.fromkeys(
        ("retry_min_seconds", "retry_max_seconds"), "max_retries says how often to ask again."
    ),
    "use_previous_response_id": "give previous_response_id to the call.",
    "disabled_params": "unsupported_params says what happens to what a model does not take.",
    "include_response_headers": "response_metadata holds request_id, inference_id and cost.",
    "stream_chunk_timeout": "timeout ends silence inside a stream as well.",
    "tiktoken_model_name": "token counts are estimated offline; custom_get_token_ids counts them.",
    **dict.fromkeys(("check_embedding_ctx_length", "tiktoken_enabled"), _LEAVE_OUT.format(_TEXTS)),
    **{
        name: _IN_BODY.format(name)
        for name in (
            "frequency_penalty presence_penalty logit_bias verbosity service_tier user top_k "
            "safety_identifier prompt_cache_key prompt_cache_options prompt_cache_retention "
            "modalities prediction web_search_options context_management conversation moderation "
            "audio max_tool_calls"
        ).split()
    },
}

# Arguments that the older AimlapiEmbeddings ignored too.
IGNORED_ARGUMENTS = frozenset("embedding_ctx_length allowed_special disallowed_special".split())


def migration_hint(name: str) -> str | None:
    """What to write instead of another package's argument; None for any other name."""
    return _MIGRATION_HINTS.get(name)


# Names that only the older distribution exported.
REMOVED_NAMES: Mapping[str, str] = {
    "AimlapiLLM": "Use ChatAIMLAPI: the service answers chat messages only, and .text is the text.",
    "AimlapiImageModel": "Images are not made here.",
    "AimlapiVideoModel": "Videos are not made here.",
    "AIMLAPI_HEADERS": "No header is added here: pass default_headers.",
}
