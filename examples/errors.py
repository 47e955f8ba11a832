"""What you catch when something goes wrong, and what it tells you."""

import _service  # noqa: F401  # an emulator answers when AIMLAPI_API_KEY is not set

from aimlapi_core import (
    AIMLAPIError,
    AuthenticationError,
    ConnectFailedError,
    StatusError,
    StreamCutError,
)
from aimlapi_emulator import Emulator, Fault
from langchain_aimlapi import ChatAIMLAPI

MODEL = "openai/gpt-5-2"

try:
    ChatAIMLAPI(model=MODEL, api_key="sk-invalid").invoke("Hello")
except AuthenticationError as error:
    print(f"A wrong key: {error}\n")

try:
    ChatAIMLAPI(model="openai/gpt-5-3").invoke("Hello")
except StatusError as error:
    print(f"A model that is not there: {error}")
    print(f"  status {error.status_code}, request {error.request_id}\n")

try:
    ChatAIMLAPI(model=MODEL, temprature=0)  # type: ignore[call-arg]  # mypy finds it too
except AIMLAPIError as error:  # the root of them all
    print(f"A misspelt argument: {error}\n")

try:
    ChatAIMLAPI(model=MODEL, base_url="http://127.0.0.1:9/v1", max_retries=0).invoke("Hello")
except ConnectFailedError as error:
    print(f"Nobody there: {error}")
    print(f"  safe to ask again: {error.is_retryable}\n")

# Faults that the real service makes seldom are made on demand by the emulator.
with Emulator() as emulator:
    model = ChatAIMLAPI(model=MODEL, api_key="any", base_url=emulator.base_url)

    emulator.faults.append(Fault(status=429, headers={"Retry-After": "0"}))
    print(f"A busy service is asked again: {model.invoke('Hello').text}\n")

    emulator.faults.append(Fault(cut_after_events=4))
    try:
        for chunk in model.stream("Hello there, how are you?"):
            print(chunk.text, end="")
    except StreamCutError as error:
        print(f"...\nA stream that breaks: {error}")
        if error.partial:
            print(f"  what had come: {error.partial.choices[0].text!r}")
