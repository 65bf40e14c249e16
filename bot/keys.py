"""Owns which keys have sealed files of this deployment, and the change from one to the next; seals nothing itself.

The ids of keys are written down before the first file is sealed with one, so that a start without a needed key is
refused instead of failing at somebody's photo weeks later.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.blobs import Blobs
from bot.errors import StartupError
from bot.sealing import Keyring, SealBroken
from bot.store import notes
from bot.store.database import Database

#: The note that holds the ids of all keys in use, in hexadecimal with spaces between.
IN_USE = "blob keys in use"


@dataclass(frozen=True, kw_only=True)
class Rotation:
    """What a rotation did."""

    resealed: int
    #: Sealed as wished already.
    left: int
    #: Keys of blobs that could not be opened; they are as they were.
    broken: Sequence[str]


async def note_keys(connection: AsyncConnection, keys: Keyring) -> None:
    """Write down the current key before it is used.

    Raises:
        StartupError: files are sealed with a key that is not here.
    """
    known = await _in_use(connection)
    here = {key.id.hex() for key in (keys.current, *keys.older) if key is not None}
    missing = known - here
    if missing:
        raise StartupError(
            f"Files here are sealed with a key that is missing (id {', '.join(sorted(missing))}).",
            advice="Put it into DARKROOM_BLOB_KEY, or into DARKROOM_OLD_BLOB_KEYS if another one shall seal from now "
            "on; `darkroom keys rotate` then makes it dispensable.",
        )
    if keys.current is not None and keys.current.id.hex() not in known:
        await notes.put(connection, IN_USE, " ".join(sorted(known | {keys.current.id.hex()})))


async def rotate(database: Database, blobs: Blobs, keys: Keyring) -> Rotation:
    """Seal every file with the current key, or open all of them when there is none; goes on where it was stopped.

    Needs the folder for itself. Older keys can be taken away afterwards unless something was broken.
    """
    resealed, broken = 0, []
    stored = await blobs.keys()
    for key in stored:
        try:
            resealed += await blobs.reseal(key)
        except SealBroken:
            broken.append(key)
    if not broken:
        async with database.begin() as connection:
            await notes.put(connection, IN_USE, keys.current.id.hex() if keys.current else "")
    return Rotation(resealed=resealed, left=len(stored) - resealed - len(broken), broken=broken)


async def _in_use(connection: AsyncConnection) -> set[str]:
    return set((await notes.get(connection, IN_USE) or "").split())
