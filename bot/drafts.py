"""Owns drafts: opening, choosing, showing, removing photos, discarding; never trains and never draws a panel."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from bot import words
from bot.blobs import Blobs
from bot.clock import Clock
from bot.consent import Depicted
from bot.consents import keep_answer
from bot.contact_sheet import SheetTile, make_sheet
from bot.draft import MOST_PHOTOS, Draft, DraftPhoto, DraftState, owned, still_open
from bot.errors import CannotServe, Missing, WrongMoment
from bot.ids import new_id
from bot.photo_workers import PhotoWorkers
from bot.store import drafts as rows
from bot.store.database import Database
from bot.texts import _, listed, ngettext
from bot.verdicts import judge
from providers.recipe import BaseModelName, SubjectKind
from providers.registry import Registry

#: Open drafts a person may have; more than this is a forgotten heap.
MOST_OPEN_DRAFTS = 10


@dataclass(frozen=True, kw_only=True)
class Taker:
    """How many photos a trainer takes."""

    title: str
    low: int
    high: int


@dataclass(frozen=True, kw_only=True)
class DraftView:
    """A draft as its panel shows it."""

    draft: Draft
    photos: Sequence[DraftPhoto]
    #: Numbers of the photos that something was found about, from 1.
    marked: Collection[int]
    #: What could be better, each a sentence that names the photo by its number.
    hints: Sequence[str]
    #: Who can train it here.
    takers: Sequence[Taker]
    #: Photos that wait until it is said who is in them.
    waiting: int
    #: Numbered contact sheet, a picture file; None without photos.
    sheet: bytes | None

    @property
    def fewest(self) -> int:
        """Return how many photos a training needs at least."""
        return min((taker.low for taker in self.takers), default=1)

    @property
    def ready(self) -> bool:
        """Tell whether it is said who is in the photos, and there are enough of them to train."""
        return self.draft.depicted is not None and len(self.photos) >= self.fewest


class DraftService:
    """All that can be done with drafts, each call for one person."""

    def __init__(
        self,
        *,
        database: Database,
        blobs: Blobs,
        workers: PhotoWorkers,
        registry: Registry,
        clock: Clock,
    ) -> None:
        self._database = database
        self._blobs = blobs
        self._workers = workers
        self._registry = registry
        self._clock = clock

    async def open(
        self,
        owner_id: int,
        *,
        name: str,
        trigger_word: str,
        kind: SubjectKind,
        base_model: BaseModelName | None,
        depicted: Depicted | None = None,
    ) -> Draft:
        """Open a draft; it becomes the active one if it is the person's only one.

        Without an answer to who is in the photos, they wait in front of it until there is one.

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
            refuse_heap(others)
            await rows.insert(connection, draft)
            if depicted is not None:
                draft = await keep_answer(connection, draft, depicted, at=now)
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
            training = await rows.in_training_of(connection, owner_id)
            if draft_id is not None:
                named = (
                    await rows.get(connection, draft_id) or _called(draft_id, choices) or _called(draft_id, training)
                )
                return owned(named, owner_id)
            active = await rows.active_of(connection, owner_id)
        if not choices and training:
            still_open(training[0])
        if not choices:
            raise _no_draft()
        chosen = choices[0] if len(choices) == 1 else next((d for d in choices if d.id == active), None)
        if chosen is None:
            raise WrongMoment(
                ngettext("You have {count} open draft.", "You have {count} open drafts.", len(choices)).format(
                    count=len(choices)
                ),
                advice=_("Name the one you mean with the option `draft`."),
            )
        return chosen

    async def view(self, owner_id: int, draft_id: str, *, with_sheet: bool = True) -> DraftView:
        """Return what the draft's panel shows."""
        async with self._database.begin() as connection:
            draft = owned(await rows.get(connection, draft_id), owner_id)
            photos = await rows.photos_in(connection, draft_id)
            waiting = await rows.photos_held(connection, draft_id)
        verdicts = judge(draft, photos)
        return DraftView(
            draft=draft,
            photos=photos,
            marked=verdicts.marked,
            hints=verdicts.hints,
            takers=self._takers(draft),
            waiting=len(waiting),
            sheet=await self._sheet(photos, verdicts.marked) if photos and with_sheet else None,
        )

    async def remove(self, owner_id: int, draft_id: str, photo_ids: Sequence[str]) -> int:
        """Remove photos from a draft and return how many went."""
        async with self._database.begin() as connection:
            still_open(owned(await rows.get(connection, draft_id), owner_id))
            gone = [photo for photo in await rows.photos_in(connection, draft_id) if photo.id in photo_ids]
            await rows.delete_photos(connection, [photo.id for photo in gone])
            await rows.set_state(connection, draft_id, DraftState.OPEN, at=self._clock.now())
        await self._blobs.delete(photo.blob_key for photo in gone)
        return len(gone)

    async def discard(self, owner_id: int, draft_id: str) -> Draft:
        """Throw a draft and its photos away."""
        async with self._database.begin() as connection:
            draft = owned(await rows.get(connection, draft_id), owner_id)
            still_open(draft)
            photos = [*await rows.photos_in(connection, draft_id), *await rows.photos_held(connection, draft_id)]
            await rows.delete_photos(connection, [photo.id for photo in photos])
            await rows.set_state(connection, draft_id, DraftState.DISCARDED, at=self._clock.now())
            if await rows.active_of(connection, owner_id) == draft_id:
                await rows.set_active(connection, owner_id, None)
        await self._blobs.delete(photo.blob_key for photo in photos)
        return draft

    def _base_model(self, wanted: BaseModelName | None) -> BaseModelName:
        offered = self._registry.base_models
        if not offered:
            raise CannotServe(_("No provider that trains is set up here."), advice=_("Tell the operator of this bot."))
        if wanted is None:
            return offered[0]
        if wanted not in offered:
            raise CannotServe(
                _("No provider here trains for {model}.").format(model=wanted.label),
                advice=_("Choose one of these: {models}.").format(models=listed([base.label for base in offered])),
            )
        return wanted

    def _takers(self, draft: Draft) -> Sequence[Taker]:
        takes = [(t.title, t.capabilities.photos) for t in self._registry.trainers_for(draft.base_model)]
        return [
            Taker(title=title, low=int(limits.low), high=min(int(limits.high), MOST_PHOTOS)) for title, limits in takes
        ]

    async def _sheet(self, photos: Sequence[DraftPhoto], marked: Collection[int]) -> bytes:
        tiles = [
            SheetTile(
                number=number,
                data=await self._blobs.get(photo.blob_key),
                warn=number in marked,
                captioned=bool(photo.caption),
            )
            for number, photo in enumerate(photos, start=1)
        ]
        return await make_sheet(tiles, workers=self._workers)


def refuse_heap(others: Sequence[Draft]) -> None:
    """Do nothing if there is room for another open draft beside these.

    Raises:
        WrongMoment: there are too many.
    """
    if len(others) >= MOST_OPEN_DRAFTS:
        raise WrongMoment(
            ngettext(
                "You have {count} open draft already.", "You have {count} open drafts already.", len(others)
            ).format(count=len(others)),
            advice=_("Train or discard one of them first."),
        )


def _called(name: str, drafts: Sequence[Draft]) -> Draft | None:
    fitting = [draft for draft in drafts if draft.name.casefold() == name.strip().casefold()]
    if len(fitting) > 1:
        raise WrongMoment(
            ngettext(
                "{count} of your drafts is called **{name}**.",
                "{count} of your drafts are called **{name}**.",
                len(fitting),
            ).format(count=len(fitting), name=fitting[0].name),
            advice=_("Choose one from the list that opens while you type."),
        )
    return fitting[0] if fitting else None


def _no_draft() -> Missing:
    return Missing(
        _("You have no open draft to put photos in."),
        advice=_("Make one with /draft new; then choose Apps, Add to draft on the message with your photos."),
    )
