"""Many LangChain calls at once, at most four under way; a failure leaves the others alone."""

import asyncio
import base64

import _service  # noqa: F401  # an emulator answers when AIMLAPI_API_KEY is not set
from langchain_core.messages import HumanMessage
from langchain_core.runnables import RunnableConfig

from langchain_aimlapi import ChatAIMLAPI

PLACES = ["Oslo", "Bergen", "Bodø", "Tromsø", "Røst", "Reine", "Vardø"]
# As many phones take photos. The service takes PNG, JPEG, GIF and WebP.
HEIC = b"\x00\x00\x00\x18ftypheic" + bytes(12)
photo = {"type": "image", "base64": base64.b64encode(HEIC).decode(), "mime_type": "image/heic"}


async def main() -> None:
    model = ChatAIMLAPI(model="openai/gpt-5-2").with_config(RunnableConfig(max_concurrency=4))
    questions = [[HumanMessage(f"One sentence about {place}.")] for place in PLACES]
    questions.append([HumanMessage([{"type": "text", "text": "What is on it?"}, photo])])
    async for number, answer in model.abatch_as_completed(questions, return_exceptions=True):
        if isinstance(answer, Exception):
            print(f"{number}: {type(answer).__name__}: {answer}")
        else:
            print(f"{number}: {answer.text}")


asyncio.run(main())
