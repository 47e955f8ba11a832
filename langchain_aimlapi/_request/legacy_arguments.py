"""Migration hints for unsupported arguments and names of other packages.

What both frameworks say is in `peer_arguments`. Names that are supported are in
`_request.build.ALIASES`.
"""

from __future__ import annotations

from collections.abc import Mapping

from aimlapi_core._adapters.arguments import our_name
from aimlapi_core._adapters.peer_arguments import PEER_ARGUMENTS, by_name
from langchain_aimlapi._request.constructor_types import Arguments, EmbeddingArguments

# What to write instead of other packages' arguments, by their names.
HINTS: Mapping[str, str] = {
    **PEER_ARGUMENTS,
    **by_name(
        {
            "functions function_call": "bind_tools gives the model functions.",
            "tools tool_choice parallel_tool_calls built_in_tools": (
                "Give it to bind_tools: bind_tools(tools, tool_choice=…, parallel_tool_calls=…)."
            ),
            "strict": (
                "Give it to bind_tools or with_structured_output; a schema is strict wherever it "
                "can be."
            ),
            "should_use_structured_outputs pydantic_program_mode": (
                "with_structured_output(schema, method=…) says how."
            ),
            "response_format text": (
                "with_structured_output, or bind(response_format=…), says what the answer is."
            ),
            "stream": "Pass streaming=True, or call stream or astream.",
            "include_response_headers": (
                "response_metadata holds request_id, inference_id and cost."
            ),
            "tiktoken_model_name tokenizer": (
                "Token counts are estimated offline; custom_get_token_ids counts them."
            ),
            "context_window max_input_tokens": (
                "The profile has the model's window; profile={'max_input_tokens': …} overrides it."
            ),
            "additional_kwargs": (
                "Pass extra_body for members of the request, and model_kwargs for arguments of "
                "calls."
            ),
            "reasoning_options": "Pass reasoning.",
            "system_prompt": "Put a SystemMessage first, or pass it to create_agent.",
            "callback_manager": "Pass callbacks.",
            "output_parser query_wrapper_prompt messages_to_prompt completion_to_prompt": (
                "It is LlamaIndex's: compose prompt | model | parser."
            ),
            "fallbacks models": "with_fallbacks gives other models.",
            "rate_limit requests_per_second": "Pass rate_limiter.",
            "embed_batch_size": "AIMLAPIEmbeddings takes batch_size.",
            "num_workers": "AIMLAPIEmbeddings takes concurrent_batches.",
        }
    ),
}
_CHAT = frozenset(Arguments.__annotations__)
_EMBEDDINGS = frozenset(EmbeddingArguments.__annotations__)

# Arguments that the older AimlapiEmbeddings ignored too.
IGNORED_ARGUMENTS = frozenset("embedding_ctx_length allowed_special disallowed_special".split())


def migration_hint(name: str) -> str | None:
    """What to write instead of another package's argument; None for any other name."""
    hint = HINTS.get(name)
    return hint and hint[0].lower() + hint[1:]


def place_hint(name: str, known: frozenset[str]) -> str | None:
    """Which constructor takes this name, where `known` are names of something else."""
    if "batch_size" in known:
        return "it is an argument of ChatAIMLAPI." if our_name(name) in _CHAT else None
    if name in _CHAT:
        return "it is an argument of the constructor."
    return "it is an argument of AIMLAPIEmbeddings." if name in _EMBEDDINGS else None


# Names that only the older distribution exported.
REMOVED_NAMES: Mapping[str, str] = {
    "AimlapiLLM": "Use ChatAIMLAPI: the service answers chat messages only, and .text is the text.",
    "AimlapiImageModel": "Images are not made here.",
    "AimlapiVideoModel": "Videos are not made here.",
    "AIMLAPI_HEADERS": "No header is added here: pass default_headers.",
}
