"""One-line breaks of the LangChain adapter, one a promise."""

from __future__ import annotations

from tests.mutations.breaks import Break

LC, TESTS = "langchain_aimlapi", "tests/langchain"
ANSWERS, CHAT = f"{TESTS}/test_answers.py", f"{TESTS}/test_chat_models.py"
CONVERT, EVENTS = f"{TESTS}/test_convert.py", f"{TESTS}/test_events.py"
PLUMBING, STRUCTURED = f"{TESTS}/test_plumbing.py", f"{TESTS}/test_structured.py"
TOOLS, VARIANTS = f"{TESTS}/test_tools.py", f"{TESTS}/test_variants.py"
ARGUMENTS, TRACING = f"{TESTS}/test_wrong_arguments.py", f"{TESTS}/test_tracing.py"
MIGRATION, INSTALLATION = f"{TESTS}/test_migration.py", f"{TESTS}/test_installation.py"


def _in(module: str, promise: str, old: str, new: str, tests: str) -> Break:
    return Break(f"{promise}, in LangChain", f"{LC}/{module}.py", old, new, tests)


BREAKS = (
    # Tool calls.
    _in(
        "_answers",
        "cut tool calls are no valid calls",
        '    return closing_quote + "]}]"',
        '    return ""',
        ANSWERS,
    ),
    _in(
        "_answers",
        "a call cut before its arguments is invalid",
        "    if finish_reason in _CUT_REASONS and not call.arguments.strip():",
        "    if False:",
        ANSWERS,
    ),
    _in(
        "chat_models",
        "a broken stream leaves no valid call",
        "                    yield from _answers.chunks_after_break(error)\n",
        "",
        CHAT,
    ),
    _in(
        "_answers",
        "tool calls keep to their index",
        "    return _call_chunk(event.index, ",
        "    return _call_chunk(0, ",
        ANSWERS,
    ),
    _in(
        "_tools",
        "recursive arguments keep their schema",
        '_recursive(tool) or function.get("parameters")',
        'function.get("parameters")',
        TOOLS,
    ),
    _in(
        "_schemas",
        "every reference that leads back is seen",
        "        if start in found:",
        '        if start in found and "$defs" in start:',
        TOOLS,
    ),
    _in(
        "_schemas",
        "a tool's arguments are an object",
        "    return {**named, **rest}",
        "    return dict(schema)",
        TOOLS,
    ),
    _in(
        "_tools",
        "a tool without arguments has a schema",
        'parameters=function.get("parameters") or _NO_ARGUMENTS,',
        'parameters=function.get("parameters"),',
        TOOLS,
    ),
    _in(
        "_tools",
        "an unbound tool cannot be chosen",
        '    raise InvalidRequestError(f"tool_choice names',
        '    return name\n    raise (        f"tool_choice names',
        TOOLS,
    ),
    # The v3 protocol.
    _in(
        "chat_models",
        "the v3 protocol is native",
        "    def _stream_chat_model_events(",
        "    def _not_stream_chat_model_events(",
        EVENTS,
    ),
    _in(
        "_events",
        "a tool's deltas keep to their call",
        '            key = ("call", event.index)',
        '            key = ("call", 0)',
        EVENTS,
    ),
    _in(
        "_events",
        "the v3 protocol brings usage",
        "        if self._usage and message.usage_metadata:",
        "        if False:",
        EVENTS,
    ),
    # Content.
    _in(
        "_content",
        "content blocks are ours",
        "    register_translator(PROVIDER,",
        '    register_translator("nobody",',
        ANSWERS,
    ),
    _in(
        "_content",
        "citations are blocks' annotations",
        '    if wire.get("type") != "url_citation"',
        '    if wire.get("type") != "x"',
        ANSWERS,
    ),
    _in(
        "_answers",
        "messages name their provider, for output_version v1",
        '        "model_provider": PROVIDER,',
        "",
        CHAT,
    ),
    _in(
        "_blocks",
        "other providers' reasoning is dropped",
        '    "reasoning thinking redacted_thinking',
        '    "redacted_thinking',
        CONVERT,
    ),
    _in(
        "_blocks",
        "Anthropic's shape of an image is read",
        "    for holder in (block, _source(block)):",
        "    for holder in (block,):",
        CONVERT,
    ),
    _in(
        "_convert",
        "images of tool results reach the model",
        "            waiting.extend(attachments)",
        "            pass",
        CONVERT,
    ),
    _in(
        "_tool_results",
        "no media of a tool ends a run",
        "            if part is None or _is_sendable(part):",
        "            if True:",
        CONVERT,
    ),
    _in(
        "_convert",
        "words of an assistant are kept in any block",
        '        if kind == "non_standard" and _is_said(',
        '        if kind == "never" and _is_said(',
        CONVERT,
    ),
    _in(
        "_tool_results",
        "a failed tool is said to have failed",
        '    if message.status == "error"',
        '    if message.status == "never"',
        CONVERT,
    ),
    _in(
        "_convert",
        "a refusal goes back once",
        " and not any(isinstance(p, Refusal) for p in parts)",
        "",
        CONVERT,
    ),
    _in(
        "_convert",
        "reasoning is echoed",
        '    details = message.additional_kwargs.get("reasoning_details") or ()',
        "    details = ()",
        CONVERT,
    ),
    # Structured output.
    _in(
        "_structured",
        "a refused object is a refusal",
        "        if refusal:\n",
        "        if False:\n",
        STRUCTURED,
    ),
    _in(
        "_structured",
        "an object that was cut says so",
        "            return CutAnswerError(_cut(reason), llm_output=text,",
        "            return InvalidAnswerError(_cut(reason), llm_output=text,",
        STRUCTURED,
    ),
    _in(
        "_structured",
        "an empty answer is no object",
        "            raise self._nothing(message)",
        "            return None",
        STRUCTURED,
    ),
    _in(
        "_structured",
        "nulls that strictness adds are taken out",
        "drop_added_nulls(json.loads(text), self.own_schema)",
        "json.loads(text)",
        STRUCTURED,
    ),
    _in(
        "_structured",
        "json_mode asks for JSON",
        '{"response_format": {"type": "json_object"}}',
        "{}",
        STRUCTURED,
    ),
    _in(
        "_structured",
        "function_calling forces the call",
        '    choice = {"tool_choice": name, "parallel_tool_calls": False}',
        '    choice = {"parallel_tool_calls": False}',
        STRUCTURED,
    ),
    _in(
        "_growth",
        "objects grow while streaming",
        "        if value and value != self.last:",
        "        if False:",
        STRUCTURED,
    ),
    # Metadata, usage, money.
    _in(
        "_answers",
        "metadata comes once in a stream",
        '    return AIMessageChunk(response_metadata={"model_provider": PROVIDER}, **members)',
        '    return AIMessageChunk(response_metadata={"cost": 1, "model_provider": PROVIDER},'
        " **members)",
        CHAT,
    ),
    _in(
        "_answers",
        "the model's name is the one asked for",
        '        "model_name": model,',
        '        "model_name": reply.model,',
        ANSWERS,
    ),
    _in(
        "_answers",
        "usage stands on the first answer only",
        "        usage_metadata=_usage(reply.usage) if first else None,",
        "        usage_metadata=_usage(reply.usage),",
        ANSWERS,
    ),
    _in(
        "_answers",
        "a cached answer costs nothing",
        '    money = {"cost": 0.0, "credits_used": 0}',
        "    money = {}",
        PLUMBING,
    ),
    _in(
        "_answers",
        "cached answers can be loaded",
        '        update["usage_metadata"] = None',
        "        pass",
        PLUMBING,
    ),
    _in(
        "_model",
        "a cached call counts once",
        "        for answer in generations[:1]:",
        "        for answer in generations:",
        PLUMBING,
    ),
    _in(
        "tracing",
        "a trace holds the cost",
        "super().on_llm_end(traced,",
        "super().on_llm_end(response,",
        TRACING,
    ),
    _in(
        "_emptiness",
        "an answer eaten by reasoning is explained",
        '    if choice.finish_reason != "length" or',
        "    if True or",
        ANSWERS,
    ),
    # The model object.
    _in(
        "_model",
        "the cache's key follows attributes",
        "        if self._dumped is None or self._dumped[0] != state:",
        "        if self._dumped is None:",
        PLUMBING,
    ),
    _in(
        "_connection",
        "the model is serializable",
        "        return True\n",
        "        return False\n",
        PLUMBING,
    ),
    _in(
        "_connection",
        "a loaded model gets its key from the environment",
        '        return {"api_key": "AIMLAPI_API_KEY"}',
        "        return {}",
        PLUMBING,
    ),
    _in(
        "_model",
        "the profile follows the model",
        "if held != wanted and (held is None or",
        "if held != wanted and False and (held is None or",
        ARGUMENTS,
    ),
    _in(
        "_profile",
        "profiles share nothing",
        "list(fact) if isinstance(fact, list) else fact",
        "fact",
        PLUMBING,
    ),
    _in(
        "_clients",
        "calls beside one another keep their settings",
        "        return last[1]",
        "        return self._last[1]",
        PLUMBING,
    ),
    _in(
        "_clients",
        "no crash shows the key",
        'Settings(**{**held, "api_key": None})',
        'Settings(**{**held, "api_key": plain(held["api_key"])})',
        ARGUMENTS,
    ),
    _in(
        "chat_models",
        "no crash of a constructor shows the key",
        "            kwargs = with_hidden_key(kwargs)",
        "            kwargs = dict(kwargs)",
        ARGUMENTS,
    ),
    _in(
        "_request",
        "None in a call means the object's",
        " and not (value is None and name in _NEVER_NONE)",
        "",
        ARGUMENTS,
    ),
    _in(
        "_tokens",
        "tools are counted",
        " + sum(_of_tool(tool, count) for tool in tools)",
        "",
        PLUMBING,
    ),
    _in(
        "_model",
        "tokens are counted offline",
        "        return _tokens.of_text(text)",
        "        return super().get_num_tokens(text)",
        PLUMBING,
    ),
    _in(
        "_request",
        "a call's arguments win",
        "    return {**under, **over, ",
        "    return {**over, **under, ",
        CHAT,
    ),
    _in(
        "_register",
        "a moved table is told",
        "    if not isinstance(table, dict) or not (",
        "    if False and not (",
        f"{TESTS}/test_register.py",
    ),
    _in(
        "errors",
        "core errors are LangChain's too",
        "        raise new from error",
        "        raise error",
        CHAT,
    ),
    _in(
        "_connection",
        "calls end at last",
        "    timeout: Timeout = DEFAULT_TIMEOUT_S",
        "    timeout: Timeout = None",
        MIGRATION,
    ),
    # Migration.
    _in(
        "_connection",
        "the older names of arguments are taken",
        '    "aimlapi_api_key": "api_key",\n',
        "",
        MIGRATION,
    ),
    _in(
        "_request",
        "aliases of langchain-openai are taken",
        ', "max_completion_tokens": "max_tokens"}',
        "}",
        CHAT,
    ),
    _in(
        "_request",
        "an unknown argument is an error",
        "        if ours not in known:",
        "        if False:",
        CHAT,
    ),
    _in(
        "_request",
        "a foreign argument gets its remedy",
        "{remedy_for(name) or hint}",
        "{hint}",
        MIGRATION,
    ),
    _in(
        "_connection",
        "the older variable for the URL is read",
        ' or _in_environment("AIMLAPI_API_BASE")',
        "",
        MIGRATION,
    ),
    Break(
        "a mixed installation stops the import",
        f"{LC}/__init__.py",
        "    _installation.check()\n",
        "    pass\n",
        INSTALLATION,
    ),
    Break(
        "a half-removed installation is told",
        "aimlapi_core/_installation.py",
        "    return None if has_code else lost(",
        "    return None if True else lost(",
        INSTALLATION,
    ),
)
