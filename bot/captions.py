"""Owns the captions of a draft: written one by one, changed all at once, and that undone; trains with none of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from bot import words
from bot.clock import Clock
from bot.draft import Draft, DraftPhoto, DraftState, owned, still_open
from bot.errors import BadInput, WrongMoment
from bot.store import drafts as rows
from bot.store.database import Database
from bot.texts import _

#: What ends a part of a caption, so that none is added where two parts meet.
_ENDS = tuple(",;.:!?")


class How(StrEnum):
    """What becomes of the captions that are there."""

    BEFORE = "before"
    AFTER = "after"
    REPLACE = "replace"
    #: Only photos without one get it.
    FILL = "fill"


@dataclass(frozen=True, kw_only=True)
class Change:
    """One caption that was changed."""

    #: Of its photo, from 1.
    number: int
    before: str
    after: str


@dataclass(frozen=True, kw_only=True)
class Changed:
    """What a change of all captions did."""

    draft: Draft
    changes: Sequence[Change]
    #: Numbers of the photos whose caption would have become too long and stays.
    too_long: Sequence[int]


class CaptionService:
    """All that can be done with captions, each call for one person."""

    def __init__(self, *, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def write(self, owner_id: int, draft_id: str, captions: Mapping[str, str]) -> int:
        """Set captions by photo id and return how many; those of photos that are gone are dropped.

        Raises:
            BadInput: one of them is too long.
        """
        clean = {photo_id: words.caption(text) for photo_id, text in captions.items()}
        async with self._database.begin() as connection:
            still_open(owned(await rows.get(connection, draft_id), owner_id))
            there = {photo.id: photo.caption for photo in await rows.photos_in(connection, draft_id)}
            for photo_id in clean.keys() & there.keys():
                # A form sends what was there already too, and that can still be undone.
                if clean[photo_id] != there[photo_id]:
                    await rows.caption_photo(connection, photo_id, clean[photo_id])
            await rows.set_state(connection, draft_id, DraftState.OPEN, at=self._clock.now())
        return len(clean.keys() & there.keys())

    async def change_all(self, owner_id: int, draft_id: str, text: str, how: How) -> Changed:
        """Put a text into all captions at once; the captions of before are kept until the next change.

        Raises:
            BadInput: the text is too long, or lacking.
        """
        text = words.caption(text)
        if not text and how is not How.REPLACE:
            raise BadInput(_("There is no text to put into the captions."), advice=_("Write one and send it again."))
        async with self._database.begin() as connection:
            draft = still_open(owned(await rows.get(connection, draft_id), owner_id))
            changes, too_long, ids = _worked_out(await rows.photos_in(connection, draft_id), text, how)
            if changes:
                await rows.forget_earlier_captions(connection, draft_id)
                for photo_id, change in zip(ids, changes, strict=True):
                    await rows.caption_photo(connection, photo_id, change.after, earlier=change.before)
                await rows.set_state(connection, draft_id, DraftState.OPEN, at=self._clock.now())
        return Changed(draft=draft, changes=changes, too_long=too_long)

    async def undo(self, owner_id: int, draft_id: str) -> int:
        """Give the photos the captions that they had before the last change of all, and return how many.

        Raises:
            WrongMoment: it is undone already, or each of them was written anew since.
        """
        async with self._database.begin() as connection:
            still_open(owned(await rows.get(connection, draft_id), owner_id))
            back = await rows.restore_captions(connection, draft_id)
            if not back:
                raise WrongMoment(_("There is nothing to undo any more."), advice=_("Captions shows what is there."))
            await rows.set_state(connection, draft_id, DraftState.OPEN, at=self._clock.now())
        return back


def changed_caption(caption: str, text: str, how: How) -> str:
    """Return what a caption becomes."""
    if how is How.REPLACE or not caption:
        return text
    if how is How.FILL:
        return caption
    first, second = (text, caption) if how is How.BEFORE else (caption, text)
    return f"{first} {second}" if first.endswith(_ENDS) else f"{first}, {second}"


def _worked_out(photos: Sequence[DraftPhoto], text: str, how: How) -> tuple[list[Change], list[int], list[str]]:
    changes, too_long, ids = [], [], []
    for number, photo in enumerate(photos, start=1):
        after = changed_caption(photo.caption, text, how)
        if len(after) > words.LONGEST_CAPTION:
            too_long.append(number)
        elif after != photo.caption:
            changes.append(Change(number=number, before=photo.caption, after=after))
            ids.append(photo.id)
    return changes, too_long, ids
