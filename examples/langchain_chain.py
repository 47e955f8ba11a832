"""A LangChain chain: prompt | model | parser, streamed."""

import _service  # noqa: F401  # an emulator answers when AIMLAPI_API_KEY is not set
from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate

from langchain_aimlapi import ChatAIMLAPI

prompt = ChatPromptTemplate.from_messages(
    [("system", "You answer in one sentence."), ("human", "What is special about {thing}?")]
)
chain = prompt | ChatAIMLAPI(model="openai/gpt-5-2") | StrOutputParser()
for text in chain.stream({"thing": "the lighthouse of Sørvågen"}):
    print(text, end="", flush=True)
print()
