"""A database in today's shape, made by the migrations once for each process of tests; every test gets a copy."""

import asyncio
import functools
from pathlib import Path
from tempfile import TemporaryDirectory

from bot.store.database import Database


async def lay_database(folder: Path) -> str:
    """Put a database into a data folder that has none, as a bot of this version leaves it; return its URL."""
    file = folder / "darkroom.db"
    await asyncio.to_thread(_lay, file)
    return f"sqlite+aiosqlite:///{file}"


def _lay(file: Path) -> None:
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(_migrated())


@functools.cache
def _migrated() -> bytes:
    with TemporaryDirectory() as folder:
        file = Path(folder) / "darkroom.db"
        asyncio.run(_migrate(file))
        return file.read_bytes()


async def _migrate(file: Path) -> None:
    async with Database.opened(f"sqlite+aiosqlite:///{file}"):
        pass
