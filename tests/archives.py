"""Zips as people send them, and as nobody should."""

import io
import stat
import zipfile
from collections.abc import Mapping

from PIL import Image


def picture(number: int = 1, size: int = 64) -> bytes:
    """Draw a small picture that differs by its number."""
    shade = Image.new("RGB", (size, size), (7 * number % 256, 90, 200))
    for bit in range(6):
        if number >> bit & 1:
            shade.paste((255, 230, 120), (bit * 10, 0, bit * 10 + 9, 64))
    buffer = io.BytesIO()
    shade.save(buffer, "PNG")
    return buffer.getvalue()


def zipped(files: Mapping[str, bytes | str], *, method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """Pack files under exactly these names."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def with_link(name: str = "link.jpg", target: str = "/etc/passwd") -> bytes:
    """Pack a symbolic link."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        member = zipfile.ZipInfo(name)
        member.create_system, member.external_attr = 3, (stat.S_IFLNK | 0o777) << 16
        archive.writestr(member, target)
    return buffer.getvalue()


def locked(name: str, content: bytes) -> bytes:
    """Pack a file whose head says that it is encrypted."""
    data = bytearray(zipped({name: content}, method=zipfile.ZIP_STORED))
    data[6] |= 1
    data[data.rindex(b"PK\x01\x02") + 8] |= 1
    return bytes(data)


def with_a_liar(name: str, size: int) -> bytes:
    """Pack a file that unpacks to far more than its head says."""
    data = bytearray(zipped({name: bytes(size)}))
    small = (10).to_bytes(4, "little")
    data[22:26] = small
    at = data.rindex(b"PK\x01\x02") + 24
    data[at : at + 4] = small
    return bytes(data)
