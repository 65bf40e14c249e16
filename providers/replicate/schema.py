"""Owns what a version at Replicate takes as input, by its own OpenAPI schema; never guesses a value."""

from collections.abc import Iterable, Mapping
from typing import Any

from providers.errors import Refused
from providers.replicate.answers import Version

_TYPES: Mapping[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "array": (list, tuple),
    "object": (dict,),
}


class InputSchema:
    """The inputs of one version.

    Args:
        version: As the API tells it.
        part: "TrainingInput" or "Input".

    Raises:
        Refused: the version has no such inputs, so it can't do this job.
    """

    def __init__(self, version: Version, part: str) -> None:
        document = version.openapi_schema or {}
        self._parts: Mapping[str, Any] = document.get("components", {}).get("schemas", {})
        schema = self._parts.get(part)
        if not isinstance(schema, Mapping) or not isinstance(schema.get("properties"), Mapping):
            raise Refused(
                "This model at Replicate can't do this kind of job.",
                advice="The operator of this bot has to set another model.",
            )
        self._properties: Mapping[str, Mapping[str, Any]] = schema["properties"]
        self._required: Iterable[str] = schema.get("required", ())

    def __contains__(self, name: str) -> bool:
        return name in self._properties

    def first(self, *names: str) -> str | None:
        """Return the first of these names that is an input here."""
        return next((name for name in names if name in self._properties), None)

    def type_of(self, name: str) -> str | None:
        """Return the type of an input, if it says one."""
        kind = self._rules(name).get("type")
        return kind if isinstance(kind, str) else None

    def check(self, inputs: Mapping[str, Any]) -> None:
        """Check inputs before they are paid for.

        Raises:
            Refused: one is unknown, missing, of the wrong type or out of range; its own value is not told.
        """
        for name in self._required:
            if name not in inputs:
                raise Refused(
                    "The model at Replicate needs the input {input}, which this bot doesn't know.",
                    values={"input": repr(name)},
                )
        for name, value in inputs.items():
            if name not in self._properties:
                raise Refused("The model at Replicate has no input {input}.", values={"input": repr(name)})
            self._check_one(name, value, self._rules(name))

    def _rules(self, name: str) -> Mapping[str, Any]:
        """Return the rules of one input, with those that it refers to."""
        rules: dict[str, Any] = {}
        own = self._properties[name]
        for part in (*own.get("allOf", ()), *(one for one in own.get("anyOf", ()) if one.get("type") != "null"), own):
            reference = part.get("$ref", "")
            rules |= self._parts.get(reference.rpartition("/")[2], {}) if reference else part
        return rules

    def _check_one(self, name: str, value: Any, rules: Mapping[str, Any]) -> None:
        named = {"input": repr(name)}
        types = _TYPES.get(str(rules.get("type")))
        if types and (not isinstance(value, types) or (isinstance(value, bool) and bool not in types)):
            raise Refused("The model at Replicate takes a {type} as {input}.", values={**named, "type": rules["type"]})
        if "enum" in rules and value not in rules["enum"]:
            raise Refused(
                "The model at Replicate takes {choices} as {input}.",
                values={**named, "choices": ", ".join(map(str, rules["enum"]))},
            )
        if isinstance(value, int | float) and not isinstance(value, bool):
            told = {**named, "value": f"{value:g}"}
            if value < rules.get("minimum", value):
                raise Refused(
                    "The model at Replicate takes at least {least} as {input}, not {value}.",
                    values={**told, "least": rules["minimum"]},
                )
            if value > rules.get("maximum", value):
                raise Refused(
                    "The model at Replicate takes at most {most} as {input}, not {value}.",
                    values={**told, "most": rules["maximum"]},
                )
        if isinstance(value, str) and len(value) > rules.get("maxLength", len(value)):
            raise Refused(
                "The model at Replicate takes at most {most} characters as {input}.",
                values={**named, "most": rules["maxLength"]},
            )
