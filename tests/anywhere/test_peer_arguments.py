"""Arguments of other packages' constructors work here, or the error says what to do instead."""

from __future__ import annotations

from typing import Any

import pytest

from aimlapi_core import AIMLAPIError, ConfigurationError
from langchain_aimlapi import AIMLAPIEmbeddings, ChatAIMLAPI
from llama_index_aimlapi import AIMLAPI, AIMLAPIEmbedding

# The fields of their classes and what their constructors name, seen 2026-11-29.
PEERS = {
    "langchain-openai 1.7.4": (
        "allowed_special api_key api_version async_client base_url check_embedding_ctx_length "
        "chunk_size client context_management default_headers default_query deployment dimensions "
        "disabled_params disallowed_special embedding_ctx_length extra_body frequency_penalty "
        "headers http_async_client http_client http_socket_options include "
        "include_response_headers logit_bias logprobs max_retries max_tokens model_kwargs "
        "model_name n openai_api_base openai_api_key openai_api_type openai_api_version "
        "openai_organization openai_proxy organization output_version presence_penalty "
        "prompt_cache_options reasoning reasoning_effort request_timeout retry_max_seconds "
        "retry_min_seconds root_async_client root_client seed service_tier show_progress_bar "
        "skip_empty stop stop_sequences store stream_chunk_timeout stream_usage streaming "
        "temperature tiktoken_enabled tiktoken_model_name timeout top_logprobs top_p truncation "
        "use_previous_response_id use_responses_api verbosity"
    ),
    "langchain-openrouter 0.2.9": (
        "app_categories app_title app_url max_completion_tokens openrouter_api_base "
        "openrouter_api_key openrouter_provider plugins route session_id trace"
    ),
    "langchain-mistralai 1.1.6": (
        "endpoint max_concurrent_requests mistral_api_key random_seed safe_mode tokenizer wait_time"
    ),
    "langchain-deepseek 1.1.1": "api_base",
    "langchain-aimlapi 0.1.3": "aimlapi_api_base aimlapi_api_key repetition_penalty top_k",
    "llama-index-llms-openai 0.8.3": (
        "additional_kwargs async_http_client async_openai_client audio_config built_in_tools "
        "call_metadata callback_manager completion_to_prompt context_window instructions "
        "max_output_tokens messages_to_prompt modalities openai_client output_parser "
        "previous_response_id pydantic_program_mode reasoning_options reuse_client strict "
        "system_prompt track_previous_responses user"
    ),
    "llama-index-llms-openai-like 0.8.1": (
        "is_chat_model is_function_calling_model should_use_structured_outputs"
    ),
    "llama-index-llms-openrouter 0.6.0": "allow_fallbacks order",
    "llama-index-llms-mistralai 0.11.0": "azure_api_key azure_endpoint show_thinking",
    "llama-index-embeddings-openai 0.7.0": "embed_batch_size mode num_workers",
    "LangChain's and LlamaIndex's own": (
        "cache callbacks metadata name rate_limiter tags verbose disable_streaming profile "
        "custom_get_token_ids query_wrapper_prompt tools tool_choice parallel_tool_calls "
        "response_format stream functions function_call"
    ),
}
NAMES = sorted({name for names in PEERS.values() for name in names.split()})
CLASSES: dict[str, Any] = {
    "ChatAIMLAPI": ChatAIMLAPI,
    "AIMLAPIEmbeddings": AIMLAPIEmbeddings,
    "AIMLAPI": AIMLAPI,
    "AIMLAPIEmbedding": AIMLAPIEmbedding,
}
# What an error says of a name that it knows nothing about.
GENERAL = ("known are", "argument {!r}. To send a parameter that is not listed")


@pytest.mark.filterwarnings("ignore:.*ignored:UserWarning")
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("kind", CLASSES)
def test_every_argument_of_a_peer_works_or_is_told_apart(kind: str, name: str) -> None:
    said = ""
    try:
        CLASSES[kind](**{name: None})
    except ConfigurationError as error:
        said = str(error)
    assert not any(words.format(name) in said for words in GENERAL), said


@pytest.mark.parametrize(
    ("kind", "name", "says"),
    [
        ("ChatAIMLAPI", "strict", "bind_tools or with_structured_output"),
        ("ChatAIMLAPI", "is_chat_model", "leave it out"),
        ("ChatAIMLAPI", "reuse_client", "leave it out, or pass http_client"),
        ("ChatAIMLAPI", "context_window", "profile="),
        ("ChatAIMLAPI", "batch_size", "an argument of AIMLAPIEmbeddings"),
        ("AIMLAPIEmbeddings", "temperature", "an argument of ChatAIMLAPI"),
        ("AIMLAPI", "openai_proxy", r"http_client=httpx.Client\(proxy"),
        ("AIMLAPI", "organization", "leave it out"),
        ("AIMLAPI", "streaming", "stream_chat and stream_complete"),
        ("AIMLAPI", "use_responses_api", 'endpoint="responses"'),
        ("AIMLAPI", "dimensions", "an argument of AIMLAPIEmbedding"),
        ("AIMLAPIEmbedding", "temperature", "an argument of AIMLAPI"),
        ("AIMLAPIEmbedding", "chunk_size", "embed_batch_size"),
    ],
)
def test_the_error_says_what_to_do(kind: str, name: str, says: str) -> None:
    with pytest.raises(ConfigurationError, match=f"{name}.*{says}"):
        CLASSES[kind](**{name: 1})


@pytest.mark.parametrize("kind", ["ChatAIMLAPI", "AIMLAPI"])
def test_a_url_as_endpoint_is_the_base_url(kind: str) -> None:
    """As Mistral's classes call it."""
    with pytest.raises(ConfigurationError, match=r"pass 'https://x\.example/v1' as base_url"):
        CLASSES[kind](endpoint="https://x.example/v1")


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("kind", ["ChatAIMLAPI", "AIMLAPI"])
def test_a_call_says_so_too(kind: str, name: str) -> None:
    model = CLASSES[kind](api_key="k", base_url="http://127.0.0.1:9", max_retries=0)
    said = ""
    try:  # nothing answers there
        model.bind(**{name: 1}) if kind == "ChatAIMLAPI" else model.complete("hi", **{name: 1})
    except AIMLAPIError as error:
        said = str(error)
    assert not any(words.format(name) in said for words in GENERAL), said
