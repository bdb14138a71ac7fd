"""Checks JSON answers against the OpenAPI document that a recorded server gave of itself."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import fastjsonschema

_UUID = r"^([0-9a-fA-F]{32}|[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})$"
_DATE = r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,7})?(Z|[+-]\d\d:\d\d)?$"
_PARAMETER = re.compile(r"\\{[^}]*\\}")


@dataclass(frozen=True)
class Answer:
    """A JSON answer with a good status. `path` is without base path and query."""

    method: str
    path: str
    status: int
    body: Any


class Contract:
    """The document of one server."""

    def __init__(self, file: Path) -> None:
        document = json.loads(file.read_text("utf-8"))
        self._definitions = {name: _as_json_schema(each) for name, each in document["components"]["schemas"].items()}
        # The more literal path first: /Items/Counts before /Items/{itemId}.
        paths = sorted(document["paths"], key=lambda path: (path.count("{"), path))
        self._paths = [(_pattern(path), document["paths"][path]) for path in paths]

    def documents(self, answer: Answer) -> bool:
        """Whether the document says what the answer looks like."""
        return self._schema(answer) is not None

    def problems(self, answers: Sequence[Answer]) -> list[str]:
        """What is wrong with answers by the document; those that it does not describe are right."""
        schemas = {json.dumps(schema, sort_keys=True): schema for each in answers if (schema := self._schema(each))}
        names = {key: f"answer{number}" for number, key in enumerate(schemas)}
        # One schema with a member for each kind of answer, since compiling what all share takes a second.
        whole = {
            "definitions": self._definitions,
            "properties": {names[key]: _as_json_schema(schema) for key, schema in schemas.items()},
        }
        validate = fastjsonschema.compile(whole, formats={"uuid": _UUID, "date-time": _DATE})
        found = []
        for answer in answers:
            schema = self._schema(answer)
            if schema is None:
                continue
            try:
                validate({names[json.dumps(schema, sort_keys=True)]: answer.body})
            except fastjsonschema.JsonSchemaValueException as error:
                found.append(f"{answer.method} {answer.path}: {error.message} ({str(error.value)[:80]})")
        return found

    def _schema(self, answer: Answer) -> dict[str, Any] | None:
        path = answer.path.rstrip("/")
        operations: dict[str, Any] = next((each for pattern, each in self._paths if pattern.fullmatch(path)), {})
        told = operations.get(answer.method.lower(), {}).get("responses", {}).get(str(answer.status), {})
        schema: dict[str, Any] | None = told.get("content", {}).get("application/json", {}).get("schema")
        return schema


def _pattern(path: str) -> re.Pattern[str]:
    return re.compile(_PARAMETER.sub("[^/]+", re.escape(path)), re.IGNORECASE)


def _as_json_schema(schema: Any) -> Any:
    """OpenAPI 3.0 as JSON Schema: `nullable` and the place of the definitions are what differs here."""
    if isinstance(schema, list):
        return [_as_json_schema(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    out = {key: _as_json_schema(value) for key, value in schema.items() if key not in {"nullable", "discriminator"}}
    if isinstance(out.get("$ref"), str):
        out["$ref"] = out["$ref"].replace("#/components/schemas/", "#/definitions/")
    if schema.get("nullable") is True:
        return {"anyOf": [{"type": "null"}, out]}
    return out
