"""Owns drafts: opening, filling with photos and captions, discarding; never trains and never draws a panel."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from bot import words
from bot.blobs import Blobs
from bot.clock import Clock
from bot.contact_sheet import SheetTile, draw_sheet
from bot.downloads import Downloads, Upload
from bot.draft import MOST_PHOTOS, Draft, DraftPhoto, DraftState, StoredFinding, owned, still_open
from bot.errors import BotError, CannotServe, Missing, NotYours, WrongMoment
from bot.ids import new_id
from bot.photo_checks import find_duplicates
from bot.photo_workers import PhotoWorkers
from bot.photos import DevelopedPhoto, develop
from bot.store import drafts as rows
from bot.store.database import Database
from providers.recipe import BaseModelName, SubjectKind
from providers.registry import Registry

#: Open drafts a person may have; more than this is a forgotten heap.
MOST_OPEN_DRAFTS = 10
#: From here on more photos help little; below, every one counts.
GOOD_NUMBER = 8
_MORE = {
    SubjectKind.PERSON: "More photos help: add some from the side, from farther away, and in other light.",
    SubjectKind.ANIMAL: "More photos help: add some from the side, lying, standing, and in other places.",
    SubjectKind.OBJECT: "More photos help: add some from other angles and on other backgrounds.",
    SubjectKind.STYLE: "More pictures help: the more different their subjects, the better the style comes out.",
}
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


@dataclass(frozen=True, kw_only=True)
class DraftView:
    """A draft as its panel shows it."""

    draft: Draft
    photos: Sequence[DraftPhoto]
    #: What could be better, each a sentence that names the photo by its number.
    hints: Sequence[str]
    #: Photos that a training needs at least.
    fewest: int
    #: Numbered contact sheet, a picture file; None without photos.
    sheet: bytes | None

    @property
    def ready(self) -> bool:
        """Tell whether there are photos enough to train."""
        return len(self.photos) >= self.fewest


class DraftService:
    """All that can be done with drafts, each call for one person."""

    def __init__(
        self,
        *,
        database: Database,
        blobs: Blobs,
        downloads: Downloads,
        workers: PhotoWorkers,
        registry: Registry,
        clock: Clock,
    ) -> None:
        self._database = database
        self._blobs = blobs
        self._downloads = downloads
        self._workers = workers
        self._registry = registry
        self._clock = clock

    async def open(
        self, owner_id: int, *, name: str, trigger_word: str, kind: SubjectKind, base_model: BaseModelName | None
    ) -> Draft:
        """Open a draft; it becomes the active one if it is the person's only one.

        Raises:
            BadInput: the name or the trigger word cannot be used.
            CannotServe: no provider here trains for this base model.
            WrongMoment: the person has too many open drafts.
        """
        now = self._clock.now()
        draft = Draft(
            id=new_id(),
            owner_id=owner_id,
            name=words.model_name(name),
            trigger_word=words.trigger_word(trigger_word),
            kind=kind,
            base_model=self._base_model(base_model),
            state=DraftState.OPEN,
            created_at=now,
            updated_at=now,
        )
        async with self._database.begin() as connection:
            others = await rows.open_of(connection, owner_id)
            if len(others) >= MOST_OPEN_DRAFTS:
                raise WrongMoment(
                    f"You have {len(others)} open drafts already.", advice="Train or discard one of them first."
                )
            await rows.insert(connection, draft)
            await rows.set_active(connection, owner_id, None if others else draft.id)
        return draft

    async def open_drafts(self, owner_id: int) -> Sequence[Draft]:
        """Return a person's open drafts, the newest first."""
        async with self._database.begin() as connection:
            return await rows.open_of(connection, owner_id)

    async def choose(self, owner_id: int, draft_id: str) -> Draft:
        """Make a draft the one that the person's photos go to."""
        async with self._database.begin() as connection:
            draft = owned(await rows.get(connection, draft_id), owner_id)
            still_open(draft)
            await rows.set_active(connection, owner_id, draft_id)
        return draft

    async def current(self, owner_id: int, draft_id: str | None = None) -> Draft:
        """Return the draft that is meant: the named one, else the active one, else the only one.

        A name in place of the id will do for an open draft, as people type it without choosing a suggestion.

        Raises:
            Missing: there is none.
            WrongMoment: there are several and none was picked.
        """
        async with self._database.begin() as connection:
            choices = await rows.open_of(connection, owner_id)
            if draft_id is not None:
                return owned(await rows.get(connection, draft_id) or _called(draft_id, choices), owner_id)
            active = await rows.active_of(connection, owner_id)
        if not choices:
            raise _no_draft()
        chosen = choices[0] if len(choices) == 1 else next((d for d in choices if d.id == active), None)
        if chosen is None:
            raise WrongMoment(
                f"You have {len(choices)} open drafts.", advice="Name the one you mean with the option `draft`."
            )
        return chosen

    async def view(self, owner_id: int, draft_id: str, *, with_sheet: bool = True) -> DraftView:
        """Return what the draft's panel shows."""
        async with self._database.begin() as connection:
            draft = owned(await rows.get(connection, draft_id), owner_id)
            photos = await rows.photos_in(connection, draft_id)
        sheet = await self._sheet(photos) if photos and with_sheet else None
        return DraftView(
            draft=draft, photos=photos, hints=_hints(draft, photos), fewest=self._fewest(draft), sheet=sheet
        )

    async def receive(self, owner_id: int, uploads: Sequence[Upload], *, draft_id: str | None = None) -> Intake:
        """Take photos into the named draft, the active one, or hold them until the person picks one.

        A file that cannot be used is refused by its name and reason; the others are taken.

        Raises:
            Missing: there is no draft to put them in.
        """
        choices: Sequence[Draft] = ()
        draft: Draft | None = None
        try:
            draft = await self.current(owner_id, draft_id)
            still_open(draft)
        except WrongMoment:
            choices = await self.open_drafts(owner_id)
            if draft is not None or len(choices) < 2:
                raise
        developed, refused = await self._develop(uploads)
        if draft is not None:
            return await self._keep(draft, developed, refused)
        return await self._hold(owner_id, choices, developed, refused)

    async def assign(self, owner_id: int, batch_id: str, draft_id: str) -> Intake:
        """Put held photos into the draft that the person picked, which becomes their active one."""
        draft = await self.choose(owner_id, draft_id)
        refused: list[str] = []
        spare: list[DraftPhoto] = []
        async with self._database.begin() as connection:
            held = await rows.photos_held(connection, batch_id)
            if not held:
                raise WrongMoment("These photos are in a draft already.")
            if held[0].owner_id != owner_id:
                raise NotYours("These photos belong to somebody else.")
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
        await self._blobs.delete(photo.blob_key for photo in spare)
        added = [photo for photo in held if photo not in spare]
        return Intake(draft=draft, batch_id=None, choices=(), added=added, refused=refused)

    async def remove(self, owner_id: int, draft_id: str, photo_ids: Sequence[str]) -> int:
        """Remove photos from a draft and return how many went."""
        async with self._database.begin() as connection:
            still_open(owned(await rows.get(connection, draft_id), owner_id))
            gone = [photo for photo in await rows.photos_in(connection, draft_id) if photo.id in photo_ids]
            await rows.delete_photos(connection, [photo.id for photo in gone])
        await self._blobs.delete(photo.blob_key for photo in gone)
        return len(gone)

    async def caption(self, owner_id: int, draft_id: str, captions: Mapping[str, str]) -> None:
        """Set captions by photo id; all or none.

        Raises:
            BadInput: one of them is too long.
        """
        clean = {photo_id: words.caption(text) for photo_id, text in captions.items()}
        async with self._database.begin() as connection:
            still_open(owned(await rows.get(connection, draft_id), owner_id))
            there = {photo.id for photo in await rows.photos_in(connection, draft_id)}
            for photo_id in clean.keys() & there:
                await rows.caption_photo(connection, photo_id, clean[photo_id])

    async def discard(self, owner_id: int, draft_id: str) -> Draft:
        """Throw a draft and its photos away."""
        async with self._database.begin() as connection:
            draft = owned(await rows.get(connection, draft_id), owner_id)
            still_open(draft)
            photos = await rows.photos_in(connection, draft_id)
            await rows.delete_photos(connection, [photo.id for photo in photos])
            await rows.set_state(connection, draft_id, DraftState.DISCARDED, at=self._clock.now())
            if await rows.active_of(connection, owner_id) == draft_id:
                await rows.set_active(connection, owner_id, None)
        await self._blobs.delete(photo.blob_key for photo in photos)
        return draft

    def _base_model(self, wanted: BaseModelName | None) -> BaseModelName:
        offered = self._registry.base_models
        if not offered:
            raise CannotServe("No provider that trains is set up here.", advice="Tell the operator of this bot.")
        if wanted is None:
            return offered[0]
        if wanted not in offered:
            raise CannotServe(
                f"No provider here trains for {wanted.label}.",
                advice=f"Choose {' or '.join(base.label for base in offered)}.",
            )
        return wanted

    def _fewest(self, draft: Draft) -> int:
        needs = [int(t.capabilities.photos.low) for t in self._registry.trainers_for(draft.base_model)]
        return min(needs, default=1)

    async def _develop(self, uploads: Sequence[Upload]) -> tuple[list[tuple[str, DevelopedPhoto]], list[str]]:
        limit = asyncio.Semaphore(AT_ONCE)

        async def one(upload: Upload) -> DevelopedPhoto | BotError:
            async with limit:
                try:
                    data = await self._downloads.fetch(upload)
                    return await develop(data, file_name=words.file_label(upload.file_name), workers=self._workers)
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
            findings=tuple(StoredFinding(code=f.code.value, sentence=f.sentence) for f in photo.findings),
            caption="",
            created_at=self._clock.now(),
        )

    async def _sheet(self, photos: Sequence[DraftPhoto]) -> bytes:
        tiles = [
            SheetTile(number=number, data=await self._blobs.get(photo.blob_key), warn=bool(photo.findings))
            for number, photo in enumerate(photos, start=1)
        ]
        return await self._workers.run(draw_sheet, tiles)


