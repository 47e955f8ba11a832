"""litellm: as an OpenAI-compatible provider, and by its own name for the vendor."""

from __future__ import annotations

import json
import os
from typing import Any

os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"  # it would be fetched

import litellm
from checks import BASE_URL, EMBEDDER, KEY, MODEL, PARAMETERS, QUESTION, holds, run, weather
from pydantic import BaseModel

HOW: dict[str, Any] = {"api_base": BASE_URL, "api_key": KEY, "num_retries": 0}
FUNCTION = {"name": "weather", "description": weather.__doc__, "parameters": PARAMETERS}
TOOLS = [{"type": "function", "function": FUNCTION}]


class Place(BaseModel):
    """A city."""

    city: str


def ask(messages: list[Any], model: str = f"openai/{MODEL}", **more: Any) -> Any:
    return litellm.completion(model=model, messages=messages, **HOW, **more)


def user(text: str) -> Any:
    return {"role": "user", "content": text}


def chat() -> None:
    holds("Hello", ask([user("Hello")]).choices[0].message.content)


def stream() -> None:
    chunks = ask([user("Hello")], stream=True)
    holds("Hello", "".join(chunk.choices[0].delta.content or "" for chunk in chunks))


def tools() -> None:
    said = [user(QUESTION)]
    message = ask(said, tools=TOOLS).choices[0].message
    said.append(message.model_dump(exclude_none=True))
    for call in message.tool_calls:
        content = weather(**json.loads(call.function.arguments))
        said.append({"role": "tool", "tool_call_id": call.id, "content": content})
    holds("18 degrees in Paris", ask(said, tools=TOOLS).choices[0].message.content)


def structured_output() -> None:
    answer = ask([user("I live in Paris.")], response_format=Place)
    assert Place.model_validate_json(answer.choices[0].message.content) == Place(city="Paris")


def embeddings() -> None:
    how = {"model": f"openai/{EMBEDDER}", "input": ["a", "b"], "encoding_format": "float", **HOW}
    assert len(litellm.embedding(**how).data) == 2


def vendors_provider() -> None:
    holds("Hello", ask([user("Hello")], f"aiml/{MODEL}").choices[0].message.content)


run(chat, stream, tools, structured_output, embeddings, vendors_provider)
