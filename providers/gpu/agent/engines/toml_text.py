"""Owns the writing of small TOML files; never reads one, Python before 3.11 has no reader for a test to share."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

#: What a basic string may not hold as it is, beside what JSON escapes too.
_DELETE = "\x7f"


def toml(document: Mapping[str, Any]) -> str:
    """Return a document as TOML: values first, then tables, then lists of tables."""
    lines: list[str] = []
    _table(document, (), lines)
    return "\n".join(lines).strip() + "\n"


def _table(table: Mapping[str, Any], path: tuple[str, ...], lines: list[str]) -> None:
    for key, value in table.items():
        if not isinstance(value, Mapping) and not _is_list_of_tables(value):
            lines.append(f"{_key(key)} = {_value(value)}")
    for key, value in table.items():
        below = (*path, _key(key))
        if isinstance(value, Mapping):
            lines += ["", f"[{'.'.join(below)}]"]
            _table(value, below, lines)
        elif _is_list_of_tables(value):
            for one in value:
                lines += ["", f"[[{'.'.join(below)}]]"]
                _table(one, below, lines)


def _is_list_of_tables(value: Any) -> bool:
    return isinstance(value, (list, tuple)) and bool(value) and all(isinstance(one, Mapping) for one in value)


def _key(key: str) -> str:
    bare = key and all(letter.isascii() and (letter.isalnum() or letter in "_-") for letter in key)
    return key if bare else _text(key)


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        # TOML wants digits on both sides of the point, or an exponent; nan and inf are its words too.
        return repr(value)
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(_value(one) for one in value) + "]"
    raise TypeError(f"TOML has no {type(value).__name__}")


def _text(text: str) -> str:
    """Return a basic string; JSON's escapes are TOML's too, when letters beyond ASCII stay as they are."""
    return json.dumps(text, ensure_ascii=False).replace(_DELETE, "\\u007f")
