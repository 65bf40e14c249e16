"""Owns the command line: reads what the operator wants and ends with one readable line when it cannot be had."""

import argparse
import asyncio
import contextlib
import logging
import signal
import sys
from collections.abc import Coroutine, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from bot.app import opened_services
from bot.blobs import Blobs
from bot.budget import MICRO, disagreements
from bot.client import point_at, stay_connected
from bot.data_folder import alone_in
from bot.demo import PROVIDERS, play_demo
from bot.doctor import examine
from bot.errors import StartupError
from bot.keys import note_keys, rotate
from bot.logs import start_logging
from bot.sealing import Key
from bot.settings import Settings
from bot.store import ledger
from bot.store.database import Database
from bot.store.ledger import EntryKind

log = logging.getLogger(__name__)

#: Exit codes after sysexits.h: the configuration is wrong.
EX_CONFIG = 78


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the command line says and return the exit code."""
    options = _parser().parse_args(arguments)
    try:
        return asyncio.run(_until_told_to_stop(_work(options)))
    except StartupError as error:
        print(f"darkroom: {error.sentence}", file=sys.stderr)  # noqa: T201 - the command line's own voice
        return EX_CONFIG
    except KeyboardInterrupt:
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="darkroom", description="Train personal image models in Discord.")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("run", help="start the bot on Discord")
    commands.add_parser("doctor", help="check every part, and say what to set and where to get it")
    ledger = commands.add_parser("ledger", help="look into the ledger")
    ledger.add_argument("what", choices=["check"], help="check: prove that every job's money adds up")
    keys = commands.add_parser("keys", help="the keys that seal photos, models and pictures on disk")
    keys.add_argument(
        "what",
        choices=["new", "rotate"],
        help="new: print a fresh key; rotate: seal every file with DARKROOM_BLOB_KEY, while the bot is stopped",
    )
    demo = commands.add_parser("demo", help="play the whole story on this machine: no account, no key, no token")
    demo.add_argument(
        "--provider",
        choices=list(PROVIDERS),
        default=PROVIDERS[0],
        help="who trains: sketch, a small real model (the default), a stand-in for Replicate, RunPod or "
        "Paperspace, or local: one for sd-scripts on this machine",
    )
    demo.add_argument("--photos", type=Path, metavar="DIR", help="a folder with photos of your own to train from")
    demo.add_argument(
        "--out",
        type=Path,
        metavar="DIR",
        default=Path("darkroom-demo"),
        help="where pictures and conversation are saved (default: darkroom-demo)",
    )
    return parser


def _work(options: argparse.Namespace) -> Coroutine[Any, Any, int]:
    match options.command:
        case "demo":
            return play_demo(folder=options.out, photos=options.photos, provider=options.provider)
        case "doctor":
            return _consult(_settings())
        case "keys" if options.what == "new":
            return _print_new_key()
        case "keys":
            return _rotate_keys(_settings())
        case "ledger":
            return _check_ledger(_settings())
        case _:
            return _run(_settings())


def _settings() -> Settings:
    try:
        return Settings()
    except ValidationError as error:
        first = error.errors()[0]
        name = str(first["loc"][0]).upper() if first["loc"] else "a setting"
        raise StartupError(f"{name} cannot be used: {first['msg']}.", advice=".env.example shows its form.") from error


async def _run(settings: Settings) -> int:
    if settings.discord_token is None:
        raise StartupError(
            "DISCORD_TOKEN is missing.",
            advice="Get one at discord.com/developers/applications (New Application, Bot, Reset Token) "
            "and put it into .env; `darkroom demo` needs none.",
        )
    start_logging(settings.darkroom_log_level)
    point_at(settings)
    async with opened_services(settings) as services:
        await stay_connected(services, settings.discord_token.get_secret_value())
    return 0


async def _consult(settings: Settings) -> int:
    """Print the doctor's findings; 1 when something vital is missing."""
    findings = await examine(settings)
    for finding in findings:
        print(finding)  # noqa: T201 - the command line's own voice
    return 1 if any(finding.vital and not finding.ok for finding in findings) else 0


async def _print_new_key() -> int:
    print(Key.fresh())  # noqa: T201 - the command line's own voice
    return 0


async def _rotate_keys(settings: Settings) -> int:
    """Seal every file with the current key; 1 when one could not be opened."""
    folder, keys = settings.darkroom_data_dir.resolve(), settings.keyring
    with contextlib.ExitStack() as stack:
        await asyncio.to_thread(stack.enter_context, alone_in(folder))
        async with Database.opened(settings.database_url) as database:
            async with database.begin() as connection:
                await note_keys(connection, keys)
            done = await rotate(database, await Blobs.opened(folder / "blobs", keys), keys)
    for key in done.broken:
        print(f"{key}: cannot be opened, left as it is")  # noqa: T201 - the command line's own voice
    how = "sealed with the current key" if keys.current else "opened: no key is set"
    print(f"{done.resealed} files {how}, {done.left} were so already.")  # noqa: T201 - as above
    return 1 if done.broken else 0


async def _check_ledger(settings: Settings) -> int:
    """Print whether the ledger agrees with the jobs; beside a running bot too."""
    async with Database.opened(settings.database_url) as database, database.begin() as connection:
        wrong = await disagreements(connection)
        totals = await ledger.totals(connection)
    for line in wrong:
        print(line)  # noqa: T201 - the command line's own voice
    sums = ", ".join(f"{kind} ${totals.get(kind, 0) / MICRO:.2f}" for kind in EntryKind)
    print(f"The sums {'do not ' if wrong else ''}agree: {sums}.")  # noqa: T201 - as above
    return 1 if wrong else 0


async def _until_told_to_stop(work: Coroutine[Any, Any, int]) -> int:
    """Await the work, or end it in good order when the system asks with SIGTERM."""
    task = asyncio.create_task(work, name="darkroom")
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    with contextlib.suppress(asyncio.CancelledError):
        return await task
    return 0
