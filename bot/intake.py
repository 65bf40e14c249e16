"""Owns how photos come in: fetched, developed, put into a draft or held; never draws, never picks the draft."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace

from bot import words
from bot.blobs import Blobs
from bot.clock import Clock
from bot.downloads import Downloads, Upload
from bot.draft import MOST_PHOTOS, Draft, DraftPhoto, DraftState, StoredFinding, owned, still_open
from bot.drafts import DraftService
from bot.errors import BotError, NotYours, WrongMoment
from bot.ids import new_id
from bot.photo_workers import PhotoWorkers
from bot.photos import DevelopedPhoto, develop
from bot.store import drafts as rows
from bot.store.database import Database
from bot.texts import _

#: Photos of one message that are downloaded and developed at the same time.
AT_ONCE = 2


@dataclass(frozen=True, kw_only=True)
class Intake:
    """What became of some uploads."""

    #: None when the person has to pick a draft first.
    draft: Draft | None
    #: Set when they wait for that choice.
    batch_id: str | None
    choices: Sequence[Draft]
    added: Sequence[DraftPhoto]
    #: One sentence for each file that was not taken.
    refused: Sequence[str]


class IntakeService:
    """All that can be done with photos that people send, each call for one person."""

    def __init__(
        self,
        *,
        database: Database,
        blobs: Blobs,
        downloads: Downloads,
        workers: PhotoWorkers,
        drafts: DraftService,
        clock: Clock,
        most_bytes: int,
    ) -> None:
        self._most_bytes = most_bytes
        self._database = database
        self._blobs = blobs
        self._downloads = downloads
        self._workers = workers
        self._drafts = drafts
        self._clock = clock

    async def receive(self, owner_id: int, uploads: Sequence[Upload], *, draft_id: str | None = None) -> Intake:
        """Take photos into the named draft, the active one, or hold them until the person picks one.

        A file that cannot be used is refused by its name and reason; the others are taken.

        Raises:
            Missing: there is no draft to put them in.
        """
        choices: Sequence[Draft] = ()
        draft: Draft | None = None
        try:
            draft = await self._drafts.current(owner_id, draft_id)
            still_open(draft)
        except WrongMoment:
            choices = await self._drafts.open_drafts(owner_id)
            if draft is not None or len(choices) < 2:
                raise
        developed, refused = await self._develop(uploads)
        if draft is not None:
            return await self._keep(draft, developed, refused)
        return await self._hold(owner_id, choices, developed, refused)

    async def assign(self, owner_id: int, batch_id: str, draft_id: str) -> Intake:
        """Put held photos into the draft that the person picked, which becomes their active one."""
        refused: list[str] = []
        spare: list[DraftPhoto] = []
        async with self._database.begin() as connection:
            draft = still_open(owned(await rows.get(connection, draft_id), owner_id))
            held = await rows.photos_held(connection, batch_id)
            if not held:
                raise WrongMoment(_("These photos are in a draft already."))
            if held[0].owner_id != owner_id:
                raise NotYours(_("These photos belong to somebody else."))
            await rows.set_active(connection, owner_id, draft_id)
            there = list(await rows.photos_in(connection, draft_id))
            for photo in held:
                reason = _no_room(there, photo.sha256, photo.file_name)
                if reason:
                    refused.append(reason)
                    spare.append(photo)
                    continue
                await rows.move_photo(connection, photo.id, draft_id=draft_id, position=_next_position(there))
                there.append(replace(photo, position=_next_position(there)))
            await rows.delete_photos(connection, [photo.id for photo in spare])
            await rows.set_state(connection, draft_id, DraftState.OPEN, at=self._clock.now())
        await self._blobs.delete(photo.blob_key for photo in spare)
        added = [photo for photo in held if photo not in spare]
        return Intake(draft=draft, batch_id=None, choices=(), added=added, refused=refused)

    async def _develop(self, uploads: Sequence[Upload]) -> tuple[list[tuple[str, DevelopedPhoto]], list[str]]:
        limit = asyncio.Semaphore(AT_ONCE)

        async def one(upload: Upload) -> DevelopedPhoto | BotError:
            async with limit:
                try:
                    data = await self._downloads.fetch(upload)
                    return await develop(
                        data,
                        file_name=words.file_label(upload.file_name),
                        workers=self._workers,
                        max_bytes=self._most_bytes,
                    )
                except BotError as error:
                    return error

        results = await asyncio.gather(*(one(upload) for upload in uploads))
        developed = [
            (upload.file_name, result)
            for upload, result in zip(uploads, results, strict=True)
            if isinstance(result, DevelopedPhoto)
        ]
        return developed, [result.sentence for result in results if isinstance(result, BotError)]

    async def _keep(
        self, draft: Draft, developed: Sequence[tuple[str, DevelopedPhoto]], refused: Sequence[str]
    ) -> Intake:
        refusals = list(refused)
        photos = [self._photo(draft.owner_id, name, photo, draft_id=draft.id) for name, photo in developed]
        await self._store(photos, developed)
        added: list[DraftPhoto] = []
        async with self._database.begin() as connection:
            still_open(owned(await rows.get(connection, draft.id), draft.owner_id))
            there = list(await rows.photos_in(connection, draft.id))
            for photo in photos:
                reason = _no_room(there, photo.sha256, photo.file_name)
                if reason:
                    refusals.append(reason)
                    continue
                placed = replace(photo, position=_next_position(there))
                await rows.add_photo(connection, placed)
                there.append(placed)
                added.append(placed)
            if added:
                await rows.set_state(connection, draft.id, DraftState.OPEN, at=self._clock.now())
        kept = {photo.id for photo in added}
        await self._blobs.delete(photo.blob_key for photo in photos if photo.id not in kept)
        return Intake(draft=draft, batch_id=None, choices=(), added=added, refused=refusals)

    async def _hold(
        self,
        owner_id: int,
        choices: Sequence[Draft],
        developed: Sequence[tuple[str, DevelopedPhoto]],
        refused: Sequence[str],
    ) -> Intake:
        batch_id = new_id()
        photos = [
            replace(self._photo(owner_id, name, photo, batch_id=batch_id), position=position)
            for position, (name, photo) in enumerate(developed)
        ]
        await self._store(photos, developed)
        async with self._database.begin() as connection:
            for photo in photos:
                await rows.add_photo(connection, photo)
        return Intake(draft=None, batch_id=batch_id if photos else None, choices=choices, added=photos, refused=refused)

    async def _store(self, photos: Sequence[DraftPhoto], developed: Sequence[tuple[str, DevelopedPhoto]]) -> None:
        for row, (_name, photo) in zip(photos, developed, strict=True):
            await self._blobs.put(row.blob_key, photo.data)

    def _photo(
        self,
        owner_id: int,
        file_name: str,
        photo: DevelopedPhoto,
        *,
        draft_id: str | None = None,
        batch_id: str | None = None,
    ) -> DraftPhoto:
        photo_id = new_id()
        return DraftPhoto(
            id=photo_id,
            owner_id=owner_id,
            draft_id=draft_id,
            batch_id=batch_id,
            position=0,
            file_name=words.file_label(file_name),
            blob_key=f"photos/{photo_id}{photo.extension}",
            content_type=photo.content_type,
            sha256=photo.sha256,
            dhash=photo.dhash,
            width=photo.width,
            height=photo.height,
            findings=tuple(
                StoredFinding(code=f.code.value, sentence=f.sentence, values=f.values) for f in photo.findings
            ),
            caption="",
            created_at=self._clock.now(),
        )


def _no_room(there: Sequence[DraftPhoto], sha256: str, file_name: str) -> str | None:
    for number, photo in enumerate(there, start=1):
        if photo.sha256 == sha256:
            return _("**{file}** is in the draft already, as photo {number}.").format(file=file_name, number=number)
    if len(there) >= MOST_PHOTOS:
        sentence = _("**{file}** finds no room: a draft holds {most} photos. Remove one first.")
        return sentence.format(file=file_name, most=MOST_PHOTOS)
    return None


def _next_position(there: Sequence[DraftPhoto]) -> int:
    return max((photo.position for photo in there), default=0) + 1