def _called(name: str, drafts: Sequence[Draft]) -> Draft | None:
    fitting = [draft for draft in drafts if draft.name.casefold() == name.strip().casefold()]
    return fitting[0] if len(fitting) == 1 else None


def _no_draft() -> Missing:
    return Missing(
        "You have no open draft to put photos in.",
        advice="Make one with /draft new; then choose Apps, Add to draft on the message with your photos.",
    )


def _no_room(there: Sequence[DraftPhoto], sha256: str, file_name: str) -> str | None:
    for number, photo in enumerate(there, start=1):
        if photo.sha256 == sha256:
            return f"**{file_name}** is in the draft already, as photo {number}."
    if len(there) >= MOST_PHOTOS:
        return f"**{file_name}** finds no room: a draft holds {MOST_PHOTOS} photos. Remove one first."
    return None


def _next_position(there: Sequence[DraftPhoto]) -> int:
    return max((photo.position for photo in there), default=0) + 1


def _hints(draft: Draft, photos: Sequence[DraftPhoto]) -> Sequence[str]:
    hints = [
        f"Photo {number} {finding.sentence}"
        for number, photo in enumerate(photos, start=1)
        for finding in photo.findings
    ]
    twins = find_duplicates({number: photo.dhash for number, photo in enumerate(photos, start=1)})
    hints += [f"Photo {number} {finding.sentence}" for number, finding in twins.items()]
    if photos and len(photos) < GOOD_NUMBER:
        hints.append(_MORE[draft.kind])
    return hints
