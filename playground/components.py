"""Message components: walking over them and turning what a bot sent into what the API answers. It judges nothing."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from playground.errors import FormErrors
from playground.world import Attachment

Json = dict[str, Any]
Path = tuple[str | int, ...]

ACTION_ROW, BUTTON, STRING_SELECT, TEXT_INPUT = 1, 2, 3, 4
USER_SELECT, ROLE_SELECT, MENTIONABLE_SELECT, CHANNEL_SELECT = 5, 6, 7, 8
SECTION, TEXT_DISPLAY, THUMBNAIL, GALLERY, FILE, SEPARATOR = 9, 10, 11, 12, 13, 14
CONTAINER, LABEL, FILE_UPLOAD, RADIO_GROUP, CHECKBOX_GROUP, CHECKBOX = 17, 18, 19, 21, 22, 23
SELECTS = frozenset({STRING_SELECT, USER_SELECT, ROLE_SELECT, MENTIONABLE_SELECT, CHANNEL_SELECT})

_DEFAULTS: dict[int, Json] = {
    THUMBNAIL: {"description": None, "spoiler": False},
    FILE: {"spoiler": False},
    SEPARATOR: {"spacing": 1, "divider": True},
    CONTAINER: {"accent_color": None, "spoiler": False},
    **{kind: {"min_values": 1, "max_values": 1} for kind in SELECTS},
}


def walk(components: list[Json], path: Path = ("components",)) -> Iterator[tuple[Path, Json]]:
    """Give every component with its path, parents first, in reading order."""
    for index, node in enumerate(components):
        if not isinstance(node, dict):
            continue
        here = (*path, index)
        yield here, node
        yield from walk(node.get("components") or [], (*here, "components"))
        for single in ("accessory", "component"):
            if isinstance(child := node.get(single), dict):
                yield (*here, single), child


def texts(components: list[Json]) -> list[str]:
    """List what the text displays say, in reading order."""
    return [str(node.get("content") or "") for _, node in walk(components) if node.get("type") == TEXT_DISPLAY]


@dataclass(frozen=True, kw_only=True, slots=True)
class Media:
    """Resolve `attachment://name` against the files of a message; `base` is where the CDN answers."""

    files: list[Attachment]
    base: str

    def unfurl(self, item: Json, path: Path, errors: FormErrors) -> Json:
        url = str(item.get("url", ""))
        if not url.startswith("attachment://"):
            return {"id": "0", "url": url, "proxy_url": url, "width": None, "height": None, "content_type": None}
        name = url.removeprefix("attachment://")
        for one in self.files:
            if one.filename == name:
                return self._of(one)
        code = "UNFURLED_MEDIA_ITEM_REFERENCED_ATTACHMENT_NOT_FOUND"
        errors.add((*path, "url"), code, f"The referenced attachment '{name}' was not found.")
        return {}

    def _of(self, one: Attachment) -> Json:
        where = f"{self.base}{one.path}"
        identity = {"id": str(one.id), "attachment_id": str(one.id)}
        size = {"width": None, "height": None, "content_type": one.content_type}
        return {**identity, "url": f"{where}?ex=1&is=1&hm=1", "proxy_url": where, **size}


def answered(components: list[Json], media: Media, errors: FormErrors) -> list[Json]:
    """Give components in the form in which the API answers: with ids, defaults and resolved media."""
    used = {node["id"] for _, node in walk(components) if node.get("id")}
    free = (number for number in range(1, 1000) if number not in used)
    return [_answered(node, ("components", i), media, errors, free) for i, node in enumerate(components)]


def _answered(node: Json, path: Path, media: Media, errors: FormErrors, free: Iterator[int]) -> Json:
    kind = node["type"]
    given = {key: value for key, value in node.items() if value is not None}
    out: Json = {**_DEFAULTS.get(kind, {}), **given, "id": node.get("id") or next(free)}
    if kind == BUTTON and "disabled" not in out:
        out["disabled"] = False
    if "default_values" in out:
        out["default_values"] = [one | {"id": str(one["id"])} for one in out["default_values"]]
    for key in ("media", "file"):
        if key in out:
            out[key] = media.unfurl(out[key], (*path, key), errors)
    if kind == FILE:
        out |= _named(out["file"], media)
    if kind == GALLERY:
        out["items"] = [
            {"description": None, "spoiler": False}
            | {k: v for k, v in item.items() if v is not None}
            | {"media": media.unfurl(item.get("media") or {}, (*path, "items", i, "media"), errors)}
            for i, item in enumerate(node.get("items") or [])
        ]
    if "components" in out:
        children = enumerate(out["components"])
        out["components"] = [_answered(c, (*path, "components", i), media, errors, free) for i, c in children]
    if "accessory" in out:
        out["accessory"] = _answered(out["accessory"], (*path, "accessory"), media, errors, free)
    return out


def _named(unfurled: Json, media: Media) -> Json:
    for one in media.files:
        if str(one.id) == unfurled.get("attachment_id"):
            return {"name": one.filename, "size": len(one.data)}
    return {"name": None, "size": None}
