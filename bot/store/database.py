"""Owns the engine: how the database is opened, migrated, and how a transaction begins; never a query of its own."""

import asyncio
import logging
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiosqlite
import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from bot.errors import StartupError

log = logging.getLogger(__name__)

MIGRATIONS = Path(__file__).with_name("migrations")


#: Seconds that transactions under way get when the database is closed.
CLOSING_SECONDS = 5.0


class DatabaseClosedError(Exception):
    """Somebody came for a transaction after the end, such as an event that was still under way at shutdown."""


class Database:
    """The one database of this process."""

    def __init__(self, engine: AsyncEngine) -> None:
        self.engine = engine
        self._under_way = 0
        self._closed = False
        self._quiet = asyncio.Event()
        self._quiet.set()

    @classmethod
    @asynccontextmanager
    async def opened(cls, url: str) -> AsyncIterator["Database"]:
        """Open the database, bring it to today's shape, and close it at the end.

        Raises:
            StartupError: it cannot be opened or migrated.
        """
        try:
            engine = _engine(url)
        except (SQLAlchemyError, ImportError) as error:
            # The URL itself is not told: it may hold a password.
            raise StartupError(
                f"DARKROOM_DATABASE_URL cannot be used: {error}", advice=".env.example shows its form."
            ) from error
        try:
            try:
                await _migrate(engine)
            except (DBAPIError, OSError) as error:
                raise StartupError(
                    f"The database {sa.make_url(url).render_as_string(hide_password=True)} cannot be opened: {error}",
                    advice="Check DARKROOM_DATABASE_URL and that its folder can be written.",
                ) from error
            database = cls(engine)
            try:
                yield database
            finally:
                await database._end()
        finally:
            await engine.dispose()

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[AsyncConnection]:
        """Open a transaction that is committed at the end of the block, or rolled back if the block fails.

        Raises:
            DatabaseClosedError: the database was closed.
        """
        if self._closed:
            raise DatabaseClosedError("the database is closed")
        self._under_way += 1
        self._quiet.clear()
        try:
            async with self.engine.begin() as connection:
                yield connection
        finally:
            self._under_way -= 1
            if not self._under_way:
                self._quiet.set()

    async def _end(self) -> None:
        """Begin nothing more, and wait for what is under way: a connection in use would outlive the engine."""
        self._closed = True
        try:
            async with asyncio.timeout(CLOSING_SECONDS):
                await self._quiet.wait()
        except TimeoutError:
            log.warning("%d transactions did not end in time", self._under_way)


class _Thorough(aiosqlite.Connection):
    """A connection that ends what it has begun before its caller hears that they are cancelled.

    Cut off half-way, the driver's thread would keep an open transaction, and with it everybody else out of the file.
    """

    def __init__(self, path: str, **options: Any) -> None:
        super().__init__(lambda: sqlite3.connect(path, **options), iter_chunk_size=64)
        # As the dialect does with connections of its own making.
        self._thread.daemon = True

    async def _connect(self) -> aiosqlite.Connection:
        task = asyncio.ensure_future(super()._connect())
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            await asyncio.wait({task})
            if task.exception() is None:
                # Nobody else will ever hold it.
                await self.close()
            raise

    async def _execute(self, fn: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        task = asyncio.ensure_future(super()._execute(fn, *args, **kwargs))  # type: ignore[no-untyped-call]  # the driver's
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            await asyncio.wait({task})
            raise

    async def close(self) -> None:
        if self._connection is not None:
            # SQLite keeps the lock of a closed connection as long as one of its statements is alive.
            await self.rollback()
        await super().close()


def _engine(url: str) -> AsyncEngine:
    if not url.startswith("sqlite"):
        return create_async_engine(url, pool_pre_ping=True, hide_parameters=True)
    # One connection: SQLite has one writer anyway, and five were measured slower than one.
    engine = create_async_engine(
        url,
        # Statements carry prompts, captions and file names, which no log may hold.
        hide_parameters=True,
        pool_size=1,
        max_overflow=0,
        poolclass=sa.AsyncAdaptedQueuePool,
        connect_args={"async_creator_fn": _Thorough},
    )

    @sa.event.listens_for(engine.sync_engine, "connect")
    def _pragmas(connection: Any, _record: Any) -> None:
        # The driver's own transactions begin late and leave out DDL; ours begin where `begin` says.
        connection.isolation_level = None
        cursor = connection.cursor()
        # FULL: an acknowledged commit survives a power cut, which WAL's default does not promise.
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "busy_timeout=30000", "foreign_keys=ON"):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @sa.event.listens_for(engine.sync_engine, "begin")
    def _begin(connection: sa.Connection) -> None:
        # IMMEDIATE: a transaction that will write waits for its turn at once, instead of failing half-way.
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine


async def _migrate(engine: AsyncEngine) -> None:
    def upgrade(connection: sa.Connection) -> None:
        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS))
        config.attributes["connection"] = connection
        command.upgrade(config, "head")

    if engine.url.database and engine.url.get_backend_name() == "sqlite":
        await asyncio.to_thread(Path(engine.url.database).parent.mkdir, parents=True, exist_ok=True)
    async with engine.begin() as connection:
        await connection.run_sync(upgrade)
