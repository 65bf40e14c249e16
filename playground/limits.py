"""What Discord allows in a message: counts and sizes, refused with Discord's codes.

Sources: https://docs.discord.com/developers/resources/message and https://docs.discord.com/developers/components/reference
"""

from dataclasses import dataclass
from typing import Any

from playground import errors
from playground.component_limits import check_message_components
from playground.components import texts
from playground.errors import FormErrors

MAX_FILES = 10
MAX_FILE_BYTES = 10 * 1024 * 1024
MAX_REQUEST_BYTES = 25 * 1024 * 1024
MAX_CONTENT = 2000
MAX_TEXT_DISPLAYS = 4000
COMPONENTS_V2 = 1 << 15
EPHEMERAL = 1 << 6

Json = dict[str, Any]


@dataclass(frozen=True, kw_only=True, slots=True)
class SentFile:
    """Hold one file of a multipart request."""

    filename: str
    data: bytes


def check_files(files: dict[int, SentFile]) -> None:
    """Refuse files that are too large or a request that is.

    Raises:
        ApiError: 413 with code 40005.
    """
    sizes = [len(file.data) for file in files.values()]
    if sum(sizes) > MAX_REQUEST_BYTES or any(size > MAX_FILE_BYTES for size in sizes):
        raise errors.too_large()


def check_message(payload: Json, *, flags: int, file_count: int, editing: bool = False) -> None:
    """Refuse a message that Discord would refuse; `flags` are those that it will carry.

    Raises:
        ApiError: 50035 or 50006.
    """
    found = FormErrors()
    content, components = payload.get("content"), payload.get("components") or []
    if content:
        found.length(("content",), content, 0, MAX_CONTENT)
    if file_count > MAX_FILES:
        found.add(("attachments",), "BASE_TYPE_MAX_LENGTH", f"Must be {MAX_FILES} or fewer in length.")
    if isinstance(payload.get("nonce"), str):
        found.length(("nonce",), payload["nonce"], 0, 25)
    _check_embeds(payload.get("embeds") or [], found)
    _check_version(payload, flags, found)
    check_message_components(components, v2=bool(flags & COMPONENTS_V2), found=found)
    if sum(map(len, texts(components))) > MAX_TEXT_DISPLAYS:
        wording = f"The combined length of all text displays must be {MAX_TEXT_DISPLAYS} or fewer."
        found.add(("components",), "COMPONENT_DISPLAYABLE_TEXT_SIZE_EXCEEDED", wording)
    found.refuse()
    says_something = content or components or payload.get("embeds") or file_count
    if not editing and not says_something:
        raise errors.empty_message()


def _check_version(payload: Json, flags: int, found: FormErrors) -> None:
    """Refuse the old fields beside the new components."""
    if not flags & COMPONENTS_V2:
        return
    for name in ("content", "embeds", "poll", "sticker_ids"):
        if payload.get(name):
            code = "MESSAGE_CANNOT_USE_LEGACY_FIELDS_WITH_COMPONENTS_V2"
            found.add((name,), code, f"The '{name}' field cannot be used when using MessageFlags.IS_COMPONENTS_V2")


def _check_embeds(embeds: list[Json], found: FormErrors) -> None:
    if len(embeds) > 10:
        found.add(("embeds",), "BASE_TYPE_MAX_LENGTH", "Must be 10 or fewer in length.")
    total = 0
    for index, embed in enumerate(embeds):
        parts: list[tuple[tuple[str | int, ...], Any, int]] = [
            (("title",), embed.get("title"), 256),
            (("description",), embed.get("description"), 4096),
            (("footer", "text"), (embed.get("footer") or {}).get("text"), 2048),
            (("author", "name"), (embed.get("author") or {}).get("name"), 256),
        ]
        fields = embed.get("fields") or []
        if len(fields) > 25:
            found.add(("embeds", index, "fields"), "BASE_TYPE_MAX_LENGTH", "Must be 25 or fewer in length.")
        for number, field in enumerate(fields):
            parts.append((("fields", number, "name"), field.get("name"), 256))
            parts.append((("fields", number, "value"), field.get("value"), 1024))
        for path, text, most in parts:
            found.length(("embeds", index, *path), text, 0, most)
            total += len(text or "")
    if total > 6000:
        found.add(("embeds",), "MAX_EMBED_SIZE_EXCEEDED", "Embed size exceeds maximum size of 6000")
