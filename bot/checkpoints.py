"""Owns which of its checkpoints a model uses, and when the others go; never makes a picture with one."""

from collections.abc import Sequence
from dataclasses import dataclass

from bot.blobs import Blobs
from bot.errors import Missing, WrongMoment
from bot.events import JobChanged, News
from bot.lora import Lora, StoredCheckpoint
from bot.sharing import own
from bot.store import checkpoints as rows
from bot.store import jobs as job_rows
from bot.store.database import Database
from bot.texts import _


@dataclass(frozen=True, kw_only=True)
class Checkpoints:
    """A model with the weights that it could use."""

    lora: Lora
    #: By their steps; empty when it has only those that it uses.
    all: Sequence[StoredCheckpoint]

    @property
    def current(self) -> StoredCheckpoint | None:
        """Return the one that the model uses."""
        return next((one for one in self.all if one.blob_key == self.lora.blob_key), None)


class CheckpointService:
    """All that can be done about checkpoints, each call for the model's owner."""

    def __init__(self, *, database: Database, blobs: Blobs, news: News) -> None:
        self._database = database
        self._blobs = blobs
        self._news = news

    async def use(self, owner_id: int, checkpoint_id: str) -> Checkpoints:
        """Let a model use other weights from now on.

        Raises:
            Missing: these weights were deleted.
            NotYours: the model belongs to somebody else.
            WrongMoment: pictures are being made with it.
        """
        async with self._database.begin() as connection:
            chosen = await rows.get(connection, checkpoint_id)
            if chosen is None:
                raise Missing(
                    _("That checkpoint was deleted."), advice=_("The model keeps the weights that it uses now.")
                )
            lora = await own(connection, chosen.lora_id, owner_id)
            if await job_rows.under_way(connection, lora_id=lora.id):
                # Their order must stay the same, also after a crash.
                raise WrongMoment(
                    _("Pictures are being made with **{model}**.").format(model=lora.name),
                    advice=_("Choose again when they are done."),
                )
            await rows.put_to_use(connection, chosen)
            touched = await job_rows.touch_sheets(connection, lora.id)
            lora = await own(connection, chosen.lora_id, owner_id)
            found = Checkpoints(lora=lora, all=await rows.of_lora(connection, lora.id))
        self._tell(touched)
        return found

    async def drop_others(self, owner_id: int, lora_id: str) -> int:
        """Delete all weights but those that the model uses, and return how many went.

        Raises:
            NotYours: the model belongs to somebody else.
            WrongMoment: pictures are being made with them.
        """
        async with self._database.begin() as connection:
            lora = await own(connection, lora_id, owner_id)
            if await job_rows.under_way(connection, lora_id=lora_id):
                raise WrongMoment(
                    _("Pictures are being made with **{model}**.").format(model=lora.name),
                    advice=_("Delete them when these are done."),
                )
            gone = set(await rows.forget(connection, lora_id)) - {lora.blob_key}
            touched = await job_rows.touch_sheets(connection, lora_id)
        await self._blobs.delete(gone)
        self._tell(touched)
        return len(gone)

    async def redraw(self, lora_id: str) -> None:
        """Let the cards show what has changed about a model."""
        async with self._database.begin() as connection:
            touched = await job_rows.touch_sheets(connection, lora_id)
        self._tell(touched)

    def _tell(self, job_ids: Sequence[str]) -> None:
        for job_id in job_ids:
            self._news.publish(JobChanged(job_id=job_id))
