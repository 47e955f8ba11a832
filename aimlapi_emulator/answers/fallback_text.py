"""Plain sentences: what tools gave, what was said before, what came."""

from __future__ import annotations

from aimlapi_emulator.answers.rag.context import from_result
from aimlapi_emulator.prompt import Prompt
from aimlapi_emulator.text.words import best_sentence, clip, sentences

_LONG_RESULT = 400


def results_text(prompt: Prompt) -> str:
    """A sentence that uses every tool result of the turn; empty when there is none."""
    question = prompt.user_text
    results = prompt.turn_results()
    found = [from_result(text, question) for _, text in results]
    passages = [one for one in found if one]
    if passages and len(passages) == len(results):
        return " ".join(dict.fromkeys(passages))
    told = [
        f"{name} gave {passage or _gist(text, question)}"
        for (name, text), passage in zip(results, found, strict=True)
    ]
    return f"According to the tools, {'; '.join(told)}" if told else ""


def _gist(result: str, question: str) -> str:
    """A short result as it is; of a long one the sentence that answers the question."""
    text = result.strip()
    if len(text) <= _LONG_RESULT:
        return text or "nothing"
    return best_sentence(text, question)[0] or clip(" ".join(text.split()), _LONG_RESULT)


def echo(prompt: Prompt) -> str:
    """Names what came, attachments included."""
    last = prompt.messages[prompt.last_user] if prompt.last_user >= 0 else prompt.messages[-1]
    text = clip(" ".join(last.text.split()), 2000)
    said = f'You said: "{text}"' if text else "You sent a message without text"
    return " ".join([said, *last.attachments])


def remembered(prompt: Prompt) -> str | None:
    """For a question: the user's earlier statement that shares most words with it."""
    if not prompt.user_text.rstrip().endswith("?"):
        return None
    earlier = [
        s
        for m in prompt.messages[: prompt.last_user]
        if m.role == "user"
        for s in sentences(m.text)
        if not s.endswith("?")
    ]
    sentence, shared = best_sentence(list(reversed(earlier)), prompt.user_text)
    return f'You said earlier: "{sentence}"' if shared else None
