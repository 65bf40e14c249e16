"""Owns what a zip of photos that somebody sent holds: pictures, their captions, and why the rest is left; decodes none.

Nothing is ever unpacked to a file, so a name in a zip is only a label; those that try to be more are refused all the
same. What a file says of its size is not believed: reading stops at the limit.

Captions are what trainers use: a text file of the same name beside its picture.
"""

import io
import re
import stat
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from bot.errors import BadInput
from bot.texts import _
from bot.words import LONGEST_CAPTION, file_label

#: Discord's largest attachment on servers of the highest level.
MOST_ARCHIVE_BYTES = 100 * 1024 * 1024
#: Files that a zip may list.
MOST_MEMBERS = 1000
#: Bytes of that list; reading one of millions of files is a bomb of its own.
MOST_LIST_BYTES = 2 * 1024 * 1024
#: Pictures of one zip that are looked at: twice as many as a draft holds, so that bad ones leave room for others.
MOST_PICTURES = 60
#: A caption in UTF-8, with room for the blanks that are trimmed.
_MOST_CAPTION_BYTES = 8 * LONGEST_CAPTION

_PICTURES = frozenset(
    {".jpg", ".jpeg", ".jfif", ".png", ".webp", ".heic", ".heif", ".avif", ".gif", ".tif", ".tiff", ".bmp"}
)
_CAPTIONS = frozenset({".txt", ".caption"})
_ARCHIVES = frozenset({".zip", ".rar", ".7z", ".tar", ".gz", ".tgz"})
_ENCRYPTED = 0x1
_END, _END_BYTES, _ZIP64_LOCATOR = b"PK\x05\x06", 22, b"PK\x06\x07"
#: What systems leave in archives, and our own list of what an archive holds.
_JUNK = frozenset({"thumbs.db", "desktop.ini", "manifest.json"})
_DRIVE = re.compile(r"[A-Za-z]:")

#: What zipfile raises on broken, hostile or unusual members; found by reading it and by feeding it damaged files.
_ZIP_ERRORS = (
    zipfile.BadZipFile,
    NotImplementedError,
    RuntimeError,
    ValueError,
    EOFError,
    OSError,
    zlib.error,
    OverflowError,
    LookupError,
)


@dataclass(frozen=True, kw_only=True)
class ArchivedPhoto:
    """A picture in an archive, not yet read."""

    #: Its path inside, as it can be shown.
    label: str
    member: zipfile.ZipInfo
    caption: str = ""


@dataclass(kw_only=True)
class Contents:
    """What an archive holds."""

    photos: list[ArchivedPhoto] = field(default_factory=list)
    #: One sentence for each file that is left, and for each caption that cannot be used.
    refused: list[str] = field(default_factory=list)


def is_archive(data: bytes) -> bool:
    """Tell whether a file begins like a zip; an empty one has no other beginning."""
    return data.startswith((b"PK\x03\x04", b"PK\x05\x06"))


def list_contents(data: bytes, file_name: str) -> Contents:
    """Return what an archive holds, in the order of its names; blocks, as reading does.

    Raises:
        BadInput: it is damaged, or lists too many files.
    """
    with _opened(data, file_name) as archive:
        members = [member for member in archive.infolist() if not member.is_dir()]
        if len(members) > MOST_MEMBERS:
            raise _too_many(file_name)
        return _sorted_out(archive, sorted(members, key=lambda member: _in_order(member.filename)))


def read_photo(data: bytes, photo: ArchivedPhoto, *, file_name: str, most_bytes: int) -> bytes:
    """Return the bytes of one picture; blocks.

    Raises:
        BadInput: it is damaged, or larger than that.
    """
    with _opened(data, file_name) as archive:
        try:
            content = _read(archive, photo.member, most_bytes)
        except _ZIP_ERRORS as error:
            raise BadInput(
                _("**{file}** is damaged inside the zip.").format(file=photo.label),
                advice=_("Send it again, or use another photo."),
            ) from error
    if len(content) > most_bytes:
        raise BadInput(
            _("**{file}** is larger than {most} MiB when it is unpacked.").format(
                file=photo.label, most=f"{most_bytes / 1024**2:g}"
            ),
            advice=_("Send a smaller copy of it."),
        )
    return content


def _too_many(file_name: str) -> BadInput:
    return BadInput(
        _("**{file}** holds more than {most} files.").format(file=file_name, most=MOST_MEMBERS),
        advice=_("Zip the photos alone, without the folders around them."),
    )


def _opened(data: bytes, file_name: str) -> zipfile.ZipFile:
    if _list_size(data) > MOST_LIST_BYTES:
        raise _too_many(file_name)
    try:
        return zipfile.ZipFile(io.BytesIO(data))
    except _ZIP_ERRORS as error:
        raise BadInput(
            _("**{file}** is damaged: it cannot be opened as a zip.").format(file=file_name),
            advice=_("Make it once more and send it again."),
        ) from error


