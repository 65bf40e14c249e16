"""A form as a person fills it in: what the client checks before it sends it."""

from collections.abc import Callable
from typing import Any

from playground.components import CHECKBOX, FILE_UPLOAD, LABEL, RADIO_GROUP, SELECTS, STRING_SELECT, TEXT_INPUT
from playground.errors import PersonError
from playground.seen import Field, Modal, Upload

Json = dict[str, Any]
Store = Callable[[Upload], Json]  # puts a file on the CDN and gives its JSON


def fill(modal: Modal, values: dict[str, Any], store: Store) -> Json:
    """Give the data of the submission; fields that are not named keep what stands in them.

    Raises:
        PersonError: The client would not let it be sent.
    """
    chosen = {modal.find(name).custom_id: value for name, value in values.items()}
    attachments: dict[str, Json] = {}
    components = []
    for field in modal.fields:
        value = chosen.get(field.custom_id, field.value)
        node = {"type": field.kind, "id": field.id, "custom_id": field.custom_id}
        node |= _value(field, value, store, attachments)
        if field.row:
            components.append({"type": 1, "id": field.outer_id, "components": [node]})
        else:
            components.append({"type": LABEL, "id": field.outer_id, "component": node})
    data: Json = {"custom_id": modal.custom_id, "components": components}
    return data | ({"resolved": {"attachments": attachments}} if attachments else {})


def _value(field: Field, value: Any, store: Store, attachments: dict[str, Json]) -> Json:
    if field.kind == TEXT_INPUT:
        return {"value": _text(field, value)}
    if field.kind == CHECKBOX:
        if not isinstance(value, bool):
            raise PersonError(f"{field.label!r} is a tick: True or False")
        return {"value": value}
    if field.kind == RADIO_GROUP:
        picked = [] if value is None else [value]
        _count(field, picked, 1, 1)
        return {"value": _option(field, value) if picked else None}
    values = list(value) if isinstance(value, (list, tuple)) else [value]
    _count(field, values, field.low, field.high)
    if field.kind == FILE_UPLOAD:
        return {"values": [_attach(field, one, store, attachments) for one in values]}
    if field.kind in SELECTS and field.kind != STRING_SELECT:
        return {"values": [str(getattr(one, "id", one)) for one in values]}
    return {"values": [_option(field, one) for one in values]}


def _text(field: Field, value: Any) -> str:
    if not isinstance(value, str):
        raise PersonError(f"{field.label!r} takes text, not {value!r}")
    if field.required and not value:
        raise PersonError(f"{field.label!r} must be filled in")
    if value and not field.low <= len(value) <= field.high:
        raise PersonError(f"{field.label!r} takes {field.low} to {field.high} characters, not {len(value)}")
    return value


def _count(field: Field, values: list[Any], low: int, high: int) -> None:
    if not values and not field.required:
        return
    if not values and field.required:
        raise PersonError(f"{field.label!r} must be filled in")
    if not low <= len(values) <= high:
        raise PersonError(f"{field.label!r} takes {low} to {high}, not {len(values)}")


def _option(field: Field, value: Any) -> str:
    for option in field.options:
        if value in (option.value, option.name):
            return str(option.value)
    raise PersonError(f"{field.label!r} does not offer {value!r}; it offers {[o.value for o in field.options]}")


def _attach(field: Field, value: Any, store: Store, attachments: dict[str, Json]) -> str:
    if not isinstance(value, Upload):
        raise PersonError(f"{field.label!r} takes files, not {value!r}")
    shown = store(value)
    attachments[shown["id"]] = shown
    return str(shown["id"])
