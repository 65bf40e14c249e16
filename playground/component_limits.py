"""What Discord allows in the components of a message, and in the controls that modals share with them.

Source: https://docs.discord.com/developers/components/reference
"""

from collections.abc import Callable
from typing import Any

from playground.components import (
    ACTION_ROW,
    BUTTON,
    CONTAINER,
    FILE,
    GALLERY,
    SECTION,
    SELECTS,
    SEPARATOR,
    STRING_SELECT,
    TEXT_DISPLAY,
    THUMBNAIL,
    Path,
    walk,
)
from playground.errors import FormErrors

MAX_COMPONENTS = 40
IN_CONTAINER = frozenset({ACTION_ROW, SECTION, TEXT_DISPLAY, GALLERY, FILE, SEPARATOR})
Json = dict[str, Any]


def check_message_components(components: list[Json], *, v2: bool, found: FormErrors) -> None:
    """Note what is wrong with the components of a message."""
    allowed = IN_CONTAINER | {CONTAINER} if v2 else frozenset({ACTION_ROW})
    if not v2 and len(components) > 5:
        found.add(("components",), "BASE_TYPE_BAD_LENGTH", "Must be between 1 and 5 in length.")
    if v2 and sum(1 for _ in walk(components)) > MAX_COMPONENTS:
        found.add(("components",), "COMPONENT_MAX_TOTAL_COMPONENTS", "The maximum number of components is 40.")
    _only(components, allowed, ("components",), found)
    for path, node in walk(components):
        if check := _CHECKS.get(node.get("type", 0)):
            check(node, path, found)
    check_unique_ids(components, found)


def check_unique_ids(components: list[Json], found: FormErrors) -> None:
    """Note custom ids that are too long or used twice."""
    seen: set[str] = set()
    for path, node in walk(components):
        if "custom_id" not in node:
            continue
        custom_id = node["custom_id"]
        found.length((*path, "custom_id"), custom_id, 1, 100)
        if custom_id in seen:
            code = "COMPONENT_CUSTOM_ID_DUPLICATED"
            found.add((*path, "custom_id"), code, "Component custom id cannot be duplicated")
        seen.add(custom_id)


def _only(children: list[Json], allowed: frozenset[int], path: Path, found: FormErrors) -> None:
    for index, child in enumerate(children):
        if child.get("type") not in allowed:
            known = ", ".join(map(str, sorted(allowed)))
            found.add((*path, index, "type"), "BASE_TYPE_CHOICES", f"Value must be one of ({known}).")


def _count(children: list[Json], low: int, high: int, path: Path, found: FormErrors) -> None:
    if not low <= len(children) <= high:
        found.add(path, "BASE_TYPE_BAD_LENGTH", f"Must be between {low} and {high} in length.")


def _row(node: Json, path: Path, found: FormErrors) -> None:
    children = node.get("components") or []
    where = (*path, "components")
    _count(children, 1, 5, where, found)
    _only(children, SELECTS | {BUTTON}, where, found)
    selects = [child for child in children if child.get("type") in SELECTS]
    if selects and len(children) > 1:
        found.add(where, "COMPONENT_LAYOUT_WIDTH_EXCEEDED", "The components are too wide to fit in the action row.")


def _button(node: Json, path: Path, found: FormErrors) -> None:
    style = node.get("style")
    found.between((*path, "style"), style, 1, 6)
    if not node.get("label") and not node.get("emoji") and style != 6:
        found.add(path, "BUTTON_COMPONENT_LABEL_OR_EMOJI_REQUIRED", "A button must have a label or an emoji.")
    found.length((*path, "label"), node.get("label"), 0, 80)
    if style == 5:
        found.length((*path, "url"), node.get("url"), 1, 512)
        if node.get("custom_id"):
            code = "BUTTON_COMPONENT_CUSTOM_ID_URL_MUTUALLY_EXCLUSIVE"
            found.add(path, code, "A custom id and url cannot both be specified")
    elif "custom_id" not in node and style != 6:
        found.add(path, "BUTTON_COMPONENT_CUSTOM_ID_REQUIRED", "A custom id required")


