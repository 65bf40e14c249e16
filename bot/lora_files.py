"""Owns how an owner gets a model's file: small ones as a file, larger ones by a signed link; never somebody else's."""

import asyncio
import re
import shutil
import time
from dataclasses import dataclass
from pathlib import Path

from bot.blobs import Blobs
from bot.errors import WrongMoment
from bot.lora import Lora
from bot.sharing import own
from bot.store.database import Database
from bot.texts import _
from bot.web.files import LIFE, SignedFiles
from providers.weights_header import write_clean

MIB = 1024 * 1024
#: Seconds between two looks for copies whose links have ended.
ROUND_SECONDS = 3600.0
_PREFIX = "export-"


@dataclass(frozen=True, kw_only=True)
class HandedOut:
    """A model's file for its owner: either its bytes, or a link to it."""

    lora: Lora
    file_name: str
    size: int
    data: bytes | None = None
    link: str | None = None


class LoraFiles:
    """Makes clean copies of models' files; the copies behind links lie in the scratch folder until the links end."""

    def __init__(self, *, database: Database, blobs: Blobs, files: SignedFiles, work_dir: Path) -> None:
        self._database = database
        self._blobs = blobs
        self._files = files
        self._work_dir = work_dir

    async def run(self) -> None:
        """Remove copies whose links have ended, now and every hour, until cancelled."""
        while True:
            await asyncio.to_thread(self._drop_old)
            await asyncio.sleep(ROUND_SECONDS)

    async def hand_out(self, owner_id: int, lora_id: str, *, most_bytes: int) -> HandedOut:
        """Return a model's file, or a link to it where it is larger than `most_bytes`.

        Raises:
            NotYours: it belongs to somebody else.
            WrongMoment: it is too large for Discord, and nobody can reach this bot from outside.
        """
        async with self._database.begin() as connection:
            lora = await own(connection, lora_id, owner_id)
        folder = self._work_dir / f"{_PREFIX}{lora.id}"
        path = folder / f"{lora.id}.safetensors"
        await self._copy(lora, folder, path)
        size, name = (await asyncio.to_thread(path.stat)).st_size, file_name_of(lora)
        if size <= most_bytes:
            data = await asyncio.to_thread(path.read_bytes)
            await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)
            return HandedOut(lora=lora, file_name=name, size=size, data=data)
        link = self._files.link(path, name=name)
        if link is None:
            await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)
            raise WrongMoment(
                _(
                    "The file of **{model}** has {size} MiB. Discord takes {most} MiB here, and this bot has no public "
                    "address to download from."
                ).format(model=lora.name, size=-(-size // MIB), most=most_bytes // MIB),
                advice=_("Ask the operator of this bot to set PUBLIC_URL, or for the file."),
            )
        return HandedOut(lora=lora, file_name=name, size=size, link=link)

    async def _copy(self, lora: Lora, folder: Path, path: Path) -> None:
        await asyncio.to_thread(folder.mkdir, parents=True, exist_ok=True)
        opened = await self._blobs.as_file(lora.blob_key, folder / "opened")
        half = path.with_suffix(".part")
        try:
            await asyncio.to_thread(
                write_clean, opened, half, base_model=lora.base_model, trigger_word=lora.trigger_word
            )
            await asyncio.to_thread(half.replace, path)
        finally:
            await asyncio.to_thread(shutil.rmtree, folder / "opened", ignore_errors=True)

    def _drop_old(self) -> None:
        before = time.time() - LIFE.total_seconds()
        for folder in self._work_dir.glob(f"{_PREFIX}*"):
            if folder.stat().st_mtime < before:
                shutil.rmtree(folder, ignore_errors=True)


def file_name_of(lora: Lora) -> str:
    """Return a plain name for a model's file."""
    stem = re.sub(r"[^a-z0-9]+", "-", lora.name.casefold()).strip("-") or "model"
    return f"{stem}-{lora.base_model.value}.safetensors"
