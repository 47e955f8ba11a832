"""Many LangChain calls at once, at most four under way; a failure leaves the others alone."""

import asyncio

import _service  # noqa: F401  # an emulator answers when AIMLAPI_API_KEY is not set
from langchain_core.runnables import RunnableConfig

from langchain_aimlapi import ChatAIMLAPI

# The last name was decoded wrongly on its way here, and cannot be sent.
PLACES = ["Oslo", "Bergen", "Bodø", "Tromsø", "Røst", "Reine", "Vardø", "Hammerfest\udce5"]


async def main() -> None:
    model = ChatAIMLAPI(model="openai/gpt-5-2").with_config(RunnableConfig(max_concurrency=4))
    prompts = [f"One sentence about {place}." for place in PLACES]
    async for number, answer in model.abatch_as_completed(prompts, return_exceptions=True):
        if isinstance(answer, Exception):
            print(f"{number}: {type(answer).__name__}: {answer}")
        else:
            print(f"{number}: {answer.text}")


asyncio.run(main())
