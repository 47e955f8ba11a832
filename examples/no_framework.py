"""Without a framework: the core's clients, whole, streamed, async, and embeddings."""

import asyncio

import _service  # noqa: F401  # an emulator answers when AIMLAPI_API_KEY is not set

from aimlapi_core import (
    AsyncClient,
    ChatRequest,
    Client,
    EmbeddingRequest,
    Finished,
    Message,
    Text,
    TextDelta,
)


def request(text: str) -> ChatRequest:
    return ChatRequest("openai/gpt-5-2", (Message("user", (Text(text),)),))


async def at_once(*texts: str) -> list[str]:
    async with AsyncClient() as client:
        replies = await asyncio.gather(*(client.complete(request(text)) for text in texts))
    return [reply.choices[0].text for reply in replies]


with Client() as client:
    reply = client.complete(request("Say hello."))
    print("whole:", reply.choices[0].text, reply.cost)

    print("streamed: ", end="")
    for event in client.stream(request("Say hello to the puffins.")):
        if isinstance(event, TextDelta):
            print(event.text, end="|", flush=True)
        elif isinstance(event, Finished):
            print(" cost:", event.reply.cost)

    vectors = client.embed(EmbeddingRequest("text-embedding-3-small", ("granite", "puffin")))
    print("vectors:", [len(vector) for vector in vectors.vectors])

print("at once:", asyncio.run(at_once("Say one.", "Say two.")))
