"""What a piece of work costs, with a budget that stops it before the next call."""

import _service  # noqa: F401  # an emulator answers when AIMLAPI_API_KEY is not set

from aimlapi_core import BudgetExceededError, track_costs
from langchain_aimlapi import ChatAIMLAPI

model = ChatAIMLAPI(model="openai/gpt-5-2")
answer = model.invoke("Name a lake.")
print(f"One answer: {answer.response_metadata['cost']} USD, {answer.usage_metadata}")

with track_costs(budget_usd="0.0005") as costs:
    try:
        for kind in ("lake", "river", "mountain", "island", "fjord", "glacier"):
            print(model.invoke(f"Name a {kind}, and say in one sentence where it is.").text)
    except BudgetExceededError as error:
        print(f"Stopped: {error}")
print(costs)
