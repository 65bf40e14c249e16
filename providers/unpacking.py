"""Owns how a provider's tar or zip is unpacked: nothing outside the folder, no links, no bombs; never what is in it."""

import gzip
import os
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Any, cast

from providers.errors import ArtifactBroken

_CHUNK = 256 * 1024
#: Headers and tables of contents are read in one go; a longer one is an attack on our memory.
_LONGEST_READ = 16 * 1024 * 1024


@dataclass(frozen=True, kw_only=True)
class UnpackCaps:
    """What an archive may hold at most."""

    entries: int
    #: Bytes of one unpacked entry.
    entry_bytes: int
    #: Bytes of all entries together, wanted or not.
    total_bytes: int


def unpack(
    archive: Path, into: Path, wanted: Callable[[PurePosixPath], bool], caps: UnpackCaps
) -> dict[PurePosixPath, Path]:
    """Write the wanted files of a tar (plain or gzip) or zip and return them by their paths in it; blocks.

    Every entry is checked, wanted or not, and one bad entry spoils the whole. Files land in `into`, an existing folder,
    under numbers and their own suffix, so that no name from outside ever names a file of ours.

    Raises:
        ArtifactBroken: not an archive, damaged, too much, or with an entry that reaches outside.
    """
    try:
        with archive.open("rb") as file:
            magic = file.read(4)
            file.seek(0)
            if magic in {b"PK\x03\x04", b"PK\x05\x06"}:
                return _Unpacking(into, wanted, caps).zip(file)
            with _plain_tar(file, magic) as plain:
                return _Unpacking(into, wanted, caps).tar(plain)
    except (tarfile.TarError, zipfile.BadZipFile, gzip.BadGzipFile, zlib.error, EOFError) as error:
        raise ArtifactBroken("The provider's archive is damaged.") from error
    except (NotImplementedError, RuntimeError, UnicodeError, ValueError) as error:
        raise ArtifactBroken("The provider's archive is packed in a way that can't be read.") from error


class _Unpacking:
    def __init__(self, into: Path, wanted: Callable[[PurePosixPath], bool], caps: UnpackCaps) -> None:
        self._into = into
        self._wanted = wanted
        self._caps = caps
        self._seen: set[PurePosixPath] = set()
        self._declared = 0
        self._entries = 0
        self._written: dict[PurePosixPath, Path] = {}

    def tar(self, file: IO[bytes]) -> dict[PurePosixPath, Path]:
        with tarfile.open(fileobj=file, mode="r:") as tar:
            for member in tar:
                tar.members.clear()  # type: ignore[attr-defined] # a list of all headers is not needed, only memory
                path = self._checked(member.name, member.size)
                if member.isdir():
                    continue
                if not member.isreg() or member.issparse():
                    raise ArtifactBroken("The provider's archive holds a link or a device.")
                with cast("IO[bytes]", tar.extractfile(member)) as content:
                    self._take(path, member.size, content)
        return self._written

    def zip(self, file: IO[bytes]) -> dict[PurePosixPath, Path]:
        with zipfile.ZipFile(cast("IO[bytes]", _Guarded(file))) as archive:
            for member in archive.infolist():
                path = self._checked(member.filename, member.file_size)
                kind = stat.S_IFMT(member.external_attr >> 16)
                if kind not in {0, stat.S_IFREG, stat.S_IFDIR}:
                    raise ArtifactBroken("The provider's archive holds a link or a device.")
                if member.flag_bits & 0x1:
                    raise ArtifactBroken("The provider's archive is encrypted.")
                if not member.is_dir():
                    with archive.open(member) as content:
                        self._take(path, member.file_size, content)
        return self._written

    def _checked(self, name: str, size: int) -> PurePosixPath:
        path = PurePosixPath(name)
        outside = path.is_absolute() or ".." in path.parts or "\\" in name or "\0" in name or name[1:2] == ":"
        if outside:
            raise ArtifactBroken("The provider's archive has an entry that reaches outside of it.")
        if path in self._seen and path.parts:
            raise ArtifactBroken("The provider's archive holds the same file twice.")
        self._seen.add(path)
        self._entries += 1
        self._declared += size
        if self._entries > self._caps.entries:
            raise ArtifactBroken(
                "The provider's archive has more than {most} entries.", values={"most": self._caps.entries}
            )
        if size < 0 or size > self._caps.entry_bytes or self._declared > self._caps.total_bytes:
            raise ArtifactBroken("The provider's archive would unpack to too much.")
        return path

    def _take(self, path: PurePosixPath, size: int, content: IO[bytes]) -> None:
        if not self._wanted(path):
            return
        target = self._into / f"{len(self._written)}{_plain_suffix(path)}"
        left = size
        with target.open("xb") as file:
            while chunk := content.read(_CHUNK):
                left -= len(chunk)
                if left < 0:
                    break
                file.write(chunk)
        if left:
            raise ArtifactBroken("An entry of the provider's archive is not as long as it says.")
        self._written[path] = target


class _Guarded:
    """A file whose reads are never long: lengths that an archive states are not believed."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file

    def read(self, size: int = -1) -> bytes:
        if size > _LONGEST_READ:
            raise ArtifactBroken("The provider's archive has a header that is too long.")
        if size < 0:
            size = _LONGEST_READ
        return self._file.read(size)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)


@contextmanager
def _plain_tar(file: IO[bytes], magic: bytes) -> Iterator[IO[bytes]]:
    if magic[:2] == b"\x1f\x8b":
        with gzip.GzipFile(fileobj=file) as unzipped:
            yield cast("IO[bytes]", _Guarded(cast("IO[bytes]", unzipped)))
    else:
        yield cast("IO[bytes]", _Guarded(file))


def _plain_suffix(path: PurePosixPath) -> str:
    suffix = os.path.splitext(path.name)[1].lower()  # noqa: PTH122 - a name inside an archive, not a path of this system
    return suffix if suffix[1:].isalnum() and suffix.isascii() and len(suffix) <= 16 else ""
