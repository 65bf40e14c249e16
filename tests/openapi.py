"""OpenAPI files as judges over exchanges with what plays a service; they change nothing.

The files are not part of the project. They are looked for in the folder named by SPECS_DIR, then in ../shared/specs
beside the checkout. Discord's, over the playground: https://github.com/discord/discord-api-spec (specs/openapi.json),
kept as `discord.openapi.json`.
"""

import functools
import json
import os
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from jsonschema.exceptions import ValidationError, best_match

from playground.rest import Exchange
from tests.schemas import Schemas

NAME = "discord.openapi.json"
MISSING = (
    f"{NAME} is not here: put specs/openapi.json of https://github.com/discord/discord-api-spec under that name "
    "into a folder and name the folder in SPECS_DIR"
)

DEVIATIONS: tuple[tuple[str, str, str], ...] = (
    # (request or answer, where in the body as a regular expression, reason)
    (
        "request",
        r"(data/)?attachments/\d+/id",
        "discord.py numbers new files with integers, which Discord's documentation allows and the file does not",
    ),
    (
        "request",
        (
            r"recipient_id|(data/)?allowed_mentions/(users|roles)/\d+|message_reference/(message|channel|guild)_id"
            r"|(data/)?components/(.+/)?default_values/\d+/id"
        ),
        "discord.py writes these snowflakes as integers, which Discord reads and the file does not allow",
    ),
    (
        "answer",
        r"errors/(.+/)?_errors/\d+/code",
        "inside a 50035 answer the codes are words in Discord's documentation (BASE_TYPE_CHOICES), numbers in the file",
    ),
)


def spec_path(name: str = NAME) -> Path | None:
    """Find a file, if it is there."""
    beside = Path(__file__).resolve().parents[2] / "shared" / "specs"
    folders = [Path(os.environ["SPECS_DIR"])] if os.environ.get("SPECS_DIR") else []
    return next((folder / name for folder in [*folders, beside] if (folder / name).is_file()), None)