def _list_size(data: bytes) -> int:
    """Return how many bytes of the archive list its files, as zipfile would read them; 0 when it would find no list."""
    ends_bare = data[-_END_BYTES:].startswith(_END) and data.endswith(b"\0\0")
    end = len(data) - _END_BYTES if ends_bare else data.rfind(_END, max(0, len(data) - _END_BYTES - 65_535))
    if end < 0:
        return 0
    size = int.from_bytes(data[end + 12 : end + 16], "little")
    if data[end - 20 : end - 16] == _ZIP64_LOCATOR and end >= 76:
        size = max(size if size < 0xFFFFFFFF else 0, int.from_bytes(data[end - 36 : end - 28], "little"))
    return size


def _sorted_out(archive: zipfile.ZipFile, members: Sequence[zipfile.ZipInfo]) -> Contents:
    contents = Contents()
    texts: dict[str, zipfile.ZipInfo] = {}
    seen: set[str] = set()
    pictures: set[str] = set()
    for member in members:
        suffix = PurePosixPath(member.filename).suffix.lower()
        if _is_junk(member.filename):
            continue
        reason = _why_not(member, suffix, seen)
        seen.add(member.filename.lower())
        if reason:
            contents.refused.append(reason.format(file=_label(member)))
        elif suffix in _CAPTIONS:
            texts[_stem(member.filename)] = member
        elif len(pictures) < MOST_PICTURES:
            pictures.add(_stem(member.filename))
            contents.photos.append(ArchivedPhoto(label=_label(member), member=member))
        else:
            pictures.add(_stem(member.filename))
            sentence = _("**{file}** is one picture too many: of one zip {most} are looked at.")
            contents.refused.append(sentence.format(file=_label(member), most=MOST_PICTURES))
    contents.photos = [_captioned(archive, photo, texts, contents) for photo in contents.photos]
    without = _("**{file}** is a text without a picture of the same name.")
    contents.refused += [without.format(file=_label(text)) for stem, text in texts.items() if stem not in pictures]
    return contents


def _why_not(member: zipfile.ZipInfo, suffix: str, seen: set[str]) -> str | None:
    path = PurePosixPath(_slashed(member.filename))
    leads_out = path.is_absolute() or ".." in path.parts or _DRIVE.match(member.filename) is not None
    reasons = (
        (leads_out, _("**{file}** has a path that leads out of the zip.")),
        (stat.S_ISLNK(member.external_attr >> 16), _("**{file}** is a link, not a picture.")),
        (bool(member.flag_bits & _ENCRYPTED), _("**{file}** is locked with a password. Send it without one.")),
        (member.filename.lower() in seen, _("**{file}** is in the zip twice; the first one is taken.")),
        (suffix in _ARCHIVES, _("**{file}** is an archive inside the zip. Send it by itself.")),
        (suffix not in _PICTURES | _CAPTIONS, _("**{file}** is neither a picture that I can use nor a caption.")),
    )
    return next((sentence for applies, sentence in reasons if applies), None)


def _captioned(
    archive: zipfile.ZipFile, photo: ArchivedPhoto, texts: Mapping[str, zipfile.ZipInfo], contents: Contents
) -> ArchivedPhoto:
    member = texts.get(_stem(photo.member.filename))
    if member is None:
        return photo
    try:
        text = _read(archive, member, _MOST_CAPTION_BYTES).decode("utf-8-sig")
    except (UnicodeDecodeError, *_ZIP_ERRORS):
        sentence = _("**{file}** is no readable text, so its photo has no caption.")
        contents.refused.append(sentence.format(file=_label(member)))
        return photo
    line = " ".join(text.split())
    if len(line) > LONGEST_CAPTION:
        sentence = _("**{file}** is longer than {most} characters, so its photo has no caption.")
        contents.refused.append(sentence.format(file=_label(member), most=LONGEST_CAPTION))
        return photo
    return ArchivedPhoto(label=photo.label, member=photo.member, caption=line)


def _read(archive: zipfile.ZipFile, member: zipfile.ZipInfo, most: int) -> bytes:
    """Return at most one byte more than that, whatever the archive says of its size."""
    with archive.open(member) as file:
        return file.read(most + 1)


def _is_junk(path: str) -> bool:
    parts = PurePosixPath(_slashed(path)).parts
    hidden = any(part == "__MACOSX" or (part.startswith(".") and part not in {".", ".."}) for part in parts)
    return hidden or (bool(parts) and parts[-1].lower() in _JUNK)


def _slashed(path: str) -> str:
    """Return a path with the slashes of zips; some programs on Windows write their own."""
    return path.replace("\\", "/")


def _stem(path: str) -> str:
    return str(PurePosixPath(_slashed(path)).with_suffix("")).lower()


def _label(member: zipfile.ZipInfo) -> str:
    return file_label(PurePosixPath(_slashed(member.filename)).name) or _("A file without a name")


def _in_order(path: str) -> list[tuple[int, int, str]]:
    """Return a key that puts photo 2 before photo 10."""
    parts = re.split(r"(\d+)", path.lower())
    # Numbers by length and then by digits: int() refuses those of thousands.
    return [(0, len(part.lstrip("0")), part.lstrip("0")) if part.isdecimal() else (1, 0, part) for part in parts]
