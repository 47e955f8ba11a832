"""Plain sentences: of tool results, of passages, of earlier statements, of the message.

A passage is what blank lines set apart. Its source is in a metadata line (`source: a.txt`,
`Source: {'source': 'a.txt'}`) or a heading (`Source 3:`, `[3] ...`); metadata alone is of the
passages that follow.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from aimlapi_emulator.answers.task import Task
from aimlapi_emulator.prompt import Prompt
from aimlapi_emulator.text.words import content_words, plain_words, sentences, truncate_words

_KEYS = frozenset("file_name filename source file document url title file_path path".split())
_META = re.compile(r"\s*(?:[-*] )?([A-Za-z][a-z_]{1,30})\s?[:=] ?(\S[^\n]{0,300})$")
_META_KEYS = frozenset("page author date score id chunk category tags language".split())
_NAMED = re.compile(r"['\"](?:source|file_name|title)['\"]: ?['\"]([^'\"\n]{1,200})['\"]")
_HEADING = re.compile(
    r"\s*(?:\[(\d{1,4})\]|(?:Source|Document|Passage|Doc)[ #:]{1,2}(\d{1,4})\s?(?::|(?=\s*$)))\s*"
)
_CITED = re.compile(r"(?:\(source: [^()\n]{1,200}\)|\[\d{1,4}\])$")
_CONTENT = re.compile(r"\s*(?:Content|Text|Passage|Response|Answer): ?")
_NEARBY = 0.7
_OF_KIND = 1.5
# A question, and what a sentence that answers it holds.
_KINDS = {
    re.compile(r"\b(?:when|how (?:many|much|high|tall|old|far)|year|costs?)\b", re.IGNORECASE): (
        re.compile(r"\d|\b(?:hundred|thousand|\w+teen|\w+ty)\b")
    ),
    re.compile(r"\bwho\b", re.IGNORECASE): re.compile(r"(?<=[\w,;] )[A-Z][\w'’-]+"),
}
_LONG_RESULT = 400
_SUMMARY_LENGTH = 600
_NO_ANSWER = "The context does not say."
_SUMMARIZES = re.compile(r"\b(?:summar\w*|titles?|overview|tl;?dr)\b", re.IGNORECASE)
_TITLE = re.compile(r"\btitle:\s*$", re.IGNORECASE)
_SUB_ANSWER = re.compile(r"(?sm)^Sub question: .*?\nResponse: (.*?)(?=\n\s*\nSub question: |\Z)")


@dataclass(frozen=True, slots=True)
class Passage:
    """A block of a text, or the sentence of one that suits a question best, with its source."""

    text: str = ""
    source: str = ""
    number: str = ""
    """What it is to be cited by."""
    score: float = 0

    def cited(self) -> str:
        """The text, followed by its source unless it cites one itself."""
        if _CITED.search(self.text):
            return self.text
        number = f" [{self.number}]" if self.number else ""
        return f"{self.text}{number} (source: {self.source})" if self.source else self.text + number


def passages(text: str) -> list[Passage]:
    """The passages of a text, in order, those without text left out."""
    found: list[Passage] = []
    source = number = ""
    for block in re.split(r"\n\s*\n|\n(?=\s*\[\d{1,4}\] )", text):
        lines, own_source, own_number = [], "", ""
        for line in block.splitlines():
            heading, meta = _HEADING.match(line), _META.match(line)
            key, value = (meta[1].lower(), meta[2]) if meta else ("", "")
            # `Source: the river springs here.` names none.
            is_sentence = value[:1] != "{" and (len(value.split()) > 8 or value[-1:] in ".!?")
            if key in _KEYS and not is_sentence:
                named = _NAMED.search(value)
                value = named[1] if named else value.strip("\"'").rsplit("/", 1)[-1]
                own_source = own_source or value
                continue
            if heading:
                own_number = heading[1] or heading[2]
                line = line[heading.end() :]
            if line.strip() and "_" not in key and key not in _META_KEYS:
                lines.append(_CONTENT.sub("", line, count=1).strip())
        if lines:
            found.append(Passage("\n".join(lines), own_source or source, own_number or number))
        else:
            source, number = own_source or source, own_number or number
    return found


def best_sentence(text: str, question: str, earlier: str = "") -> Passage:
    """The sentence that answers a question; an empty one when none shares a word with it.

    Words that it, or the question before, shares with the rest of a passage count too, at less; so
    does a number or a name where one is wanted. Of equals the first: retrieval puts the nearest so.
    """
    wanted = plain_words(question)
    around = wanted | plain_words(earlier)
    of_kind = next((answer for kind, answer in _KINDS.items() if kind.search(question)), None)
    best = Passage()
    for passage in passages(text):
        nearby = around & plain_words(f"{passage.source} {passage.text}")
        # Sentences that a line's end cut are joined again.
        joined = re.sub(r"(?<![.!?:;。！？])\n(?=[a-z])", " ", passage.text)
        for sentence in sentences(joined):
            words = plain_words(sentence)
            score = len(wanted & words) + _NEARBY * len(nearby - words)
            held = of_kind.findall(sentence) if score and of_kind else ()
            score += _OF_KIND if any(one not in question for one in held) else 0
            if score > best.score:
                best = replace(passage, text=sentence, score=score)
    return best


def results_text(prompt: Prompt) -> str:
    """A sentence that uses every tool result of the turn; empty when there is none.

    Of a result that holds passages it is the sentence that answers, with its source. Passages are
    what names a source, has several paragraphs, or is long.
    """
    parts, found = [], []
    for name, result in prompt.turn_results():
        text = " ".join(result.split()) if len(result) > _LONG_RESULT else result.strip()
        cut = [] if re.match(r"\{|\[(?!\d+\])", text) else passages(result)
        if len(cut) > 1 or len(text) > _LONG_RESULT or any(p.source or p.number for p in cut):
            best = best_sentence(result, prompt.user_text).cited()
            found += [best] if best else []
            text = best or text
        parts.append(f"{name} gave {truncate_words(text, _LONG_RESULT) or 'nothing'}")
    if len(found) == len(parts):
        return " ".join(dict.fromkeys(found))
    return f"According to the tools, {'; '.join(parts)}"


def material_text(task: Task) -> str | None:
    """What the material answers, with its source; a summary or a title where one is wanted."""
    parts = _SUB_ANSWER.findall(task.material)
    if parts and not task.earlier:
        return " ".join(" ".join(parts).split())
    if _SUMMARIZES.search(task.question):
        wants_title = _TITLE.search(task.question)
        text = task.material.strip(" \n\"'") or (task.question if wants_title else "")
        texts = [one for passage in passages(text) for one in sentences(passage.text)]
        if texts and wants_title:
            return truncate_words(texts[0].strip(" \"'."), 80)
        if texts:
            return truncate_words(" ".join(texts[:3]), _SUMMARY_LENGTH)
    found = best_sentence(task.material, task.question, task.previous)
    if task.earlier and found.score <= best_sentence(task.earlier, task.question).score:
        return task.earlier
    return found.cited() or (_NO_ANSWER if task.is_labelled and task.material.strip() else None)


def echo(prompt: Prompt) -> str:
    """Repeats the last message and names its attachments."""
    last = prompt.messages[prompt.last_user] if prompt.last_user >= 0 else prompt.messages[-1]
    text = truncate_words(" ".join(last.text.split()), 2000)
    quoted = f'You said: "{text}"' if text else "You sent a message without text"
    return " ".join([quoted, *last.attachments])


def recall_statement(prompt: Prompt) -> str | None:
    """For a question: the user's earlier statement that shares most words with it."""
    if not prompt.user_text.rstrip().endswith("?"):
        return None
    wanted = content_words(prompt.user_text) or plain_words(prompt.user_text)
    before = [m.text for m in prompt.messages[: max(0, prompt.last_user)] if m.role == "user"]
    claims = [s for text in reversed(before) for s in sentences(text) if not s.endswith("?")]
    best = max(claims, key=lambda one: len(wanted & content_words(one)), default="")
    return f'You said earlier: "{best}"' if wanted & content_words(best) else None
