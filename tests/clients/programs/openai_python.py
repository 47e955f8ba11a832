"""openai-python, both endpoints."""

from __future__ import annotations

import json
from typing import Any

import openai
from checks import BASE_URL, EMBEDDER, KEY, MODEL, PARAMETERS, QUESTION, holds, run, weather
from pydantic import BaseModel

client = openai.OpenAI(base_url=BASE_URL, api_key=KEY, max_retries=0)
FUNCTION = {"name": "weather", "description": weather.__doc__, "parameters": PARAMETERS}
TOOLS: Any = [{"type": "function", "function": FUNCTION}]
FLAT: Any = [{"type": "function", "strict": True, **FUNCTION}]


class Place(BaseModel):
    """A city."""

    city: str


def user(text: str) -> Any:
    return {"role": "user", "content": text}


def chat() -> None:
    answer = client.chat.completions.create(model=MODEL, messages=[user("Hello")])
    holds("Hello", answer.choices[0].message.content)


def stream() -> None:
    how: Any = {"stream": True, "stream_options": {"include_usage": True}}
    chunks = list(client.chat.completions.create(model=MODEL, messages=[user("Hello")], **how))
    holds("Hello", "".join(c.choices[0].delta.content or "" for c in chunks if c.choices))
    assert chunks[-1].usage.total_tokens > 0


def tools() -> None:
    said = [user(QUESTION)]
    message = (
        client.chat.completions.create(model=MODEL, messages=said, tools=TOOLS).choices[0].message
    )
    said.append(message)
    for call in message.tool_calls:
        content = weather(**json.loads(call.function.arguments))
        said.append({"role": "tool", "tool_call_id": call.id, "content": content})
    answer = client.chat.completions.create(model=MODEL, messages=said, tools=TOOLS)
    holds("18 degrees in Paris", answer.choices[0].message.content)


def streamed_tools() -> None:
    with client.chat.completions.stream(
        model=MODEL, messages=[user(QUESTION)], tools=TOOLS
    ) as events:
        message = events.get_final_completion().choices[0].message
    assert json.loads(message.tool_calls[0].function.arguments) == {"city": "Paris"}


def structured_output() -> None:
    said = [user("I live in Paris.")]
    answer = client.chat.completions.parse(model=MODEL, messages=said, response_format=Place)
    assert answer.choices[0].message.parsed == Place(city="Paris")


def embeddings() -> None:
    rows = client.embeddings.create(model=EMBEDDER, input=["a", "b"]).data
    assert [len(row.embedding) for row in rows] == [1536, 1536]


def responses() -> None:
    holds("Hello", client.responses.create(model=MODEL, input="Hello").output_text)


def responses_stream() -> None:
    with client.responses.stream(model=MODEL, input="Hello") as events:
        holds("Hello", events.get_final_response().output_text)


def responses_tools() -> None:
    said: list[Any] = [user(QUESTION)]
    output = client.responses.create(model=MODEL, input=said, tools=FLAT).output
    said += [item.model_dump() for item in output]
    for call in output:
        given = weather(**json.loads(call.arguments))
        said.append({"type": "function_call_output", "call_id": call.call_id, "output": given})
    answer = client.responses.create(model=MODEL, input=said, tools=FLAT)
    holds("18 degrees in Paris", answer.output_text)


def responses_structured_output() -> None:
    answer = client.responses.parse(model=MODEL, input="I live in Paris.", text_format=Place)
    assert answer.output_parsed == Place(city="Paris")


run(
    *(chat, stream, tools, streamed_tools, structured_output, embeddings),
    *(responses, responses_stream, responses_tools, responses_structured_output),
)