def check_select(node: Json, path: Path, found: FormErrors) -> None:
    """Note what is wrong with a select menu."""
    found.length((*path, "placeholder"), node.get("placeholder"), 0, 150)
    low, high = check_range(node, path, found, most=25)
    if node.get("type") != STRING_SELECT:
        preset = node.get("default_values")
        if preset and not low <= len(preset) <= high:
            found.add((*path, "default_values"), "BASE_TYPE_BAD_LENGTH", f"Must be between {low} and {high} in length.")
        return
    check_options(node, path, found, low=1, high=25)
    count = len(node.get("options") or [])
    if high > max(count, 1) or low > count:
        found.add((*path, "max_values"), "SELECT_COMPONENT_MAX_VALUES", "Must not be more than there are options.")


def check_range(node: Json, path: Path, found: FormErrors, *, most: int) -> tuple[int, int]:
    """Note a wrong min_values or max_values and give both."""
    low, high = node.get("min_values"), node.get("max_values")
    low, high = 1 if low is None else low, 1 if high is None else high
    found.between((*path, "min_values"), low, 0, most)
    found.between((*path, "max_values"), high, 1, most)
    if low > high and node.get("max_values") is not None:
        found.add((*path, "min_values"), "BASE_TYPE_MAX_VALUE", "Must not be greater than max_values.")
    return low, high


def check_options(node: Json, path: Path, found: FormErrors, *, low: int, high: int) -> None:
    """Note what is wrong with the options of a select, radio group or checkbox group."""
    options = node.get("options") or []
    _count(options, low, high, (*path, "options"), found)
    values: set[Any] = set()
    for index, option in enumerate(options):
        here = (*path, "options", index)
        found.length((*here, "label"), option.get("label"), 1, 100)
        found.length((*here, "value"), option.get("value"), 1, 100)
        found.length((*here, "description"), option.get("description"), 0, 100)
        if option.get("value") in values:
            found.add((*here, "value"), "SELECT_COMPONENT_OPTION_VALUE_DUPLICATED", "The option value is used twice.")
        values.add(option.get("value"))


def _section(node: Json, path: Path, found: FormErrors) -> None:
    children = node.get("components") or []
    _count(children, 1, 3, (*path, "components"), found)
    _only(children, frozenset({TEXT_DISPLAY}), (*path, "components"), found)
    accessory = node.get("accessory")
    if accessory is None:
        found.add((*path, "accessory"), "BASE_TYPE_REQUIRED", "This field is required")
    elif accessory.get("type") not in (BUTTON, THUMBNAIL):
        found.add((*path, "accessory", "type"), "BASE_TYPE_CHOICES", "Value must be one of (2, 11).")


def _text(node: Json, path: Path, found: FormErrors) -> None:
    found.length((*path, "content"), node.get("content"), 1, 4000)


def _thumbnail(node: Json, path: Path, found: FormErrors) -> None:
    found.length((*path, "description"), node.get("description"), 0, 1024)


def _gallery(node: Json, path: Path, found: FormErrors) -> None:
    items = node.get("items") or []
    _count(items, 1, 10, (*path, "items"), found)
    for index, item in enumerate(items):
        found.length((*path, "items", index, "description"), item.get("description"), 0, 1024)


def _file(node: Json, path: Path, found: FormErrors) -> None:
    if not str((node.get("file") or {}).get("url", "")).startswith("attachment://"):
        code = "UNFURLED_MEDIA_ITEM_ATTACHMENT_ONLY"
        found.add((*path, "file", "url"), code, "Only attachment:// is allowed here.")


def _separator(node: Json, path: Path, found: FormErrors) -> None:
    if node.get("spacing") is not None:
        found.between((*path, "spacing"), node["spacing"], 1, 2)


def _container(node: Json, path: Path, found: FormErrors) -> None:
    children = node.get("components") or []
    _count(children, 1, MAX_COMPONENTS, (*path, "components"), found)
    _only(children, IN_CONTAINER, (*path, "components"), found)
    if node.get("accent_color") is not None:
        found.between((*path, "accent_color"), node["accent_color"], 0, 0xFFFFFF)


_CHECKS: dict[int, Callable[[Json, Path, FormErrors], None]] = {
    ACTION_ROW: _row,
    BUTTON: _button,
    SECTION: _section,
    TEXT_DISPLAY: _text,
    THUMBNAIL: _thumbnail,
    GALLERY: _gallery,
    FILE: _file,
    SEPARATOR: _separator,
    CONTAINER: _container,
    **dict.fromkeys(SELECTS, check_select),
}
