"""Owns the removal of files that no row names; runs at start only, when this process is surely alone with its folder.

Files are written before their rows and removed after them, so a process that dies in between leaves a file that nobody
knows. What a live job would bring home again is no loss either.
"""

import asyncio
import logging
import shutil
from collections.abc import Collection
from pathlib import Path

from bot.blobs import Blobs
from bot.store import files
from bot.store.database import Database
from bot.takeouts import FOLDER

log = logging.getLogger(__name__)


async def sweep(*, database: Database, blobs: Blobs, work_dir: Path) -> None:
    """Remove blobs that no row names and the scratch folders of jobs that have ended."""
    async with database.begin() as connection:
        known = await files.blob_keys(connection)
        live = await files.live_job_ids(connection)
    orphans = [key for key in await blobs.keys() if key not in known]
    await blobs.delete(orphans)
    left = await asyncio.to_thread(_remove_folders, work_dir, live)
    if orphans or left:
        log.info("swept %d files and %d folders that a dead process left", len(orphans), left)


def _remove_folders(work_dir: Path, live: Collection[str]) -> int:
    # What links point to goes by its age, see bot.takeouts.py.
    left = [folder for folder in work_dir.glob("*") if folder.name not in {*live, FOLDER}]
    for folder in left:
        shutil.rmtree(folder, ignore_errors=True)
    return len(left)
