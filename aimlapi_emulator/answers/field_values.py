"""What a field wants by its name and description: a choice, a value of a form, a name, words.

The names of fields are the one vocabulary here: `kinds` says what a name asks for.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from aimlapi_emulator.answers.extraction import PromptValues, find_named_list, topic
from aimlapi_emulator.answers.options import Option, as_options, choose, offered
from aimlapi_emulator.answers.schema_reading import Schema
from aimlapi_emulator.answers.string_formats import FORMATS, by_format
from aimlapi_emulator.text.words import all_words, content_words, truncate_words

_MAX_TEXT = 300
_MAX_CLAUSES = 2000
# By what a field's name asks for; the first three are formats, which only the prompt's values have.
_KINDS: Mapping[str, frozenset[str]] = {
    kind: frozenset(words.split())
    for kind, words in {
        "email": "email mail to recipient recipients cc address from sender",
        "uri": "url urls uri link website page",
        "date": "date day deadline when due",
        "place": "location city place country town destination region address where",
        "whole": "input query question text prompt message request content task body search claim "
        "goal objective instruction pergunta",
        "drawn": "answer summary quote fact facts evidence response result results report notes "
        "findings conclusion feedback reason reasoning explanation review content value output "
        "observation text",
        "chosen": "choice index agent route destination category label datasource database db "
        "worker next tool option intent action score selection class namespace collection",
        "name": "name title customer person author user company product artist album brand owner "
        "subject first last recipient doctor patient ticker symbol topic employee entity term",
        "steps": "steps plan tasks todos actions",
        "questions": "queries questions query question versions version",
        "keywords": "keywords keyword terms tags topics",
        "tables": "table tables",
        "fraction": "confidence probability likelihood",
    }.items()
}
_CLAUSE = re.compile(
    r"(?:[,;?.]\s*|\s+)(?:(?:and|then|finally|after that)\s+)+(?=\w+\s+\w)|[?.;]\s+(?=\w)",
    re.IGNORECASE,
)
_VARIANTS = ("What is known about {}?", "Explain {}", "Background of {}", "Why {} matters")


def kinds(name: str) -> frozenset[str]:
    """What a field's name asks for."""
    words = {word.lower() for word in all_words(name)}
    return frozenset(kind for kind, own in _KINDS.items() if words & own)


def clauses(text: str) -> list[str]:
    """What a text asks for, one thing after the other."""
    parts = _CLAUSE.split(text[:_MAX_CLAUSES])
    return [part.strip(" ,.?") for part in parts if part.strip(" ,.?")]


def options_for(schema: Schema, name: str, values: PromptValues) -> Sequence[Option]:
    """What a text field chooses among, by its description, the tool's, or the prompt."""
    own = offered(str(schema.get("description") or ""))[0]
    if not own and name and values.about:
        match = re.search(rf"(?<!\w){re.escape(name)}(?!\w)([^\n.]*)", values.about)
        own = offered(match[1])[0] if match else []
    return own or (values.options if "chosen" in kinds(name) else ())


def free_text(schema: Schema, name: str, values: PromptValues) -> str:
    """Words for a field; counted as invented where the prompt holds none for it."""
    wanted, question = kinds(name), values.question or values.text
    if "sql" in all_words(f"{name} {schema.get('description', '')} {values.about}".lower()):
        return _sql("tables" in wanted, values)
    for form in ("email", "uri", "date"):
        found = by_format(form, values.text) if form in wanted else None
        if found is not None and found != FORMATS[form][1]:
            return found
    drawn, about = values.result or values.passage, topic(question)
    if "drawn" in wanted and drawn:
        return truncate_words(drawn, _MAX_TEXT)
    if name and "whole" not in wanted:
        found = values.take("quoted")
        if found is None and "place" in wanted:
            found = values.take("place") or values.take("name")
        if found is None and "name" in wanted:
            found = values.take("name") or (about if len(about.split()) <= 4 else None)
        found = found or schema.get("default")
        if found and isinstance(found, str):
            return found
        values.invented += 1
        if "drawn" not in wanted and about:
            said = f"{' '.join(all_words(name)).capitalize()} about {about}"
            return truncate_words(said, _MAX_TEXT)
    return truncate_words(question.strip(), _MAX_TEXT) or "text"


def _sql(is_table: bool, values: PromptValues) -> str:
    """A table's name or a query of it: of the tables that results list the one that fits."""
    listed = re.findall(r"CREATE TABLE [\"`]?(\w+)", values.result) or re.findall(
        r"\b[A-Za-z_]\w*(?=\s*(?:,|\(|$))", values.result, re.MULTILINE
    )
    values.invented += not listed
    table = choose(as_options(listed or ["sqlite_master"]), values.question).name
    return table if is_table else f"SELECT * FROM {table} LIMIT 10"


def listed_texts(name: str, values: PromptValues, low: int) -> list[str]:
    """The texts that a list of at least `low` wants: listed, quoted, or by the list's name."""
    wanted, question = kinds(name), values.question
    about = topic(question)
    named = find_named_list(name, values.text)
    if "questions" in wanted:
        first = question if question.rstrip().endswith("?") else about
        found = [first, *(form.format(about) for form in _VARIANTS)]
        return [*found, *(f"{about} ({n})" for n in range(len(found), low))][: low or 1]
    if "steps" in wanted:
        return named or clauses(question)
    if "keywords" in wanted and not named:
        kept = [w.lower() for w in all_words(values.material or question) if content_words(w)]
        return list(dict.fromkeys(kept))[:10]
    if not named:
        named, values.rows["quoted"] = values.rows["quoted"], []
    return named
