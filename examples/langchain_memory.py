"""A LangChain agent that remembers: a checkpointer keeps each thread's conversation."""

import _service  # noqa: F401  # an emulator answers when AIMLAPI_API_KEY is not set
from langchain.agents import create_agent
from langchain_core.messages import HumanMessage
from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.memory import InMemorySaver

from langchain_aimlapi import ChatAIMLAPI

agent = create_agent(ChatAIMLAPI(model="openai/gpt-5-2"), checkpointer=InMemorySaver())


def ask(thread: str, text: str) -> None:
    config = RunnableConfig(configurable={"thread_id": thread})
    answer = agent.invoke({"messages": [HumanMessage(text)]}, config)
    print(f"{thread}: {text}\n  {answer['messages'][-1].text}")


ask("Kari", "My boat is called Silje.")
ask("Kari", "What is my boat called?")
ask("Ola", "What is my boat called?")
