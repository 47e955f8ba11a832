"""Rewrite the catalogue of documented models (`aimlapi_core/models/catalogue.json`).

`python -m scripts.models --docs CHECKOUT` takes the facts from a checkout of the vendor's
documentation repository, https://github.com/aimlapi/api-docs: each OpenAPI file of a text model
says which ids it describes, on which endpoint, and what a request may hold; model-database.md says
the context windows, and two pages list models that take tools or images. `python -m scripts.models
--live` adds what `GET /v1/models?include=all` lists (a key in AIMLAPI_API_KEY): new ids, endpoints,
context windows and largest outputs; run it behind the other. Both print what changed. Models with
a checked row (`aimlapi_core.MODELS`) are listed too, and not used.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from operator import itemgetter
from pathlib import Path
from typing import Any

from aimlapi_core import CatalogModel, Client
from aimlapi_core.models.catalogue import PATH, SENT
from aimlapi_core.types import BOTH

REPOSITORY = "https://github.com/aimlapi/api-docs"
SPECIFICATIONS = Path("docs/api-references/text-models-llm")
LIST = Path("docs/api-references/model-database.md")
# Pages that list models: what some of their OpenAPI files leave out.
TOOLS_PAGE = Path("docs/capabilities/function-calling.md")
IMAGES_PAGE = Path("docs/capabilities/image-to-text-vision.md")
_ENDPOINTS = {
    "/v1/chat/completions": "chat",
    "/chat/completions": "chat",
    "/v1/responses": "responses",
    "/responses": "responses",
}
_LIVE_TYPES = {"openai/chat-completions": "chat", "openai/responses": "responses"}
# Content parts: on chat also by the names of Anthropic's form, in which Claude is documented.
_IMAGES = {"chat": {"image_url", "image"}, "responses": {"input_image"}}
_PDFS = {"chat": {"file", "document"}, "responses": {"input_file"}}


@dataclass(frozen=True)
class Schema:
    """What one endpoint takes of a model. `fields` None: not documented."""

    endpoint: str
    fields: tuple[str, ...] | None = None
    images: bool = False
    pdfs: bool = False
    efforts: tuple[str, ...] = ()

    def with_listed(self, tools: bool, images: bool) -> Schema:
        """The schema with what a page says the model takes."""
        fields = {*(self.fields or ()), *(("tools", "tool_choice") if tools else ())}
        return replace(self, fields=tuple(sorted(fields)), images=self.images or images)

    def to_json(self) -> dict[str, Any]:
        """The object of the data file, without what is empty."""
        members = {
            "fields": None if self.fields is None else " ".join(self.fields),
            "images": self.images,
            "pdfs": self.pdfs,
            "efforts": " ".join(self.efforts),
        }
        return {name: value for name, value in members.items() if value not in (None, False, "")}


@dataclass(frozen=True)
class Model:
    """One id: its schemas, chat first, each with its source; sizes in tokens."""

    schemas: tuple[Schema, ...] = ()
    sources: tuple[str, ...] = ()
    context: int | None = None
    output: int | None = None


@dataclass(frozen=True)
class Catalogue:
    """The whole data file."""

    source: str
    date: str
    models: Mapping[str, Model] = field(default_factory=dict)

    def dumps(self) -> str:
        """JSON, one schema and one model a line, so that a change is a line of a diff."""
        lines = [f'"source": {json.dumps(self.source)}', f'"date": {json.dumps(self.date)}']
        numbers: dict[Schema, int] = {}
        for endpoint in BOTH:
            schemas = {s for m in self.models.values() for s in m.schemas if s.endpoint == endpoint}
            objects = sorted(((json.dumps(s.to_json()), s) for s in schemas), key=itemgetter(0))
            numbers |= {schema: number for number, (_, schema) in enumerate(objects)}
            lines.append(f'"{endpoint}": [\n{_joined(text for text, _ in objects)}\n]')
        rows = (
            f"{json.dumps(name)}: {json.dumps(_row(model, numbers))}"
            for name, model in sorted(self.models.items())
        )
        lines.append(f'"models": {{\n{_joined(rows)}\n}}')
        return f"{{\n{_joined(lines)}\n}}\n"


def _row(model: Model, numbers: Mapping[Schema, int]) -> dict[str, Any]:
    pairs = zip(model.schemas, model.sources, strict=True)
    row: dict[str, Any] = {schema.endpoint: [numbers[schema], source] for schema, source in pairs}
    sizes = {"context": model.context, "output": model.output}
    return row | {name: size for name, size in sizes.items() if size is not None}


def _joined(lines: Iterable[str]) -> str:
    return ",\n".join(lines)


def loads(text: str) -> Catalogue:
    """The catalogue of a data file."""
    data = json.loads(text)
    schemas = {
        endpoint: [
            Schema(
                endpoint,
                tuple(row["fields"].split()) if "fields" in row else None,
                row.get("images", False),
                row.get("pdfs", False),
                tuple(row.get("efforts", "").split()),
            )
            for row in data[endpoint]
        ]
        for endpoint in BOTH
    }
    models = {
        name: Model(
            tuple(schemas[end][row[end][0]] for end in BOTH if end in row),
            tuple(row[end][1] for end in BOTH if end in row),
            row.get("context"),
            row.get("output"),
        )
        for name, row in data["models"].items()
    }
    return Catalogue(data["source"], data["date"], models)


def from_docs(checkout: Path) -> Catalogue:
    """The catalogue of a checkout of the vendor's documentation repository."""
    for page in (LIST, TOOLS_PAGE, IMAGES_PAGE):
        if not (checkout / page).is_file():
            raise SystemExit(f"{checkout / page} is not there: give a checkout of {REPOSITORY}.")
    windows = dict(_context_windows((checkout / LIST).read_text(encoding="utf-8")))
    found: dict[str, dict[str, tuple[Schema, str]]] = {}
    folder = checkout / SPECIFICATIONS
    for path in sorted(folder.rglob("*.json")):
        source = path.relative_to(folder).with_suffix("").as_posix()
        for names, schema in _schemas(json.loads(path.read_text(encoding="utf-8"))):
            for name in names:  # several files describe some ids: the first one by name
                found.setdefault(name, {}).setdefault(schema.endpoint, (schema, source))
    with_tools, with_images = (_listed(checkout / page) for page in (TOOLS_PAGE, IMAGES_PAGE))
    models = {}
    for name, by_endpoint in found.items():
        rows = [by_endpoint[endpoint] for endpoint in BOTH if endpoint in by_endpoint]
        models[name] = Model(
            tuple(s.with_listed(name in with_tools, name in with_images) for s, _ in rows),
            tuple(source for _, source in rows),
            windows.get(name),
        )
    if not models:
        raise SystemExit(f"{folder} has no OpenAPI file: give a checkout of {REPOSITORY}.")
    commit, day = _git(checkout, "log", "-1", "--format=%h %cs").split()
    return Catalogue(f"aimlapi/api-docs at {commit}", day, models)


