"""The API reference: the server's OpenAPI document as a page, for people."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from http import HTTPStatus
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.safestring import SafeString, mark_safe
from django.views.decorators.http import require_safe
from drf_spectacular.generators import SchemaGenerator

from repos.cards.markdown import render_prompt

_KINDS = {
    "string": "text",
    "integer": "whole number",
    "number": "number",
    "boolean": "true or false",
    "object": "object",
}
# What stands in the lines to copy for the parts of an address, told by what is before them where that decides.
_SHOWN = {
    "repo_type": "models", "namespace": "lab", "name": "model", "revision": "main", "branch": "main", "ref": "v1",
    "status": "pending",
}  # fmt: skip
_SHOWN_AFTER = {"users": "jo", "organizations": "lab", "resolve": "main/config.json", "tree": "main"}


@dataclass(frozen=True)
class Value:
    """A parameter, or a key of a JSON object.  `kind` says in words what may stand there, `text` is safe HTML."""

    name: str
    kind: str
    required: bool
    text: SafeString


@dataclass(frozen=True)
class Operation:
    """One method of one address.  `text` is safe HTML; `example` a body of `example_type`, or ""."""

    key: str
    method: str
    path: str
    title: str
    text: SafeString
    in_path: tuple[Value, ...]
    in_query: tuple[Value, ...]
    body: tuple[Value, ...]
    answers: tuple[str, ...]
    needs_token: bool
    shown_path: str
    example_type: str
    example: str

    def line(self, origin: str) -> str:
        """How to call it with curl, at the server with this origin."""
        parts = ["curl --location" if "/resolve/" in self.path else "curl"]
        if self.method not in ("GET", "POST" if self.example else "GET"):
            parts.append(f"--request {self.method}")
        if self.needs_token:
            parts.append('--header "Authorization: Bearer $HF_TOKEN"')
        if self.example:
            parts += [f'--header "Content-Type: {self.example_type}"', f"--data-binary {shlex.quote(self.example)}"]
        return " \\\n  ".join([*parts, f"{origin}{self.shown_path}"])


@dataclass(frozen=True)
class Group:
    """Operations that belong together."""

    title: str
    operations: tuple[Operation, ...]


@require_safe
def api_reference(request: HttpRequest) -> HttpResponse:
    """Every operation with its parameters, body, answers and a line to copy."""
    origin = request.build_absolute_uri("/").rstrip("/")
    shown = [(group.title, [(one, one.line(origin)) for one in group.operations]) for group in groups()]
    return render(request, "reference.html", {"groups": shown})


@cache
def groups() -> tuple[Group, ...]:
    """The whole of the API, made once: it changes with the code alone."""
    generator = SchemaGenerator()  # type: ignore[no-untyped-call]
    document: dict[str, Any] = generator.get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    operations = [
        (described["tags"][0], _operation(document, path, method, described))
        for path, methods in document["paths"].items()
        for method, described in methods.items()
    ]
    titles = dict.fromkeys(tag for tag, _ in operations)
    return tuple(Group(title, tuple(one for tag, one in operations if tag == title)) for title in titles)


def _operation(document: Mapping[str, Any], path: str, method: str, described: Mapping[str, Any]) -> Operation:
    parameters = described.get("parameters", [])
    contents = described.get("requestBody", {}).get("content", {})
    media_type = next((kind for kind, content in contents.items() if "example" in content), "")
    content: Mapping[str, Any] = contents.get(media_type, {})
    example = content.get("example", "")
    return Operation(
        key=described["operationId"],
        method=method.upper(),
        path=path,
        title=described.get("summary", path),
        text=_html(described.get("description", "")),
        in_path=tuple(_parameter(document, one) for one in parameters if one["in"] == "path"),
        in_query=tuple(_parameter(document, one) for one in parameters if one["in"] == "query"),
        body=tuple(_values(document, _resolved(document, content.get("schema", {})))),
        answers=tuple(_answer(status) for status in described["responses"] if status != "default"),
        needs_token=any("accessToken" in way for way in described["security"]),
        shown_path=_shown_path(path, method),
        example_type=media_type,
        example=example if isinstance(example, str) else json.dumps(example),
    )


def _parameter(document: Mapping[str, Any], said: Mapping[str, Any]) -> Value:
    text = said.get("description", "")
    default = said["schema"].get("default")
    if default is not None:
        text = f"{text}{'; ' if text else ''}by default `{default}`"
    return Value(said["name"], _kind(document, said["schema"]), said.get("required", False), _html(text))


def _values(document: Mapping[str, Any], schema: Mapping[str, Any]) -> Iterator[Value]:
    required = schema.get("required", [])
    for name, said in schema.get("properties", {}).items():
        inner = _resolved(document, said)
        text = said.get("description", "" if "enum" in inner else inner.get("description", ""))
        yield Value(name, _kind(document, said), name in required, _html(text))


def _resolved(document: Mapping[str, Any], schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """The schema that a `$ref` into the same document names, or the schema itself."""
    while "$ref" in schema or len(schema.get("allOf", [])) == 1:
        schema = schema["allOf"][0] if "allOf" in schema else _named(document, schema["$ref"])
    return schema


def _named(document: Mapping[str, Any], ref: str) -> Mapping[str, Any]:
    found: Any = document
    for part in ref.removeprefix("#/").split("/"):
        found = found[part]
    return found  # type: ignore[no-any-return]  # An object, as the references of a valid document are.


def _kind(document: Mapping[str, Any], schema: Mapping[str, Any]) -> str:
    schema = _resolved(document, schema)
    if "oneOf" in schema:
        kinds = [_kind(document, one) for one in schema["oneOf"]]
        return " or ".join(dict.fromkeys(kind for kind in kinds if kind != "null"))
    if "enum" in schema:
        return " or ".join(json.dumps(value) for value in schema["enum"])
    if schema.get("type") == "array":
        return f"list of {_kind(document, schema['items'])}"
    if schema.get("maxLength") == 0:
        return '""'
    return _KINDS.get(schema.get("type", ""), "any JSON")


def _html(markdown: str) -> SafeString:
    return mark_safe(render_prompt(markdown))  # noqa: S308  # Sanitised by nh3, and of our own sources.


def _answer(status: str) -> str:
    return f"{status} {HTTPStatus(int(status)).phrase}"


def _shown_path(path: str, method: str) -> str:
    parts = path.split("/")
    for place, part in enumerate(parts):
        if part.startswith("{"):
            parts[place] = _SHOWN_AFTER.get(parts[place - 1]) or _SHOWN[part.strip("{}")]
    if (parts[-2], method) == ("tag", "post"):
        parts[-1] = _SHOWN["revision"]  # The tag is in the body.
    return "/".join(parts)
