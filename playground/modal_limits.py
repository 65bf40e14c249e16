"""What Discord allows in a modal, and in the answer of an autocompletion.

Source: https://docs.discord.com/developers/components/reference and
https://docs.discord.com/developers/interactions/receiving-and-responding#interaction-response-object-modal
"""

from typing import Any

from playground.component_limits import check_options, check_range, check_select, check_unique_ids
from playground.components import (
    ACTION_ROW,
    CHECKBOX,
    CHECKBOX_GROUP,
    FILE_UPLOAD,
    LABEL,
    RADIO_GROUP,
    SELECTS,
    TEXT_DISPLAY,
    TEXT_INPUT,
    Path,
)
from playground.errors import FormErrors

IN_LABEL = SELECTS | {TEXT_INPUT, FILE_UPLOAD, RADIO_GROUP, CHECKBOX_GROUP, CHECKBOX}
Json = dict[str, Any]


def check_modal(data: Json) -> None:
    """Refuse a modal that Discord would refuse.

    Raises:
        ApiError: 50035.
    """
    found = FormErrors()
    components = data.get("components") or []
    found.length(("data", "title"), data.get("title"), 1, 45)
    found.length(("data", "custom_id"), data.get("custom_id"), 1, 100)
    if not 1 <= len(components) <= 5:
        found.add(("data", "components"), "BASE_TYPE_BAD_LENGTH", "Must be between 1 and 5 in length.")
    for index, node in enumerate(components):
        _check_item(node, ("data", "components", index), found)
    check_unique_ids(components, found)
    found.refuse()


def _check_item(node: Json, path: Path, found: FormErrors) -> None:
    kind = node.get("type")
    if kind == TEXT_DISPLAY:
        found.length((*path, "content"), node.get("content"), 1, 4000)
    elif kind == LABEL:
        found.length((*path, "label"), node.get("label"), 1, 45)
        found.length((*path, "description"), node.get("description"), 0, 100)
        _check_control(node.get("component") or {}, (*path, "component"), found)
    elif kind == ACTION_ROW:
        children = node.get("components") or []
        if [child.get("type") for child in children] != [TEXT_INPUT]:
            found.add((*path, "components"), "BASE_TYPE_CHOICES", "A row in a modal holds exactly one text input.")
        for child in children:
            found.length((*path, "components", 0, "label"), child.get("label"), 1, 45)
            _check_text_input(child, (*path, "components", 0), found)
    else:
        found.add((*path, "type"), "BASE_TYPE_CHOICES", "Value must be one of (1, 10, 18).")


def _check_control(node: Json, path: Path, found: FormErrors) -> None:
    kind = node.get("type")
    if kind not in IN_LABEL:
        known = ", ".join(map(str, sorted(IN_LABEL)))
        found.add((*path, "type"), "BASE_TYPE_CHOICES", f"Value must be one of ({known}).")
    elif kind == TEXT_INPUT:
        if node.get("label"):
            found.add((*path, "label"), "TEXT_INPUT_LABEL_IN_LABEL", "A text input in a label has no label of its own.")
        _check_text_input(node, path, found)
    elif kind in SELECTS:
        check_select(node, path, found)
    elif kind == FILE_UPLOAD:
        check_range(node, path, found, most=10)
    elif kind == RADIO_GROUP:
        check_options(node, path, found, low=2, high=10)
    elif kind == CHECKBOX_GROUP:
        check_options(node, path, found, low=1, high=10)
        check_range(node, path, found, most=10)


def _check_text_input(node: Json, path: Path, found: FormErrors) -> None:
    low, high = node.get("min_length"), node.get("max_length")
    low, high = 0 if low is None else low, 4000 if high is None else high
    found.between((*path, "style"), node.get("style"), 1, 2)
    found.between((*path, "min_length"), low, 0, 4000)
    found.between((*path, "max_length"), high, 1, 4000)
    found.length((*path, "placeholder"), node.get("placeholder"), 0, 100)
    if node.get("value"):
        found.length((*path, "value"), node["value"], low, high)


def check_choices(data: Json) -> None:
    """Refuse an autocompletion that Discord would refuse.

    Raises:
        ApiError: 50035.
    """
    found = FormErrors()
    choices = data.get("choices") or []
    if len(choices) > 25:
        found.add(("data", "choices"), "BASE_TYPE_MAX_LENGTH", "Must be 25 or fewer in length.")
    for index, choice in enumerate(choices):
        here = ("data", "choices", index)
        found.length((*here, "name"), choice.get("name"), 1, 100)
        if isinstance(choice.get("value"), str):
            found.length((*here, "value"), choice["value"], 0, 100)
    found.refuse()
