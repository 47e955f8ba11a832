"""Arguments of LlamaIndex's OpenAI classes, and suggestions for misspelled names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from aimlapi_core._adapters.arguments import closest_argument, our_name
from aimlapi_core._adapters.peer_arguments import PEER_ARGUMENTS, by_name
from aimlapi_core.request_params import arguments

_REQUEST = frozenset(arguments("model"))

# Settings of OpenAILike that have no meaning here, each with the reason.
OPENAI_LIKE_ONLY: Mapping[str, str] = {
    **{
        name: PEER_ARGUMENTS[name]
        for name in ("api_version", "is_chat_model", "is_function_calling_model", "reuse_client")
    },
    "should_use_structured_outputs": "Schemas are enforced where the model can: leave it out, or "
    'pass pydantic_program_mode="function" for forced tool calls.',
    "strict": "A schema is strict wherever it can be: leave it out. For tools "
    "chat_with_tools(strict=True) decides.",
    "tokenizer": "Nothing is counted here: leave it out. Settings.tokenizer is LlamaIndex's.",
}
# What to write instead of other arguments of other packages.
_REMEDIES: Mapping[str, str] = {
    **PEER_ARGUMENTS,
    **by_name(
        {
            "functions function_call": "chat_with_tools gives the model functions.",
            "tools tool_choice parallel_tool_calls": (
                "Give it to a call: chat_with_tools(tools), or chat(messages, tools=…)."
            ),
            "built_in_tools": "Give them to a call: chat(messages, tools=[{'type': …}]).",
            "response_format text": (
                "Give response_format to a call, or use as_structured_llm or structured_predict."
            ),
            "reasoning reasoning_options": "Pass reasoning_effort and reasoning_summary.",
            "stream streaming disable_streaming": "stream_chat and stream_complete stream.",
            "use_responses_api": 'Pass endpoint="responses" or endpoint="chat".',
            "include_response_headers": (
                "additional_kwargs of a response hold request_id, inference_id and cost."
            ),
            "tiktoken_model_name custom_get_token_ids": (
                "Nothing is counted here: leave it out. Settings.tokenizer is LlamaIndex's."
            ),
            "metadata": PEER_ARGUMENTS["call_metadata"],
            "callbacks": "Pass callback_manager.",
            "max_input_tokens profile": "Pass context_window.",
            "fallbacks models": "Make an object for each model.",
            "output_version cache tags name verbose": "It is LangChain's: leave it out.",
            "batch_size chunk_size": "AIMLAPIEmbedding takes embed_batch_size.",
            "skip_empty": "Leave empty texts out before: each text has one vector here.",
            "on_usage": "total_usage of AIMLAPIEmbedding sums up tokens and cost.",
            "show_progress_bar": "Give show_progress to get_text_embedding_batch, or to an index.",
        }
    ),
    **OPENAI_LIKE_ONLY,
}
_EMBEDDINGS = frozenset(
    "dimensions embed_batch_size concurrent_batches input_type num_workers embeddings_cache".split()
)
_CONSTRUCTOR = frozenset(
    "api_key base_url api_base default_headers http_client http_async_client context_window "
    "callback_manager rate_limiter system_prompt messages_to_prompt completion_to_prompt "
    "output_parser pydantic_program_mode query_wrapper_prompt additional_kwargs "
    "model_kwargs".split()
)


def remedy(name: str) -> str | None:
    """What to write instead of another package's argument; None for any other name."""
    return _REMEDIES.get(name)


def did_you_mean(name: str, candidates: Iterable[str]) -> str:
    """` Did you mean 'temperature'?`, or "" when nothing is near."""
    near = closest_argument(name, candidates)
    return f" Did you mean {near!r}?" if near else ""


def say_what_to_do(name: str, candidates: Iterable[str]) -> str:
    """What to write instead of an argument that does not exist."""
    candidates = frozenset(candidates)
    hint = f"{did_you_mean(name, candidates)} To send a parameter that is not listed, use"
    return remedy(name) or _place(name, candidates) or f"{hint} extra_body.".strip()


def _place(name: str, candidates: frozenset[str]) -> str | None:
    """Which constructor takes this name, where `candidates` are names of something else."""
    if "embed_batch_size" in candidates:
        is_chat = name in _CONSTRUCTOR or our_name(name) in _REQUEST
        return "It is an argument of AIMLAPI." if is_chat else None
    if name in _EMBEDDINGS:
        return "It is an argument of AIMLAPIEmbedding."
    ours = our_name(name)
    is_known = ours in _CONSTRUCTOR and ours not in candidates
    return "It is an argument of the constructor." if is_known else None
