"""Any OpenAPI 3.1 file as a judge over requests and answers; it changes nothing.

The files are not part of the project. They are looked for in the folder named by SPECS_DIR, then in ../shared/specs
beside the checkout.
"""

import functools
import json
import re
from pathlib import Path
from typing import Any

import yaml
from jsonschema.exceptions import best_match

from tests.openapi import spec_path
from tests.schemas import Schemas


@functools.cache
def spec_file(name: str) -> "SpecFile | None":
    """Give the judge, or nothing where the file is missing."""
    path = spec_path(name)
    return SpecFile(path) if path else None


class SpecFile:
    """Hold the schemas and say what in an exchange does not fit them."""

    def __init__(self, path: Path) -> None:
        # CSafeLoader, where there is one, reads half a megabyte of YAML in a second instead of ten.
        loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
        text = path.read_text()
        document = json.loads(text) if path.suffix == ".json" else yaml.load(text, loader)
        # YAML makes dates of what JSON has as text, and jsonschema-rs takes what JSON has.
        self.document: dict[str, Any] = json.loads(json.dumps(document, default=str))
        self._schemas = Schemas(self.document)
        paths = sorted(self.document["paths"], key=lambda p: (p.count("{"), -len(p)))
        self._paths = [(p, re.compile(re.sub(r"\\\{[^}]+\\\}", "([^/]+)", re.escape(p)))) for p in paths]

    def request_complaints(self, method: str, path: str, body: Any) -> list[str]:
        """List what in a request does not fit, with its unknown keys, which most files forget to forbid."""
        where, operation = self._operation(method, path)
        content = operation.get("requestBody", {}).get("content", {})
        if "application/json" not in content:
            return []
        schema = content["application/json"]["schema"]
        known = schema.get("properties")
        unknown = sorted(set(body) - set(known)) if known and isinstance(body, dict) else []
        found = self._found(f"{where}/requestBody/content/application~1json/schema", body)
        return [*found, *(f"{key} is no key of this request" for key in unknown)]

    def answer_complaints(
        self, method: str, path: str, status: int, body: Any, *, other_errors: str | None = None
    ) -> list[str]:
        """List what in an answer does not fit; `other_errors` names the schema of errors that the file leaves out."""
        where, operation = self._operation(method, path)
        answer = operation["responses"].get(str(status))
        if answer is None and other_errors and status >= 400:
            return self._found(f"/components/schemas/{other_errors}", body)
        if answer is None:
            return [f"status {status} is not among {list(operation['responses'])}"]
        if "application/json" not in answer.get("content", {}):
            return []
        return self._found(f"{where}/responses/{status}/content/application~1json/schema", body)

    def _operation(self, method: str, path: str) -> tuple[str, dict[str, Any]]:
        for template, pattern in self._paths:
            if pattern.fullmatch(path) and method.lower() in self.document["paths"][template]:
                escaped = template.replace("~", "~0").replace("/", "~1")
                return f"/paths/{escaped}/{method.lower()}", self.document["paths"][template][method.lower()]
        raise AssertionError(f"{method} {path} is no operation of this file")

    def _found(self, pointer: str, body: Any) -> list[str]:
        told = [best_match([error]) or error for error in self._schemas.errors(pointer, body)]
        return ["/".join(map(str, error.absolute_path)) + ": " + error.message[:200] for error in told]
