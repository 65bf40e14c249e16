"""The process under test: the real bot, with every effect numbered and a SIGKILL at one of them.

An effect is a commit, an HTTP request with its answer, or a blob that is written or removed.

`python -m tests.crash.launcher` reads one `Run` as JSON from a line of its standard input, forks a process for it, and
writes the process's id, then its end. Forking saves the second that the imports take; the process is one of its own.
"""

import asyncio
import gc
import importlib
import json
import os
import signal
import sys
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aiohttp
from obstore.store import LocalStore
from pydantic import SecretStr
from sqlalchemy.engine.default import DefaultDialect

from bot.app import opened_services
from bot.client import point_at, stay_connected
from bot.logs import start_logging
from bot.settings import Settings
from bot.texts import _, languages, speaking
from tests.fakes.till_adapter import till_registry


@dataclass(frozen=True, kw_only=True)
class Run:
    """One life of the bot, and where it ends."""

    folder: str
    token: str
    api_base: str
    gateway_url: str
    till: str
    #: Effects are counted while this file exists.
    armed: str
    #: What is done, a line an effect; and the log.
    trail: str
    log: str
    #: The effect at which it is killed, from 1; 0 for none.
    kill_at: int = 0
    #: Killed when the effect has been had, rather than just before.
    after: bool = False
    #: Days that photos and drafts are kept; None for as long as usual.
    keep_days: float | None = None

    def line(self) -> str:
        return json.dumps(asdict(self)) + "\n"


class Instruments:
    """Counts effects, writes them down, and kills the process at one of them."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._count = 0
        self._changes = 0
        self._trail = os.open(run.trail, os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    def install(self) -> None:
        """Put the instruments at the places that every effect passes."""
        self._watch_commits()
        self._watch_requests()
        self._watch_blobs("put_async")
        self._watch_blobs("delete_async")

    def _begin(self, what: str) -> int:
        if not Path(self._run.armed).exists():
            return 0
        self._count += 1
        os.write(self._trail, f"{self._count} {what}\n".encode())
        self._strike(self._count, after=False)
        return self._count

    def _strike(self, number: int, *, after: bool) -> None:
        if number and number == self._run.kill_at and after == self._run.after:
            os.kill(os.getpid(), signal.SIGKILL)

    def _watch_commits(self) -> None:
        commit = DefaultDialect.do_commit

        def counted(dialect: DefaultDialect, connection: Any) -> None:
            changes = connection.driver_connection.total_changes
            number = self._begin("commit") if changes != self._changes else 0
            self._changes = changes
            commit(dialect, connection)  # type: ignore[no-untyped-call]  # SQLAlchemy leaves it unannotated
            self._strike(number, after=True)

        DefaultDialect.do_commit = counted  # type: ignore[method-assign]  # the launcher's whole purpose

    def _watch_requests(self) -> None:
        request: Callable[..., Awaitable[Any]] = aiohttp.ClientSession._request

        async def counted(session: aiohttp.ClientSession, method: str, url: Any, **more: Any) -> Any:
            number = self._begin(f"{method} {_where(str(url), self._run)}")
            answer = await request(session, method, url, **more)
            self._strike(number, after=True)
            return answer

        aiohttp.ClientSession._request = counted  # type: ignore[method-assign,assignment]  # as above

    def _watch_blobs(self, method: str) -> None:
        effect: Callable[..., Awaitable[Any]] = getattr(LocalStore, method)

        async def counted(store: LocalStore, key: str, *more: Any) -> Any:
            number = self._begin(f"blob {method.removesuffix('_async')} {key.partition('/')[0]}/…")
            answer = await effect(store, key, *more)
            self._strike(number, after=True)
            return answer

        setattr(LocalStore, method, counted)


def _where(url: str, run: Run) -> str:
    """Shorten an address to what tells one effect from another."""
    parts = [part for part in urlsplit(url).path.removeprefix("/api/v10").split("/") if part]
    shown = [part if len(part) < 25 and not part.isdigit() else "…" for part in parts]
    return f"{'till' if url.startswith(run.till) else 'discord'} /{'/'.join(shown)}"


async def live(run: Run) -> None:
    """Be the bot until somebody kills it."""
    settings = Settings(
        _env_file=None,  # type: ignore[call-arg]  # pydantic-settings takes it without declaring it to the checker
        discord_token=SecretStr(run.token),
        discord_api_base=run.api_base,
        discord_gateway_url=run.gateway_url,
        darkroom_data_dir=Path(run.folder),
        darkroom_card_seconds=0.05,
        **_kept_for(run.keep_days),
    )
    point_at(settings)
    async with opened_services(settings, registry=till_registry(run.till)) as services:
        await stay_connected(services, run.token)


def _kept_for(days: float | None) -> dict[str, Any]:
    return {} if days is None else {"darkroom_keep_photos_days": days, "darkroom_keep_drafts_days": days}


def _child(run: Run) -> None:
    log = os.open(run.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    for stream in (1, 2):
        os.dup2(log, stream)
    start_logging("INFO")
    Instruments(run).install()
    asyncio.run(live(run))


def main() -> None:
    # What the bot would load on its way: the cogs by their name, the catalogues when they are first spoken.
    importlib.import_module("cogs")
    for language in languages():
        with speaking(language):
            _("Cancel")
    gc.freeze()
    for line in sys.stdin:
        run = Run(**json.loads(line))
        child = os.fork()
        if child == 0:
            try:
                _child(run)
            finally:
                os._exit(1)
        print(child, flush=True)  # noqa: T201 - how the harness hears of it
        _pid, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)  # noqa: T201 - as above


if __name__ == "__main__":
    main()