def _git(checkout: Path, *arguments: str) -> str:
    command = ["git", "-C", str(checkout), *arguments]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{checkout} is no checkout: {done.stderr.strip()}")
    return done.stdout


def _schemas(spec: Mapping[str, Any]) -> Iterator[tuple[list[str], Schema]]:
    """The ids and the schema of each operation on one of the two endpoints."""
    for path, operations in spec.get("paths", {}).items():
        endpoint = _ENDPOINTS.get(path)
        if endpoint is None:
            continue
        body = operations["post"]["requestBody"]["content"]["application/json"]["schema"]
        members = body["properties"]
        kinds = set(_kinds(members.get("messages", members.get("input", {}))))
        effort = members.get("reasoning_effort") or members.get("reasoning", {})
        effort = effort.get("properties", {}).get("effort", effort)
        yield (
            members["model"].get("enum", []),
            Schema(
                endpoint,
                tuple(sorted(SENT & members.keys())),
                images=bool(kinds & _IMAGES[endpoint]),
                pdfs=bool(kinds & _PDFS[endpoint]),
                efforts=tuple(effort.get("enum", ())),
            ),
        )


def _kinds(node: Any) -> Iterator[str]:
    """The values of each member `type` that a schema allows: those of content parts among them."""
    if isinstance(node, list):
        for item in node:
            yield from _kinds(item)
    elif isinstance(node, dict):
        kind = node.get("properties", {}).get("type") if "properties" in node else None
        if isinstance(kind, dict):
            yield from kind.get("enum", ())
        for value in node.values():
            yield from _kinds(value)


