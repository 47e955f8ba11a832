"""Plain sentences: what tools gave, what passages say, what was said before, what came."""

from __future__ import annotations

import re

from aimlapi_emulator.answers.passages import BestSentence, best_sentence, passages
from aimlapi_emulator.answers.task import Task
from aimlapi_emulator.prompt import Prompt
from aimlapi_emulator.text.words import content_words, plain_words, sentences, truncate_words

_LONG_RESULT = 400
_SUMMARY_LENGTH = 600
_NO_ANSWER = "The context does not say."
_SUMMARIZES = re.compile(r"\b(?:summar\w*|titles?|overview|tl;?dr)\b", re.IGNORECASE)
_TITLE = re.compile(r"\btitle:\s*$", re.IGNORECASE)
_SUB_ANSWER = re.compile(
    r"^Sub question: .*?\nResponse: (.*?)(?=\n\s*\nSub question: |\Z)", re.DOTALL | re.MULTILINE
)


def results_text(prompt: Prompt) -> str:
    """A sentence that uses every tool result of the turn; empty when there is none.

    Of a result that holds passages it is the sentence that answers, with its source. Passages are
    what names a source, has several paragraphs, or is long.
    """
    told, found = [], []
    for name, result in prompt.turn_results():
        cut = [] if re.match(r"\s*(?:\{|\[(?!\d+\]))", result) else passages(result)
        named = any(one.source is not None or one.number is not None for one in cut)
        text = " ".join(result.split()) if len(result) > _LONG_RESULT else result.strip()
        if named or "\n\n" in text or len(text) > _LONG_RESULT:
            best = best_sentence(cut, prompt.user_text).cited()
            found += [best] if best else []
            text = best or text
        told.append(f"{name} gave {truncate_words(text, _LONG_RESULT) or 'nothing'}")
    if len(found) == len(told):
        return " ".join(dict.fromkeys(found))
    return f"According to the tools, {'; '.join(told)}"


def find_in_material(prompt: Prompt, task: Task) -> BestSentence:
    """The sentence of the prompt's material that suits its question best."""
    before = [m.text for m in prompt.messages[: max(0, prompt.last_user)] if m.role == "user"]
    # Passages with the question of one turn may be of a conversation, which the question follows.
    earlier = "" if task.is_labelled or not before else before[-1]
    return best_sentence(passages(task.material), task.question, earlier)


def material_text(prompt: Prompt, task: Task) -> str | None:
    """What the material answers, with its source; a summary where one is wanted."""
    parts = _SUB_ANSWER.findall(task.material)
    if parts and not task.earlier:
        return " ".join(" ".join(parts).split())
    if _SUMMARIZES.search(task.question):
        summary = _summary(task)
        if summary:
            return summary
    found = find_in_material(prompt, task)
    if task.earlier:
        before = best_sentence(passages(task.earlier), task.question)
        return found.cited() if found.score > before.score else task.earlier
    if found.sentence:
        return found.cited()
    return _NO_ANSWER if task.is_labelled and task.material.strip() else None


def _summary(task: Task) -> str | None:
    """The first sentences of the material; for a title the first of it, else of the prompt."""
    wants_title = _TITLE.search(task.question)
    text = task.material.strip(" \n\"'") or (task.question if wants_title else "")
    told = [one for passage in passages(text) for one in sentences("\n".join(passage.lines))]
    if wants_title and told:
        return truncate_words(told[0].strip(" \"'."), 80)
    return truncate_words(" ".join(told[:3]), _SUMMARY_LENGTH) or None


def echo(prompt: Prompt) -> str:
    """Names what came, attachments included."""
    last = prompt.messages[prompt.last_user] if prompt.last_user >= 0 else prompt.messages[-1]
    text = truncate_words(" ".join(last.text.split()), 2000)
    said = f'You said: "{text}"' if text else "You sent a message without text"
    return " ".join([said, *last.attachments])


def recall_statement(prompt: Prompt) -> str | None:
    """For a question: the user's earlier statement that shares most words with it."""
    if not prompt.user_text.rstrip().endswith("?"):
        return None
    wanted = content_words(prompt.user_text) or plain_words(prompt.user_text)
    best, most = None, 0
    for message in reversed(prompt.messages[: max(0, prompt.last_user)]):
        for one in sentences(message.text) if message.role == "user" else ():
            shared = len(wanted & content_words(one))
            if shared > most and not one.endswith("?"):
                best, most = one, shared
    return f'You said earlier: "{best}"' if best else None