class Judge:
    """Hold the schemas and say what in an exchange does not fit them.

    Args:
        document: An OpenAPI document, or the path of one in JSON.
        owner: Whose it is.
        deviations: What is let pass, as in DEVIATIONS.
        failures: The schemas of a 429 and of all other refusals; None where each operation names its own or none.
    """

    def __init__(
        self,
        document: Path | dict[str, Any],
        *,
        owner: str = "Discord",
        deviations: tuple[tuple[str, str, str], ...] = DEVIATIONS,
        failures: tuple[str, str] | None = ("RatelimitedResponse", "ErrorResponse"),
    ) -> None:
        self.document: dict[str, Any] = json.loads(document.read_text()) if isinstance(document, Path) else document
        self._owner = owner
        self._deviations = deviations
        self._failures = failures
        _let_null(self.document)
        self._schemas = Schemas(self.document)
        paths = sorted(self.document["paths"], key=lambda p: (p.count("{"), -len(p)))
        self._paths = [(p, re.compile(re.sub(r"\\\{[^}]+\\\}", "([^/]+)", re.escape(p)))) for p in paths]

    def complaints(self, exchange: Exchange) -> list[str]:
        """List what does not fit. What was refused, or answered by a planned fault, is judged only where it can be."""
        found = self._operation(exchange.method, exchange.path)
        if found is None:
            complaint = f"{exchange.method} {exchange.path} is no operation of {self._owner}"
            return [] if exchange.status == 404 else [complaint]
        path, operation = found
        problems: list[str] = []
        if exchange.status < 400:
            problems += self._request(exchange, path, operation)
        if not exchange.planned:
            problems += self._answer(exchange, path, operation)
        return [f"{exchange.method} {exchange.path} ({exchange.status}): {problem}" for problem in problems]

    def _operation(self, method: str, path: str) -> tuple[str, dict[str, Any]] | None:
        for template, pattern in self._paths:
            if pattern.fullmatch(path) and method.lower() in self.document["paths"][template]:
                return template, self.document["paths"][template][method.lower()]
        return None

    def _request(self, exchange: Exchange, path: str, operation: dict[str, Any]) -> list[str]:
        body = operation.get("requestBody")
        if not body or "application/json" not in body["content"]:
            return []
        where = f"/paths/{_escaped(path)}/{exchange.method.lower()}/requestBody/content/application~1json/schema"
        return [
            f"request {place}: {message}"
            for place, message in self._errors(where, self._as_read(exchange.request))
            if not self._allowed("request", place)
        ]

    def _as_read(self, body: Any, place: str = "") -> Any:
        """Write numbers as texts where that is let pass: deep inside of a choice, errors do not name their place."""
        if isinstance(body, dict):
            return {key: self._as_read(value, f"{place}/{key}".strip("/")) for key, value in body.items()}
        if isinstance(body, list):
            return [self._as_read(value, f"{place}/{index}") for index, value in enumerate(body)]
        return str(body) if type(body) is int and self._allowed("request", place) else body

    def _answer(self, exchange: Exchange, path: str, operation: dict[str, Any]) -> list[str]:
        if exchange.status >= 400 and self._failures:
            kind = self._failures[0 if exchange.status == 429 else 1]
            found = self._errors(f"/components/schemas/{kind}", exchange.answer)
            return [f"answer {place}: {message}" for place, message in found if not self._allowed("answer", place)]
        answer, where = self._promised(path, exchange.method.lower(), exchange.status, operation["responses"])
        if answer is None and exchange.status >= 400:
            return []
        if answer is None:
            return [f"status {exchange.status} is not among {list(operation['responses'])}"]
        if "content" not in answer:
            return [] if exchange.answer is None else ["an answer with a body where there is none"]
        kind = next(k for k in answer["content"] if k in {"application/json", "application/problem+json"})
        found = self._errors(f"{where}/content/{_escaped(kind)}/schema", exchange.answer)
        return [f"answer {place}: {message}" for place, message in found if not self._allowed("answer", place)]

    def _promised(
        self, path: str, method: str, status: int, responses: dict[str, Any]
    ) -> tuple[dict[str, Any] | None, str]:
        """Give what the file says of a status, and where; only refusals may be left to `default`."""
        key = str(status) if str(status) in responses or status < 400 else "default"
        answer = responses.get(key)
        if answer is not None and "$ref" in answer:
            _, _, kind, name = answer["$ref"].split("/")
            return self.document["components"][kind][name], f"/components/{kind}/{_escaped(name)}"
        return answer, f"/paths/{_escaped(path)}/{method}/responses/{key}"

    def _allowed(self, side: str, place: str) -> bool:
        return any(side == one and re.fullmatch(where, place) for one, where, _ in self._deviations)

    def _errors(self, pointer: str, body: Any) -> list[tuple[str, str]]:
        return [_told(error) for error in self._schemas.errors(pointer, body)]


def _told(error: ValidationError) -> tuple[str, str]:
    best = best_match([error]) or error
    return "/".join(str(step) for step in best.absolute_path), best.message[:300]


def _escaped(text: str) -> str:
    return text.replace("~", "~0").replace("/", "~1")


def _let_null(node: Any) -> None:
    """Read `nullable`, which some files of OpenAPI 3.1 still use as in 3.0."""
    if isinstance(node, list):
        for one in node:
            _let_null(one)
    if isinstance(node, dict):
        if node.get("nullable") is True and isinstance(node.get("type"), str):
            node["type"] = [node["type"], "null"]
        for one in node.values():
            _let_null(one)


@functools.cache
def judge() -> Judge | None:
    """Give the judge, or nothing where the file is missing."""
    path = spec_path()
    return Judge(path) if path else None


def assert_conforms(exchanges: Iterable[Exchange]) -> None:
    """Fail with every complaint about these exchanges; without the file nothing is judged."""
    one = judge()
    if one is None:
        return
    complaints = [complaint for exchange in exchanges for complaint in one.complaints(exchange)]
    assert not complaints, "\n".join(dict.fromkeys(complaints))
