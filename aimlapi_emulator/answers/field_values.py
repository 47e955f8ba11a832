"""What a field wants by its name and description: a choice, a value of a form, a name, words.

The names of fields are the one vocabulary here: `kinds` says what a name asks for.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from aimlapi_emulator.answers import extraction, schema_reading
from aimlapi_emulator.answers.extraction import PromptValues, find_named_value, topic, wants
from aimlapi_emulator.answers.options import Option, as_options, choose, fitting, offered, supports
from aimlapi_emulator.answers.schema_reading import Schema, matches_format
from aimlapi_emulator.text.words import all_words, content_words, truncate_words

_MAX_TEXT = 300
_MAX_CLAUSES = 2000
_ENDS = ("finish", "end", "done", "__end__")
# By what a field's name asks for; the first three are formats, which only the prompt's values have.
_KINDS = {
    "email": "email mail to recipient recipients cc address from sender",
    "uri": "url urls uri link website page",
    "date": "date day deadline when due",
    "place": "location city place country town destination region address where",
    "whole": "input query question text prompt message request content task body search claim "
    "goal objective instruction pergunta",
    "drawn": "answer summary quote fact facts evidence response result results report notes "
    "findings conclusion feedback reason reasoning explanation review content value output "
    "observation text thought thoughts",
    "chosen": "choice index agent route destination category label datasource database db "
    "worker next tool option intent action score selection class namespace collection",
    "name": "name title customer person author user company product artist album brand owner "
    "subject first last recipient doctor patient ticker symbol topic employee entity term",
    "steps": "steps plan tasks todos actions",
    "questions": "queries questions query question versions version",
    "keywords": "keywords keyword terms tags topics",
    "tables": "table tables",
    "fraction": "confidence probability likelihood",
}
_CLAUSE = re.compile(
    r"(?i)(?:[,;?.]\s*|\s+)(?:(?:and|then|finally|after that)\s+)+(?=\w+\s+\w)|[?.;]\s+(?=\w)"
)
_VARIANTS = ("What is known about {}?", "Explain {}", "Background of {}", "Why {} matters")


def kinds(name: str) -> frozenset[str]:
    """What a field's name asks for."""
    words = {word.lower() for word in all_words(name)}
    return frozenset(kind for kind, own in _KINDS.items() if words & {*own.split()})


def clauses(text: str) -> list[str]:
    """What a text asks for, one thing after the other."""
    parts = _CLAUSE.split(text[:_MAX_CLAUSES])
    return [part.strip(" ,.?") for part in parts if part.strip(" ,.?")]


def member(schema: Schema, name: str, values: PromptValues) -> Any:
    """An enum member: the one named for the field, the one that fits, the default."""
    members, named = schema["enum"], find_named_value(name, values.text)
    for one in members:
        if named is not None and str(one).lower() == named.lower():
            return one
    described = {option.name: option for option in values.options}
    texts = as_options(one for one in members if isinstance(one, str) and one)
    options = [described.get(option.name, option) for option in texts]
    if values.is_answered:
        options = [o for o in options if o.name.lower() in _ENDS] or options
    found = fitting(options, values.question) or fitting(options, values.text)
    if found or len(options) == 1 or {o.name.lower() for o in options} == {"yes", "no"}:
        return choose(found or options, values.question, values.material).name
    default = schema.get("default")
    return default if default in members else next((m for m in members if m is not None), None)


def number(schema: Schema, name: str, values: PromptValues) -> float | int:
    """A number: the named or chosen one, the result's, the next of the prompt, the default."""
    wanted, named = kinds(name), find_named_value(name, values.text) or ""
    if "fraction" in wanted:
        schema = {"minimum": 0, "maximum": 1, **schema}
    fits, (low, high) = schema_reading.number_check(schema), schema_reading.bounds(schema)
    if "drawn" in wanted and values.result:
        named = values.result
    if "chosen" in wanted and values.options and values.options[0].name.isdigit():
        named = choose(values.options, values.question).name
    found = next(filter(fits, extraction.numbers(named)), None)
    values.drop("number", found)
    if found is None and "score" in name and high - low < 1000:
        found = high if supports(values.material, values.question) else low
    if found is None:
        found = values.take("number", fits)
    if found is None and isinstance(schema.get("default"), int | float):
        found = schema["default"]
    if found is None:
        values.invented += 1
        found = schema_reading.number_in_range(schema)
    return int(found) if schema.get("type") == "integer" else found


def boolean(schema: Schema, name: str, values: PromptValues) -> bool:
    """True when the field is named, unless it is denied or said to be false."""
    named = find_named_value(name, values.text)
    if named is not None:
        return named.lower().split(" ")[0] not in ("false", "no", "off", "0", "not")
    wanted = wants(name, values.text)
    return bool(schema.get("default", False)) if wanted is None else wanted


def string(schema: Schema, name: str, values: PromptValues) -> str:
    """Text: a choice, the named value, one of the right format, words for the field's name."""
    options = _options_for(schema, name, values)
    if options:
        return choose(options, values.question, values.material).name
    named = find_named_value(name, values.text)
    if named is not None and matches_format(named, schema):
        values.drop("quoted", named)
        return named
    found = schema_reading.by_format(schema.get("format"), values.text)
    if found is not None:
        return found
    if "pattern" in schema:
        return schema_reading.by_pattern(schema, values.text)
    return schema_reading.fit_length(_free_text(schema, name, values), schema)


def _options_for(schema: Schema, name: str, values: PromptValues) -> Sequence[Option]:
    """What a text field chooses among, by its description, the tool's, or the prompt."""
    own = offered(str(schema.get("description") or ""))[0]
    if not own and name and values.about:
        match = re.search(rf"(?<!\w){re.escape(name)}(?!\w)([^\n.]*)", values.about)
        own = offered(match[1])[0] if match else []
    is_choice = "chosen" in kinds(name) and "drawn" not in kinds(all_words(name)[-1])
    return own or (values.options if is_choice else ())


def _free_text(schema: Schema, name: str, values: PromptValues) -> str:
    """Words for a field; counted as invented where the prompt holds none for it."""
    wanted, question = kinds(name), values.question or values.text
    if "sql" in all_words(f"{name} {schema.get('description', '')} {values.about}".lower()):
        return _sql("tables" in wanted, values)
    for form in ("email", "uri", "date"):
        found = schema_reading.by_format(form, values.text) if form in wanted else None
        if found is not None and found != schema_reading.FORMATS[form][1]:
            return found
    about = topic(question)
    if "drawn" in wanted and values.result:
        return truncate_words(values.result, _MAX_TEXT)
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
            question = f"{' '.join(all_words(name)).capitalize()} about {about}"
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
    named = extraction.find_named_list(name, values.text)
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
