"""A structured answer in LangChain: an instance of a pydantic class."""

import _service  # noqa: F401  # an emulator answers when AIMLAPI_API_KEY is not set
from pydantic import BaseModel, Field

from langchain_aimlapi import ChatAIMLAPI


class Building(BaseModel):
    """A building and what is known of it."""

    name: str = Field(description="What it is called")
    year: int = Field(description="When it was built")
    material: str = Field(description="What it is built from")


model = ChatAIMLAPI(model="openai/gpt-5-2").with_structured_output(Building)
facts = "name: lighthouse of Sørvågen, year: 1868, material: granite"
print(repr(model.invoke(f"Describe this building. {facts}")))
