"""Owns the making of a draft from an earlier one, which stays as it is: photos, captions and answer come along."""

import re
from collections.abc import Sequence
from dataclasses import replace

from bot import words
from bot.blobs import Blobs
from bot.clock import Clock
from bot.draft import Draft, DraftPhoto, DraftState, owned
from bot.drafts import refuse_heap
from bot.errors import Missing
from bot.ids import new_id
from bot.store import consents as consent_rows
from bot.store import drafts as rows
from bot.store.database import Database
from bot.texts import _


class DraftCopies:
    """All that can be done with earlier drafts, each call for one person."""

    def __init__(self, *, database: Database, blobs: Blobs, clock: Clock) -> None:
        self._database = database
        self._blobs = blobs
        self._clock = clock

    async def sources(self, owner_id: int) -> Sequence[Draft]:
        """Return the drafts that can be copied, trained ones too as long as their photos are kept; the newest first."""
        async with self._database.begin() as connection:
            return await rows.with_photos_of(connection, owner_id)

    async def find(self, owner_id: int, text: str) -> Draft:
        """Return the draft that a person means by an id, or by the name of one with photos; the newest of several.

        Raises:
            Missing: there is none.
        """
        sources = await self.sources(owner_id)
        wanted = text.strip().casefold()
        named = next((draft for draft in sources if draft.name.casefold() == wanted), None)
        async with self._database.begin() as connection:
            return owned(await rows.get(connection, text.strip()) or named, owner_id)

    async def copy(self, owner_id: int, draft_id: str, *, name: str = "", trigger_word: str = "") -> Draft:
        """Open a draft like this one and make it the active one; the earlier one stays as it is.

        Args:
            owner_id: Who asks.
            draft_id: The earlier draft.
            name: What the new one is called; as the earlier one, with a number if both are open.
            trigger_word: Its word, which takes the place of the earlier one in the captions too.

        Raises:
            BadInput: the name or the trigger word cannot be used.
            Missing: there is no such draft, or its photos are no longer kept.
            WrongMoment: the person has too many open drafts.
        """
        now = self._clock.now()
        async with self._database.begin() as connection:
            source = owned(await rows.get(connection, draft_id), owner_id)
            photos = await rows.photos_in(connection, draft_id)
            others = await rows.open_of(connection, owner_id)
        refuse_heap(others)
        draft = replace(
            source,
            id=new_id(),
            name=words.model_name(name) if name else _free_name(source.name, [other.name for other in others]),
            trigger_word=words.trigger_word(trigger_word) if trigger_word else source.trigger_word,
            state=DraftState.OPEN,
            family_id=source.line,
            created_at=now,
            updated_at=now,
        )
        copies = await self._copied(photos, source, draft)
        await self._insert(draft, copies)
        return draft

    async def _copied(self, photos: Sequence[DraftPhoto], source: Draft, draft: Draft) -> Sequence[DraftPhoto]:
        """Write each photo's file under a key of its own; one whose file is gone stays behind."""
        copies = []
        for photo in photos:
            photo_id = new_id()
            key = photo.blob_key.replace(photo.id, photo_id)
            try:
                await self._blobs.put(key, await self._blobs.get(photo.blob_key))
            except FileNotFoundError:
                continue
            # While nobody has said who is in them, they wait in front of the draft.
            draft_id, batch_id = (None, draft.id) if draft.depicted is None else (draft.id, None)
            caption = _reworded(photo.caption, source.trigger_word, draft.trigger_word)
            copies.append(
                replace(
                    photo,
                    id=photo_id,
                    draft_id=draft_id,
                    batch_id=batch_id,
                    blob_key=key,
                    caption=caption,
                    created_at=draft.created_at,
                )
            )
        if not copies:
            raise Missing(
                _("The photos of **{name}** are no longer kept.").format(name=source.name),
                advice=_("Start a new draft with /draft new."),
            )
        return copies

    async def _insert(self, draft: Draft, photos: Sequence[DraftPhoto]) -> None:
        async with self._database.begin() as connection:
            others = await rows.open_of(connection, draft.owner_id)
            refuse_heap(others)
            answer = await consent_rows.get(connection, draft.consent_id) if draft.consent_id else None
            await rows.insert(connection, draft)
            if answer is not None:
                # What was confirmed then holds for the same photos now.
                answer = replace(answer, id=new_id(), draft_id=draft.id)
                await consent_rows.insert(connection, answer)
                await consent_rows.hold(connection, answer)
            for photo in photos:
                await rows.add_photo(connection, photo)
            await rows.set_active(connection, draft.owner_id, draft.id)


def _free_name(name: str, taken: Sequence[str]) -> str:
    folded = {other.casefold() for other in taken}
    candidates = [name, *(f"{name[: words.LONGEST_NAME - 4]} {number}" for number in range(2, len(taken) + 3))]
    return next(candidate for candidate in candidates if candidate.casefold() not in folded)


def _reworded(caption: str, old: str, new: str) -> str:
    changed = re.sub(rf"(?<!\w){re.escape(old)}(?!\w)", new, caption) if old != new else caption
    return changed if len(changed) <= words.LONGEST_CAPTION else caption
