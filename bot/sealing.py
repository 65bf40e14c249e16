"""Owns how files are sealed at rest: AES-256-GCM piece by piece, and which key opens what; never where files lie.

A sealed file is `MAGIC`, the key's id (8 bytes), a nonce prefix (7 bytes), then pieces of 1 MiB with a tag of 16 bytes
each. A piece's nonce is prefix, number (4 bytes) and a last byte that is 1 for the last piece only, so pieces can be
neither reordered nor dropped nor cut off (the STREAM construction: Hoang, Reyhanitabar, Rogaway, Vizár 2015, eprint
2015/189). The file's name is authenticated with every piece, so two files cannot be exchanged either.
"""

import base64
import binascii
import hashlib
import io
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from pydantic import SecretStr

from bot.errors import StartupError

MAGIC = b"DARKROOM-SEAL-1\n"
PIECE = 1024 * 1024
_KEY_BYTES = 32
_ID_BYTES = 8
_PREFIX_BYTES = 7
_TAG_BYTES = 16


class SealBroken(Exception):
    """A sealed file was changed, cut off, or put in another one's place; or no key here opens it."""


@dataclass(frozen=True)
class Key:
    """A key, known by an id that tells nothing about it."""

    id: bytes
    _cipher: AESGCM = field(repr=False)

    @classmethod
    def parse(cls, text: SecretStr) -> "Key":
        """Return the key that an operator wrote down.

        Raises:
            StartupError: it is no key.
        """
        try:
            raw = base64.urlsafe_b64decode(text.get_secret_value().strip().encode())
        except (binascii.Error, ValueError):
            raw = b""
        if len(raw) != _KEY_BYTES:
            raise StartupError(
                "A key in DARKROOM_BLOB_KEY or DARKROOM_OLD_BLOB_KEYS is not 32 bytes in base64.",
                advice="`darkroom keys new` prints a good one.",
            )
        return cls(hashlib.sha256(b"darkroom key id\0" + raw).digest()[:_ID_BYTES], AESGCM(raw))

    @staticmethod
    def fresh() -> str:
        """Return a new key as an operator writes it down."""
        return base64.urlsafe_b64encode(AESGCM.generate_key(256)).decode()

    def seal(self, prefix: bytes, number: int, *, last: bool, data: bytes, name: bytes) -> bytes:
        """Return one piece, sealed."""
        return self._cipher.encrypt(_nonce(prefix, number, last=last), data, name)

    def open(self, prefix: bytes, number: int, *, last: bool, data: bytes, name: bytes) -> bytes:
        """Return one piece as it was.

        Raises:
            SealBroken: it is not what was sealed.
        """
        try:
            return self._cipher.decrypt(_nonce(prefix, number, last=last), data, name)
        except InvalidTag as error:
            raise SealBroken("a piece of a sealed file is not what was written") from error


@dataclass(frozen=True, kw_only=True)
class Keyring:
    """The key that seals, and all that open; without any, files are written as they are."""

    current: Key | None = None
    older: Sequence[Key] = ()

    @classmethod
    def parse(cls, current: SecretStr | None, older: SecretStr | None) -> "Keyring":
        """Return the keys of a deployment; `older` holds those that only open, with commas between.

        Raises:
            StartupError: one of them is no key.
        """
        texts = [SecretStr(text) for text in (older.get_secret_value() if older else "").split(",") if text.strip()]
        return cls(current=Key.parse(current) if current else None, older=[Key.parse(text) for text in texts])

    def seal(self, source: BinaryIO, into: BinaryIO, *, name: str) -> None:
        """Copy a file, sealed with the current key if there is one; blocks."""
        if self.current is None:
            while data := source.read(PIECE):
                into.write(data)
            return
        prefix = os.urandom(_PREFIX_BYTES)
        into.write(MAGIC + self.current.id + prefix)
        for number, (data, last) in enumerate(_pieces(source, PIECE)):
            into.write(self.current.seal(prefix, number, last=last, data=data, name=name.encode()))

    def opened(self, source: BinaryIO, *, name: str) -> Iterator[bytes]:
        """Yield a file's content, sealed or not; blocks.

        Raises:
            SealBroken: see there.
        """
        head = source.read(len(MAGIC))
        if head != MAGIC:
            yield head
            while data := source.read(PIECE):
                yield data
            return
        key = self._key(source.read(_ID_BYTES))
        prefix = source.read(_PREFIX_BYTES)
        for number, (data, last) in enumerate(_pieces(source, PIECE + _TAG_BYTES)):
            yield key.open(prefix, number, last=last, data=data, name=name.encode())

    def opened_bytes(self, data: bytes, *, name: str) -> bytes:
        """Return a whole file's content; blocks.

        Raises:
            SealBroken: see there.
        """
        return b"".join(self.opened(io.BytesIO(data), name=name))

    def sealed_as_wished(self, source: BinaryIO) -> bool:
        """Tell whether a file is sealed with the current key, or not at all when there is none."""
        sealed = source.read(len(MAGIC)) == MAGIC
        key_id = source.read(_ID_BYTES) if sealed else None
        return key_id == (self.current.id if self.current else None)

    def _key(self, key_id: bytes) -> Key:
        for key in (self.current, *self.older):
            if key is not None and key.id == key_id:
                return key
        raise SealBroken(f"no key here opens it; it was sealed with key {key_id.hex()}")


def _nonce(prefix: bytes, number: int, *, last: bool) -> bytes:
    return prefix + number.to_bytes(4, "big") + bytes([last])


def _pieces(source: BinaryIO, size: int) -> Iterator[tuple[bytes, bool]]:
    """Yield pieces, each with whether it is the last; an empty file is one empty piece."""
    data = source.read(size)
    while True:
        following = source.read(size)
        yield data, not following
        if not following:
            return
        data = following