def _listed(page: Path) -> set[str]:
    """The ids in the list at the end of a page."""
    return set(re.findall(r"^\* \[([^\]]+)\]", page.read_text(encoding="utf-8"), re.MULTILINE))


def _context_windows(text: str) -> Iterator[tuple[str, int]]:
    """The ids and context windows in the table of text models."""
    table = text.partition("### Text Models (LLM)")[2].partition("\n### ")[0]
    for row in re.findall(r"<tr>(.*?)</tr>", table, re.DOTALL):
        cells = re.findall(r"<td>(.*?)</td>", row, re.DOTALL)
        window = cells[2].replace(",", "") if len(cells) > 2 else ""
        for name in re.sub(r"<[^>]*>", " ", cells[0]).split() if window.isdigit() else ():
            yield name, int(window)


def with_live(old: Catalogue, rows: Iterable[CatalogModel], day: str) -> Catalogue:
    """The catalogue with what the service's own list adds to it, or says otherwise."""
    models = dict(old.models)
    for row in rows:
        kinds = (end for kind, end in _LIVE_TYPES.items() if row.endpoint_type.startswith(kind))
        endpoint = next(kinds, None)
        if endpoint is None:
            continue
        takes = row.raw.get("modalities") or {}
        inputs = set(takes.get("input") or ())
        for name in (row.id, *row.aliases):
            model = models.get(name, Model())
            if endpoint not in {schema.endpoint for schema in model.schemas}:
                schema = Schema(endpoint, None, "image" in inputs, "document" in inputs)
                pairs = [*zip(model.schemas, model.sources, strict=True), (schema, "live")]
                pairs.sort(key=lambda pair: pair[0].endpoint)
                schemas, sources = zip(*pairs, strict=True)
                model = replace(model, schemas=schemas, sources=sources)
            models[name] = replace(
                model,
                context=row.context_window or model.context,
                output=row.max_output_tokens or model.output,
            )
    documents = old.source.partition(";")[0]
    return Catalogue(f"{documents}; GET /v1/models", day, models)


def changes(old: Catalogue, new: Catalogue) -> Iterator[str]:
    """What changed, a line for each id."""
    for name in sorted(new.models.keys() - old.models.keys()):
        yield f"+ {name}: {_summary(new.models[name])}"
    for name in sorted(old.models.keys() - new.models.keys()):
        yield f"- {name}"
    for name in sorted(old.models.keys() & new.models.keys()):
        before, after = old.models[name], new.models[name]
        if replace(before, sources=()) != replace(after, sources=()):
            yield f"  {name}: {_summary(before)} -> {_summary(after)}"


def _summary(model: Model) -> str:
    parts = [
        f"{schema.endpoint} ({len(schema.fields or ())} fields"
        f"{', images' if schema.images else ''}{', PDFs' if schema.pdfs else ''}"
        f"{', efforts ' + '/'.join(schema.efforts) if schema.efforts else ''})"
        for schema in model.schemas
    ]
    return ", ".join([*parts, f"context {model.context}", f"output {model.output}"])


def main(argv: list[str] | None = None) -> int:
    """Rewrite the data file; print what changed."""
    parser = argparse.ArgumentParser(prog="python -m scripts.models", description=__doc__)
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--docs", type=Path, metavar="CHECKOUT")
    source.add_argument("--live", action="store_true")
    parser.add_argument("--file", type=Path, default=PATH, help="instead of the package's own")
    given = parser.parse_args(argv)
    old = loads(given.file.read_text("utf-8")) if given.file.exists() else Catalogue("", "")
    if given.live:
        with Client() as client:
            new = with_live(old, client.list_models(), date.today().isoformat())
    else:
        new = from_docs(given.docs)
    given.file.write_text(new.dumps(), encoding="utf-8")
    for line in changes(old, new):
        print(line)
    print(f"{given.file}: {len(new.models)} models, {new.source}, {new.date}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
