"""Owns where received photos go: into a draft, or held until their person has answered; never draws, never develops.

Photos are held for one of two answers: which of several drafts they are for, or who is in them. Those that wait for the
latter are a batch that carries the id of its draft, so however they came, one answer lets them all in.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.blobs import Blobs
from bot.clock import Clock
from bot.consent import Depicted
from bot.consents import keep_answer
from bot.downloads import Upload
from bot.draft import MOST_PHOTOS, Draft, DraftPhoto, DraftState, StoredFinding, owned, still_open
from bot.drafts import DraftService
from bot.errors import NotYours, WrongMoment
from bot.ids import new_id
from bot.reception import Ready, Received, Reception
from bot.store import drafts as rows
from bot.store.database import Database
from bot.texts import _


@dataclass(frozen=True, kw_only=True)
class Intake:
    """What became of some uploads."""

    #: None when the person has to pick a draft first.
    draft: Draft | None
    #: Set when they wait for that choice.
    batch_id: str | None
    choices: Sequence[Draft]
    #: The photos that were taken; they may still wait for an answer.
    added: Sequence[DraftPhoto]
    #: One sentence for each file that was not taken.
    refused: Sequence[str]

    @property
    def unanswered(self) -> bool:
        """Tell whether the photos wait until it is said who is in them."""
        return self.draft is not None and self.draft.depicted is None


class IntakeService:
    """All that can be done with photos that people send, each call for one person."""

    def __init__(
        self, *, database: Database, blobs: Blobs, reception: Reception, drafts: DraftService, clock: Clock
    ) -> None:
        self._database = database
        self._blobs = blobs
        self._reception = reception
        self._drafts = drafts
        self._clock = clock

    async def receive(self, owner_id: int, uploads: Sequence[Upload], *, draft_id: str | None = None) -> Intake:
        """Take photos into the named draft or the active one, or hold them until the person has answered what is open.

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
        received = await self._reception.receive(uploads)
        if draft is not None:
            return await self._keep(draft, received)
        return await self._hold(owner_id, choices, received)

    async def assign(self, owner_id: int, batch_id: str, draft_id: str) -> Intake:
        """Put held photos into the draft that the person picked, which becomes their active one."""
        async with self._database.begin() as connection:
            draft = still_open(owned(await rows.get(connection, draft_id), owner_id))
            held = await rows.photos_held(connection, batch_id)
            if not held:
                raise WrongMoment(_("These photos are in a draft already."))
            if held[0].owner_id != owner_id:
                raise NotYours(_("These photos belong to somebody else."))
            await rows.set_active(connection, owner_id, draft_id)
            seated, refused = await self._let_in(connection, draft, held)
        return await self._told(draft, held, seated, refused)

    async def answer(self, owner_id: int, draft_id: str, depicted: Depicted) -> Intake:
        """Keep who is in a draft's photos, and let in those that waited for it.

        Raises:
            WrongMoment: a model of a child was trained from it, and would become one of somebody else.
        """
        async with self._database.begin() as connection:
            draft = owned(await rows.get(connection, draft_id), owner_id)
            draft = await keep_answer(connection, draft, depicted, at=self._clock.now())
            held = await rows.photos_held(connection, draft_id)
            seated, refused = await self._let_in(connection, draft, held)
        return await self._told(draft, held, seated, refused)

    async def _keep(self, draft: Draft, received: Received) -> Intake:
        photos = [self._photo(draft.owner_id, ready) for ready in received.ready]
        await self._store(photos, received.ready)
        async with self._database.begin() as connection:
            # It may have been trained, or answered, while the photos were developed.
            draft = still_open(owned(await rows.get(connection, draft.id), draft.owner_id))
            seated, refused = await _seat(connection, draft, photos)
            for photo in seated:
                await rows.add_photo(connection, photo)
            if seated:
                await rows.set_state(connection, draft.id, DraftState.OPEN, at=self._clock.now())
        return await self._told(draft, photos, seated, [*received.refused, *refused])

    async def _hold(self, owner_id: int, choices: Sequence[Draft], received: Received) -> Intake:
        batch_id = new_id()
        photos = [
            replace(self._photo(owner_id, ready), batch_id=batch_id, position=position)
            for position, ready in enumerate(received.ready)
        ]
        await self._store(photos, received.ready)
        async with self._database.begin() as connection:
            for photo in photos:
                await rows.add_photo(connection, photo)
        return Intake(
            draft=None, batch_id=batch_id if photos else None, choices=choices, added=photos, refused=received.refused
        )

    async def _let_in(
        self, connection: AsyncConnection, draft: Draft, held: Sequence[DraftPhoto]
    ) -> tuple[Sequence[DraftPhoto], Sequence[str]]:
        seated, refused = await _seat(connection, draft, held)
        await rows.delete_photos(connection, [photo.id for photo in _spare(held, seated)])
        for photo in seated:
            await rows.move_photo(connection, photo)
        if seated:
            await rows.set_state(connection, draft.id, draft.state, at=self._clock.now())
        return seated, refused

    async def _told(
        self, draft: Draft, photos: Sequence[DraftPhoto], seated: Sequence[DraftPhoto], refused: Sequence[str]
    ) -> Intake:
        """Remove the files of photos that found no place, now that no row names them, and return what became of all."""
        await self._blobs.delete(photo.blob_key for photo in _spare(photos, seated))
        return Intake(draft=draft, batch_id=None, choices=(), added=seated, refused=refused)

    async def _store(self, photos: Sequence[DraftPhoto], received: Sequence[Ready]) -> None:
        for row, ready in zip(photos, received, strict=True):
            await self._blobs.put(row.blob_key, ready.photo.data)

    def _photo(self, owner_id: int, ready: Ready) -> DraftPhoto:
        photo_id, photo = new_id(), ready.photo
        return DraftPhoto(
            id=photo_id,
            owner_id=owner_id,
            draft_id=None,
            batch_id=None,
            position=0,
            file_name=ready.file_name,
            blob_key=f"photos/{photo_id}{photo.extension}",
            content_type=photo.content_type,
            sha256=photo.sha256,
            dhash=photo.dhash,
            width=photo.width,
            height=photo.height,
            findings=tuple(
                StoredFinding(code=f.code.value, sentence=f.sentence, values=f.values) for f in photo.findings
            ),
            caption=ready.caption,
            created_at=self._clock.now(),
        )


async def _seat(
    connection: AsyncConnection, draft: Draft, photos: Sequence[DraftPhoto]
) -> tuple[Sequence[DraftPhoto], Sequence[str]]:
    """Return photos with their place in a draft, or in front of it while it is unanswered, and why others have none."""
    answered = draft.depicted is not None
    there = list(await rows.photos_in(connection, draft.id))
    if not answered:
        there += await rows.photos_held(connection, draft.id)
    coming = {photo.id for photo in photos}
    there = [photo for photo in there if photo.id not in coming]
    seated: list[DraftPhoto] = []
    refused: list[str] = []
    for photo in photos:
        reason = _no_room(there, photo.sha256, photo.file_name)
        if reason:
            refused.append(reason)
            continue
        draft_id, batch_id = (draft.id, None) if answered else (None, draft.id)
        placed = replace(photo, draft_id=draft_id, batch_id=batch_id, position=_next_position(there))
        there.append(placed)
        seated.append(placed)
    return seated, refused


def _spare(photos: Sequence[DraftPhoto], seated: Sequence[DraftPhoto]) -> Sequence[DraftPhoto]:
    kept = {photo.id for photo in seated}
    return [photo for photo in photos if photo.id not in kept]


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
