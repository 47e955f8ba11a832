"""A structured prediction in LlamaIndex: an instance of a pydantic class, whole and growing."""

import _service  # noqa: F401  # an emulator answers when AIMLAPI_API_KEY is not set
from llama_index.core.prompts import PromptTemplate
from pydantic import BaseModel

from llama_index_aimlapi import AIMLAPI


class City(BaseModel):
    """A city."""

    name: str
    river: str | None = None


llm = AIMLAPI(model="openai/gpt-5-2")
prompt = PromptTemplate("Describe the city with name: {name} and river: {river}")
print(repr(llm.structured_predict(City, prompt, name="Bern", river="Aare")))
for growing in llm.stream_structured_predict(City, prompt, name="Basel", river="Rhine"):
    print(f"  {growing!r}")
