"""Arguments of other packages' classes that mean something else here, or nothing.

Read in langchain-openai 1.7.4, langchain-openrouter 0.2.9, langchain-mistralai 1.1.6,
langchain-deepseek 1.1.1, the older langchain-aimlapi 0.1.3, and LlamaIndex's integrations of OpenAI
0.8.3, OpenAILike 0.8.1, OpenRouter 0.6.0, MistralAI 0.11.0 and OpenAI's embeddings 0.7.0, all seen
2026-11-29. What each adapter says in its own way is in its `legacy_arguments`.
"""

from __future__ import annotations

from collections.abc import Mapping

from aimlapi_core.request_params import arguments

_BODY = "Pass it as extra_body={{{!r}: …}}, which is sent as it is; the service judges."
_MEMBERS = (
    "frequency_penalty presence_penalty repetition_penalty logit_bias verbosity service_tier user "
    "top_k min_p top_a best_of echo suffix safety_identifier prompt_cache_key prompt_cache_options "
    "prompt_cache_retention modalities prediction web_search_options context_management "
    "conversation moderation audio max_tool_calls"
)
# Names that are separated by blanks, and what to do instead of each.
_SENTENCES: Mapping[str, str] = {
    "api_version api_type openai_api_version openai_api_type deployment deployment_name engine "
    "azure_deployment azure_ad_token azure_ad_token_provider azure_ad_async_token_provider": (
        "It is Azure's and means nothing to AI/ML API: leave it out."
    ),
    "organization openai_organization project openai_project webhook_secret": (
        "It is an account's at OpenAI and means nothing to AI/ML API: leave it out."
    ),
    "azure_api_key mistral_api_key openrouter_api_key deepseek_api_key anthropic_api_key "
    "google_api_key aiml_api_key api_token token": (
        "Pass api_key: AI/ML API takes keys of its own only."
    ),
    "azure_endpoint endpoint_url api_url server_url openrouter_api_base mistral_api_base "
    "websocket_base_url": "Pass base_url.",
    "openai_proxy proxy proxies http_socket_options": (
        "Pass http_client=httpx.Client(proxy=…), and http_async_client for async calls."
    ),
    "verify verify_ssl ssl_verify": (
        "Pass http_client=httpx.Client(verify=…), and http_async_client for async calls."
    ),
    "default_query extra_query": (
        "Pass http_client=httpx.Client(params=…), and http_async_client for async calls."
    ),
    "client async_client root_client root_async_client openai_client async_openai_client": (
        "Pass http_client or http_async_client, of httpx."
    ),
    "headers": "Pass default_headers.",
    "reuse_client": (
        "Connections are shared by all objects, in any event loop: leave it out, or pass "
        "http_client and http_async_client."
    ),
    "retry_min_seconds retry_max_seconds wait_time": (
        "max_retries says how often to ask again; waits are the core's."
    ),
    "safe_mode": "It is Mistral's and means nothing to AI/ML API: leave it out.",
    "app_url app_title app_categories openrouter_provider provider allow_fallbacks order route "
    "plugins transforms session_id trace": (
        "It is OpenRouter's and means nothing to AI/ML API: leave it out."
    ),
    "betas cache_control mcp_servers": (
        "It is Anthropic's and means nothing to AI/ML API: leave it out."
    ),
    "keep_alive mirostat num_ctx repeat_penalty": (
        "It is Ollama's and means nothing to AI/ML API: leave it out."
    ),
    "messages input prompt": "It is the first argument of a call.",
    "background": "Such responses are not supported: stream the answer instead.",
    "is_chat_model": "Every model here is called by chat messages: leave it out.",
    "is_function_calling_model": "Every model here takes tools: leave it out.",
    "use_previous_response_id track_previous_responses": "Give previous_response_id to the call.",
    "disabled_params": "unsupported_params says what happens to what a model does not take.",
    "stream_chunk_timeout": "timeout ends silence inside a stream as well.",
    "check_embedding_ctx_length tiktoken_enabled allowed_special disallowed_special "
    "embedding_ctx_length": "Texts are sent as strings, never as token ids: leave it out.",
    "mode": "It is of embedding models that OpenAI has withdrawn: leave it out.",
    "thinking effort thinking_budget show_thinking": (
        "Pass reasoning_effort and reasoning_summary."
    ),
    "call_metadata": _BODY.format("metadata"),
    "audio_config": _BODY.format("audio"),
    **{name: _BODY.format(name) for name in _MEMBERS.split()},
}


_OURS = frozenset(arguments("model"))


def by_name(sentences: Mapping[str, str]) -> dict[str, str]:
    """The sentence of each name, of a table whose keys are names that are separated by blanks.

    A name that is a request parameter here is left out.
    """
    return {
        name: sentence
        for names, sentence in sentences.items()
        for name in names.split()
        if name not in _OURS
    }


PEER_ARGUMENTS: Mapping[str, str] = by_name(_SENTENCES)
